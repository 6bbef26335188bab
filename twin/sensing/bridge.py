"""Between a city and the broker: readings in from the standard's topics and foreign ones, observations out to all.

A message is acknowledged when its reading is committed, so that whoever is killed, what the broker has taken is
written, and written once. Who publishes to Datastreams(1)/Observations is heard by others there as it is, and again
at Observations with all that the server added (decision 0015).
"""

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import orjson
import structlog
from paho.mqtt.client import MQTTMessageInfo

from cim_models.database import Database, database_name
from layers.changes import Place, keep_place, kept_place
from twin.sensing import BadEntity, Overloaded
from twin.sensing.batch import Reading
from twin.sensing.connection import BrokerConnection, Received
from twin.sensing.ingest import Ingest
from twin.sensing.live import Arrival, follow_arrivals
from twin.sensing.mapping import Mapped, Rule, mapped, read_mapping, rule_for
from twin.sensing.observations import read_id, read_observation

CONSUMER = "mqtt"
BATCH = 2_000
AGAIN_S = 1.0
STREAM_TOPIC = re.compile(r"v1\.[01]/Datastreams\((\d{1,18})\)/Observations\Z")
KEYS = "select properties ->> 'key' as key, min(id) as id from sensing.datastream where properties ->> 'key' = any($1)"
LOG = structlog.get_logger()


class Bridge:
    """Carries between one city and the broker at `url`.

    prefix: before the city's topics; empty for the default one. mapping: file of foreign topics.
    """

    __name__ = "bridge"

    def __init__(self, url: str, prefix: str, mapping: Path) -> None:
        self._url = url
        self._prefix = prefix
        self._rules: tuple[Rule, ...] = ()
        self._mapping = mapping

    async def __call__(self, database: Database) -> None:
        """Carry until cancelled."""
        self._rules = read_mapping(self._mapping)
        topics = [f"{self._prefix}{version}{rest}" for version in ("v1.1", "v1.0") for rest in TOPICS]
        topics += [rule.topic for rule in self._rules]
        # Before anything is carried in: what comes first is told, too.
        async with database.writing() as writing:
            place = await kept_place(writing, CONSUMER)
        connection = BrokerConnection(self._url, f"citytwin-{database_name(database.url)}", topics)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._carry_in(database, connection))
                group.create_task(self._carry_out(database, connection, place))
        finally:
            await connection.close()

    # --- in

    async def _carry_in(self, database: Database, connection: BrokerConnection) -> None:
        ingest = Ingest(database, via=CONSUMER)
        zone = ZoneInfo(database.city.time_zone)
        while True:
            messages = [await connection.received.get()]
            while len(messages) < BATCH and not connection.received.empty():
                messages.append(connection.received.get_nowait())
            readings = await self._readings(database, messages, zone)
            await _write(ingest, readings)
            for message in messages:
                connection.acknowledge(message)

    async def _readings(self, database: Database, messages: Sequence[Received], zone: ZoneInfo) -> list[Reading]:
        readings: list[Reading] = []
        foreign: list[Mapped] = []
        for message in messages:
            try:
                found = self._read(message, zone)
            except BadEntity as error:
                # Sent again it would be no better: it is acknowledged, and the log tells.
                LOG.warning("message refused", topic=message.topic, reason=str(error))
                continue
            if isinstance(found, Reading):
                readings.append(found)
            elif found is not None:
                foreign.append(found)
        if foreign:
            keys = sorted({each.key for each in foreign})
            async with database.reading() as connection:
                known = {row["key"]: row["id"] for row in await connection.fetch(f"{KEYS} group by 1", keys)}
            for unknown in sorted({each.key for each in foreign} - known.keys()):
                LOG.warning("message refused", reason=f"no Datastream has properties.key {unknown!r}")
            readings += [each.reading(known[each.key]) for each in foreign if each.key in known]
        return readings

    def _read(self, message: Received, zone: ZoneInfo) -> Reading | Mapped | None:
        try:
            body: Any = orjson.loads(message.payload)
        except orjson.JSONDecodeError as error:
            raise BadEntity(f"the payload is no JSON: {error}") from None
        topic = message.topic.removeprefix(self._prefix)
        if found := STREAM_TOPIC.match(topic):
            return read_observation(_object(body), int(found[1]), zone)
        if topic in ("v1.1/Observations", "v1.0/Observations"):
            return read_observation(_object(body), read_id(body.get("Datastream")), zone)
        rule = rule_for(message.topic, self._rules)
        return None if rule is None else mapped(rule, message.topic, body, zone)

    # --- out

    async def _carry_out(self, database: Database, connection: BrokerConnection, place: Place) -> None:
        async for batch in follow_arrivals(database, place):
            sent = [info for arrival in batch for info in self._publish(connection, arrival)]
            for info in sent:
                # Through every loss of the broker: what it has not taken is sent again.
                while not info.is_published():
                    await asyncio.to_thread(_wait, info)
            async with database.writing() as writing:
                await keep_place(writing, CONSUMER, batch[-1].place)

    def _publish(self, connection: BrokerConnection, arrival: Arrival) -> list[MQTTMessageInfo]:
        sent = []
        for i, stream in enumerate(arrival.datastreams):
            body = orjson.dumps(
                {
                    "@iot.id": arrival.ids[i],
                    "phenomenonTime": arrival.times[i].isoformat().replace("+00:00", "Z"),
                    "result": arrival.result(i),
                    "Datastream": {"@iot.id": stream},
                }
            )
            sent.append(connection.publish(f"{self._prefix}v1.1/Observations", body))
            if arrival.via != CONSUMER:
                sent.append(connection.publish(f"{self._prefix}v1.1/Datastreams({stream})/Observations", body))
        return sent


# A level of a topic is a wildcard whole or not at all, so that other entities' observations are heard, and left alone.
TOPICS = ("/+/Observations", "/Observations")


async def _write(ingest: Ingest, readings: list[Reading]) -> None:
    """Write readings, again and again while the database is away; those it refuses are logged."""
    while readings:
        try:
            ids = await ingest.submit(readings)
            for number, reading in zip(ids, readings, strict=True):
                if number is None:
                    LOG.warning("message refused", reason=f"no Datastream {reading.datastream_id}")
            return
        except asyncpg.DataError as error:
            if len(readings) == 1:
                LOG.warning("message refused", reason=str(error), datastream=readings[0].datastream_id)
                return
            for reading in readings:
                await _write(ingest, [reading])
            return
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, Overloaded) as error:
            LOG.warning("readings wait", number=len(readings), reason=f"{type(error).__name__}: {error}")
            await asyncio.sleep(AGAIN_S)


def _object(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise BadEntity("the payload must be an Observation: a JSON object with a result")
    return body


def _wait(info: MQTTMessageInfo) -> None:
    try:
        info.wait_for_publish(1.0)
    except (RuntimeError, ValueError):
        return
