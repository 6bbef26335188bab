"""Resource paths: /Things(1)/Datastreams(2)/Observations, down to a property and its $value (OGC 18-088, 9.2)."""

import re
from dataclasses import dataclass

from sqlalchemy import FromClause, literal, select
from sqlalchemy.types import BigInteger

from cim_models.database import Connection
from layers.statement import compiled
from twin.sensing import EntityNotFound
from twin.sensing.model import BY_NAME, BY_PLURAL, EntityType, Navigation

SEGMENT = re.compile(r"([A-Za-z$@][\w.@]*)(?:\((.*)\))?\Z")
ID = re.compile(r"'?(\d{1,18})'?\Z")
MAX_SEGMENTS = 12


@dataclass(frozen=True)
class Address:
    """What a path names: a set, one entity of it, or a property of that.

    parent, by: the entity from which a link led here, and the link; None where the path began here.
    """

    entity: EntityType
    id: int | None = None
    parent: tuple[EntityType, int] | None = None
    by: Navigation | None = None
    steps: tuple[str, ...] = ()
    is_value: bool = False
    is_reference: bool = False

    def rows(self) -> FromClause:
        """The entities of the set, or those among which the one is, to select from."""
        return self.entity.table.alias() if self.by is None else self.by.targets()


async def find_address(connection: Connection, path: str) -> Address:
    """What `path` names; each entity on the way must be there. Raises EntityNotFound."""
    segments = [each for each in path.strip("/").split("/") if each]
    if not segments or len(segments) > MAX_SEGMENTS:
        raise EntityNotFound(f"{path[:100]}: no such resource")
    name, number = _segment(segments[0])
    if name not in BY_PLURAL:
        raise EntityNotFound(f"no entity set {name[:40]!r}; there are {', '.join(BY_PLURAL)}")
    address = Address(BY_PLURAL[name])
    if number is not None:
        address = await _entity(connection, Address(address.entity), number)
    for place, segment in enumerate(segments[1:], start=1):
        rest = segments[place:]
        if rest == ["$ref"]:
            return Address(address.entity, address.id, address.parent, address.by, is_reference=True)
        if address.id is None:
            raise EntityNotFound(f"{segment[:40]}: name one of the {address.entity.plural} first")
        name, number = _segment(segment)
        navigation = address.entity.navigation(name)
        if navigation is None:
            return _property(address, rest)
        address = await _follow(connection, address, navigation, number)
    return address


def _segment(text: str) -> tuple[str, int | None]:
    found = SEGMENT.match(text)
    if found is None:
        raise EntityNotFound(f"{text[:60]!r}: no such resource")
    if found[2] is None:
        return found[1], None
    number = ID.match(found[2].strip())
    if number is None:
        raise EntityNotFound(f"{text[:60]!r}: ids are whole numbers")
    return found[1], int(number[1])


def _property(address: Address, rest: list[str]) -> Address:
    is_value = rest[-1] == "$value"
    steps = tuple(rest[:-1] if is_value else rest)
    found = address.entity.find(steps[0]) if steps else None
    if found is None or (len(steps) > 1 and found.type not in ("json", "result")):
        raise EntityNotFound(f"{address.entity.name} has no {'/'.join(rest)[:60]!r}")
    return Address(address.entity, address.id, address.parent, address.by, steps, is_value)


async def _entity(connection: Connection, address: Address, number: int) -> Address:
    table = address.rows()
    wanted = select(table.c.id).where(table.c.id == literal(number, BigInteger), address.entity.base(table))
    if address.parent is not None and address.by is not None:
        source = address.parent[0].table.alias()
        key = select(source.c[address.by.key]).where(source.c.id == literal(address.parent[1], BigInteger))
        wanted = wanted.where(address.by.match(table, key.scalar_subquery()))
    statement = compiled(wanted)
    if await connection.fetchval(statement.sql, *statement.arguments) is None:
        raise EntityNotFound(f"no {address.entity.name} {number}")
    return Address(address.entity, number, address.parent, address.by)


async def _follow(connection: Connection, address: Address, by: Navigation, number: int | None) -> Address:
    assert address.id is not None
    target, parent = BY_NAME[by.target], (address.entity, address.id)
    if by.many:
        found = Address(target, None, parent, by)
        return found if number is None else await _entity(connection, found, number)
    table, source = target.table.alias(), address.entity.table.alias()
    key = select(source.c[by.key]).where(source.c.id == literal(address.id, BigInteger)).scalar_subquery()
    statement = compiled(select(table.c.id).where(by.match(table, key), target.base(table)))
    known = await connection.fetchval(statement.sql, *statement.arguments)
    if known is None or number not in (None, known):
        raise EntityNotFound(f"{address.entity.name} {address.id} has no {by.name}")
    return Address(target, known, parent, by)
