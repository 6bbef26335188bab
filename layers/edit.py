"""Edits carried out: asked of the policy, checked, and written with their change, all in one transaction."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

import asyncpg
from sqlalchemy import Table

from cim_models.database import Connection, Database
from layers import LayerError, changes
from layers.access import Forbidden, Principal
from layers.boxes import Bbox, union
from layers.catalog import RASTERS, Catalog, Layer
from layers.content import ContentError, checked_geometry, typed_properties
from layers.edits import (
    Correct,
    Delete,
    Edit,
    EditError,
    Erase,
    ExistingEdit,
    Insert,
    Remove,
    Standing,
    Supersede,
    check_span,
    states_after,
    states_of,
)
from layers.features import ObjectNotFound
from layers.query import belonging, objects
from layers.timeline import Span, affected
from layers.versions import (
    Changes,
    Identity,
    Opening,
    Reach,
    close_versions,
    lock_versions,
    open_object,
    open_version,
    satisfied,
)
from layers.villages import AREAS, ASSIGNED, reassign, village_of

__all__ = [
    "Conflict",
    "Correct",
    "Delete",
    "Edit",
    "EditError",
    "Erase",
    "Insert",
    "ObjectNotFound",
    "PlanNotFound",
    "Remove",
    "Supersede",
    "apply",
    "is_editable",
    "may_edit",
]

MOST_EDITS = 1000
# An import that merges into the table holds it for seconds; an edit is told to come back rather than to wait.
LOCK_TIMEOUT = "2s"
TICK = timedelta(microseconds=1)
EXTENT_SQL = """
    update dataset set extent = array[least(extent[1], $2), least(extent[2], $3),
                                      greatest(extent[3], $4), greatest(extent[4], $5)]
    where id = $1 and (extent is null or extent[1] > $2 or extent[2] > $3 or extent[3] < $4 or extent[4] < $5)
"""


class Conflict(LayerError):
    """Someone else edits the object, or has done so since it was read; read it again and decide anew."""


class PlanNotFound(LayerError):
    """The city has no such plan."""


def is_editable(layer: Layer) -> bool:
    """Whether the layer's objects are edited one by one; a raster is loaded as a whole, a published table elsewhere."""
    return layer.theme.table not in RASTERS and layer.published is None


def may_edit(layer: Layer, catalog: Catalog, principal: Principal) -> bool:
    """Whether the principal may edit at least some of the layer's objects."""
    granted = catalog.policy.grant(principal, "write", layer.id, restricted=layer.restricted)
    return is_editable(layer) and granted is not None


async def apply(
    database: Database, catalog: Catalog, principal: Principal, edits: Sequence[Edit], *, why: str | None = None
) -> list[int]:
    """Carry out edits in their order, all or none, and tell the change feed; gives the object of each.

    Raises LayerNotFound, ObjectNotFound, PlanNotFound, Forbidden, ContentError, EditError, timeline.NoStateThen,
    timeline.SpansOverlap, and Conflict.
    """
    if len(edits) > MOST_EDITS:
        raise EditError(f"{len(edits)} edits at once; send at most {MOST_EDITS}")
    try:
        async with database.writing() as connection:
            await connection.execute(f"set local lock_timeout = '{LOCK_TIMEOUT}'")
            editor = _Editor(connection, catalog, principal, why)
            for table in sorted({objects(catalog.layer(edit.layer, principal), catalog).name for edit in edits}):
                await connection.execute(f"lock table {table} in row exclusive mode")
            done = [await editor.carry_out(edit) for edit in edits]
            await changes.wake(connection)
            return done
    except asyncpg.LockNotAvailableError:
        raise Conflict("the object is being edited, or its data set loaded, right now; try again") from None
    except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, asyncpg.UniqueViolationError):
        raise Conflict("the object was changed by someone else at the same time; read it again") from None


