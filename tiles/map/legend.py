"""Legends as pictures and JSON: each class drawn by the very rules that draw the map."""

import math
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import orjson

from layers.catalog import Catalog, Layer, Title
from layers.drawing import read_style_layer, read_styles
from layers.expressions import Source, read_source
from layers.legend import Entry, Kind, legend, telling_input
from layers.looks import GEOMETRY, Leaf, look_of
from layers.style import Mode, palette
from tiles.map.classes import looks_of
from tiles.map.engine import FONT, SAME, mapnik
from tiles.map.picture import ENCODINGS
from tiles.map.request import BadMap
from tiles.map.scale import latitude_of, zoom_of_pixel
from tiles.map.sources import Drawn
from tiles.map.symbols import styles_of
from tiles.matrix import SCREEN_PIXEL_M

DrawnFormat = Literal["image/png", "image/png; mode=8bit", "image/jpeg", "image/webp", "image/svg+xml"]
LegendFormat = Literal[
    "image/png", "image/png; mode=8bit", "image/jpeg", "image/webp", "image/svg+xml", "application/json"
]
FORMATS: tuple[LegendFormat, ...] = get_args(LegendFormat)
# Symbols are shown as large as here, unless another scale is asked for.
USUAL_ZOOM = 14.0
SWATCH = (24, 16)
LARGEST_SWATCH = 256
MARGIN, GAP, TEXT_SIZE = 6, 4, 12
# About how wide a letter is, in sizes of the text, if it is Latin; Chinese ones are as wide as high.
LATIN_WIDTH = 0.58
SHAPES: dict[Kind, str] = {"fill": "Polygon", "line": "LineString", "circle": "Point"}


@dataclass(frozen=True)
class Row:
    """One class in a legend. name: by which it is asked for. looks: part by part, from the lowest."""

    name: str
    title: Title
    kind: Kind
    looks: tuple[tuple[Drawn, Leaf], ...]


def legend_rows(
    layer: Layer, catalog: Catalog, mode: Mode, *, scale: float | None, in_use: Collection[str] | None
) -> list[Row]:
    """The classes that a layer shows at a scale (its denominator), at any if it is None.

    in_use: the values to list, None for all. Raises BadMap, StyleError.
    """
    zoom = None if scale is None else _zoom(scale, latitude_of(catalog))
    given = telling_input(layer, catalog)
    source = None if given is None else read_source(given, layer.id)
    if layer.is_raster:
        return [_swatch(entry) for entry in legend(layer, catalog, mode)]
    styles = [s for s in read_styles(layer, mode, catalog) if s.of is None and s.type not in ("symbol", "hillshade")]
    rows = []
    for entry in legend(layer, catalog, mode, in_use=in_use):
        drawn = []
        for style in styles:
            at = max(USUAL_ZOOM, style.min_zoom) if zoom is None else zoom
            tree = style.tree(at, layer.theme.geometry) if style.shows_at(at) else None
            look = look_of(tree, _example(source, entry.values, entry.kind))
            if look is not None:
                drawn.append((Drawn(style, tree), look))
        if drawn:
            rows.append(Row(entry.values[0] if entry.values else layer.id, entry.title, entry.kind, tuple(drawn)))
    return rows


def _swatch(entry: Entry) -> Row:
    """A colour of a raster, which has no objects: a piece of ground in it."""
    part = {"id": "cells", "type": "fill", "paint": {"fill-color": entry.color}}
    style = read_style_layer(part, "legend")
    tree = style.tree(USUAL_ZOOM, "MultiPolygon")
    look = look_of(tree, {GEOMETRY: SHAPES["fill"]})
    assert look is not None
    return Row(entry.values[0], entry.title, "fill", ((Drawn(style, tree), look),))


def draw_legend(rows: Sequence[Row], mode: Mode, form: DrawnFormat, *, width: int | None, height: int | None) -> bytes:
    """The legend as a picture or SVG; of one row only its symbol. width, height: pixels of a symbol. Raises BadMap."""
    size = (width or SWATCH[0], height or SWATCH[1])
    if not all(1 <= side <= LARGEST_SWATCH for side in size):
        raise BadMap(f"a symbol of {size[0]} x {size[1]} pixels; it has 1 to {LARGEST_SWATCH} along a side")
    return _rendered(_picture(rows, mode, size), form)


def picture_size(rows: Sequence[Row], size: tuple[int, int] = SWATCH) -> tuple[int, int]:
    """Width and height in pixels of the legend as a picture, its symbols of `size`."""
    if len(rows) == 1:
        return size
    wide = max((_width(text) for text in _texts(rows)), default=0)
    width = size[0] + 2 * MARGIN + (GAP * 2 + wide if rows else 0)
    return width, _pitch(size) * max(1, len(rows)) - GAP + 2 * MARGIN


def legend_json(layer: Layer, rows: Sequence[Row]) -> bytes:
    """The legend as JSON, in the form that GeoServer's users read."""
    rules = [
        {
            "name": row.name,
            "title": _said(row.title),
            "abstract": row.title.en,
            "symbolizers": [_told(part.style.type, look) for part, look in row.looks],
        }
        for row in rows
    ]
    told = {"layerName": layer.id, "title": _said(layer.title), "rules": rules}
    return orjson.dumps({"Legend": [told]})


def chosen(rows: list[Row], rule: str | None) -> list[Row]:
    """The row of that name, all for None. Raises BadMap."""
    if rule is None:
        return rows
    found = [row for row in rows if row.name == rule]
    if not found:
        raise BadMap(f"no rule {rule[:60]!r} in the legend; there are {', '.join(row.name for row in rows) or 'none'}")
    return found


