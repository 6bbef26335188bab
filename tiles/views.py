"""The plainest view that shows the same tile, so that views which differ in words only share one drawing.

Between two moments at which anything of a table begins or ends, every moment shows the same city; and where a plan
touches nothing, it shows the city as it is.
"""

from collections.abc import Hashable
from dataclasses import replace
from datetime import UTC, datetime

from cachetools import LRUCache
from sqlalchemy import Table, func, literal, select

from cim_models.database import Connection
from layers.query import MOMENT, known, objects
from layers.statement import compiled
from layers.view import NOW, Interval, View
from tiles.draw import reach
from tiles.freshness import Freshness
from tiles.matrix import Box, meet
from tiles.overview.disturbed import named_by
from tiles.vector import Request

REMEMBERED = 4096
BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


class Views:
    """What is known of the moments and plans of a city, until `freshness` hears of a change to their table."""

    def __init__(self, freshness: Freshness) -> None:
        self._freshness = freshness
        self._known: LRUCache[Hashable, tuple[int, object]] = LRUCache(REMEMBERED)

    def needs_look_up(self, view: View) -> bool:
        """Whether `plainest` asks the database. What was believed at a moment past is as it is."""
        return view.recorded is None and (view.valid is not None or view.plan is not None)

    async def plainest(self, connection: Connection, request: Request) -> Request:
        """The same request with the plainest view that shows the same."""
        view, table = request.view, objects(request.layer, request.catalog)
        if view.recorded is not None:
            return request
        if view.plan is not None:
            boxes = await self._plan_boxes(connection, table, view.plan)
            if not any(meet(box, reach(request.tile)) for box in boxes):
                view = replace(view, plan=None)
        if view.valid is not None:
            view = replace(view, valid=await self._calm(connection, table, view.valid))
        return replace(request, view=view)

    async def _calm(self, connection: Connection, table: Table, span: Interval) -> Interval:
        """The last moment up to a span at which anything began or ended, if nothing does within it."""
        start = await self._boundary(connection, table, span.start) if span.start else None
        end = await self._boundary(connection, table, span.end) if span.end else None
        return Interval(end, end) if start is not None and start == end else span

    async def _boundary(self, connection: Connection, table: Table, moment: datetime) -> datetime:
        key = (table.name, moment)
        heard, kept = self._known.get(key, (None, None))
        if heard == self._freshness.heard(table.name):
            assert isinstance(kept, datetime)
            return kept
        heard = self._freshness.heard(table.name)
        at = literal(moment, MOMENT)
        last = [
            select(func.max(column)).where(known(table, NOW), column <= at).scalar_subquery()
            for column in (table.c.valid_from, table.c.valid_to)
        ]
        statement = compiled(select(func.greatest(*last)))
        found: datetime = await connection.fetchval(statement.sql, *statement.arguments) or BEFORE_ALL
        self._known[key] = heard, found
        return found

    async def _plan_boxes(self, connection: Connection, table: Table, plan: int) -> list[Box]:
        """The boxes (EPSG:3857) of all objects that a plan names, as they are and as it would have them."""
        key = (table.name, plan)
        heard, kept = self._known.get(key, (None, None))
        if heard == self._freshness.heard(table.name):
            assert isinstance(kept, list)
            return kept
        heard = self._freshness.heard(table.name)
        web = table.c.geom_web
        sides = (func.ST_XMin(web), func.ST_YMin(web), func.ST_XMax(web), func.ST_YMax(web))
        statement = compiled(select(*sides).where(known(table, NOW), *named_by(table, plan)))
        boxes: list[Box] = [tuple(row) for row in await connection.fetch(statement.sql, *statement.arguments)]
        self._known[key] = heard, boxes
        return boxes
