"""Names of map layers: each layer by its id, the layers of a theme together, and all that a viewer shows first."""

from collections.abc import Iterable
from dataclasses import dataclass

from api.ows.fault import Fault
from cim_models.themes import GROUPS
from layers.access import Principal
from layers.catalog import Catalog, Layer, LayerNotFound, Title

# No layer's id holds a colon.
THEME = "theme:"
WHOLE = "theme:all"
# Layers that one map may name (LayerLimit).
MOST = 64


@dataclass(frozen=True)
class Group:
    """The layers of one theme, the uppermost first, as a layer tree shows them."""

    name: str
    title: Title
    layers: tuple[Layer, ...]


def groups(catalog: Catalog, principal: Principal) -> list[Group]:
    """The layer tree that a principal sees."""
    mine = list(catalog.layers(principal))
    found = []
    for group, (zh, en) in GROUPS.items():
        members = tuple(layer for layer in reversed(mine) if layer.group == group)
        if members:
            found.append(Group(THEME + group, Title(zh, en), members))
    return found


def layers_of(name: str, catalog: Catalog, principal: Principal) -> tuple[Layer, ...]:
    """What a name in LAYERS means, the undermost first. Raises Fault."""
    if name == WHOLE:
        return tuple(layer for layer in catalog.layers(principal) if layer.visible)
    if name.startswith(THEME):
        members = tuple(layer for layer in catalog.layers(principal) if THEME + layer.group == name)
        if members:
            return members
    try:
        return (catalog.layer(name, principal),)
    except LayerNotFound:
        raise Fault(
            "LayerNotDefined", f"no layer {name[:80]!r}; GetCapabilities lists those there are", "LAYERS"
        ) from None


def listed(text: str, locator: str) -> list[str]:
    """The names in a list with commas between them. Raises Fault."""
    names = [name.strip() for name in text.split(",")]
    if len(names) > MOST:
        raise Fault("InvalidParameterValue", f"{len(names)} layers; at most {MOST} are drawn at once", locator)
    return names


def is_one_group(names: Iterable[str]) -> bool:
    """Whether a map is of one group alone: it is then drawn in the order of the city's own style."""
    return [name.startswith(THEME) for name in names] == [True]
