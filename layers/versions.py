"""The rows of one object: found and locked, closed, and written anew. Nothing is ever overwritten.

A closed row keeps its content and moves to the past partition; the rows that replace it copy what they keep from it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Float,
    Integer,
    LargeBinary,
    Table,
    Text,
    and_,
    false,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, array
from sqlalchemy.types import DateTime

from cim_models.database import Connection
from layers.boxes import Bbox
from layers.statement import compiled
from layers.timeline import Span

MOMENT = DateTime(timezone=True)
# Written by whoever opens a row, never copied.
OF_THE_VERSION = ("id", "geom_web", "valid_from", "valid_to", "recorded_from", "recorded_to", "plan_id", "plan_action")


@dataclass(frozen=True)
class Reach:
    """What makes a row one that the writer sees in the layer, and one that he may change."""

    readable: Sequence[ColumnElement[bool]]
    writable: Sequence[ColumnElement[bool]]


@dataclass(frozen=True)
class Identity:
    """What an object is called for ever."""

    dataset_id: int
    object_id: int
    uid: str


@dataclass(frozen=True)
class Version:
    """A current row. readable: it is in the layer, and the reader may see it; writable: the writer may change it."""

    id: int
    dataset_id: int
    span: Span
    recorded_from: datetime
    plan_id: int | None
    plan_action: str | None
    bbox: Bbox
    readable: bool
    writable: bool


@dataclass(frozen=True)
class Changes:
    """What is written over a copied row: typed columns, further attributes (None removes one), EWKB and its village."""

    columns: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    geometry: bytes | None = None
    village: str | None = None


@dataclass(frozen=True)
class Opening:
    """A row to be written. like: the version it copies, closed or not; None for an object that is new."""

    span: Span
    like: int | None = None
    changes: Changes = Changes()
    plan_id: int | None = None
    plan_action: str | None = None


async def lock_versions(
    connection: Connection, table: Table, object_id: int, reach: Reach, *, plan: int | None
) -> list[Version]:
    """The current rows of an object, of the city as it is and of `plan`, locked until the transaction ends.

    Raises asyncpg.LockNotAvailableError where another transaction has one of them locked.
    """
    in_plan = false() if plan is None else table.c.plan_id == literal(plan, Integer)
    chosen = (
        select(
            *(table.c[name] for name in ("id", "dataset_id", "valid_from", "valid_to", "recorded_from")),
            *(table.c[name] for name in ("plan_id", "plan_action")),
            _extent(table).label("bbox"),
            func.coalesce(and_(true(), *reach.readable), false()).label("readable"),
            func.coalesce(and_(true(), *reach.writable), false()).label("writable"),
        )
        .where(
            table.c.object_id == literal(object_id, BigInteger),
            table.c.recorded_to == literal_column("'infinity'"),
            or_(table.c.plan_id.is_(None), in_plan),
        )
        .order_by(table.c.id)
        .with_for_update(nowait=True)
    )
    statement = compiled(chosen)
    return [
        Version(
            id=row["id"],
            dataset_id=row["dataset_id"],
            span=Span(row["valid_from"], row["valid_to"]),
            recorded_from=row["recorded_from"],
            plan_id=row["plan_id"],
            plan_action=row["plan_action"],
            bbox=tuple(row["bbox"]),
            readable=row["readable"],
            writable=row["writable"],
        )
        for row in await connection.fetch(statement.sql, *statement.arguments)
    ]


async def close_versions(connection: Connection, table: Table, versions: Sequence[Version], at: datetime) -> None:
    """The model no longer believes these rows from `at` on; they move to the past partition."""
    closing = (
        update(table)
        .where(
            table.c.recorded_to == literal_column("'infinity'"),
            table.c.dataset_id.in_(sorted({version.dataset_id for version in versions})),
            table.c.id.in_([version.id for version in versions]),
        )
        .values(recorded_to=literal(at, MOMENT))
    )
    statement = compiled(closing)
    await connection.execute(statement.sql, *statement.arguments)


async def open_version(
    connection: Connection, table: Table, opening: Opening, like: Version, at: datetime
) -> tuple[int, Bbox]:
    """Write a row that copies `like`, believed from `at` on; gives its version id and extent."""
    changes = opening.changes
    values: dict[str, ColumnElement[Any]] = {
        column.name: literal(changes.columns[column.name], column.type) if column.name in changes.columns else column
        for column in table.c
        if column.name not in OF_THE_VERSION
    }
    if changes.attributes:
        kept = {name: value for name, value in changes.attributes.items() if value is not None}
        emptied = [name for name, value in changes.attributes.items() if value is None]
        values["attributes"] = (table.c.attributes.op("||")(literal(kept, JSONB))).op("-")(
            literal(emptied, ARRAY(Text))
        )
    if changes.geometry is not None:
        values |= _geometry(changes)
    values |= _version(opening, at)
    source = select(*values.values()).where(
        table.c.id == literal(like.id, BigInteger), table.c.dataset_id == literal(like.dataset_id, Integer)
    )
    return await _written(connection, table, insert(table).from_select(list(values), source, include_defaults=False))


async def open_object(
    connection: Connection, table: Table, opening: Opening, identity: Identity, at: datetime
) -> tuple[int, Bbox]:
    """Write the first row of a new object; gives its version id and extent."""
    changes = opening.changes
    values: dict[str, ColumnElement[Any]] = {
        "object_id": literal(identity.object_id, BigInteger),
        "dataset_id": literal(identity.dataset_id, Integer),
        "uid": literal(identity.uid, Text),
        # No record of a source stands behind it, so no import ends it.
        "content_hash": literal(b"", LargeBinary),
        "attributes": literal({k: v for k, v in changes.attributes.items() if v is not None}, JSONB),
        **{name: literal(value, table.c[name].type) for name, value in changes.columns.items()},
        **_geometry(changes),
        **_version(opening, at),
    }
    return await _written(connection, table, insert(table).values(values))


def _geometry(changes: Changes) -> dict[str, ColumnElement[Any]]:
    return {
        "geom": func.geometry(literal(changes.geometry, LargeBinary)),
        "village_code": literal(changes.village, Text),
    }


def _version(opening: Opening, at: datetime) -> dict[str, ColumnElement[Any]]:
    return {
        "valid_from": literal(opening.span.start, MOMENT),
        "valid_to": literal(opening.span.end, MOMENT),
        "recorded_from": literal(at, MOMENT),
        "recorded_to": literal_column("'infinity'::timestamptz"),
        "plan_id": literal(opening.plan_id, Integer),
        "plan_action": literal(opening.plan_action, Text),
    }


async def _written(connection: Connection, table: Table, statement: Any) -> tuple[int, Bbox]:
    ready = compiled(statement.returning(table.c.id, _extent(table).label("bbox")))
    row = await connection.fetchrow(ready.sql, *ready.arguments)
    assert row is not None
    return row["id"], tuple(row["bbox"])


def _extent(table: Table) -> ColumnElement[Any]:
    ends = (func.ST_XMin, func.ST_YMin, func.ST_XMax, func.ST_YMax)
    return array([end(table.c.geom, type_=Float) for end in ends])


async def satisfied(connection: Connection, table: Table, ids: Sequence[int], reach: Reach) -> bool:
    """Whether the writer sees all these current rows and may change them; what is unknown does not count."""
    wanted = and_(true(), *reach.readable, *reach.writable)
    fulfilled = func.bool_and(func.coalesce(wanted, false()))
    statement = compiled(
        select(fulfilled).where(table.c.id.in_(ids), table.c.recorded_to == literal_column("'infinity'"))
    )
    return bool(await connection.fetchval(statement.sql, *statement.arguments))
