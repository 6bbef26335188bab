"""A picture that says in words why there is no map."""

from xml.etree.ElementTree import Element, SubElement, tostring

from tiles.map.engine import FONT, SAME, SPARE_FONT, mapnik
from tiles.map.picture import ENCODINGS
from tiles.map.request import Format

MARGIN, SIZE = 8, 13
COLOR, HALO = "#b00020", "#ffffff"
# A notice is read, not searched: what is longer is cut.
LONGEST = 600


def draw_notice(text: str, width: int, height: int, *, kind: Format, background: str | None) -> bytes:
    """A picture of that size with the text in its upper left; without text it is empty.

    background: #rrggbb, None for a transparent one (white where the format knows no transparency).
    """
    image = mapnik.Image(width, height)
    if background is not None or kind == "image/jpeg":
        image.fill(mapnik.Color(background or HALO))
    if text:
        mapnik.render(_words(text[:LONGEST], width, height), image)
    return bytes(image.to_string(ENCODINGS[kind]))


def _words(text: str, width: int, height: int) -> "mapnik.Map":
    """A map whose units are the picture's pixels, with one name on it."""
    drawn = mapnik.Map(width, height, SAME)
    mapnik.load_map_from_string(drawn, _style(width))
    context = mapnik.Context()
    context.push("text")
    feature = mapnik.Feature(context, 1)
    feature["text"] = text
    feature.geometry = mapnik.Geometry.from_wkt(f"POINT({MARGIN} {height - MARGIN})")
    source = mapnik.MemoryDatasource()
    source.add_feature(feature)
    layer = mapnik.Layer("notice", SAME)
    layer.datasource = source
    layer.styles.append("notice")
    drawn.layers.append(layer)
    drawn.zoom_to_box(mapnik.Box2d(0, 0, width, height))
    return drawn


def _style(width: int) -> str:
    root = Element("Map", {"srs": SAME})
    fonts = SubElement(root, "FontSet", {"name": "all"})
    for face in (FONT, SPARE_FONT):
        SubElement(fonts, "Font", {"face-name": face})
    rule = SubElement(SubElement(root, "Style", {"name": "notice"}), "Rule")
    symbolizer = SubElement(
        rule,
        "TextSymbolizer",
        {
            "fontset-name": "all",
            "size": str(SIZE),
            "fill": COLOR,
            "halo-fill": HALO,
            "halo-radius": "1.5",
            "wrap-width": str(max(width - 2 * MARGIN, SIZE)),
            "horizontal-alignment": "right",
            "vertical-alignment": "bottom",
            "justify-alignment": "left",
            "wrap-before": "true",
            "allow-overlap": "true",
        },
    )
    symbolizer.text = "[text]"
    return tostring(root, "unicode")
