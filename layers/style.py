"""Styles: one a layer, in a subset of the MapLibre style specification, composed into the style of the whole map."""

from collections.abc import Collection, Mapping
from functools import cache
from importlib import resources
from typing import Any, Literal

import yaml

from layers import LayerError
from layers.access import Principal
from layers.catalog import Catalog, Layer

Mode = Literal["day", "night"]
MODES: tuple[Mode, ...] = ("day", "night")
FONT = ["Noto Sans SC"]
SLOTS = ("ground", "relief", "line", "point", "solid", "label")
SLOT_OF = {"fill": "ground", "line": "line", "circle": "point", "symbol": "label", "raster": "line"}
# Width of a carriageway in pixels at zooms 8, 14 and 19; between them it doubles with each zoom as the map does.
ROAD_WIDTHS = {
    "motorway": (1.4, 5.0, 44),
    "trunk": (1.1, 4.6, 40),
    "primary": (0.8, 3.8, 34),
    "secondary": (0.5, 3.0, 28),
    "tertiary": (0.3, 2.2, 22),
    "motorway_link": (0.4, 2.2, 18),
    "trunk_link": (0.3, 2.0, 18),
    "service": (0.0, 0.7, 9),
}
OTHER_ROAD_WIDTH = (0.1, 1.4, 16)


class StyleNotFound(LayerError):
    """No style of that name."""


def compose(
    catalog: Catalog, principal: Principal, mode: Mode, *, base: str, terrain: bool, named: Collection[str] = ()
) -> dict[str, Any]:
    """The MapLibre style of all layers that `principal` may read; of results those that are shown or `named`.

    base: URL of the city without a closing slash; sources are named from it. terrain: whether it has elevation tiles.
    Each style layer says in its metadata which layer and theme group it belongs to, so that a viewer can switch it.
    """
    layers = [
        layer
        for layer in catalog.layers(principal)
        if layer.extent is not None and (layer.is_shown or layer.id in named)
    ]
    palette = _palettes()[mode]
    drawn: list[tuple[int, dict[str, Any]]] = []
    for layer in layers:
        for part in layer_style(layer):
            if layer.theme.table == "terrain" and not terrain:
                continue
            slot = SLOTS.index(part.get("slot") or SLOT_OF[part["type"]])
            drawn.append((slot, _style_layer(layer, part, catalog, mode)))
    ids = ",".join(layer.id for layer in layers if not layer.is_raster)
    sources: dict[str, Any] = {}
    if ids:
        url = f"{base}/tiles/WebMercatorQuad/tilejson.json?collections={ids}"
        sources["city"] = {"type": "vector", "url": url}
    sources |= {layer.id: _cells(layer, mode, base) for layer in layers if layer.theme.table == "coverage"}
    if terrain:
        # Tiles of 256 pixels shown at 512: a hillshade of every other metre is smooth, and a quarter of the tiles.
        url = f"{base}/terrain/tilejson.json"
        sources["terrain"] = {"type": "raster-dem", "url": url, "encoding": "mapbox", "tileSize": 512}
        for layer in layers:
            if layer.theme.table == "terrain" and layer.extent is not None:
                sources["outside"] = {"type": "geojson", "data": _outside(layer.extent)}
    return {
        "version": 8,
        "name": f"{catalog.city.title_en} {mode}",
        "metadata": {"twin:mode": mode, "twin:city": catalog.city.name},
        "sources": sources,
        "sky": {
            "sky-color": palette["sky"],
            "horizon-color": palette["horizon"],
            "fog-color": palette["fog"],
            "sky-horizon-blend": 0.6,
            "horizon-fog-blend": 0.5,
            "fog-ground-blend": 0.85,
        },
        "light": {"anchor": "map", "position": [1.4, 210, 40], "color": "#ffffff", "intensity": 0.35},
        "layers": [
            {"id": "background", "type": "background", "paint": {"background-color": palette["background"]}},
            # Python's sort is stable: within a slot the ground-first order of the catalogue stays.
            *(part for _, part in sorted(drawn, key=lambda pair: pair[0])),
        ],
    }


def _cells(layer: Layer, mode: Mode, base: str) -> dict[str, Any]:
    """A raster layer's cells as coloured tiles; they name no moment, which a viewer adds."""
    address = f"{base}/collections/{layer.id}/styles/{mode}/map/tiles/WebMercatorQuad/{{z}}/{{y}}/{{x}}?f=png"
    return {"type": "raster", "tiles": [address], "tileSize": 256, "bounds": layer.extent}


def _outside(box: tuple[float, float, float, float]) -> dict[str, Any]:
    """All the world but a box of degrees, as GeoJSON: what lies beyond the elevation's edge."""
    west, south, east, north = box
    world = [[-180, -85.0511], [180, -85.0511], [180, 85.0511], [-180, 85.0511], [-180, -85.0511]]
    hole = [[west, south], [west, north], [east, north], [east, south], [west, south]]
    return {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [world, hole]}}


