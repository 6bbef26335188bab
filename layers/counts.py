"""How many objects there are: exactly where that is cheap, else as the planner estimates. Never a full count."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from cachetools import LRUCache
from sqlalchemy import func, literal_column, select

from cim_models.database import Connection
from layers.access import Principal
from layers.catalog import Catalog, Layer
from layers.planning import planned_anew
from layers.query import Bbox, Selection, rows
from layers.statement import compiled

EXACT_BELOW = 100_001
# For the catalogue, which asks for all layers at once.
EXACT_IN_CATALOG = 1_001


@dataclass(frozen=True)
class Count:
    """A number of objects; an estimate where `exact` is false."""

    number: int
    exact: bool


# Counts are small; a process keeps those of so many questions.
KEPT = 1_000
# Below this transaction id all had ended when a count was made, so the count shows their work.
HORIZON_SQL = "select pg_snapshot_xmin(pg_current_snapshot())"
CHANGED_SQL = """select exists (select from change where xid >= $1 and "table" = $2)"""
WITHIN_SQL = """
    select coalesce(bool_and(extent is not null and extent[1] > $2 and extent[2] > $3 and extent[3] < $4
                             and extent[4] < $5), false)
    from dataset where $1 = any(themes)
"""


class Counts:
    """What a process has counted. A number is told again while the change feed says nothing newer of the table."""

    def __init__(self) -> None:
        self._kept: LRUCache[tuple[str, tuple[Any, ...]], tuple[int, Count]] = LRUCache(KEPT)

    async def count(
        self, connection: Connection, selection: Selection, catalog: Catalog, principal: Principal
    ) -> Count:
        """As `count` below."""
        if selection.layer.published is not None:
            # What is changed in such a table is in no feed.
            return await count(connection, selection, catalog, principal)
        table = selection.layer.theme.table
        if selection.bbox is not None and await _holds_all(connection, table, selection.bbox):
            # So that the box of whoever looks at the whole city need be held against none of its objects.
            selection = replace(selection, bbox=None)
        asked = compiled(rows(selection, catalog, principal).add_columns(literal_column("1")))
        key = (asked.sql, asked.arguments)
        if kept := self._kept.get(key):
            at, found = kept
            if not await connection.fetchval(CHANGED_SQL, at, table):
                return found
        at = await connection.fetchval(HORIZON_SQL)
        found = await count(connection, selection, catalog, principal)
        self._kept[key] = at, found
        return found


async def _holds_all(connection: Connection, table: str, box: Bbox) -> bool:
    """Whether all that any data set has in a table lies in a box: then each of its objects does."""
    found: bool = await connection.fetchval(WITHIN_SQL, table, *box)
    return found


async def count(
    connection: Connection,
    selection: Selection,
    catalog: Catalog,
    principal: Principal,
    *,
    exact_below: int = EXACT_BELOW,
) -> Count:
    """Objects in the selection: exact where a probe ends before `exact_below` rows."""
    chosen = rows(selection, catalog, principal).add_columns(literal_column("1"))
    probe = compiled(select(func.count()).select_from(chosen.limit(literal_column(str(exact_below))).subquery()))
    async with planned_anew(connection):
        number = await connection.fetchval(probe.sql, *probe.arguments)
    if number < exact_below:
        return Count(number, exact=True)
    statement = compiled(chosen)
    plan = await connection.fetchval("explain (format json) " + statement.sql, *statement.arguments)
    return Count(max(number, int(plan[0]["Plan"]["Plan Rows"])), exact=False)


async def layer_counts(
    connection: Connection, layers: Iterable[Layer], catalog: Catalog, principal: Principal
) -> dict[str, int]:
    """About how many objects each layer has now."""
    found = {}
    for layer in layers:
        counted = await count(connection, Selection(layer), catalog, principal, exact_below=EXACT_IN_CATALOG)
        found[layer.id] = counted.number
    return found
