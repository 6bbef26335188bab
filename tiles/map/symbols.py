"""From a style's looks to Mapnik's rules: one style a style layer, one rule a look."""

from collections.abc import Callable, Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from layers.colors import format_color, parse_color
from layers.looks import Leaf
from tiles.map.classes import looks_of
from tiles.map.engine import FONT, SAME, SPARE_FONT, mapnik
from tiles.map.sources import TEXT, Drawn

FONTS = "city"
Look = Mapping[str, Any]
# A line of the polygon's own colour closes the hair's breadth that antialiasing leaves between neighbours.
SEAM_WIDTH = 0.4
# Pixels of an outline.
OUTLINE_WIDTH = 1.0
# Fewer pixels between two equal names.
REPEAT = 100.0
# A name may slip along its street by this share of the spacing to find room.
SLIP = 0.3


def styles_of(parts: Mapping[str, tuple[int, Drawn]]) -> dict[str, "mapnik.Style"]:
    """Mapnik's styles by name. parts: by name of the style, the number of the part in its group, and the part."""
    root = Element("Map", srs=SAME)
    fonts = SubElement(root, "FontSet", name=FONTS)
    for face in (FONT, SPARE_FONT):
        SubElement(fonts, "Font", {"face-name": face})
    for name, (index, part) in parts.items():
        root.append(style_xml(name, index, part))
    drawn = mapnik.Map(1, 1, SAME)
    mapnik.load_map_from_string(drawn, tostring(root, "unicode"))
    return {name: drawn.find_style(name) for name in parts}


def style_xml(name: str, index: int, part: Drawn) -> Element:
    """A style layer as Mapnik's Style: its rules tell an object's look by its number in column c{index}."""
    style = Element("Style", {"name": name, "filter-mode": "first"})
    draw = DRAW[part.style.type]
    for number, look in enumerate(looks_of(part.tree)):
        rule = SubElement(style, "Rule", name=str(number))
        SubElement(rule, "Filter").text = f"[c{index}] = {number}"
        draw(rule, look.values)
    return style


def reach(look: Leaf) -> float:
    """How many pixels beyond an object's geometry a look may reach, of what is no label."""
    values = look.values
    line = values.get("line-width", 0.0) / 2 + abs(values.get("line-offset", 0.0))
    return float(max(line, values.get("circle-radius", 0.0) + values.get("circle-stroke-width", 0.0), OUTLINE_WIDTH))


def _fill(rule: Element, look: Look) -> None:
    opacity = look["fill-opacity"]
    _polygon(rule, look["fill-color"], opacity, look["fill-outline-color"], smooth=look["fill-antialias"])


def _extrusion(rule: Element, look: Look) -> None:
    color = look["fill-extrusion-color"]
    _polygon(rule, color, look["fill-extrusion-opacity"], _darker(color), smooth=True)


def _polygon(rule: Element, color: str, opacity: float, outline: str | None, *, smooth: bool) -> None:
    if opacity <= 0:
        return
    fill, share = _paint(color, opacity)
    shape = SubElement(rule, "PolygonSymbolizer", {"fill": fill, "fill-opacity": share})
    if not smooth:
        shape.set("gamma", "0")
    elif outline is not None:
        _line(rule, outline, opacity, OUTLINE_WIDTH, {"stroke-linejoin": "round"})
    elif opacity == 1:
        _line(rule, color, opacity, SEAM_WIDTH, {"stroke-linejoin": "round"})


def _stroke(rule: Element, look: Look) -> None:
    more = {"stroke-linecap": look["line-cap"], "stroke-linejoin": look["line-join"]}
    width = look["line-width"]
    if look["line-dasharray"]:
        # In widths of the line, as MapLibre has it.
        more["stroke-dasharray"] = ",".join(f"{max(part * width, 0.01):.3f}" for part in look["line-dasharray"])
    if look["line-offset"]:
        # To the right of the line's direction there, to the left here.
        more["offset"] = f"{-look['line-offset']:.3f}"
    if width > 0:
        _line(rule, look["line-color"], look["line-opacity"], width, more)


