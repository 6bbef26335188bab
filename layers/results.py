"""Results of a run as layers of the city: published in one transaction, seen by every service, taken away again.

    run = Run(id=job_id, title=Title("台风", "Typhoon"), who="planner", lineage="flood 1.2, change 4711")
    async with database.writing() as connection:
        depth = await publish_raster(connection, city, files, run, RasterResult("depth", ...))
        homes = await publish_features(connection, city, run, FeatureResult("homes", ...))

Both give the layer's id, `run_{short id of the run}_{role}`. The caller keeps the files of rasters; `remove_run` takes
away what is in the database.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import asyncpg
import pyarrow as pa

from cim_models.database import City, Connection
from cim_models.partitions import generic_partition, generic_partition_statements
from layers import LayerError
from layers.boxes import Bbox
from layers.catalog import Title, load_catalog
from layers.changes import INSERT_SQL, wake
from layers.drawing import check_style
from layers.ramps import RampError, ramp_named
from layers.result_files import FileError, look_into
from layers.result_tables import Rows, TableError, rows_of

ROLE = re.compile(r"[a-z][a-z0-9_]{0,40}\Z", re.ASCII)
SHORT = 12
MOST_FRAMES = 2_000
GROUP = "results"
# A table that is being read is waited for so long, and so often: each wait holds up all who come after.
PATIENCE, LOCK_TIMEOUT, PAUSE_S = 30, "1s", 0.2

DATASET_SQL = """
    insert into dataset (name, themes, title_zh, title_en, source, lineage, crs, vertical_datum, sharing, made_up,
                         extent, properties, run, times, loaded_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, now())
    returning id
"""
LAYER_SQL = """
    insert into layer (id, theme, dataset_id, title_zh, title_en, "group", position, visible, properties, style,
                       restricted)
    select $1, $2, $3, $4, $5, $6,
           coalesce(min(position) filter (where theme = $10) - 1, max(position) + 1, 1), false, $7, $8, $9
    from layer
"""
FRAME_SQL = """
    insert into coverage (object_id, dataset_id, uid, content_hash, class, variable, unit, band, vertical_datum, path,
                          resolution, geom, valid_from, valid_to)
    values ($1, $2, $3, '', 'Coverage', $3, $4, $5, $6, $7, $8, ST_GeomFromEWKB($9), $10, $11)
"""
# What a raster's state tells as a feature; where its file lies is the server's affair.
FRAME_PROPERTIES = ["class", "variable", "unit", "resolution", "vertical_datum"]
ROWS_SQL = """
    with known as (select uid, nextval('object_id') as object_id from (select distinct uid from {staged}) one)
    insert into {table} (object_id, dataset_id, uid, content_hash, class, name, name_en, village_code, attributes, geom,
                         valid_from, valid_to)
    select object_id, $1, uid, '', coalesce(class, 'Result'), name, name_en, village_code, attributes::jsonb,
           ST_GeomFromEWKB(geom), valid_from, valid_to
    from {staged} join known using (uid)
"""


class ResultError(LayerError):
    """A result that cannot be a layer; the message names the run, the role and what to mend."""


class RunBusy(LayerError):
    """A run's objects are being read without a pause; take it away later."""


@dataclass(frozen=True)
class Run:
    """The run that results are of.

    id: any text with at least eight letters a-z or digits in it, such as a UUID. who: the principal for the change
    feed. source, lineage: for the data set ("flood 1.2"; inputs and the change number it read). vertical_datum: of
    heights among the values. made_up: of invented data. readers: roles that may read the layers, None for everybody.
    """

    id: str
    title: Title
    who: str
    source: str | None = None
    lineage: str | None = None
    vertical_datum: str = "unknown"
    made_up: bool = False
    readers: Sequence[str] | None = None


@dataclass(frozen=True)
class RasterResult:
    """Cells over the city, in one state or many.

    role: [a-z][a-z0-9_]{0,40}, such as "depth". unit: of the values (UCUM), that of the ramp. ramp: a name in
    layers/styles/ramps.yaml. frames: (moment, Cloud-Optimized GeoTIFF within the city's folder); the moment None says
    that the state has no time, and then it is the only frame. band: of the files, counted from 1.
    """

    role: str
    title: Title
    unit: str
    ramp: str
    frames: Sequence[tuple[datetime | None, Path]]
    band: int = 1


@dataclass(frozen=True)
class FeatureResult:
    """Objects.

    table: "geometry" (WKB in the city's metric CRS, x is east), "uid" (text), for time "valid_from" and "valid_to"
    (timestamps with a time zone), "name", "name_en", "class" and "village_code" as every object may have them; all
    other columns become typed properties, and metadata of a column's field may hold its title ("zh", "en") and "unit".
    style: MapLibre style layers without their source; None is the style of generic objects.
    """

    role: str
    title: Title
    table: pa.Table
    style: Sequence[Mapping[str, Any]] | None = None


