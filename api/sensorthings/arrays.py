"""CreateObservations: rows for many datastreams at once, the quick way in (OGC 18-088, 13.2)."""

from typing import Any

import asyncpg

from api.sensorthings.call import Answer, Call
from api.sensorthings.service import Service
from api.sensorthings.writes import writing
from twin.sensing import BadEntity
from twin.sensing.allocation import without_collection
from twin.sensing.batch import Reading
from twin.sensing.model import BY_NAME
from twin.sensing.observations import read_id, row_reader
from twin.sensing.places import NOWHERE, placeless
from twin.sensing.plain import plain_batch
from twin.sensing.writing.create import Writer

COMPONENTS = (
    "phenomenonTime",
    "result",
    "resultTime",
    "resultQuality",
    "validTime",
    "parameters",
    "FeatureOfInterest/id",
    "FeatureOfInterest/@iot.id",
)
FEATURES = "select id from sensing.feature where id = any($1::bigint[])"
# What the standard says of a row that was not taken.
REFUSED = "error"


async def create_observations(service: Service, call: Call) -> Answer:
    """Write rows; the answer has a link, or `error: why`, for each in order. Raises BadEntity for the whole."""
    body = call.json()
    if not isinstance(body, list) or not body:
        raise BadEntity("a list of groups is wanted, each with Datastream, components and dataArray")
    with without_collection():
        batch = plain_batch(body)
    if batch is not None and not await _placeless(service, set(batch.streams.tolist())):
        return Answer(201, _told(service, batch.streams.tolist(), await service.ingest.submit(batch)))
    told: list[str] = []
    readings: list[Reading] = []
    places: list[int] = []
    several: list[tuple[int, dict[str, Any]]] = []
    # All is read before any of it is written: a group that cannot be read refuses the whole.
    for group in body:
        if isinstance(group, dict) and "MultiDatastream" in group:
            _id(group, "MultiDatastream")
            several.append((len(told), group))
            told += [""] * len(_rows(group)[1])
        else:
            with without_collection():
                _read_group(service, group, told, readings, places)
    readings, places = await _of_features(service, readings, places, told)
    if readings:
        try:
            ids = await service.ingest.submit(readings)
        except asyncpg.DataError as error:
            raise BadEntity(f"the database refuses a value: {error}") from None
        streams = [reading.datastream_id for reading in readings]
        for place, found in zip(places, _told(service, streams, ids), strict=True):
            told[place] = found
    for place, group in several:
        answered = await _several(service, group)
        told[place : place + len(answered)] = answered
    return Answer(201, told)


def _told(service: Service, streams: list[int], ids: list[int | None]) -> list[str]:
    """What is told of each reading that was taken to the database."""
    return [
        f"{REFUSED}: no Datastream {stream}" if number is None else f"{service.base}/Observations({number})"
        for stream, number in zip(streams, ids, strict=True)
    ]


def _read_group(service: Service, group: Any, told: list[str], readings: list[Reading], places: list[int]) -> None:
    """Add a group's readings, and where in the answer each is told; a row that cannot be read is told at once."""
    components, rows = _rows(group)
    stream = _id(group, "Datastream")
    read = row_reader(components, stream, service.zone)
    for row in rows:
        try:
            readings.append(read(row))
        except BadEntity as error:
            told.append(f"{REFUSED}: {error}")
        else:
            places.append(len(told))
            told.append("")


def _rows(group: Any) -> tuple[list[str], list[list[Any]]]:
    if not isinstance(group, dict):
        raise BadEntity("a group is an object with Datastream, components and dataArray")
    components, rows = group.get("components"), group.get("dataArray")
    if not isinstance(components, list) or "result" not in components:
        raise BadEntity("components: a list of names is wanted, result among them")
    unknown = [each for each in components if each not in COMPONENTS]
    if unknown or len(set(components)) < len(components):
        raise BadEntity(f"components: {unknown[:1] or components} — there are {', '.join(COMPONENTS)}, each once")
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise BadEntity("dataArray: a list of rows is wanted")
    return components, rows


def _id(group: dict[str, Any], name: str) -> int:
    try:
        return read_id(group.get(name))
    except BadEntity as error:
        raise BadEntity(f"{name}: {error}") from None


async def _of_features(
    service: Service, readings: list[Reading], places: list[int], told: list[str]
) -> tuple[list[Reading], list[int]]:
    """The readings and their places without those that have no FeatureOfInterest, which are told so."""
    wanted = {each.feature_id for each in readings if each.feature_id is not None}
    known: set[int | None] = {None}
    if wanted:
        # Not from a replica, which may not know yet what was made just now.
        async with service.city.database.writing() as connection:
            known |= {row["id"] for row in await connection.fetch(FEATURES, sorted(wanted))}
    nowhere = await _placeless(service, {each.datastream_id for each in readings if each.feature_id is None})
    kept = []
    for reading, place in zip(readings, places, strict=True):
        if reading.feature_id is None and reading.datastream_id in nowhere:
            told[place] = f"{REFUSED}: {NOWHERE.format(reading.datastream_id)}"
        elif reading.feature_id not in known:
            told[place] = f"{REFUSED}: no FeatureOfInterest {reading.feature_id}"
        else:
            kept.append((reading, place))
    return [reading for reading, _ in kept], [place for _, place in kept]


async def _placeless(service: Service, streams: set[int]) -> set[int]:
    """Those of some datastreams that observe nothing as yet, and whose Thing has no Location."""
    fresh = [each for each in streams if each not in service.placed]
    if not fresh:
        return set()
    # Not from a replica, which may not know yet where a new thing stands.
    async with service.city.database.writing() as connection:
        found = await placeless(connection, fresh)
    service.placed.update(dict.fromkeys(set(fresh) - found))
    return found


async def _several(service: Service, group: dict[str, Any]) -> list[str]:
    """Rows of a MultiDatastream, each of as many values as it has properties."""
    components, rows = _rows(group)
    told = []
    for row in rows:
        body = dict(zip(components, row, strict=False)) | {"MultiDatastream": group["MultiDatastream"]}
        try:
            async with writing(service) as connection:
                made = await Writer(connection, service.zone).create(BY_NAME["Observation"], body)
            told.append(f"{service.base}/Observations({made})")
        except BadEntity as error:
            told.append(f"{REFUSED}: {error}")
    return told
