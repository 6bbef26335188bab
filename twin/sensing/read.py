"""Reads entities: one statement a request, whatever it follows; pages continue where the last one ended."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    FromClause,
    Select,
    Text,
    and_,
    case,
    false,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
)
from sqlalchemy.types import Boolean, TypeEngine

from cim_models.database import Connection
from cim_models.observation import DATASTREAM, LATEST
from layers.statement import compiled
from twin.sensing import BadQuery
from twin.sensing.addresses import Address
from twin.sensing.model import BY_NAME, EntityType, Navigation, value_told
from twin.sensing.odata import sql, terms
from twin.sensing.odata.options import DEFAULT_NESTED_TOP, DEFAULT_TOP, Expand, Options
from twin.sensing.odata.syntax import Node, Path
from twin.sensing.odata.terms import MOMENT

# Beyond this a count costs more than it tells, and the planner's guess is given.
COUNTED = 100_000
# A page that is heavier ends early; what is left stands behind its next link.
PAGE_BYTES = 25 * 2**20
SORTS = ("number", "text", "time", "interval", "bool", "json", "result", "date", "geometry")
ID = Path(("@iot.id",))

Raw = dict[str, Any]


@dataclass(frozen=True)
class Page:
    """Entities as the database tells them. following: the token of the next page, None on the last.

    count: how many there are in all, if asked for; exact is False where it is a guess.
    """

    entities: list[Raw]
    following: str | None = None
    count: int | None = None
    exact: bool = True


@dataclass(frozen=True)
class _Key:
    """One expression to sort by; `type` of its values, null in them unless required."""

    value: ColumnElement[Any]
    type: TypeEngine[Any]
    descending: bool
    required: bool

    @property
    def ordered(self) -> ColumnElement[Any]:
        found = self.value.desc() if self.descending else self.value.asc()
        return found if self.required else found.nulls_last()


async def read_page(connection: Connection, address: Address, options: Options) -> Page:
    """A page of the set that an address names. Raises BadQuery."""
    table = address.rows()
    top = DEFAULT_TOP if options.top is None else options.top
    wanted = _chosen(address, table, options)
    keys = _keys(address.entity, table, options, address.by)
    page = select(_told(address.entity, table, options), *(key.value for key in keys)).select_from(table).where(*wanted)
    if options.skiptoken is not None:
        page = page.where(*_after(keys, _read_token(options.skiptoken)))
    elif options.skip:
        page = page.offset(literal(options.skip, BigInteger))
    page = page.order_by(*(key.ordered for key in keys)).limit(literal(top + 1, BigInteger))
    statement = compiled(page)
    # Read as text: the pool's codec would read it with the slower parser.
    rows = await connection.fetch(statement.sql, *statement.arguments)
    entities, size = [], 0
    for row in rows[:top]:
        size += len(row[0])
        entities.append(orjson.loads(row[0]))
        if size > PAGE_BYTES:
            break
    is_cut = 0 < len(entities) < len(rows)
    following = _token(rows[len(entities) - 1][1:]) if is_cut else None
    count, exact = (None, True)
    if options.count:
        count, exact = await _count(connection, address, options)
    return Page(entities, following, count, exact)


async def read_entity(connection: Connection, address: Address, options: Options) -> Raw | None:
    """The one entity that an address names."""
    table = address.entity.table.alias()
    told = select(_told(address.entity, table, options)).select_from(table)
    statement = compiled(told.where(table.c.id == literal(address.id, BigInteger), address.entity.base(table)))
    text = await connection.fetchval(statement.sql, *statement.arguments)
    return None if text is None else orjson.loads(text)


def _chosen(address: Address, table: FromClause, options: Options) -> list[ColumnElement[bool]]:
    """What makes a row one of the set."""
    found = [address.entity.base(table)]
    if address.parent is not None and address.by is not None:
        parent, number = address.parent
        key: ColumnElement[Any] = literal(number, BigInteger)
        if address.by.key != "id":
            source = parent.table.alias()
            key = select(source.c[address.by.key]).where(source.c.id == key).scalar_subquery()
        found.append(address.by.match(table, key))
    if options.filter is not None:
        found.append(sql.condition(options.filter, address.entity, table))
    return found


def _told(entity: EntityType, table: FromClause, options: Options) -> ColumnElement[Any]:
    """The JSON of an entity, with those that its links lead to, as text."""
    return _object(entity, table, options).cast(Text)


def _object(entity: EntityType, table: FromClause, options: Options) -> ColumnElement[Any]:
    for name in options.select:
        if entity.find(name) is None and entity.navigation(name) is None:
            raise BadQuery(f"$select: {entity.name} has no {name[:40]!r}; it has {', '.join(entity.names)}")
    parts: list[ColumnElement[Any]] = []
    for each in entity.properties:
        name = each.name.removeprefix("@iot.")
        if not options.select or each.name == "@iot.id" or {name, each.name} & set(options.select):
            parts += [_name(each.name), value_told(entity, each, table)]
    if entity.name == "Observation":
        parts += [_name("@datastream"), table.c.datastream_id, _name("@multi"), _is_of_several(table)]
    for expand in options.expand:
        navigation = entity.navigation(expand.name)
        if navigation is None:
            known = [each.name for each in entity.navigations]
            raise BadQuery(f"$expand: {entity.name} has no link {expand.name[:40]!r}; it has {', '.join(known)}")
        parts += _expanded(navigation, table, expand)
    return func.json_build_object(*parts)


def _expanded(navigation: Navigation, source: FromClause, expand: Expand) -> list[ColumnElement[Any]]:
    target, options = BY_NAME[navigation.target], expand.options
    table = navigation.targets()
    wanted = [navigation.match(table, source.c[navigation.key]), target.base(table)]
    if options.filter is not None:
        wanted.append(sql.condition(options.filter, target, table))
    told: Select[Any] = select(_object(target, table, options)).select_from(table).where(*wanted)
    if not navigation.many:
        return [_name(navigation.name), told.correlate_except(table).scalar_subquery()]
    top = DEFAULT_NESTED_TOP if options.top is None else options.top
    keys = _keys(target, table, options, navigation)
    # One more than wanted: it tells that there is more.
    page = told.order_by(*(key.ordered for key in keys)).limit(literal(top + 1, BigInteger))
    if options.skip:
        page = page.offset(literal(options.skip, BigInteger))
    listed = func.array(page.correlate_except(table).scalar_subquery())
    parts = [_name(navigation.name), func.array_to_json(listed)]
    if options.count:
        some: Select[Any] = select(literal_column("1")).select_from(table).where(*wanted).limit(COUNTED + 1)
        number = func.cardinality(func.array(some.correlate_except(table).scalar_subquery()))
        parts += [_name(f"{navigation.name}@iot.count"), number]
    return parts


def _is_of_several(table: FromClause) -> ColumnElement[Any]:
    """Whether an observation is of a MultiDatastream: only those with JSON can be, and only their streams are read."""
    stream = DATASTREAM.alias()
    found = select(stream.c.is_multi).where(stream.c.id == table.c.datastream_id)
    return case((table.c.json.is_not(None), found.correlate_except(stream).scalar_subquery()), else_=false())


def _name(text: str) -> ColumnElement[Any]:
    """A name of ours, as a literal: 'it' can hold no quote."""
    return literal_column(f"'{text}'")


# --- order and pages


def _keys(entity: EntityType, table: FromClause, options: Options, by: Navigation | None) -> list[_Key]:
    found: list[_Key] = []
    for order in options.orderby:
        found += _sorted_by(order.by, entity, table, descending=order.descending)
    if by is not None and by.order is not None:
        # After what was asked for, too: it tells those apart that are linked twice.
        found.append(_Key(table.c[by.order], BigInteger(), False, True))
    if not found and entity.name == "Observation" and by is not None and by.name == "Observations":
        # As the index of a datastream has them.
        found.append(_Key(table.c.time, MOMENT, False, True))
    # The id settles equals, in the direction of the rest, so that an index may be read either way.
    last = found[-1].descending if found else False
    return [*found, _Key(table.c.id, BigInteger(), last, True)]


def _sorted_by(node: Node, entity: EntityType, table: FromClause, *, descending: bool) -> list[_Key]:
    term = sql.value(node, entity, table)
    if term.type not in SORTS:
        raise BadQuery(f"$orderby: a {term.type} has no order")
    found = entity.find(node.steps[0]) if isinstance(node, Path) and len(node.steps) == 1 else None
    required = found is not None and found.required
    if node == ID or (found is not None and found.type == "id"):
        return [_Key(term.value, BigInteger(), descending, True)]
    if term.type in ("json", "result"):
        return [
            _Key(terms.number(term), Double(), descending, False),
            _Key(terms.text(term), Text(), descending, False),
        ]
    if term.type == "geometry":
        return [_Key(func.ST_AsText(term.value), Text(), descending, required)]
    if term.type in ("time", "interval", "date"):
        return [_Key(terms.moment(term), MOMENT, descending, required)]
    if term.type == "bool":
        return [_Key(term.value, Boolean(), descending, False)]
    type_: TypeEngine[Any] = Text() if term.type == "text" else Double()
    return [_Key(term.value, type_, descending, required)]


def _after(keys: Sequence[_Key], values: list[Any]) -> list[ColumnElement[bool]]:
    """What comes after a row with these values: the rows of the next page."""
    if len(keys) != len(values):
        raise BadQuery("$skiptoken: it belongs to another order; take it from the next link")
    found: ColumnElement[bool] = false()
    for key, value in reversed(list(zip(keys, values, strict=True))):
        if value is None:
            found = and_(key.value.is_(None), found)
            continue
        given = literal(value, key.type)
        beyond = key.value < given if key.descending else key.value > given
        if not key.required:
            beyond = or_(beyond, key.value.is_(None))
        found = or_(beyond, and_(key.value == given, found))
    if keys[0].required:
        # An index reads this bound; it makes nothing of the alternatives.
        given = literal(values[0], keys[0].type)
        return [keys[0].value <= given if keys[0].descending else keys[0].value >= given, found]
    return [found]


def _token(values: Sequence[Any]) -> str:
    packed = [{"t": each.isoformat()} if isinstance(each, datetime) else each for each in values]
    return base64.urlsafe_b64encode(json.dumps(packed).encode()).decode().rstrip("=")


def _read_token(text: str) -> list[Any]:
    try:
        values = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not isinstance(values, list) or len(values) > 20:
            raise ValueError
        return [datetime.fromisoformat(each["t"]) if isinstance(each, dict) else each for each in values]
    except (ValueError, KeyError, TypeError):
        raise BadQuery("$skiptoken: it cannot be read; take it from the next link") from None


# --- counts


async def _count(connection: Connection, address: Address, options: Options) -> tuple[int, bool]:
    """How many a set has, and whether that is exact."""
    entity = address.entity
    if entity.name == "Observation" and options.filter is None and (address.by is None or _is_of_stream(address)):
        streams = LATEST.c.datastream_id == address.parent[1] if address.parent else literal_column("true")
        statement = compiled(select(func.coalesce(func.sum(LATEST.c.count), 0)).where(streams))
        return int(await connection.fetchval(statement.sql, *statement.arguments)), True
    table = address.rows()
    some = select(null()).select_from(table).where(*_chosen(address, table, options))
    statement = compiled(select(func.count()).select_from(some.limit(COUNTED + 1).subquery()))
    number: int = await connection.fetchval(statement.sql, *statement.arguments)
    if number <= COUNTED:
        return number, True
    statement = compiled(some)
    plan = await connection.fetchval(f"explain (format json) {statement.sql}", *statement.arguments)
    return max(number, int(plan[0]["Plan"]["Plan Rows"])), False


def _is_of_stream(address: Address) -> bool:
    return address.parent is not None and address.parent[0].name in ("Datastream", "MultiDatastream")