@dataclass(frozen=True)
class _Described:
    """What both kinds of results write into the catalogue."""

    theme: str
    crs: str
    extent: Bbox
    times: Sequence[datetime]
    shown: list[str] | None
    schema: dict[str, Any] | None
    style: dict[str, Any] | None


def layer_id(run_id: str, role: str) -> str:
    """The id of a run's layer. Raises ResultError."""
    short = re.sub(r"[^a-z0-9]", "", run_id.lower())[:SHORT]
    if len(short) < 8:
        raise ResultError(f"run {run_id[:60]!r}: an id has at least eight letters a-z or digits, such as a UUID")
    if not ROLE.match(role):
        raise ResultError(f"run {run_id}: role {role[:60]!r}: write it as a-z, 0-9 and _, beginning with a letter")
    return f"run_{short}_{role}"


async def publish_raster(connection: Connection, city: City, files: Path, run: Run, result: RasterResult) -> str:
    """A layer of frames; its id. In the caller's transaction, which is all that readers will ever see of it.

    files: the city's folder, in which the frames lie. A state is valid until the next one; the last as long as the
    one before it. Raises ResultError.
    """
    name = layer_id(run.id, result.role)
    frames = _in_order(name, result)
    try:
        if (unit := ramp_named(result.ramp).unit) != result.unit:
            raise ResultError(f"{name}: its values are in {result.unit!r}, the ramp {result.ramp} is of {unit!r}")
        cells = await asyncio.to_thread(lambda: [look_into(path, files, result.band, city.srid) for _, path in frames])
    except (RampError, FileError) as error:
        raise ResultError(f"{name}: {error}") from None
    times = [time for time, _ in frames if time is not None]
    extents = zip(*(each.extent for each in cells), strict=True)
    west, south, east, north = (pick(sides) for pick, sides in zip((min, min, max, max), extents, strict=True))
    extent, crs = (west, south, east, north), ", ".join(sorted({each.crs for each in cells}))
    described = _Described("coverage", crs, extent, times, FRAME_PROPERTIES, None, {"ramp": result.ramp})
    dataset = await _register(connection, run, name, result.title, described)
    number = await connection.fetchval("select nextval('object_id')")
    said = result.unit, result.band, run.vertical_datum
    spans: list[tuple[datetime | None, datetime | None]] = list(zip(times, _ends(times), strict=True))
    spans = spans or [(None, None)]
    await connection.executemany(
        FRAME_SQL,
        [
            (number, dataset, result.role, *said, each.path, each.resolution, each.footprint, *span)
            for each, span in zip(cells, spans, strict=True)
        ],
    )
    await _tell(connection, run, name, dataset, described)
    return name


async def publish_features(connection: Connection, city: City, run: Run, result: FeatureResult) -> str:
    """A layer of objects; its id. In the caller's transaction. 200,000 rows take seconds.

    Rows of one `uid` are states of one object, and must not overlap in time. Raises ResultError.
    """
    name = layer_id(run.id, result.role)
    style = None
    try:
        rows = await asyncio.to_thread(rows_of, result.table, city)
        if result.style is not None:
            check_style(list(result.style), await load_catalog(connection, city))
            style = {"layers": list(result.style)}
    except TableError as error:
        raise ResultError(f"{name}: {error}") from None
    except LayerError as error:
        raise ResultError(f"{name}: its style: {error}") from None
    crs = f"EPSG:{city.metric_srid}"
    described = _Described("generic_object", crs, rows.extent, rows.times, None, rows.schema, style)
    dataset = await _register(connection, run, name, result.title, described)
    await _fill(connection, name, dataset, rows)
    await _tell(connection, run, name, dataset, described)
    return name


async def remove_run(connection: Connection, run_id: str, who: str) -> list[str]:
    """Take a run's layers, data sets and rows away, in the caller's transaction; the ids of the layers there were.

    Raises RunBusy while its objects are read without a pause.
    """
    datasets = await connection.fetch("select id, themes from dataset where run = $1 order by id", run_id)
    numbers = [row["id"] for row in datasets]
    partitions = [generic_partition(row["id"]) for row in datasets if "generic_object" in row["themes"]]
    if partitions:
        await _lock_out_readers(connection)
    for partition in partitions:
        await connection.execute(f"drop table {partition}")
    await connection.execute("delete from coverage where dataset_id = any($1)", numbers)
    gone = await connection.fetch("delete from layer where dataset_id = any($1) returning id", numbers)
    names = sorted(row["id"] for row in gone)
    await connection.execute("delete from permission where layer = any($1)", names)
    await connection.execute("delete from dataset where id = any($1)", numbers)
    for number in numbers:
        await connection.execute(INSERT_SQL, "layer", number, *[None] * 2, "layer", *[None] * 4, who, "run removed")
    await wake(connection)
    return names