def _line(rule: Element, color: str, opacity: float, width: float, more: Mapping[str, str]) -> None:
    stroke, share = _paint(color, opacity)
    given = {"stroke": stroke, "stroke-opacity": share, "stroke-width": f"{width:.3f}", **more}
    if float(share) > 0:
        SubElement(rule, "LineSymbolizer", given)


def _circle(rule: Element, look: Look) -> None:
    edge = look["circle-stroke-width"]
    # Mapnik's stroke lies on the edge, MapLibre's around it.
    size = 2 * look["circle-radius"] + edge
    if size <= 0:
        return
    fill, fill_share = _paint(look["circle-color"], look["circle-opacity"])
    stroke, stroke_share = _paint(look["circle-stroke-color"], look["circle-stroke-opacity"])
    given = {
        "marker-type": "ellipse",
        "width": f"{size:.3f}",
        "height": f"{size:.3f}",
        "fill": fill,
        "fill-opacity": fill_share,
        "stroke": stroke,
        "stroke-opacity": stroke_share,
        "stroke-width": f"{edge:.3f}",
        "allow-overlap": "true",
        "ignore-placement": "true",
        "multi-policy": "each",
    }
    SubElement(rule, "MarkersSymbolizer", given)


def _label(rule: Element, look: Look) -> None:
    size = look["text-size"]
    fill, share = _paint(look["text-color"], look["text-opacity"])
    given = {
        "fontset-name": FONTS,
        "size": f"{size:.2f}",
        "fill": fill,
        "opacity": share,
        "character-spacing": f"{look['text-letter-spacing'] * size:.2f}",
        "margin": f"{look['text-padding']:.1f}",
        "text-transform": look["text-transform"],
        "clip": "false",
    }
    if look["text-allow-overlap"]:
        given["allow-overlap"] = "true"
    if look["text-halo-width"] > 0:
        halo, halo_share = _paint(look["text-halo-color"], look["text-opacity"])
        given |= {"halo-fill": halo, "halo-opacity": halo_share, "halo-radius": f"{look['text-halo-width']:.2f}"}
    given |= _along(look) if look["symbol-placement"] == "line" else _at_point(look, size)
    SubElement(rule, "TextSymbolizer", given).text = f"[{TEXT}]"


def _along(look: Look) -> dict[str, str]:
    spacing = look["symbol-spacing"]
    return {
        "placement": "line",
        "spacing": f"{spacing:.0f}",
        "label-position-tolerance": f"{spacing * SLIP:.0f}",
        "repeat-distance": f"{max(REPEAT, spacing / 2):.0f}",
        "max-char-angle-delta": f"{look['text-max-angle']:.1f}",
        "vertical-alignment": "middle",
    }


# Where the text lies as seen from its anchor: what is anchored at the top hangs below.
BESIDE = {"left": "right", "right": "left"}
BELOW = {"top": "bottom", "bottom": "top"}


def _at_point(look: Look, size: float) -> dict[str, str]:
    sides = look["text-anchor"].split("-")
    across, down = (offset * size for offset in look["text-offset"])
    return {
        "placement": "point",
        "wrap-width": f"{look['text-max-width'] * size:.0f}",
        "horizontal-alignment": next((BESIDE[side] for side in sides if side in BESIDE), "middle"),
        "vertical-alignment": next((BELOW[side] for side in sides if side in BELOW), "middle"),
        "justify-alignment": "center",
        "dx": f"{across:.2f}",
        "dy": f"{down:.2f}",
        "repeat-distance": f"{look['text-padding']:.1f}",
    }


def _paint(color: str, opacity: float) -> tuple[str, str]:
    """A colour and its share, for Mapnik."""
    red, green, blue, alpha = parse_color(color)
    return format_color((red, green, blue, 1.0)), f"{alpha * opacity:.4f}"


def _darker(color: str) -> str:
    red, green, blue, alpha = parse_color(color)
    return format_color((red * 0.8, green * 0.8, blue * 0.8, alpha))


DRAW: dict[str, Callable[[Element, Look], None]] = {
    "fill": _fill,
    "fill-extrusion": _extrusion,
    "line": _stroke,
    "circle": _circle,
    "symbol": _label,
}
