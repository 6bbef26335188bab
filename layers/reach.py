"""How far a layer draws beyond its objects' own shapes: a line has a width, a point a circle."""

from layers.catalog import Catalog, Layer
from layers.drawing import read_style_layer
from layers.looks import Leaf, leaves
from layers.style import Mode, layer_style, resolved

# Fills end where the object does, and names are not what is meant when a place is pointed at.
BEYOND = ("line", "circle")


def reach(layer: Layer, catalog: Catalog, mode: Mode, zoom: float) -> float:
    """Pixels from an object's shape to the edge of what is drawn of it at a zoom, of the widest one of the layer."""
    widest = 0.0
    for index, part in enumerate(layer_style(layer)):
        if part["type"] not in BEYOND or "of" in part:
            continue
        read = read_style_layer(resolved(part, catalog, mode), f"layers.{layer.id}.style[{index}]")
        if read.shows_at(zoom):
            drawn = leaves(read.tree(zoom, layer.theme.geometry))
            widest = max([widest, *(_reach(read.type, leaf) for _, leaf in drawn)])
    return widest


def _reach(kind: str, leaf: Leaf) -> float:
    looks = leaf.values
    if kind == "line":
        return float(looks["line-width"]) / 2 + abs(float(looks["line-offset"]))
    return float(looks["circle-radius"]) + float(looks["circle-stroke-width"])
