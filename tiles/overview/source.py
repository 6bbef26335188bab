"""A layer as overviews see it: which of its objects' columns they keep, and what definition they were built by."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import ColumnElement, Table, func, literal

from layers.catalog import Catalog, Layer
from layers.filter_sql import stored
from layers.query import belonging, known, objects
from layers.view import NOW
from tiles.drawn import drawn_properties
from tiles.overview.recipe import EDITION, TOP_ZOOM, Recipe, recipe

# PostgreSQL gives a function a hundred at most.
ARGUMENTS = 100


@dataclass(frozen=True)
class Source:
    """One layer of a catalogue and the recipe of its theme."""

    layer: Layer
    catalog: Catalog

    @property
    def has_overviews(self) -> bool:
        """Rasters are few, what begins to show beyond the last overview needs none, no feed tells what became of a
        published table, and what a run gave is drawn by values that merged objects have not."""
        layer = self.layer
        of_objects = not layer.is_raster and layer.published is None and layer.run is None
        return of_objects and layer.min_zoom <= TOP_ZOOM

    @cached_property
    def recipe(self) -> Recipe:
        return recipe(self.layer.theme.table)

    @cached_property
    def table(self) -> Table:
        return objects(self.layer, self.catalog)

    @cached_property
    def columns(self) -> dict[str, ColumnElement[object]]:
        """SQL of each property that overviews tell."""
        told = self.recipe.told
        drawn = [p for p in drawn_properties(self.layer) if told is None or p.name in told]
        return {attribute.name: stored(self.table, attribute) for attribute in drawn}

    @property
    def shade(self) -> str | None:
        """The number that mass tells, if the layer shows it."""
        return self.recipe.shade if self.recipe.shade in self.columns else None

    def key_columns(self, zoom: int) -> tuple[str, ...]:
        """By what objects are merged at a zoom; what a layer hides is not told by merging either."""
        return tuple(name for name in self.recipe.columns(zoom) if name in self.columns)

    def believed(self) -> list[ColumnElement[bool]]:
        """The layer's objects as they are believed now, of any valid time and no plan."""
        return [
            known(self.table, NOW),
            self.table.c.plan_id.is_(None),
            *belonging(self.table, self.layer, None, self.catalog),
        ]

    def properties(self) -> ColumnElement[object]:
        """SQL of an object's drawn properties as one JSON object, without those it lacks."""
        # Names are the source's own words, so they are bound; a call takes at most a hundred arguments.
        pairs = [part for name, column in self.columns.items() for part in (literal(name), column)]
        calls = [func.jsonb_build_object(*pairs[i : i + ARGUMENTS]) for i in range(0, len(pairs) or 1, ARGUMENTS)]
        joined: ColumnElement[object] = calls[0]
        for call in calls[1:]:
            joined = joined.op("||")(call)
        return func.jsonb_strip_nulls(joined)

    @cached_property
    def definition(self) -> str:
        """A digest of all that decides what the overviews hold, beside the objects."""
        layer = self.layer
        said = [
            EDITION,
            TOP_ZOOM,
            layer.theme.table,
            layer.dataset_id,
            layer.filter,
            list(self.columns),
            layer.min_zoom,
        ]
        return hashlib.blake2b(json.dumps(said, sort_keys=True).encode(), digest_size=16).hexdigest()
