"""POST, PATCH, PUT and DELETE: each one transaction, answered when it is committed."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from api.errors import MethodNotAllowed
from api.sensorthings.call import Answer, Call
from api.sensorthings.service import Service
from cim_models.database import Connection
from twin.sensing import BadEntity, EntityNotFound
from twin.sensing.addresses import Address, find_address
from twin.sensing.model import BY_NAME, EntityType
from twin.sensing.observations import read_id, read_observation
from twin.sensing.odata.options import Options
from twin.sensing.places import require_place
from twin.sensing.read import read_entity
from twin.sensing.shape import told
from twin.sensing.writing.change import change, delete
from twin.sensing.writing.create import Writer
from twin.sensing.writing.patch import patched

OBSERVATIONS = re.compile(r"(?:Datastreams\((\d{1,18})\)/)?Observations\Z")
JSON_PATCH = "application/json-patch+json"
ENTITY_METHODS = "GET, HEAD, PUT, PATCH, DELETE"


@asynccontextmanager
async def writing(service: Service) -> AsyncIterator[Connection]:
    """A connection in a transaction; what two clients do to the same entity at once is told as such."""
    try:
        if service.connection is not None:
            yield service.connection
            return
        async with service.city.database.writing() as connection:
            yield connection
    except asyncpg.ForeignKeyViolationError:
        raise BadEntity("what this refers to was deleted meanwhile") from None
    except asyncpg.DataError as error:
        raise BadEntity(f"the database refuses a value: {error}") from None


async def write(service: Service, call: Call) -> Answer:
    """Answer a write. Raises BadEntity, EntityNotFound, MethodNotAllowed."""
    if call.method == "POST":
        return await _post(service, call)
    async with writing(service) as connection:
        address = await find_address(connection, call.path)
        if address.id is None or address.is_reference or address.steps:
            raise MethodNotAllowed(f"{call.method} is for one entity", allowed="GET, HEAD, POST")
        if call.method == "DELETE":
            await delete(connection, address.entity, address.id)
        else:
            writer = Writer(connection, service.zone)
            body = call.json()
            if call.media_type == JSON_PATCH:
                body = await _patch(connection, address, body)
            await change(writer, address.entity, address.id, body, whole=call.method == "PUT")
    return Answer(200)


async def _patch(connection: Connection, address: Address, steps: Any) -> dict[str, Any]:
    """The properties that the steps of a JSON Patch change, with their new values."""
    raw = await read_entity(connection, address, Options())
    if raw is None:
        raise EntityNotFound(f"no {address.entity.name} {address.id}")
    known = {each.name: told(each, raw[each.name]) for each in address.entity.properties[1:]}
    changed = patched({name: value for name, value in known.items() if value is not None}, steps)
    names = (name for name in known.keys() | changed.keys() if changed.get(name) != known.get(name))
    return {name: changed.get(name) for name in names}


async def _post(service: Service, call: Call) -> Answer:
    body = call.json()
    quick = await _observation(service, call, body)
    if quick is not None:
        return quick
    async with writing(service) as connection:
        address = await find_address(connection, call.path)
        if address.id is not None:
            raise MethodNotAllowed("an entity is created in its set", allowed=ENTITY_METHODS)
        writer = Writer(connection, service.zone)
        if _is_link(address, body):
            made = await _link(writer, address, read_id(body))
        else:
            made = await writer.create(address.entity, body, given(address))
    return created(service, address.entity, made)


def created(service: Service, entity: EntityType, number: int) -> Answer:
    """201, and where the entity is."""
    return Answer(201, headers={"Location": f"{service.base}/{entity.plural}({number})"})


def given(address: Address) -> dict[str, int]:
    """What the address says an entity created there belongs to."""
    if address.parent is None or address.by is None:
        return {}
    return {address.parent[0].name: address.parent[1]}


async def _observation(service: Service, call: Call, body: Any) -> Answer | None:
    """The short way for an Observation of a datastream that is named by its id: it shares a commit with others."""
    found = OBSERVATIONS.match(call.path.strip("/"))
    if (
        service.connection is not None
        or found is None
        or not isinstance(body, dict)
        or body.get("FeatureOfInterest") is not None
    ):
        return None
    stream = body.get("Datastream")
    if found[1] is None and (not isinstance(stream, dict) or "@iot.id" not in stream):
        return None
    number = read_id(stream if found[1] is None else found[1])
    unknown = [name for name in body if name not in KNOWN and "@" not in name and name != "id"]
    if unknown:
        raise BadEntity(f"Observation has no {unknown[0][:60]!r}; it has {', '.join(KNOWN)}")
    reading = read_observation(body, number, service.zone)
    if number not in service.placed:
        # Not from a replica, which may not know yet where a new thing stands.
        async with service.city.database.writing() as connection:
            await require_place(connection, number)
        service.placed[number] = None
    try:
        (made,) = await service.ingest.submit([reading])
    except asyncpg.DataError as error:
        raise BadEntity(f"the database refuses a value: {error}") from None
    if made is None:
        raise (BadEntity if found[1] is None else EntityNotFound)(f"no Datastream {number}")
    return created(service, BY_NAME["Observation"], made)


KNOWN = ("phenomenonTime", "result", "resultTime", "resultQuality", "validTime", "parameters", "Datastream")


def _is_link(address: Address, body: Any) -> bool:
    return address.by is not None and isinstance(body, dict) and set(body) == {"@iot.id"}


async def _link(writer: Writer, address: Address, number: int) -> int:
    """POST of an id into a set of an entity links the two (OGC 18-088, 10.2.1.1)."""
    assert address.parent is not None
    parent, owner = address.parent
    await writer.linked(address.entity.name, {"@iot.id": number})
    match parent.name, address.entity.name:
        case "Thing", "Location":
            await writer.place(owner, [number])
        case "Location", "Thing":
            await writer.place(number, [owner])
        case (("Thing" | "Sensor"), ("Datastream" | "MultiDatastream")):
            body = {parent.name: {"@iot.id": owner}}
            await change(writer, address.entity, number, body, whole=False)
        case "ObservedProperty", "Datastream":
            await writer.observe(number, [owner])
        case (("Datastream" | "MultiDatastream" | "FeatureOfInterest"), "Observation"):
            await change(writer, address.entity, number, {parent.name: {"@iot.id": owner}}, whole=False)
        case _:
            raise EntityNotFound(f"{address.entity.plural} cannot be linked to a {parent.name} like this")
    return number
