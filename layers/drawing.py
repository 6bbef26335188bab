"""Style layers, read: from a layer's style to what is drawn, refusing by its place what is not in the subset."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from layers import LayerError
from layers.catalog import Catalog, Layer
from layers.expressions import Expression, Source, StyleError, read, read_source
from layers.looks import Tree, grow
from layers.style import MODES, SLOTS, Mode, layer_style, resolved
from layers.style_properties import LAYOUT, PAINT, Property, fits, kind_name

# Common to all; text-font is the same in every layer, and text-field is read for itself.
PARTS = {"id", "type", "slot", "of", "minzoom", "maxzoom", "filter", "layout", "paint"}
LAST_ZOOM = 24


@dataclass(frozen=True)
class StyleLayer:
    """One style layer, read. text: what a label says. slot: ground, relief, ..., None for what its type has."""

    id: str
    type: str
    slot: str | None
    of: str | None
    min_zoom: float
    max_zoom: float
    visible: bool
    filter: Expression | None
    properties: Mapping[str, Expression]
    text: Source | None

    def shows_at(self, zoom: float) -> bool:
        return self.visible and self.min_zoom <= zoom < self.max_zoom

    def tree(self, zoom: float, geometry: str) -> Tree:
        """What it draws at a zoom of objects of that type of geometry (a theme's)."""
        return grow(self, zoom, geometry)


def read_styles(layer: Layer, mode: Mode, catalog: Catalog) -> Iterator[StyleLayer]:
    """A layer's style layers in a mode. Raises StyleError with the path of the fault."""
    yield from _read_all(layer.id, layer_style(layer), mode, catalog)


def check_style(layers: Any, catalog: Catalog) -> None:
    """Refuse a layer's style that cannot be drawn everywhere, before it is stored. Raises StyleError.

    layers: its style layers, with "@" names. Each zoom is tried, for what depends on it has a value only there.
    """
    if not isinstance(layers, list) or not layers:
        raise StyleError("layers: a style is a list of style layers, at least one")
    names = [part.get("id") for part in layers if isinstance(part, Mapping)]
    if twice := next((name for name in names if not isinstance(name, str) or names.count(name) > 1), None):
        raise StyleError(f"layers: the id {twice!r} stands twice, or is no text")
    for mode in MODES:
        for style in _read_all("layers", layers, mode, catalog):
            for zoom in range(LAST_ZOOM + 1):
                style.tree(float(zoom), "Geometry")


def _read_all(path: str, layers: Sequence[Any], mode: Mode, catalog: Catalog) -> Iterator[StyleLayer]:
    for index, part in enumerate(layers):
        place = f"{path}[{index}]"
        try:
            meant = resolved(part, catalog, mode)
        except LayerError as error:
            raise StyleError(f"{place}: {error}") from None
        yield read_style_layer(meant, place)


def read_style_layer(part: Mapping[str, Any], path: str) -> StyleLayer:
    """Read a style layer whose "@" names are resolved. Raises StyleError with the path of the fault."""
    if not isinstance(part, Mapping):
        raise StyleError(f"{path}: a style layer is an object with type and paint")
    kind = part.get("type")
    if kind not in PAINT:
        raise StyleError(f"{path}.type: {kind!r} is not drawn; there are {', '.join(PAINT)}")
    if (slot := part.get("slot")) is not None and slot not in SLOTS:
        raise StyleError(f"{path}.slot: {slot!r} is none of {', '.join(SLOTS)}")
    if unknown := set(part) - PARTS:
        raise StyleError(f"{path}.{min(unknown)}: no such part; a style layer has {', '.join(sorted(PARTS))}")
    layout = dict(_object(part, "layout", path))
    visible = layout.pop("visibility", "visible")
    if visible not in ("visible", "none"):
        raise StyleError(f"{path}.layout.visibility: {visible!r} is neither visible nor none")
    layout.pop("text-font", None)
    text = layout.pop("text-field", None) if kind == "symbol" else None
    if kind == "symbol" and text is None:
        raise StyleError(f"{path}.layout.text-field: missing; a symbol is a text")
    properties = _properties(layout, LAYOUT[kind], f"{path}.layout")
    properties |= _properties(_object(part, "paint", path), PAINT[kind], f"{path}.paint")
    return StyleLayer(
        id=str(part.get("id", kind)),
        type=kind,
        slot=part.get("slot"),
        of=part.get("of"),
        min_zoom=_zoom(part, "minzoom", 0.0, path),
        max_zoom=_zoom(part, "maxzoom", 24.0, path),
        visible=visible == "visible",
        filter=read(part["filter"], f"{path}.filter") if "filter" in part else None,
        properties=properties,
        text=read_source(text, f"{path}.layout.text-field") if text is not None else None,
    )


def _object(part: Mapping[str, Any], name: str, path: str) -> Mapping[str, Any]:
    found = part.get(name, {})
    if not isinstance(found, Mapping):
        raise StyleError(f"{path}.{name}: {found!r} is no object")
    return found


def _zoom(part: Mapping[str, Any], name: str, default: float, path: str) -> float:
    found = part.get(name, default)
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found <= 24:
        raise StyleError(f"{path}.{name}: {found!r} is no zoom from 0 to 24")
    return float(found)


def _properties(given: Mapping[str, Any], known: Mapping[str, Property], path: str) -> dict[str, Expression]:
    found = {}
    for name, value in given.items():
        if name not in known:
            raise StyleError(f"{path}.{name}: is not drawn; there are {', '.join(sorted(known)) or 'none'}")
        found[name] = expression = read(value, f"{path}.{name}")
        if _zooms_within(value):
            raise StyleError(f"{path}.{name}: zoom stands only in the outermost step or interpolate")
        if expression.as_it_is and known[name].kind != "height":
            raise StyleError(f"{path}.{name}: is a property as it is; tell values apart by match, step or interpolate")
        if expression.axes and not known[name].by_object:
            raise StyleError(f"{path}.{name}: depends on the object; it is drawn by zoom alone")
        if expression.is_constant and not isinstance(value, list) and not fits(value, known[name].kind):
            raise StyleError(f"{path}.{name}: {value!r} is no {kind_name(known[name].kind)}")
    return found


def _zooms_within(value: Any) -> bool:
    """Whether an expression of a property looks at the zoom elsewhere than MapLibre lets it."""
    if not isinstance(value, list):
        return False
    place = {"step": 1, "interpolate": 2}.get(value[0]) if value and isinstance(value[0], str) else None
    return any(
        (part == ["zoom"] and index != place) or (part != ["zoom"] and _has_zoom(part))
        for index, part in enumerate(value)
    )


def _has_zoom(value: Any) -> bool:
    return isinstance(value, list) and (value == ["zoom"] or any(map(_has_zoom, value)))
