"""Loading a set of stations and their history by a recipe: which file has the places, which column is what."""

from collections.abc import Iterator
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cim_models.database import Database
from twin.sensing.batch import Reading
from twin.sensing.feeds import FeedError
from twin.sensing.ingest import BATCH, Ingest
from twin.sensing.model import BY_NAME
from twin.sensing.simulation.stations import MEASUREMENT
from twin.sensing.writing.create import Writer

KNOWN = """
    select properties ->> 'key' as key, id from sensing.datastream where properties ->> 'key' = any($1::text[])
"""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Stations(_Part):
    """Columns of the file of places, WGS 84 degrees."""

    file: str
    key: str
    name: str
    lon: str = "lon"
    lat: str = "lat"


class Values(_Part):
    """Columns of the file of values. station: None where each station has a column of its own."""

    file: str
    time: str
    station: str | None = None


class Property(_Part):
    """A column of values, and what it is."""

    column: str
    kind: str = "other"
    unit: str = ""


class Recipe(_Part):
    """How a set is read. zone: of times that name none."""

    title: dict[str, str] = Field(default={})
    stations: Stations
    values: Values
    zone: str = "UTC"
    properties: tuple[Property, ...] = Field(min_length=1)


def read_recipe(name: str) -> Recipe:
    """A recipe that ships (beijing, la), or one's own file. Raises FeedError."""
    shipped = resources.files("twin.sensing.feeds").joinpath("recipes", f"{Path(name).name}.yaml")
    try:
        text = shipped.read_text(encoding="utf-8") if shipped.is_file() else Path(name).read_text(encoding="utf-8")
        recipe = Recipe.model_validate(yaml.safe_load(text))
        ZoneInfo(recipe.zone)
    except (OSError, yaml.YAMLError, ValidationError, ZoneInfoNotFoundError, ValueError) as error:
        raise FeedError(f"{name}: is no recipe that ships, nor a file with one ({error})") from None
    return recipe


async def load_set(database: Database, recipe: Recipe, folder: Path) -> int:
    """Make the set's stations known and write its history; what is there already counts once. The number of readings.

    Raises FeedError.
    """
    try:
        stations = pd.read_csv(folder / recipe.stations.file, dtype={recipe.stations.key: str})
        values = pd.read_csv(folder / recipe.values.file, low_memory=False)
        streams = await _streams(database, recipe, stations)
        readings = list(_columns(recipe, values, streams))
    except (OSError, KeyError, ValueError) as error:
        raise FeedError(f"{folder}: {error}; the recipe names files and columns that are not there") from None
    ingest = Ingest(database, via="feed")
    number = 0
    for stream, column in readings:
        rows = [_reading(stream, at, value) for at, value in column.dropna().items()]
        for first in range(0, len(rows), BATCH):
            await ingest.submit(rows[first : first + BATCH])
        number += len(rows)
    return number


def _columns(recipe: Recipe, values: pd.DataFrame, streams: dict[str, int]) -> Iterator[tuple[int, pd.Series]]:
    """Each datastream with its values by time (UTC)."""
    times = pd.to_datetime(values[recipe.values.time])
    times = times.dt.tz_localize(recipe.zone) if times.dt.tz is None else times
    values = values.set_index(times.dt.tz_convert("UTC"))
    station = recipe.values.station
    for key, stream in streams.items():
        place, _, column = key.partition("/")
        if station is None:
            yield stream, values[place]
        else:
            yield stream, values.loc[values[station].astype(str) == place, column]


def _reading(stream: int, at: Any, value: Any) -> Reading:
    moment: datetime = at.to_pydatetime()
    return Reading(stream, moment, text=value) if isinstance(value, str) else Reading(stream, moment, float(value))


async def _streams(database: Database, recipe: Recipe, stations: pd.DataFrame) -> dict[str, int]:
    """Datastreams by key (station/column); those that the city lacks are made."""
    columns = recipe.stations
    keys = [f"{place}/{each.column}" for place in stations[columns.key] for each in recipe.properties]
    async with database.writing() as connection:
        known = {row["key"]: row["id"] for row in await connection.fetch(KNOWN, keys)}
        if len(known) < len(keys):
            writer = Writer(connection, ZoneInfo(recipe.zone))
            observed = {each.column: await _observed(writer, each) for each in recipe.properties}
            title = " · ".join(recipe.title.values()) or "recipe"
            sensor = {"name": title, "description": title, "encodingType": "text/plain", "metadata": title}
            maker = await writer.create(BY_NAME["Sensor"], sensor)
            for row in stations.to_dict("records"):
                if f"{row[columns.key]}/{recipe.properties[0].column}" not in known:
                    await _station(writer, recipe, row, maker, observed)
            known = {row["key"]: row["id"] for row in await connection.fetch(KNOWN, keys)}
    return {key: known[key] for key in keys if key in known}


async def _observed(writer: Writer, each: Property) -> int:
    what = {"name": each.column, "definition": f"urn:citytwin:observed:{each.column}"}
    return await writer.create(BY_NAME["ObservedProperty"], what)


async def _station(writer: Writer, recipe: Recipe, row: Any, maker: int, observed: dict[str, int]) -> None:
    columns = recipe.stations
    place = {"type": "Point", "coordinates": [float(row[columns.lon]), float(row[columns.lat])]}
    name = str(row[columns.name])
    streams = [
        {
            "name": each.column,
            "observationType": MEASUREMENT,
            "unitOfMeasurement": {"name": each.unit, "symbol": each.unit, "definition": "UCUM"},
            "properties": {"kind": each.kind, "key": f"{row[columns.key]}/{each.column}"},
            "Sensor": {"@iot.id": maker},
            "ObservedProperty": {"@iot.id": observed[each.column]},
        }
        for each in recipe.properties
    ]
    where = {"name": name, "encodingType": "application/geo+json", "location": place}
    await writer.create(BY_NAME["Thing"], {"name": name, "Locations": [where], "Datastreams": streams})