def _zoom(scale: float, latitude: float) -> float:
    """The zoom of a scale's denominator; latitude: in radians."""
    if not (math.isfinite(scale) and scale > 0):
        raise BadMap(f"scale {scale}: give its denominator, a number above nought")
    return zoom_of_pixel(scale * SCREEN_PIXEL_M / math.cos(latitude))


def _example(source: Source | None, values: tuple[str, ...], kind: Kind) -> dict[Source, Any]:
    found: dict[Source, Any] = {GEOMETRY: SHAPES[kind]}
    if source is not None and values:
        found[source] = values[0]
    return found


def _picture(rows: Sequence[Row], mode: Mode, size: tuple[int, int]) -> Any:
    """Mapnik's map of the legend: a unit of its coordinates is a pixel."""
    pitch, texts = _pitch(size), _texts(rows)
    width, height = picture_size(rows, size)
    drawn = mapnik.Map(width, height, SAME)
    drawn.background = mapnik.Color(palette(mode)["background"])
    drawn.zoom_to_box(mapnik.Box2d(0, 0, width, height))
    for number, row in enumerate(rows):
        left, top = (0, height) if len(rows) == 1 else (MARGIN, height - MARGIN - number * pitch)
        _add_symbol(drawn, f"{number}", row, (left, top - size[1], left + size[0], top))
        if texts:
            _add_text(drawn, f"text {number}", texts[number], (left + size[0] + 2 * GAP, top - size[1] / 2), mode)
    return drawn


def _pitch(size: tuple[int, int]) -> int:
    return max(size[1], TEXT_SIZE + 4) + GAP


def _texts(rows: Sequence[Row]) -> list[str]:
    """What stands beside the symbols; a single one is known by the layer."""
    return [_said(row.title) for row in rows] if len(rows) > 1 else []


def _said(title: Title) -> str:
    """In both languages; a number with its unit is the same in both."""
    return title.zh if title.zh == title.en else f"{title.zh} {title.en}".strip()


def _add_symbol(drawn: Any, name: str, row: Row, box: tuple[float, float, float, float]) -> None:
    for index, (part, look) in enumerate(row.looks):
        wkt = _shape(row.kind, box)
        source = mapnik.MemoryDatasource()
        source.add_feature(_feature(wkt, {"c0": looks_of(part.tree).index(look)}))
        layer = mapnik.Layer(f"{name}/{index}", SAME)
        layer.datasource = source
        for style_name, style in styles_of({f"{name}/{index}/{part.style.id}": (0, part)}).items():
            drawn.append_style(style_name, style)
            layer.styles.append(style_name)
        drawn.layers.append(layer)


def _shape(kind: Kind, box: tuple[float, float, float, float]) -> str:
    """An example of an object: a piece of ground, a street that bends, a point."""
    west, south, east, north = box
    if kind == "circle":
        return f"POINT({(west + east) / 2} {(south + north) / 2})"
    if kind == "line":
        low, high = south + (north - south) * 0.3, south + (north - south) * 0.7
        return f"LINESTRING({west + 1} {low}, {(west + east) / 2} {high}, {east - 1} {low})"
    w, s, e, n = west + 1.5, south + 1.5, east - 1.5, north - 1.5
    return f"POLYGON(({w} {s}, {e} {s}, {e} {n}, {w} {n}, {w} {s}))"


def _add_text(drawn: Any, name: str, text: str, place: tuple[float, float], mode: Mode) -> None:
    style = mapnik.Map(1, 1, SAME)
    color = palette(mode)["label"]
    mapnik.load_map_from_string(
        style,
        f'<Map><Style name="text"><Rule><TextSymbolizer face-name="{FONT}" size="{TEXT_SIZE}" fill="{color}"'
        ' horizontal-alignment="right" vertical-alignment="middle" allow-overlap="true">[text]</TextSymbolizer>'
        "</Rule></Style></Map>",
    )
    source = mapnik.MemoryDatasource()
    source.add_feature(_feature(f"POINT({place[0]} {place[1]})", {"text": text}))
    layer = mapnik.Layer(name, SAME)
    layer.datasource = source
    drawn.append_style(name, style.find_style("text"))
    layer.styles.append(name)
    drawn.layers.append(layer)


def _feature(wkt: str, values: dict[str, Any]) -> Any:
    context = mapnik.Context()
    for name in values:
        context.push(name)
    feature = mapnik.Feature(context, 1)
    feature.geometry = mapnik.Geometry.from_wkt(wkt)
    for name, value in values.items():
        feature[name] = value
    return feature


def _width(text: str) -> int:
    return math.ceil(sum(TEXT_SIZE * (1 if ord(letter) > 0x2E7F else LATIN_WIDTH) for letter in text))


def _rendered(drawn: Any, form: DrawnFormat) -> bytes:
    if form == "image/svg+xml":
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "legend.svg"
            mapnik.render_to_file(drawn, str(file), "svg")
            return file.read_bytes()
    image = mapnik.Image(drawn.width, drawn.height)
    mapnik.render(drawn, image)
    return bytes(image.to_string(ENCODINGS[form]))


def _told(kind: str, look: Leaf) -> dict[str, Any]:
    name = {"fill": "Polygon", "fill-extrusion": "Polygon", "line": "Line", "circle": "Point"}[kind]
    return {name: dict(_values(look))}


def _values(look: Leaf) -> Iterator[tuple[str, Any]]:
    for name, value in look.looks:
        if value is not None:
            yield name, value