def layer_style(layer: Layer) -> list[dict[str, Any]]:
    """The style layers of one layer: its own, or its theme's default."""
    own = layer.style.get("layers") if layer.style else None
    return own or _defaults()[layer.theme.layer]


def palette(mode: Mode) -> dict[str, Any]:
    """What the "@" names of a mode mean: colours, of which `background` is that of the whole map."""
    return _palettes()[mode]


def resolved(value: Any, catalog: Catalog, mode: Mode) -> Any:
    """A style value with "@" names replaced by what they mean in `mode`."""
    if isinstance(value, str) and value.startswith("@"):
        return _meaning(value[1:], catalog, mode)
    if isinstance(value, list):
        return _matching([resolved(item, catalog, mode) for item in value])
    if isinstance(value, dict):
        return {key: resolved(item, catalog, mode) for key, item in value.items()}
    return value


def _matching(value: list[Any]) -> list[Any]:
    """A `match` expression with each label in a list, as it is; QGIS 3.22 reads a bare label as no label at all."""
    if value[:1] != ["match"]:
        return value
    labels = range(2, len(value) - 1, 2)
    return [[part] if index in labels and not isinstance(part, list) else part for index, part in enumerate(value)]


def _style_layer(layer: Layer, part: Mapping[str, Any], catalog: Catalog, mode: Mode) -> dict[str, Any]:
    source = part.get("of") or {"hillshade": "terrain", "raster": layer.id}.get(part["type"], "city")
    built: dict[str, Any] = {
        "id": f"{layer.id}-{part['id']}",
        "type": part["type"],
        "source": source,
        "metadata": {"twin:layer": layer.id, "twin:theme": layer.group},
        "layout": dict(resolved(part.get("layout", {}), catalog, mode)),
        "paint": resolved(part.get("paint", {}), catalog, mode),
    }
    if source == "city":
        built["source-layer"] = layer.id
    built["minzoom"] = max(part.get("minzoom", 0), layer.min_zoom)
    built["maxzoom"] = min(part.get("maxzoom", 24), 24)
    if "filter" in part:
        built["filter"] = part["filter"]
    if part["type"] == "symbol":
        built["layout"]["text-font"] = FONT
    if not layer.visible:
        built["layout"]["visibility"] = "none"
    return built


def _meaning(name: str, catalog: Catalog, mode: Mode) -> Any:
    if name == "name":
        return ["coalesce", ["get", "name"], ["get", "name_en"]]
    if name == "codes":
        return _code_colors(catalog, mode)
    if name == "road_width":
        return _road_width(casing=False)
    if name == "road_casing_width":
        return _road_width(casing=True)
    try:
        return _palettes()[mode][name]
    except KeyError:
        raise LayerError(f"style: no colour @{name} in the {mode} palette") from None


def _code_colors(catalog: Catalog, mode: Mode) -> list[Any]:
    """Land use by scheme and code, as the code list colours it."""
    by_color: dict[str, list[str]] = {}
    for key, code in catalog.codes.get("land_use", {}).items():
        if code.color:
            # By the colour of day: two may meet at night, and the legend is one for both.
            by_color.setdefault(code.color, []).append(key)
    pairs = [part for color, keys in by_color.items() for part in (keys, shaded(color, mode))]
    return ["match", ["concat", ["get", "scheme"], ":", ["get", "code"]], *pairs, _palettes()[mode]["background"]]


def shaded(color: str, mode: Mode) -> str:
    """A day colour #rrggbb as it is shown in `mode`."""
    towards, share = _palettes()[mode]["shade"]
    mixed = (round(int(color[i : i + 2], 16) * (1 - share) + int(towards[i : i + 2], 16) * share) for i in (1, 3, 5))
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def _road_width(*, casing: bool) -> list[Any]:
    stops: list[Any] = ["interpolate", ["exponential", 1.6], ["zoom"]]
    for index, zoom in enumerate((8, 14, 19)):
        extra = (0.0, 1.4, 3.0)[index] if casing else 0.0
        widths = [part for name, width in ROAD_WIDTHS.items() for part in ([name], width[index] + extra)]
        stops += [zoom, ["match", ["get", "class"], *widths, OTHER_ROAD_WIDTH[index] + extra]]
    return stops


@cache
def _palettes() -> dict[Mode, dict[str, Any]]:
    return _read("palettes.yaml")  # type: ignore[return-value]


@cache
def _defaults() -> dict[str, list[dict[str, Any]]]:
    return _read("default.yaml")


def _read(file: str) -> dict[str, Any]:
    source = resources.files("layers").joinpath("styles", file).read_bytes()
    loaded: dict[str, Any] = yaml.load(source, Loader=yaml.CSafeLoader)
    return loaded