class _Editor:
    """The edits of one transaction."""

    def __init__(self, connection: Connection, catalog: Catalog, principal: Principal, why: str | None) -> None:
        self.connection = connection
        self.catalog = catalog
        self.principal = principal
        self.why = why

    async def carry_out(self, edit: Edit) -> int:
        layer = self.catalog.layer(edit.layer, self.principal)
        reach = self._reach(layer)
        if edit.plan is not None and edit.plan not in self.catalog.plans:
            raise PlanNotFound(f"no plan {edit.plan} in {self.catalog.city.name}")
        if isinstance(edit, Insert):
            return await self._insert(edit, layer, reach)
        return await self._change(edit, layer, reach)

    def _reach(self, layer: Layer) -> Reach:
        """Raises Forbidden where the principal may write nothing in the layer."""
        if layer.published is not None:
            raise EditError(f"{layer.id}: shows {layer.published} as it is; edit it there")
        if not is_editable(layer):
            raise EditError(f"{layer.id}: a raster, which is not edited piece by piece; load another in its place")
        write = self.catalog.policy.grant(self.principal, "write", layer.id, restricted=layer.restricted)
        if write is None:
            raise Forbidden(f"{self.principal.name} may not write to {layer.id}")
        table, read = objects(layer, self.catalog), self.catalog.grant(layer, self.principal)
        return Reach(*(belonging(table, layer, grant, self.catalog) for grant in (read, write)))

    # --- a new object

    async def _insert(self, edit: Insert, layer: Layer, reach: Reach) -> int:
        table = objects(layer, self.catalog)
        check_span(edit.span)
        if edit.properties.get("class") is None:
            raise ContentError(f"{layer.id}: class is missing; every object has one")
        opening = Opening(
            span=edit.span,
            changes=await self._changes(edit, layer),
            plan_id=edit.plan,
            plan_action=None if edit.plan is None else "add",
        )
        identity = await self._new_identity(edit, layer)
        version, bbox = await open_object(self.connection, table, opening, identity, await self._clock())
        await self._check_new(layer, [version], reach)
        await self._tell(edit, layer, identity.dataset_id, identity.object_id, new=bbox, span=edit.span)
        return identity.object_id

    async def _new_identity(self, edit: Insert, layer: Layer) -> Identity:
        dataset_id = layer.dataset_id or await self._drawn(layer)
        uid = edit.uid or str(uuid4())
        await self._check_uid(objects(layer, self.catalog), dataset_id, uid)
        return Identity(dataset_id, await self.connection.fetchval("select nextval('object_id')"), uid)

    async def _check_uid(self, table: Table, dataset_id: int, uid: str) -> None:
        if not 0 < len(uid) <= 1000 or "\0" in uid:
            raise EditError("uid: give 1 to 1000 characters")
        # Two inserts of one uid at once must not both find it free.
        await self.connection.execute("select pg_advisory_xact_lock(hashtextextended($1, $2))", uid, dataset_id)
        found = await self.connection.fetchval(
            f"select object_id from {table.name} where recorded_to = 'infinity' and dataset_id = $1 and uid = $2",
            dataset_id,
            uid,
        )
        if found is not None:
            raise Conflict(f"uid {uid!r} is taken by object {found}; change that one")

    async def _drawn(self, layer: Layer) -> int:
        """The data set of what was drawn by hand in a theme; no import touches it."""
        theme = layer.theme
        if theme.table == "generic_object":
            raise EditError(f"{layer.id}: add the object to the layer of a data set")
        await self.connection.execute(
            "insert into dataset (name, themes, title_zh, title_en, lineage, loaded_at)"
            " values ($1, array[$2], $3, $4, 'drawn by hand', now()) on conflict (name) do nothing",
            f"drawn-{theme.layer}",
            theme.table,
            f"{theme.zh}（手工绘制）",
            f"{theme.en}, drawn by hand",
        )
        return int(await self.connection.fetchval("select id from dataset where name = $1", f"drawn-{theme.layer}"))

    # --- an object that is there

    async def _change(self, edit: ExistingEdit, layer: Layer, reach: Reach) -> int:
        table = objects(layer, self.catalog)
        standing = Standing(await lock_versions(self.connection, table, edit.object_id, reach, plan=edit.plan))
        self._check_may_change(edit, layer, standing)
        current = {version.id: version for version in standing.current}
        at = max(await self._clock(), *(version.recorded_from + TICK for version in current.values()))
        old = states_of(standing.current)
        new = states_after(edit, old, at)
        written = await self._changes(edit, layer) if isinstance(edit, Correct | Supersede) else Changes()
        closing, openings = standing.difference(edit, new, written)
        if closing:
            await close_versions(self.connection, table, closing, at)
        opened = [
            await open_version(self.connection, table, opening, current[opening.like], at)
            for opening in openings
            if opening.like is not None
        ]
        await self._check_new(layer, [version for version, _ in opened], reach)
        # What the plan no longer speaks of is again what the city is.
        shown = standing.base if isinstance(edit, Erase) and edit.plan is not None else []
        await self._tell(
            edit,
            layer,
            standing.current[0].dataset_id,
            edit.object_id,
            old=union([version.bbox for version in closing or standing.current]),
            new=union([*(bbox for _, bbox in opened), *(version.bbox for version in shown)]),
            span=affected(old, [*new, *states_of(shown)]),
        )
        return edit.object_id

    def _check_may_change(self, edit: ExistingEdit, layer: Layer, standing: Standing) -> None:
        current = standing.current
        hidden = not any(version.readable for version in current)
        removed = any(version.plan_action == "remove" for version in current) and not isinstance(edit, Erase)
        unplanned = isinstance(edit, Erase) and edit.plan is not None and not standing.planned
        if hidden or removed or unplanned:
            where = layer.id if edit.plan is None else f"{layer.id} in plan {edit.plan}"
            raise ObjectNotFound(f"no object {edit.object_id} in {where}")
        if not all(version.writable for version in current):
            raise Forbidden(f"{self.principal.name} may not change object {edit.object_id} of {layer.id}")
        if edit.read_at is not None and any(version.recorded_from > edit.read_at for version in current):
            raise Conflict(f"object {edit.object_id} of {layer.id} was changed since {edit.read_at.isoformat()}")

    # --- both

    async def _clock(self) -> datetime:
        """The database's clock, not the start of the transaction: edits that waited for each other stay in order."""
        moment: datetime = await self.connection.fetchval("select clock_timestamp()")
        return moment

    async def _changes(self, edit: Insert | Correct | Supersede, layer: Layer) -> Changes:
        columns, attributes = typed_properties(layer, objects(layer, self.catalog), edit.properties)
        if edit.geometry is None:
            return Changes(columns, attributes)
        geometry = checked_geometry(layer, edit.geometry, self.catalog.city.srid)
        village = None
        if layer.theme.table in ASSIGNED:
            village = await self.connection.fetchval(f"select {village_of('geometry($1::bytea)')}", geometry)
        return Changes(columns, attributes, geometry, village)

    async def _check_new(self, layer: Layer, ids: list[int], reach: Reach) -> None:
        """The new rows must be in the layer and within the writer's reach, so that nobody writes what he may not."""
        if ids and not await satisfied(self.connection, objects(layer, self.catalog), ids, reach):
            raise Forbidden(
                f"{layer.id}: the object would leave the layer, or the rows {self.principal.name} may write"
            )

    async def _tell(
        self,
        edit: Edit,
        layer: Layer,
        dataset_id: int,
        object_id: int,
        *,
        span: Span,
        old: Bbox | None = None,
        new: Bbox | None = None,
    ) -> None:
        op = "insert" if isinstance(edit, Insert) else "update" if isinstance(edit, Correct | Supersede) else "delete"
        if new is not None:
            await self.connection.execute(EXTENT_SQL, dataset_id, *new)
        if layer.theme.table == AREAS and edit.plan is None and (extent := union(filter(None, (old, new)))):
            await reassign(self.connection, extent, self.catalog.city.srid, self.principal.name)
        await self.connection.execute(
            changes.INSERT_SQL,
            layer.theme.table,
            dataset_id,
            object_id,
            edit.plan,
            op,
            old,
            new,
            span.start,
            span.end,
            self.principal.name,
            self.why,
        )
