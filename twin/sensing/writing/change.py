"""Changes and deletes entities, with what belongs to them (OGC 18-088, 10.3 and 10.4)."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import asyncpg
from sqlalchemy import literal, update
from sqlalchemy.types import BigInteger

from cim_models.database import Connection
from layers.statement import compiled
from twin.sensing import BadEntity
from twin.sensing.batch import Batch
from twin.sensing.model import EntityType
from twin.sensing.observations import PROPERTIES, read_observation
from twin.sensing.places import forget_places
from twin.sensing.readings import DEDUPE, prepare_months
from twin.sensing.writing.create import Writer
from twin.sensing.writing.fields import read_fields

# Around a moment, what is read again; a day begins less than two from the calendar's, whatever the zone.
REACH = timedelta(days=3)
STREAMS_OF = {
    "Thing": "select id from sensing.datastream where thing_id = $1",
    "Sensor": "select id from sensing.datastream where sensor_id = $1",
    "ObservedProperty": "select datastream_id from sensing.datastream_property where observed_property_id = $1",
    "Datastream": "select $1::bigint",
    "MultiDatastream": "select $1::bigint",
}
# The links to several that a change replaces.
CHANGED_LISTS = {("Thing", "Locations"), ("MultiDatastream", "ObservedProperties")}
STREAMS = {"Datastream", "MultiDatastream"}
OF_BOTH_KINDS = "select count(distinct is_multi) > 1 from sensing.datastream where id = any($1::bigint[])"
OBSERVATION = """
    select id, datastream_id, time, time_end, result_time, valid_from, valid_to, number, text, json, quality,
           parameters, feature_id
    from sensing.observation where id = $1
"""
CHANGE_OBSERVATION = f"""
    update sensing.observation set
        time = $2, time_end = $3, result_time = $4, valid_from = $5, valid_to = $6, number = $7, text = $8,
        json = $9::text::jsonb, quality = $10::text::jsonb, parameters = $11::text::jsonb, feature_id = $12,
        datastream_id = $13,
        dedupe = (select {DEDUPE} from (select $7::float8 as number, $8::text as text, $9::text as json,
            $3::timestamptz as time_end, $4::timestamptz as result_time, $5::timestamptz as valid_from,
            $6::timestamptz as valid_to, $10::text as quality, $11::text as parameters) given)
    where id = $1
"""
# In the order in which every writer of readings locks them.
LOCK = "select 1 from sensing.latest where datastream_id = any($1::bigint[]) order by datastream_id for update"
FORGET_HOURS = "delete from sensing.hourly where datastream_id = $1 and at between $2 and $3"
FORGET_DAYS = "delete from sensing.daily where datastream_id = $1 and day between $2 and $3"
COUNTED = """
    select o.time, o.number, c.time_zone as zone, k.day_shift,
           sensing.counted_at(o.time, o.time_end is null, k.is_total) as counted
    from sensing.observation o join sensing.datastream s on s.id = o.datastream_id
    join sensing.kind k on k.id = s.kind cross join city c
    where o.datastream_id = $1 and o.number is not null and o.time between $2 and $3
"""
AGGREGATES = """
    count(*), sum(number), min(number), max(number), (array_agg(number order by time))[1],
    (array_agg(number order by time desc))[1], min(time), max(time)
"""
HOURS = f"""
    insert into sensing.hourly (datastream_id, at, count, sum, min, max, first, last, first_time, last_time)
    select $1, date_trunc('hour', counted, zone) as at, {AGGREGATES} from ({COUNTED}) c
    group by at
    on conflict (datastream_id, at) do nothing
"""
DAYS = f"""
    insert into sensing.daily (datastream_id, day, count, sum, min, max, first, last, first_time, last_time)
    select $1, ((counted at time zone zone) + day_shift)::date as day, {AGGREGATES} from ({COUNTED}) c
    group by day
    on conflict (datastream_id, day) do nothing
"""
RETELL = """
    update sensing.latest l set
        count = (select count(*) from sensing.observation where datastream_id = $1),
        id = n.id, time = n.time, number = n.number, text = n.text, json = n.json,
        first_time = (select min(time) from sensing.observation where datastream_id = $1),
        last_time = (select max(coalesce(time_end, time)) from sensing.observation where datastream_id = $1),
        first_result_time = (select min(result_time) from sensing.observation where datastream_id = $1),
        last_result_time = (select max(result_time) from sensing.observation where datastream_id = $1)
    from (select 1) one
    left join lateral (
        select id, time, number, text, json from sensing.observation
        where datastream_id = $1 order by time desc, id desc limit 1
    ) n on true
    where l.datastream_id = $1
