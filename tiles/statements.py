"""Statements of what nearly everyone asks, kept: to write one takes longer than to draw a small tile by it."""

from collections.abc import Callable, Hashable

from layers.catalog import Layer
from layers.statement import Statement

# Statements of one layer and kind of asking, by what else they differ in.
Kept = dict[Hashable, Statement]


class Statements:
    """The statements for the city as it is, without a filter, for readers of all rows; by layer."""

    def __init__(self) -> None:
        self._layers: dict[str, tuple[Layer, Kept]] = {}

    def of(self, layer: Layer) -> Kept:
        """Those of a layer as it is defined now."""
        known = self._layers.get(layer.id)
        # Compared whole, not by version: a statement of an older definition would show what is hidden now.
        if known is None or known[0] != layer:
            known = self._layers[layer.id] = layer, {}
        return known[1]


def kept_or_made(kept: Kept, key: Hashable, make: Callable[[], Statement]) -> Statement:
    """The statement of that key, made and kept if there is none yet."""
    statement = kept.get(key)
    if statement is None:
        statement = kept[key] = make()
    return statement
