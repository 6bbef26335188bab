"""The city as a scenario sees it: objects, terrain and series of one view, in metres, and a folder of the run's own."""

import asyncio
import math
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
from rasterio.transform import Affine, from_origin
from sqlalchemy import ColumnElement, FromClause, Text, func, literal_column
from sqlalchemy import cast as sql_cast

from cim_models.database import Connection, Database
from cim_models.theme import Attribute
from layers.access import Forbidden, Principal
from layers.catalog import Catalog, Layer, load_catalog
from layers.filter_sql import stored
from layers.filters import parse_filter
from layers.query import Selection, objects, rows
from layers.statement import compiled
from layers.view import View, parse_interval, parse_moment
from tiles.terrain import Terrain, read_terrain
from twin.scenarios import NoSuchRun, NotFinished, ScenarioError
from twin.scenarios.photos import read_photo
from twin.scenarios.protocol import RunRecord
from twin.scenarios.record import folder_of
from twin.scenarios.runs import Run, find_run
from twin.sensing.counters import Counter, read_counters
from twin.sensing.events import Sought, list_events, read_event
from twin.sensing.series import RAW

Box = tuple[float, float, float, float]
Floats = npt.NDArray[np.float64]
T = TypeVar("T")

CONNECTIONS = 2
STATEMENT_TIMEOUT_S = 600.0
CHUNK = 10_000
# 20,000 x 20,000 cells are 1.6 GB.
MOST_CELLS = 400_000_000
SENSORS, TERRAIN = "sensors", "terrain"
FURTHER = Attribute("attributes", "text", "其他属性", "What else its source gave")
ARROW = {"text": pa.string(), "integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_()}
CHANGES = 'select "table", max(seq) as seq from change where plan_id is null or plan_id = $1 group by 1'


class City:
    """A city for one run. A context manager; its calls block, and one thread makes them.

    metric_crs: "EPSG:4549"; x is east and y north. box: all the city, in CRS84. seed: of this run's randomness.
    cores: as many threads it may use. folder: what is written there is kept with the run.
    """

    def __init__(
        self, database: Database, catalog: Catalog, run: Run, *, files: Path, folder: Path, cores: int
    ) -> None:
        city = database.city
        self.name, self.srid, self.time_zone = city.name, city.srid, city.time_zone
        self.metric_crs, self.vertical_datum = f"EPSG:{city.metric_srid}", city.vertical_datum
        self.folder, self.seed, self.cores = folder, run.seed, cores
        self.view = read_view(run.view, catalog.zone)
        self.catalog = catalog
        self.database = database
        self.run = run
        self.principal = Principal(run.principal, run.role)
        self.read_layers: dict[str, int] = {}
        self._metric_srid = city.metric_srid
        self.files = files
        self._runner: asyncio.Runner | None = None
        self._changes: dict[str, int] = {}
        self._terrain: Terrain | None = None

    @classmethod
    def open(cls, url: str, run_id: str, *, files: Path, folder: Path, cores: int = 1) -> Self:
        """The city at `url` for a run that is in its database. files: the city's own folder. Raises NoSuchRun."""
        runner = asyncio.Runner()
        try:
            city = runner.run(cls._open(url, run_id, files=files, folder=folder, cores=cores))
        except BaseException:
            runner.close()
            raise
        city._runner = runner
        return city

    @classmethod
    async def _open(cls, url: str, run_id: str, **places: Any) -> Self:
        database = await Database.open(url, connections=CONNECTIONS, statement_timeout_s=STATEMENT_TIMEOUT_S)
        try:
            async with database.reading() as connection:
                catalog = await load_catalog(connection, database.city)
                city = cls(database, catalog, await find_run(connection, run_id), **places)
                city._changes = {row["table"]: row["seq"] for row in await connection.fetch(CHANGES, city.view.plan)}
                return city
        except BaseException:
            await database.close()
            raise

    @property
    def box(self) -> Box:
        """What the city's layers cover: west, south, east, north in CRS84. Raises ScenarioError where it is empty."""
        boxes = [layer.extent for layer in self.catalog.layers(self.principal) if layer.extent]
        if not boxes:
            raise ScenarioError(f"{self.name} is empty; load something first", f"{self.name}没有数据，请先导入")
        west, south, east, north = zip(*boxes, strict=True)
        return min(west), min(south), max(east), max(north)

    def features(
        self, layer_id: str, *, box: Box | None = None, columns: Sequence[str] = (), where: str | None = None
    ) -> pa.Table:
        """Objects of a layer as the view has them, of one snapshot: "object_id", "geometry" (WKB in the metric CRS,
        x is east) and the columns, which are properties of the layer, or "attributes": what else its source gave,
        as JSON.

        box: only what touches it, west, south, east, north in CRS84. where: CQL2 text.
        Raises LayerNotFound, FilterError, ScenarioError for a column that the layer has not.
        """
        layer = self.catalog.layer(layer_id, self.principal)
        attributes = [attribute_of(layer, name) for name in columns]
        selection = Selection(layer, self.view, None if where is None else parse_filter(where), box)
        self._reads(layer)
        return self.wait(self._features(selection, attributes))

    def terrain(self, box: Box, resolution_m: float) -> tuple[npt.NDArray[np.float32], Affine]:
        """Heights [rows, columns] in metres above the city's datum, the north row first, nan where there are none.

        box: west, south, east, north in the metric CRS; its east and south are moved out to whole cells.
        Raises ScenarioError for a grid too large, LayerNotFound, TerrainUnreadable.
        """
        west, south, east, north = box
        columns, lines = math.ceil((east - west) / resolution_m), math.ceil((north - south) / resolution_m)
        if not (columns > 0 and lines > 0) or columns * lines > MOST_CELLS:
            raise ScenarioError(
                f"{columns} x {lines} cells of {resolution_m:g} m: at most {MOST_CELLS:,} are read; take coarser ones"
            )
        self._reads(self.catalog.layer(TERRAIN, self.principal))
        grid = (west, north - lines * resolution_m, west + columns * resolution_m, north)
        if self._terrain is None:
            self._terrain = self.wait(self._read_terrain())
        transform = from_origin(west, north, resolution_m, resolution_m)
        if not self._terrain:
            return np.full((lines, columns), np.nan, np.float32), transform
        return self._terrain.elevation(grid, columns, lines, self.metric_crs), transform

    def series(self, datastream_id: int, since: datetime, until: datetime) -> tuple[Floats, Floats]:
        """Times (seconds since 1970, UTC) and values that a datastream holds, oldest first; until is left out.

        Raises LayerNotFound, ScenarioError for who may read a part of the sensors.
        """
        self._reads(self._all_sensors())
        found = self.wait(self._fetch(RAW, datastream_id, since, until))
        return (
            np.array([row[0] for row in found], np.float64),
            np.array([row[1] for row in found], np.float64),
        )

    def counters(self, until: datetime) -> list[Counter]:
        """Traffic counters with what they usually count, from the four weeks before a moment; none for who may read
        a part of the sensors. Raises LayerNotFound."""
        layer = self.catalog.layer(SENSORS, self.principal)
        if not self.catalog.reads_whole(layer, self.principal):
            return []
        found = self.wait(self._counters(until))
        if found:
            self._reads(layer)
        return found

    def events(self, sought: Sought, most: int) -> list[dict[str, Any]]:
        """Events as GeoJSON features in CRS84, the newest first. Raises LayerNotFound, and ScenarioError for who
        may read a part of the sensors."""
        self._reads(self._all_sensors())
        return self.wait(self._events(sought, most))

    def event(self, number: int) -> dict[str, Any]:
        """One event, as a feature. Raises EntityNotFound, and what `events` raises."""
        self._reads(self._all_sensors())
        return self.wait(self._event(number))

    def change_number(self) -> dict[str, int]:
        """The last change of each layer before the run began; 0 for one that has none."""
        return {layer.id: self._changes.get(layer.theme.table, 0) for layer in self.catalog.layers(self.principal)}

    def previous(self, run_id: str) -> RunRecord:
        """A finished run that the principal's role may read. Raises NoSuchRun, NotFinished."""
        run = self.wait(self._find(run_id))
        # Who asked for it as another role sees it still; all of this role will read what is made of it.
        if run.is_over and not run.read_by(self.principal.role):
            raise NoSuchRun(f"run {run_id} is of role {run.role}, and {self.principal.role} may not read it")
        if run.state != "successful":
            raise NotFinished(f"run {run_id} is {run.state}; take one that is successful")
        # Who may read these results must be let into those, too.
        self.read_layers |= run.changes or {}
        return folder_of(self.files, run.id).record(run)

    def photo(self, name: str) -> bytes:
        """The JPEG of an uploaded photo that inputs name, `photos/{id}`. Raises NoSuchPhoto."""
        return self.wait(self._photo(name))

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What a coroutine gives: all of a run shares one event loop."""
        assert self._runner is not None, "a city is opened by City.open"
        return self._runner.run(coroutine)

    def close(self) -> None:
        self.wait(self.database.close())
        assert self._runner is not None
        self._runner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _all_sensors(self) -> Layer:
        # Series are not asked sensor by sensor.
        try:
            return self.catalog.whole_layer(SENSORS, self.principal)
        except Forbidden as error:
            role = self.principal.role
            raise ScenarioError(
                str(error), f"角色 {role} 只能读取部分传感器，不能使用测站数据；请改用其他输入"
            ) from None

    def _reads(self, layer: Layer) -> None:
        self.read_layers[layer.id] = self._changes.get(layer.theme.table, 0)

    async def _photo(self, name: str) -> bytes:
        async with self.database.reading() as connection:
            return await read_photo(connection, name, self.principal)

    async def _find(self, run_id: str) -> Run:
        async with self.database.reading() as connection:
            return await find_run(connection, run_id, self.principal)

    async def _fetch(self, sql: str, *arguments: Any) -> list[Any]:
        async with self.database.reading() as connection:
            return list(await connection.fetch(sql, *arguments))

    async def _counters(self, until: datetime) -> list[Counter]:
        async with self.database.reading() as connection:
            return await read_counters(connection, until, metric_srid=self._metric_srid, zone=self.time_zone)

    async def _events(self, sought: Sought, most: int) -> list[dict[str, Any]]:
        async with self.database.reading() as connection:
            return [orjson.loads(told) for _, told in await list_events(connection, sought, most)]

    async def _event(self, number: int) -> dict[str, Any]:
        async with self.database.reading() as connection:
            found: dict[str, Any] = orjson.loads(await read_event(connection, number))
            return found

    async def _read_terrain(self) -> Terrain:
        async with self.database.reading() as connection:
            return await read_terrain(connection, self.catalog, self.principal, self.files, self.view)

    async def _features(self, selection: Selection, attributes: Sequence[Attribute]) -> pa.Table:
        async with self.database.reading() as connection:
            return await read_objects(
                connection, selection, attributes, self.catalog, self.principal, metric_srid=self._metric_srid
            )


async def read_objects(
    connection: Connection,
    selection: Selection,
    attributes: Sequence[Attribute],
    catalog: Catalog,
    principal: Principal,
    *,
    metric_srid: int,
) -> pa.Table:
    """Objects as `City.features` gives them, of one snapshot, in the order of their ids."""
    table = objects(selection.layer, catalog)
    metric = func.ST_AsBinary(func.ST_Transform(table.c.geom, literal_column(str(metric_srid))))
    statement = compiled(
        rows(selection, catalog, principal)
        .add_columns(table.c.object_id, metric, *(_value(table, each) for each in attributes))
        .order_by(table.c.object_id)
    )
    schema = pa.schema(
        [
            ("object_id", pa.int64()),
            ("geometry", pa.binary()),
            *((each.name, ARROW[each.type]) for each in attributes),
        ]
    )
    batches = [batch async for batch in _batches(connection, statement.sql, statement.arguments, schema)]
    return pa.Table.from_batches(batches, schema)


def read_view(asked: Mapping[str, Any], zone: ZoneInfo) -> View:
    """The view that a run was asked for. Raises DatetimeError."""
    return View(
        None if asked.get("datetime") is None else parse_interval(asked["datetime"], zone),
        None if asked.get("recorded") is None else parse_moment(asked["recorded"], zone),
        asked.get("plan"),
    )


async def _batches(
    connection: Connection, sql: str, arguments: Sequence[Any], schema: pa.Schema
) -> AsyncIterator[pa.RecordBatch]:
    async with connection.transaction(readonly=True):
        cursor = await connection.cursor(sql, *arguments)
        while chunk := await cursor.fetch(CHUNK):
            columns = zip(*chunk, strict=True)
            yield pa.RecordBatch.from_arrays(
                [pa.array(column, each.type) for column, each in zip(columns, schema, strict=True)], schema=schema
            )


def _value(table: FromClause, attribute: Attribute) -> ColumnElement[Any]:
    if attribute is FURTHER:
        return sql_cast(table.c.attributes, Text)
    return stored(table, attribute)


def attribute_of(layer: Layer, name: str) -> Attribute:
    """A property of a layer, or what else its source gave. Raises ScenarioError."""
    if name == FURTHER.name and layer.tells_whole:
        return FURTHER
    found = layer.property(name)
    if found is None:
        raise ScenarioError(f"{layer.id} has no {name!r}; it has {', '.join(each.name for each in layer.properties)}")
    return found