def _in_order(name: str, result: RasterResult) -> list[tuple[datetime | None, Path]]:
    """The frames, the earliest first. Raises ResultError."""
    if not 1 <= len(result.frames) <= MOST_FRAMES:
        raise ResultError(f"{name}: {len(result.frames)} frames; a layer has 1 to {MOST_FRAMES}")
    times = [time for time, _ in result.frames if time is not None]
    if len(times) < len(result.frames) and len(result.frames) > 1:
        raise ResultError(f"{name}: a frame without a moment is the only one of its layer")
    if any(time.tzinfo is None for time in times):
        raise ResultError(f"{name}: a frame's moment names no time zone")
    if len(set(times)) < len(times):
        raise ResultError(f"{name}: two frames are of the same moment")
    return list(result.frames) if not times else [(time, dict(result.frames)[time]) for time in sorted(times)]


def _ends(times: Sequence[datetime]) -> list[datetime | None]:
    """Until when each state is valid."""
    step = times[-1] - times[-2] if len(times) > 1 else timedelta()
    return [*(later for _, later in pairwise(times)), times[-1] + step if step else None][: len(times)]


async def _register(connection: Connection, run: Run, name: str, title: Title, described: _Described) -> int:
    """The data set and the layer of a result; the data set's number. Raises ResultError."""
    whole = Title(f"{run.title.zh}：{title.zh}", f"{run.title.en}: {title.en}")
    try:
        async with connection.transaction():
            dataset: int = await connection.fetchval(
                DATASET_SQL,
                name.replace("_", "-"),
                [described.theme],
                whole.zh,
                whole.en,
                run.source,
                run.lineage,
                described.crs,
                run.vertical_datum,
                "open" if run.readers is None else "restricted",
                run.made_up,
                list(described.extent),
                described.schema,
                run.id,
                list(described.times),
            )
            await connection.execute(
                LAYER_SQL,
                name,
                described.theme,
                dataset,
                whole.zh,
                whole.en,
                GROUP,
                described.shown,
                described.style,
                run.readers is not None,
                # Of all that has a place in the line of layers, roofs alone stand above water.
                "building" if described.theme == "coverage" else "",
            )
    except asyncpg.UniqueViolationError:
        raise ResultError(f"{name}: the run has such a layer already; remove the run before it is run again") from None
    grants = [(role, name) for role in run.readers or ()]
    await connection.executemany("insert into permission (role, layer, action) values ($1, $2, 'read')", grants)
    return dataset


async def _fill(connection: Connection, name: str, dataset: int, rows: Rows) -> None:
    """Bring rows into a partition of their own, which is indexed when it is full and only then joins the others."""
    staged, partition = f"staged_{dataset}", generic_partition(dataset)
    # The pool's limit is one for readers.
    await connection.execute("set local statement_timeout = 0")
    columns = ", ".join(f"{column} {kind}" for column, kind in rows.columns.items())
    await connection.execute(f"create temporary table {staged} ({columns}) on commit drop")
    await connection.copy_records_to_table(staged, records=rows.records, columns=list(rows.columns))
    statements = generic_partition_statements(dataset)
    tables = [statement for statement in statements if statement.startswith("create table")]
    for statement in tables:
        await connection.execute(statement)
    await connection.execute(ROWS_SQL.format(staged=staged, table=partition), dataset)
    try:
        for statement in statements:
            if statement not in tables:
                await connection.execute(statement)
    except asyncpg.UniqueViolationError:
        raise ResultError(f"{name}: two rows have one uid and begin at the same time") from None
    await connection.execute(f"analyze {partition}")


async def _tell(connection: Connection, run: Run, name: str, dataset: int, described: _Described) -> None:
    """Word in the change feed: where there are objects now, and that there is a layer."""
    box, why = list(described.extent), f"result {name}"
    where = described.theme, dataset, None, None, "bulk", None, box, None, None
    await connection.execute(INSERT_SQL, *where, run.who, why)
    await connection.execute(INSERT_SQL, "layer", dataset, *[None] * 2, "layer", *[None] * 4, run.who, why)
    await wake(connection)


async def _lock_out_readers(connection: Connection) -> None:
    """Have the generic objects to oneself until the transaction ends. Raises RunBusy."""
    for _ in range(PATIENCE):
        try:
            async with connection.transaction():
                await connection.execute(f"set local lock_timeout = '{LOCK_TIMEOUT}'")
                await connection.execute("lock table generic_object in access exclusive mode")
                await connection.execute("set local lock_timeout = 0")
                return
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            await asyncio.sleep(PAUSE_S)
    raise RunBusy(f"generic objects are read without a pause for {PATIENCE} s; remove the run when less is going on")