"""


async def change(writer: Writer, entity: EntityType, number: int, body: Any, *, whole: bool) -> None:
    """Change an entity by what is given of it; whole: replace it (PUT). Raises BadEntity."""
    if not isinstance(body, dict):
        raise BadEntity(f"{entity.name}: a JSON object is wanted")
    _check_links(entity, body)
    if entity.name == "Observation":
        await _change_observation(writer, number, body, whole=whole)
        return
    if entity.name == "HistoricalLocation":
        await _change_historical_location(writer, number, body)
        return
    columns = read_fields(entity, body, partly=not whole)
    if entity.name in ("Datastream", "MultiDatastream"):
        columns.pop("observed_area", None) if "observedArea" not in body else None
        for name, column in (("Thing", "thing_id"), ("Sensor", "sensor_id")):
            if body.get(name) is not None:
                columns[column] = await writer.linked(name, body[name])
        if "properties" in columns:
            columns["kind"] = await writer.kind(body.get("properties"))
        if body.get("ObservedProperty") is not None:
            await writer.observe(number, [await writer.linked("ObservedProperty", body["ObservedProperty"])])
        elif body.get("ObservedProperties") is not None:
            await writer.observe(number, await writer.several("ObservedProperty", body["ObservedProperties"]))
    if columns:
        target = entity.table.c.id == literal(number, BigInteger)
        statement = compiled(update(entity.table).where(target).values(**columns))
        await writer.connection.execute(statement.sql, *statement.arguments)
    if entity.name == "Thing" and body.get("Locations") is not None:
        await writer.place(number, await writer.several("Location", body["Locations"]))
    if "thing_id" in columns:
        await forget_places(writer.connection, await _thing_of(writer.connection, number))
    if entity.name == "Location" and "geom" in columns:
        # What was observed there stays where it was; what comes is observed at the new place.
        await writer.connection.execute("update sensing.location set feature_id = null where id = $1", number)
        for row in await writer.connection.fetch(
            "select thing_id from sensing.thing_location where location_id = $1", number
        ):
            await forget_places(writer.connection, row["thing_id"])


def _check_links(entity: EntityType, body: dict[str, Any]) -> None:
    """Raises BadEntity for what a change would have to create (10.3.1), or to change at the other end."""
    for each in entity.navigations:
        given = body.get(each.name)
        several = given if isinstance(given, list) else [] if given is None else [given]
        for linked in several:
            if not isinstance(linked, dict) or "@iot.id" not in linked:
                raise BadEntity(
                    f"{each.name}: a change links to what is there, by its @iot.id; create it by POST first"
                )
        if several and each.many and (entity.name, each.name) not in CHANGED_LISTS:
            raise BadEntity(f"{each.name}: they are linked one by one; change the {each.target} itself")


async def delete(connection: Connection, entity: EntityType, number: int) -> None:
    """Delete an entity and all that cannot be without it."""
    if entity.name == "Observation":
        await _delete_observation(connection, number)
        return
    if entity.name == "FeatureOfInterest":
        await _delete_of_feature(connection, number)
    if entity.name == "Location":
        await connection.execute(
            "delete from sensing.historical_location h using sensing.historical_location_location l"
            " where l.historical_location_id = h.id and l.location_id = $1",
            number,
        )
        for row in await connection.fetch("select thing_id from sensing.thing_location where location_id = $1", number):
            await forget_places(connection, row["thing_id"])
    if entity.name in STREAMS_OF:
        streams = sorted(row[0] for row in await connection.fetch(STREAMS_OF[entity.name], number))
        # Locked first, so that no reading slips in behind.
        await connection.execute(LOCK, streams)
        await connection.execute("delete from sensing.observation where datastream_id = any($1::bigint[])", streams)
        await connection.execute("delete from sensing.datastream where id = any($1::bigint[])", streams)
    await connection.execute(f"delete from {entity.table.fullname} where id = $1", number)


async def recount(connection: Connection, stream: int, moments: Iterable[datetime]) -> None:
    """Roll a datastream up anew around these moments, and find its last value again."""
    moments = list(moments)
    first, last = min(moments) - REACH, max(moments) + REACH
    # So that no reading comes in between.
    await connection.execute(LOCK, [stream])
    # The hours and days at both ends are read only in part, and are left as they are.
    await connection.execute(FORGET_HOURS, stream, first + timedelta(hours=2), last - timedelta(hours=2))
    margin = timedelta(days=2)
    await connection.execute(FORGET_DAYS, stream, (first + margin).date(), (last - margin).date())
    await connection.execute(HOURS, stream, first, last)
    await connection.execute(DAYS, stream, first, last)
    await connection.execute(RETELL, stream)


async def _thing_of(connection: Connection, stream: int) -> int:
    thing: int = await connection.fetchval("select thing_id from sensing.datastream where id = $1", stream)
    return thing


async def _change_historical_location(writer: Writer, number: int, body: dict[str, Any]) -> None:
    if "time" in body:
        reading = read_observation({"result": 0, "phenomenonTime": body["time"]}, 0, writer.zone)
        await writer.connection.execute(
            "update sensing.historical_location set time = $2 where id = $1", number, reading.time
        )
    if body.get("Thing") is not None:
        thing = await writer.linked("Thing", body["Thing"])
        await writer.connection.execute(
            "update sensing.historical_location set thing_id = $2 where id = $1", number, thing
        )


async def _change_observation(writer: Writer, number: int, body: dict[str, Any], *, whole: bool) -> None:
    for name in body:
        if name not in PROPERTIES and "@" not in name and name != "id":
            raise BadEntity(f"Observation has no {name[:60]!r}; it has {', '.join(PROPERTIES)}")
    connection = writer.connection
    row = await connection.fetchrow(OBSERVATION, number)
    assert row is not None, "it was just found"
    known = {} if whole else _as_given(row)
    stream, feature = row["datastream_id"], row["feature_id"]
    for name in sorted(STREAMS):
        if body.get(name) is not None:
            stream = await writer.linked(name, body[name])
    if body.get("FeatureOfInterest") is not None:
        feature = await writer.linked("FeatureOfInterest", body["FeatureOfInterest"])
    if await connection.fetchval(OF_BOTH_KINDS, [stream, row["datastream_id"]]) and len(STREAMS & body.keys()) < 2:
        raise BadEntity(
            "an Observation is of a Datastream or of a MultiDatastream; give the one as null with the other"
        )
    reading = read_observation(known | body, stream, writer.zone, feature_id=feature)
    await prepare_months(connection, Batch.of([reading]), set())
    given = reading.time, reading.time_end, reading.result_time, reading.valid_from, reading.valid_to
    rest = reading.number, reading.text, reading.json, reading.quality, reading.parameters, feature, stream
    # Before it is changed: a writer of readings has looked for its like, and nobody may put one there behind its back.
    await connection.execute(LOCK, [stream, row["datastream_id"]])
    try:
        await connection.execute(CHANGE_OBSERVATION, number, *given, *rest)
    except asyncpg.UniqueViolationError:
        raise BadEntity("there is such an Observation already") from None
    for each in {stream, row["datastream_id"]}:
        await recount(connection, each, (row["time"], reading.time))


def _as_given(row: asyncpg.Record) -> dict[str, Any]:
    """An observation as a client would send it, for a part of it to be changed."""

    def span(first: datetime | None, last: datetime | None) -> str | None:
        if first is None:
            return None
        return first.isoformat() if last is None else f"{first.isoformat()}/{last.isoformat()}"

    result = next((row[name] for name in ("number", "text", "json") if row[name] is not None), None)
    return {
        "phenomenonTime": span(row["time"], row["time_end"]),
        "result": result,
        "resultTime": row["result_time"] and row["result_time"].isoformat(),
        "validTime": span(row["valid_from"], row["valid_to"]),
        "resultQuality": row["quality"],
        "parameters": row["parameters"],
    }


async def _delete_observation(connection: Connection, number: int) -> None:
    row = await connection.fetchrow(
        "delete from sensing.observation where id = $1 returning datastream_id, time", number
    )
    if row is not None:
        await recount(connection, row["datastream_id"], [row["time"]])


async def _delete_of_feature(connection: Connection, feature: int) -> None:
    gone = await connection.fetch(
        "with gone as (delete from sensing.observation o using sensing.datastream_feature p"
        " where p.feature_id = $1 and o.datastream_id = p.datastream_id and o.feature_id = $1"
        " returning o.datastream_id, o.time)"
        " select datastream_id, min(time) as first, max(time) as last from gone group by 1",
        feature,
    )
    for row in gone:
        await recount(connection, row["datastream_id"], (row["first"], row["last"]))
