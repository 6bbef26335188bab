"""What a tile tells of an object, and a tile as it comes from the database."""

from dataclasses import dataclass

from cim_models.theme import Attribute
from layers.catalog import Layer

# Told of an object by asking for it, not by each tile.
NOT_DRAWN = ("uid", "village_code", "cim_level")


def drawn_properties(layer: Layer) -> tuple[Attribute, ...]:
    """The properties that a layer's tiles carry: all that it shows but what only identifies."""
    return tuple(p for p in layer.properties if p.name not in NOT_DRAWN)


@dataclass(frozen=True)
class Raw:
    """One layer's part of a tile.

    body: Mapbox Vector Tile, empty where nothing is. thinned: smaller objects were left out to keep it light. settled:
    false if it shows what the overviews do not hold yet; it will be drawn better in a moment and is not worth keeping.
    """

    body: bytes
    thinned: bool
    settled: bool = True
