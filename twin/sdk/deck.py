"""Maps for notebooks: pydeck pages that hold their data and their program, and ask no other host for anything."""

import html
import math
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pydeck
from pydeck.io.html import cdn_picker, render_json_to_html

if TYPE_CHECKING:
    from twin.sdk.layer import Bbox, Feature, Layer

BACKGROUND = "#f4f1ea"
COLORS = {"polygon": "#c9b79c", "line": "#8a8f98", "point": "#d1495b"}
# pydeck's page loads its program, a second map library, fonts and styles from five hosts, and all but the program even
# offline; it draws without them.
FOREIGN = re.compile(r"<script[^>]*\ssrc=[^>]*>\s*</script>|<link[^>]*\shref=[^>]*>", re.IGNORECASE)
TILE_PIXELS, MAP_PIXELS, FRAME_PIXELS = 512, 700, 500
# 1e-7 degrees are a centimetre.
DECIMALS = 7
# Heights are seen from the side.
PITCH, BEARING = 50, -15

Bounds = tuple[float, float, float, float]


class Map(pydeck.Deck):  # type: ignore[misc]
    """A pydeck.Deck whose page is whole: it opens without a network, and shows itself in a notebook."""

    def to_html(self, filename: str | Path | None = None, **_: Any) -> str:
        """The page; written to `filename` if that is given, and then its absolute path is returned."""
        # Names come from anywhere: none of them may end the script they stand in, or look like a tag.
        deck = self.to_json().replace("<", "\\u003c")
        page = render_json_to_html(deck, tooltip=self._tooltip, css_background_color=BACKGROUND)
        head, style, rest = FOREIGN.sub("", page).partition("<style>")
        page = f"{head}{cdn_picker(offline=True)}\n    {style}{rest}"
        if filename is None:
            return page
        path = Path(filename).absolute()
        path.write_text(page, encoding="utf-8")
        return str(path)

    def _repr_html_(self) -> str:
        return (
            f'<iframe width="100%" height="{FRAME_PIXELS}" style="border:0"'
            f' srcdoc="{html.escape(self.to_html(), quote=True)}"></iframe>'
        )


def draw(layers: "Sequence[tuple[Layer, Iterable[Feature]]]", limit: int, around: "Bbox | None" = None) -> Map:
    """Layers with their features on one map, the first at the bottom.

    limit: at most so many of each layer, with a warning where there are more. around: west, south, east, north to
    look at; else all that is drawn.
    """
    drawn, bounds, upright = [], [], False
    for layer, features in layers:
        stands = "height" in layer.schema and layer.geometry == "polygon"
        left = iter(features)
        shown = [_slim(feature, stands) for feature in islice(left, limit)]
        if next(left, None) is not None:
            warnings.warn(f"{layer.id}: only the first {limit:,} are drawn; give a bbox or a limit", stacklevel=3)
        bounds += [_bounds(feature["geometry"]) for feature in shown]
        upright |= stands
        drawn.append(_deck_layer(layer, shown, stands))
    return Map(
        layers=drawn,
        initial_view_state=_view(_box(around) if around else _around(bounds), upright),
        map_style=None,
        map_provider=None,
        # As text: a name is never read as HTML.
        tooltip={"text": "{properties.label}"},
    )


def _slim(feature: "Feature", stands: bool) -> dict[str, Any]:
    """What the map needs of a feature: a page with every attribute would be several times larger."""
    properties = feature["properties"]
    told = (properties.get(name) for name in ("name", "name_en", "class"))
    label = "\n".join(dict.fromkeys(str(value) for value in told if value)) or f"#{feature['id']}"
    slim: dict[str, Any] = {"label": label}
    if stands:
        slim["height"] = properties.get("height") or 0
        slim["label"] += f"\n{slim['height']:g} m"
    geometry = feature["geometry"] and {
        "type": feature["geometry"]["type"],
        "coordinates": _rounded(feature["geometry"]["coordinates"]),
    }
    return {"type": "Feature", "geometry": geometry, "properties": slim}


def _rounded(coordinates: Any) -> Any:
    """Coordinates as exact as a map can show."""
    if isinstance(coordinates, list):
        return [_rounded(part) for part in coordinates]
    return round(coordinates, DECIMALS)


def _deck_layer(layer: "Layer", features: list[dict[str, Any]], stands: bool) -> pydeck.Layer:
    color = _color(layer)
    return pydeck.Layer(
        "GeoJsonLayer",
        id=layer.id,
        data={"type": "FeatureCollection", "features": features},
        pickable=True,
        auto_highlight=True,
        stroked=not stands,
        filled=True,
        extruded=stands,
        get_elevation="properties.height" if stands else 0,
        get_fill_color=color,
        get_line_color=color if layer.geometry == "line" else [max(0, part - 40) for part in color],
        line_width_min_pixels=1.5 if layer.geometry == "line" else 0.5,
        point_radius_min_pixels=4,
        point_radius_max_pixels=8,
    )


def _color(layer: "Layer") -> list[int]:
    legend = layer.info["twin"].get("legend") or [{}]
    named = next((entry["color"] for entry in legend if entry.get("color")), None)
    text = str(named or COLORS.get(layer.geometry, COLORS["polygon"])).removeprefix("#")
    if not re.fullmatch(r"[0-9a-fA-F]{6}", text):
        text = COLORS["polygon"].removeprefix("#")
    return [int(text[at : at + 2], 16) for at in (0, 2, 4)]


def _view(bounds: Bounds | None, upright: bool) -> pydeck.ViewState:
    west, south, east, north = bounds or (-180.0, -60.0, 180.0, 60.0)
    latitude = (south + north) / 2
    # A degree of latitude is 1 / cos(latitude) as long on the map as one of longitude.
    widest = max(east - west, (north - south) / math.cos(math.radians(latitude)), 1e-4)
    return pydeck.ViewState(
        longitude=(west + east) / 2,
        latitude=latitude,
        zoom=min(18.0, math.log2(MAP_PIXELS * 360 / (TILE_PIXELS * widest))),
        pitch=PITCH if upright else 0,
        bearing=BEARING if upright else 0,
    )


def _box(around: "Bbox") -> Bounds:
    west, south, east, north = around
    return west, south, east, north


def _around(boxes: Iterable[Bounds | None]) -> Bounds | None:
    known = [box for box in boxes if box is not None]
    if not known:
        return None
    west, south, east, north = zip(*known, strict=True)
    return min(west), min(south), max(east), max(north)


def _bounds(geometry: dict[str, Any] | None) -> Bounds | None:
    if geometry is None:
        return None
    xs, ys = zip(*_positions(geometry["coordinates"]), strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _positions(coordinates: Any) -> Iterator[tuple[float, float]]:
    """Longitude and latitude of every vertex, however deep the rings are nested (RFC 7946, 3.1)."""
    if isinstance(coordinates[0], list):
        for part in coordinates:
            yield from _positions(part)
    else:
        yield coordinates[0], coordinates[1]
