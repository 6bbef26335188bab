"""Creates entities, and those that are given inside them, in one transaction (OGC 18-088, 10.2.1)."""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

from sqlalchemy import insert

from cim_models.database import Connection
from cim_models.observation import DATASTREAM_PROPERTY
from layers.statement import compiled
from twin.sensing import BadEntity
from twin.sensing.batch import Batch
from twin.sensing.model import BY_NAME, EntityType
from twin.sensing.observations import PROPERTIES, read_id, read_observation, read_time
from twin.sensing.places import forget_places, require_place
from twin.sensing.readings import prepare_months, write_readings
from twin.sensing.writing.fields import Columns, read_fields

COMPLEX = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_ComplexObservation"
MAX_DEPTH = 8
KIND = "select coalesce((select id from sensing.kind where id = $1), 'other')"
RELOCATE = """
    with moved as (insert into sensing.historical_location (thing_id, "time") values ($1, $2) returning id)
    insert into sensing.historical_location_location (historical_location_id, location_id)
    select moved.id, unnest($3::bigint[]) from moved
"""
# Ids of entities that the address, or what holds this one, has given already.
Given = Mapping[str, int]


class Writer:
    """Writes entities on a connection that is in a transaction. zone: of times that name none."""

    def __init__(self, connection: Connection, zone: tzinfo, *, via: str = "http") -> None:
        self.connection = connection
        self.zone = zone
        self._via = via
        self._depth = 0

    async def create(self, entity: EntityType, body: Any, given: Given | None = None) -> int:
        """Create an entity, and what is given inside it; its id. Raises BadEntity."""
        if not isinstance(body, dict):
            raise BadEntity(f"{entity.name}: a JSON object is wanted")
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise BadEntity(f"entities are nested more than {MAX_DEPTH} deep")
        made = await self._create(entity, body, dict(given or {}))
        self._depth -= 1
        return made

    async def _create(self, entity: EntityType, body: dict[str, Any], given: dict[str, int]) -> int:
        match entity.name:
            case "Observation":
                return await self._observation(body, given)
            case "HistoricalLocation":
                return await self._historical_location(body, given)
            case "Datastream" | "MultiDatastream":
                return await self._datastream(entity, body, given)
        made = await self._insert(entity, read_fields(entity, body))
        match entity.name:
            case "Thing":
                await self._fill_thing(made, body, given)
            case "Location":
                things = [given["Thing"]] if "Thing" in given else await self.several("Thing", body.get("Things"))
                for thing in things:
                    await self.place(thing, [made])
            case "Sensor" | "ObservedProperty" | "FeatureOfInterest":
                await self._inside(entity, made, body)
        return made

    async def _inside(self, entity: EntityType, made: int, body: Mapping[str, Any]) -> None:
        """Create what is given inside an entity that it belongs to."""
        for link in entity.navigations:
            for each in _listed(body.get(link.name), link.name) if link.many else ():
                await self.create(BY_NAME[link.target], each, {entity.name: made})

    async def _fill_thing(self, thing: int, body: Mapping[str, Any], given: Given) -> None:
        places = await self.several("Location", body.get("Locations"))
        if "Location" in given:
            places.append(given["Location"])
        if places:
            await self.place(thing, places)
        for name in ("Datastreams", "MultiDatastreams", "HistoricalLocations"):
            target = BY_NAME[name.removesuffix("s")]
            for each in _listed(body.get(name), name):
                await self.create(target, each, {"Thing": thing})

    async def _datastream(self, entity: EntityType, body: dict[str, Any], given: dict[str, int]) -> int:
        columns = read_fields(entity, body)
        is_multi = entity.name == "MultiDatastream"
        columns["thing_id"] = await self.one("Thing", body, given)
        columns["sensor_id"] = await self.one("Sensor", body, given)
        if is_multi:
            observed = await self.several("ObservedProperty", body.get("ObservedProperties"))
            observed = observed or [given[name] for name in ("ObservedProperty",) if name in given]
            columns["observation_type"] = columns["observation_type"] or COMPLEX
            lengths = {len(body[name]) for name in ("multiObservationDataTypes", "unitOfMeasurements")}
            if lengths != {len(observed)}:
                raise BadEntity("MultiDatastream: as many types and units as ObservedProperties are wanted")
        else:
            observed = [await self.one("ObservedProperty", body, given)]
        columns |= {"is_multi": is_multi, "kind": await self.kind(body.get("properties"))}
        made = await self._insert(entity, columns)
        await self.connection.execute("insert into sensing.latest (datastream_id) values ($1)", made)
        await self.observe(made, observed)
        for each in _listed(body.get("Observations"), "Observations"):
            await self.create(BY_NAME["Observation"], each, {entity.name: made})
        return made

    async def _historical_location(self, body: dict[str, Any], given: dict[str, int]) -> int:
        entity = BY_NAME["HistoricalLocation"]
        if "time" not in body:
            raise BadEntity("HistoricalLocation needs time")
        time = read_time(body["time"], "time", self.zone)
        made = await self._insert(entity, {"thing_id": await self.one("Thing", body, given), "time": time})
        places = await self.several("Location", body.get("Locations"))
        if "Location" in given:
            places.append(given["Location"])
        await self.connection.execute(
            "insert into sensing.historical_location_location select $1, unnest($2::bigint[])", made, places
        )
        return made

    async def _observation(self, body: dict[str, Any], given: dict[str, int]) -> int:
        for name in body:
            if name not in PROPERTIES and "@" not in name and name != "id":
                raise BadEntity(f"Observation has no {name[:60]!r}; it has {', '.join(PROPERTIES)}")
        is_multi = "MultiDatastream" in given or "MultiDatastream" in body
        stream = await self.one("MultiDatastream" if is_multi else "Datastream", body, given)
        feature = None
        if "FeatureOfInterest" in given or body.get("FeatureOfInterest") is not None:
            feature = await self.one("FeatureOfInterest", body, given)
        else:
            await require_place(self.connection, stream)
        reading = read_observation(body, stream, self.zone, feature_id=feature)
        if is_multi:
            await self._check_parts(stream, body["result"])
        batch = Batch.of([reading])
        await prepare_months(self.connection, batch, set())
        written = await write_readings(self.connection, batch, via=self._via, are_multi=is_multi)
        made = written.ids[0]
        assert made is not None, "its datastream was just found, and is locked"
        return made

    async def _check_parts(self, stream: int, result: Any) -> None:
        parts = await self.connection.fetchval(
            "select count(*) from sensing.datastream_property where datastream_id = $1", stream
        )
        if not isinstance(result, list) or len(result) != parts:
            raise BadEntity(f"result: a list of {parts} values is wanted, one for each ObservedProperty")

    # --- links

    async def one(self, name: str, body: Mapping[str, Any], given: Given) -> int:
        """The id of the entity that this one belongs to: from the address, by id, or created. Raises BadEntity."""
        if name in given:
            return given[name]
        value = body.get(name)
        if value is None:
            raise BadEntity(f"{name} is needed: {{'@iot.id': its id}}, or the entity itself")
        return await self.linked(name, value)

    async def several(self, name: str, value: Any) -> list[int]:
        """The ids of entities that are listed by id or to be created."""
        return [await self.linked(name, each) for each in _listed(value, name)]

    async def linked(self, name: str, value: Any) -> int:
        """The id of an entity that is given by id or to be created. Raises BadEntity."""
        entity = BY_NAME[name]
        if not isinstance(value, dict) or ("@iot.id" not in value):
            return await self.create(entity, value)
        number = read_id(value)
        found = await self.connection.fetchval(
            f"select id from {entity.table.fullname} where id = $1 for key share", number
        )
        if found is None:
            raise BadEntity(f"no {name} {number}")
        return number

    async def place(self, thing: int, places: list[int]) -> None:
        """A thing stands at these locations from now on."""
        await self.connection.execute("delete from sensing.thing_location where thing_id = $1", thing)
        await self.connection.execute(
            "insert into sensing.thing_location select $1, unnest($2::bigint[]) on conflict do nothing", thing, places
        )
        await self.connection.execute(RELOCATE, thing, datetime.now(UTC), sorted(set(places)))
        await forget_places(self.connection, thing)

    async def observe(self, stream: int, observed: list[int]) -> None:
        """A datastream observes these properties, in this order."""
        table = DATASTREAM_PROPERTY.fullname
        await self.connection.execute(f"delete from {table} where datastream_id = $1", stream)
        await self.connection.execute(
            f"insert into {table} (datastream_id, position, observed_property_id)"
            " select $1, n - 1, id from unnest($2::bigint[]) with ordinality o (id, n)",
            stream,
            observed,
        )

    async def kind(self, properties: Any) -> str:
        """The kind that a datastream's properties name, if it is one of the city's."""
        wanted = properties.get("kind") if isinstance(properties, dict) else None
        kind: str = await self.connection.fetchval(KIND, wanted if isinstance(wanted, str) else None)
        return kind

    async def _insert(self, entity: EntityType, columns: Columns) -> int:
        statement = compiled(insert(entity.table).values(**columns).returning(entity.table.c.id))
        made: int = await self.connection.fetchval(statement.sql, *statement.arguments)
        return made


def _listed(value: Any, name: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadEntity(f"{name}: a list is wanted")
    return value
