"""The properties of style layers that are drawn, of the MapLibre style specification: what each is, and its default."""

import math
from dataclasses import dataclass
from typing import Any

from layers.colors import is_color


@dataclass(frozen=True)
class Property:
    """A property of a style layer.

    kind: color, number (not negative), share (0 to 1), offset, numbers, pair, flag, height (of which a flat map shows
    nothing), or the names it takes. by_object: whether it may depend on the object.
    """

    kind: str | tuple[str, ...]
    default: Any = None
    by_object: bool = True


SORT_KEY = Property("offset", 0.0)
PAINT: dict[str, dict[str, Property]] = {
    "fill": {
        "fill-color": Property("color", "#000000"),
        "fill-opacity": Property("share", 1.0),
        "fill-outline-color": Property("color"),
        "fill-antialias": Property("flag", True, by_object=False),
    },
    "line": {
        "line-color": Property("color", "#000000"),
        "line-opacity": Property("share", 1.0),
        "line-width": Property("number", 1.0),
        "line-dasharray": Property("numbers", by_object=False),
        "line-offset": Property("offset", 0.0),
    },
    "circle": {
        "circle-color": Property("color", "#000000"),
        "circle-opacity": Property("share", 1.0),
        "circle-radius": Property("number", 5.0),
        "circle-stroke-color": Property("color", "#000000"),
        "circle-stroke-opacity": Property("share", 1.0),
        "circle-stroke-width": Property("number", 0.0),
        "circle-pitch-alignment": Property(("map", "viewport"), "viewport", by_object=False),
    },
    "symbol": {
        "text-color": Property("color", "#000000"),
        "text-opacity": Property("share", 1.0),
        "text-halo-color": Property("color", "#00000000"),
        "text-halo-width": Property("number", 0.0),
    },
    "fill-extrusion": {
        "fill-extrusion-color": Property("color", "#000000"),
        "fill-extrusion-opacity": Property("share", 1.0, by_object=False),
        "fill-extrusion-height": Property("height", 0.0),
        "fill-extrusion-base": Property("height", 0.0),
        "fill-extrusion-vertical-gradient": Property("flag", True, by_object=False),
    },
    "hillshade": {
        "hillshade-exaggeration": Property("share", 0.5, by_object=False),
        "hillshade-shadow-color": Property("color", "#000000", by_object=False),
        "hillshade-highlight-color": Property("color", "#ffffff", by_object=False),
        "hillshade-accent-color": Property("color", "#000000", by_object=False),
        "hillshade-illumination-direction": Property("offset", 335.0, by_object=False),
        "hillshade-illumination-anchor": Property(("map", "viewport"), "viewport", by_object=False),
        "hillshade-method": Property(("igor",), "igor", by_object=False),
    },
    "raster": {
        "raster-opacity": Property("share", 1.0, by_object=False),
        "raster-resampling": Property(("linear", "nearest"), "linear", by_object=False),
        "raster-fade-duration": Property("number", 300.0, by_object=False),
    },
}
ANCHORS = ("center", "left", "right", "top", "bottom", "top-left", "top-right", "bottom-left", "bottom-right")
LAYOUT: dict[str, dict[str, Property]] = {
    "fill": {"fill-sort-key": SORT_KEY},
    "line": {
        "line-cap": Property(("butt", "round", "square"), "butt", by_object=False),
        "line-join": Property(("miter", "round", "bevel"), "miter", by_object=False),
        "line-sort-key": SORT_KEY,
    },
    "circle": {"circle-sort-key": SORT_KEY},
    "symbol": {
        "symbol-placement": Property(("point", "line"), "point", by_object=False),
        "symbol-spacing": Property("number", 250.0, by_object=False),
        "symbol-sort-key": SORT_KEY,
        "text-size": Property("number", 16.0),
        "text-letter-spacing": Property("offset", 0.0),
        "text-max-width": Property("number", 10.0),
        "text-max-angle": Property("number", 45.0, by_object=False),
        "text-padding": Property("number", 2.0, by_object=False),
        "text-anchor": Property(ANCHORS, "center"),
        "text-offset": Property("pair", (0.0, 0.0), by_object=False),
        "text-optional": Property("flag", False, by_object=False),
        "text-allow-overlap": Property("flag", False, by_object=False),
        "text-transform": Property(("none", "uppercase", "lowercase"), "none"),
    },
    "fill-extrusion": {},
    "hillshade": {},
    "raster": {},
}


def kind_name(kind: str | tuple[str, ...]) -> str:
    """A kind, for messages."""
    return kind if isinstance(kind, str) else "one of " + ", ".join(kind)


def fits(value: Any, kind: str | tuple[str, ...]) -> bool:
    """Whether a value is of a kind."""
    if isinstance(kind, tuple):
        return value in kind
    if kind == "color":
        return is_color(value)
    if kind == "flag":
        return isinstance(value, bool)
    if kind in ("numbers", "pair"):
        return isinstance(value, list) and all(map(is_number, value)) and (kind == "numbers" or len(value) == 2)
    if not is_number(value):
        return False
    return kind == "offset" or (0 <= value <= 1 if kind == "share" else value >= 0)


def is_number(value: Any) -> bool:
    """Whether it is a number, not a truth, and finite."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


# --- the tree of a zoom
