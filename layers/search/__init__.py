"""Finding: one index of names, addresses and codes, kept by the change feed and asked under the one predicate."""

from layers.search.coordinates import coordinates
from layers.search.index import catch_up, keep_findable
from layers.search.query import Hit, search
from layers.search.shown import Asker

__all__ = ["Asker", "Hit", "catch_up", "coordinates", "keep_findable", "search"]
