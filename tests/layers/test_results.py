"""Results of a run become layers, in one transaction, and go again without a trace."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import shapely
from pyproj import Transformer

from cim_models.database import Database
from layers.access import PUBLIC, Principal
from layers.catalog import LayerNotFound, Title, load_catalog
from layers.coverage import frame_at, read_frames
from layers.legend import legend
from layers.results import FeatureResult, RasterResult, ResultError, Run, publish_features, publish_raster, remove_run
from layers.view import Interval
from tests import rasters
from tiles.overview.source import Source

START = datetime(2026, 8, 10, 0, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
RUN = Run("6f1c9a34-77aa-4b1e-9c53-000000000001", Title("台风", "Typhoon"), "planner", lineage="flood 1.2")
DEPTH, WORST = "run_6f1c9a3477aa_depth", "run_6f1c9a3477aa_worst"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for hour in range(3):
        rasters.write(tmp_path / f"depth-{hour}.tif", lambda x, y, hour=hour: 0 * x + 0 * y + hour)
    return tmp_path


def depth(folder: Path, **changed: object) -> RasterResult:
    frames = [(START + hour * HOUR, folder / f"depth-{hour}.tif") for hour in (2, 0, 1)]
    given = {"role": "depth", "title": Title("水深", "Depth"), "unit": "m", "ramp": "depth", "frames": frames}
    return RasterResult(**(given | changed))  # type: ignore[arg-type]


def homes(**columns: pa.Array) -> pa.Table:
    """Three squares in metres at the city's origin, and what is told of them."""
    squares = [shapely.box(500_000 + 10 * i, 3_110_000, 500_005 + 10 * i, 3_110_005) for i in range(3)]
    given = {"geometry": pa.array(shapely.to_wkb(squares).tolist()), "uid": pa.array(["a", "b", "c"])}
    return pa.table(given | columns)


async def test_a_raster_in_time(database: Database, folder: Path) -> None:
    """Each frame holds until the next, whatever order they come in, and lies where its cells lie."""
    async with database.writing() as connection:
        assert await publish_raster(connection, database.city, folder, RUN, depth(folder)) == DEPTH
        worst = depth(folder, role="worst", ramp="maximum_depth", frames=[(None, folder / "depth-2.tif")])
        assert await publish_raster(connection, database.city, folder, RUN, worst) == WORST
    async with database.reading() as connection:
        catalog = await load_catalog(connection, database.city)
        layer = catalog.layer(DEPTH, PUBLIC)
        assert (layer.run, layer.title.en, layer.group) == (RUN.id, "Typhoon: Depth", "results")
        assert layer.times == tuple(START + hour * HOUR for hour in range(3))
        assert not layer.visible
        assert catalog.layer(WORST, PUBLIC).times == ()
        frames = await read_frames(connection, layer, catalog, PUBLIC, folder=folder)
        rows = await connection.fetch("select valid_from, valid_to, resolution from coverage where uid = 'depth'")
    assert [frame.path.name for frame in frames] == ["depth-0.tif", "depth-1.tif", "depth-2.tif"]
    assert {(row["valid_to"] - row["valid_from"], row["resolution"]) for row in rows} == {(HOUR, 5.0)}
    east, south = rasters.WEST + rasters.COLUMNS * rasters.CELL, rasters.NORTH - rasters.ROWS * rasters.CELL
    to_degrees = Transformer.from_crs(4549, 4490, always_xy=True)
    around = to_degrees.transform_bounds(rasters.WEST, south, east, rasters.NORTH)
    assert layer.extent == pytest.approx(around, abs=1e-7)

    def shown(moment: datetime | None, now: datetime = START) -> str:
        frame = frame_at(frames, moment and Interval(moment, moment), now)
        assert frame is not None
        return frame.path.stem

    assert shown(START + 1.9 * HOUR) == "depth-1"
    assert shown(START + 2 * HOUR) == "depth-2"
    # Before and after all of them the nearest; without a moment, that of now.
    assert (shown(START - HOUR), shown(START + 99 * HOUR), shown(None, START + HOUR)) == (
        "depth-0",
        "depth-2",
        "depth-1",
    )


async def test_objects_with_types_titles_and_time(database: Database) -> None:
    depths = pa.field("depth", pa.float64(), metadata={"zh": "水深", "en": "Water depth", "unit": "m"})
    table = homes(
        wet=pa.array([True, False, None]), cars=pa.array([1, 2, 3]), name=pa.array(["甲", None, "丙"])
    ).append_column(depths, pa.array([0.5, np.nan, 1.5]))
    later = table.append_column("valid_from", pa.array([START + HOUR] * 3, pa.timestamp("us", "UTC")))
    first = table.append_column("valid_from", pa.array([START] * 3, pa.timestamp("us", "UTC")))
    ends = pa.array([START + HOUR] * 3 + [None] * 3, pa.timestamp("us", "UTC"))
    both = pa.concat_tables([first, later]).append_column("valid_to", ends)
    async with database.writing() as connection:
        name = await publish_features(
            connection, database.city, RUN, FeatureResult("homes", Title("房屋", "Homes"), both)
        )
    async with database.reading() as connection:
        catalog = await load_catalog(connection, database.city)
        layer = catalog.layer(name, PUBLIC)
        assert layer.times == (START, START + HOUR)
        told = layer.property("depth")
        assert told is not None
        assert (told.type, told.zh, told.en, told.unit) == ("number", "水深", "Water depth", "m")
        assert [getattr(layer.property(n), "type", None) for n in ("wet", "cars")] == ["boolean", "integer"]
        objects = await connection.fetch(
            "select object_id, uid, name, attributes, ST_X(ST_Centroid(ST_Transform(geom, 4549))) as x"
            " from generic_object where valid_from = $1 order by uid",
            START,
        )
        same = await connection.fetchval("select count(distinct object_id) from generic_object")
    assert [row["attributes"] for row in objects] == [
        {"wet": True, "cars": 1, "depth": 0.5},
        {"wet": False, "cars": 2},
        {"cars": 3, "depth": 1.5},
    ]
    assert [row["x"] for row in objects] == pytest.approx([500_002.5, 500_012.5, 500_022.5], abs=1e-3)
    assert (same, objects[0]["name"]) == (3, "甲")


async def test_what_is_drawn_by_a_number_says_so_and_keeps_it_at_every_zoom(database: Database) -> None:
    """Merged with others, as overviews merge the city's own objects, a road has no load to be coloured by."""
    load = pa.field("load", pa.float64(), metadata={"zh": "负荷", "en": "Load", "unit": "1"})
    change = pa.field("change", pa.float64(), metadata={"zh": "变化", "en": "Change", "unit": "pcu/h"})
    roads = homes().append_column(load, pa.array([0.2, 0.7, 1.1])).append_column(change, pa.array([-80.0, 0.0, 80.0]))
    steps = ["step", ["get", "load"], "#2e9e5b", 0.6, "#f2c230", 1, "#d22f27"]
    evenly = ["interpolate", ["linear"], ["get", "load"], 0, "#2e9e5b", 1.2, "#d22f27"]
    ways = ["step", ["get", "change"], "#08306b", -50, "#c6dbef", 50, "#67000d"]
    told = {
        "steps": (steps, ["Load < 0.6", "0.6 – 1", "≥ 1"]),
        "units": (ways, ["Change < −50 pcu/h", "−50 – 50 pcu/h", "≥ 50 pcu/h"]),
        "evenly": (evenly, ["Load 0", "1.2"]),
        "else": (["case", ["has", "load"], "#2e9e5b", "#d22f27"], []),
    }
    async with database.writing() as connection:
        for role, (colour, _) in told.items():
            style = [{"id": "load", "type": "line", "paint": {"line-color": colour, "line-width": 2}}]
            given = FeatureResult(role, Title("道路", "Roads"), roads, style=style)
            await publish_features(connection, database.city, RUN, given)
    async with database.reading() as connection:
        catalog = await load_catalog(connection, database.city)
    for role, (_, lines) in told.items():
        layer = catalog.layer(f"run_6f1c9a3477aa_{role}", PUBLIC)
        assert [entry.title.en for entry in legend(layer, catalog)] == lines
        assert not Source(layer, catalog).has_overviews
    assert [entry.color for entry in legend(catalog.layer("run_6f1c9a3477aa_steps", PUBLIC), catalog)] == steps[2::2]


async def test_a_run_goes_without_a_trace(database: Database, folder: Path) -> None:
    other = Run("00000000-1111-2222-3333-444444444444", RUN.title, RUN.who)
    async with database.writing() as connection:
        before = await connection.fetchval("select count(*) from pg_class")
        await publish_raster(connection, database.city, folder, other, depth(folder))
    async with database.writing() as connection:
        kept = await connection.fetchval("select count(*) from dataset")
        await publish_raster(connection, database.city, folder, RUN, depth(folder))
        await publish_features(connection, database.city, RUN, FeatureResult("homes", RUN.title, homes()))
    async with database.writing() as connection:
        assert await remove_run(connection, RUN.id, "planner") == [DEPTH, "run_6f1c9a3477aa_homes"]
        assert await remove_run(connection, RUN.id, "planner") == []
    async with database.reading() as connection:
        assert await connection.fetchval("select count(*) from dataset") == kept
        assert await connection.fetchval("select count(*) from coverage") == 3
        assert await connection.fetchval("select count(*) from generic_object") == 0
        assert await connection.fetchval("select count(*) from pg_class") == before
        with pytest.raises(LayerNotFound):
            (await load_catalog(connection, database.city)).layer(DEPTH, PUBLIC)


async def test_only_its_readers_see_it(database: Database, folder: Path) -> None:
    mine = Run(RUN.id, RUN.title, RUN.who, readers=("planner",))
    async with database.writing() as connection:
        await publish_raster(connection, database.city, folder, mine, depth(folder))
        catalog = await load_catalog(connection, database.city)
        assert catalog.layer(DEPTH, Principal("p", "planner")).restricted
        with pytest.raises(LayerNotFound):
            catalog.layer(DEPTH, PUBLIC)
        await remove_run(connection, RUN.id, "planner")
        assert not await connection.fetchval("select exists (select from permission where layer = $1)", DEPTH)


FAULTS: list[tuple[dict[str, object], str]] = [
    ({"role": "Depth; drop"}, "role"),
    ({"unit": "mm"}, "the ramp depth is of 'm'"),
    ({"ramp": "rainbow"}, "no colour ramp"),
    ({"frames": []}, "0 frames"),
    ({"frames": [(None, Path("a")), (START, Path("b"))]}, "only one"),
    ({"frames": [(START, Path("a")), (START, Path("b"))]}, "same moment"),
    ({"frames": [(datetime(2026, 1, 1), Path("a"))]}, "time zone"),
    ({"frames": [(None, Path("/etc/passwd"))]}, "outside of the city's folder"),
    ({"band": 2}, "no band 2"),
]


@pytest.mark.parametrize(("changed", "said"), FAULTS)
async def test_what_cannot_be_a_raster_layer_is_refused(
    database: Database, folder: Path, changed: dict[str, object], said: str
) -> None:
    async with database.writing() as connection:
        with pytest.raises(ResultError, match=said):
            await publish_raster(connection, database.city, folder, RUN, depth(folder, **changed))
        assert await connection.fetchval("select count(*) from dataset") == 0


TABLES: list[tuple[Callable[[], pa.Table], str]] = [
    (lambda: homes().drop(["uid"]), "no column 'uid'"),
    (lambda: homes().slice(0, 0), "no rows"),
    (lambda: homes(geometry=pa.array([b"", b"x", b"y"])), "no WKB"),
    (lambda: homes(object_id=pa.array([1, 2, 3])), "object_id"),
    (lambda: homes(blob=pa.array([b"a", b"b", b"c"])), "is no property"),
    (lambda: homes(valid_from=pa.array(["now"] * 3)), "time zone"),
    (lambda: homes(uid=pa.array(["a", "a", "b"])), "one uid"),
    (lambda: homes(geometry=pa.array(shapely.to_wkb([shapely.Point(1e9, 1e9)] * 3).tolist())), "row 0"),
]


@pytest.mark.parametrize(("make", "said"), TABLES)
async def test_what_cannot_be_objects_is_refused(database: Database, make: Callable[[], pa.Table], said: str) -> None:
    with pytest.raises(ResultError, match=said):
        async with database.writing() as connection:
            await publish_features(connection, database.city, RUN, FeatureResult("homes", RUN.title, make()))
    async with database.reading() as connection:
        assert await connection.fetchval("select count(*) from dataset") == 0


async def test_a_style_that_cannot_be_drawn_is_refused(database: Database) -> None:
    result = FeatureResult("homes", RUN.title, homes(), style=[{"id": "a", "type": "heatmap"}])
    with pytest.raises(ResultError, match="its style"):
        async with database.writing() as connection:
            await publish_features(connection, database.city, RUN, result)


async def test_a_city_of_objects_takes_seconds(database: Database) -> None:
    """20,000 here, in a second or two; docs/results.md tells of 200,000."""
    count = 20_000
    x, y = 500_000 + np.arange(count) % 200 * 12.0, 3_110_000 + np.arange(count) // 200 * 12.0
    geometry = pa.array(shapely.to_wkb(shapely.box(x, y, x + 8, y + 8)).tolist())
    table = pa.table({"geometry": geometry, "uid": np.arange(count).astype(str), "depth": np.linspace(0, 3, count)})
    began = time.monotonic()
    async with database.writing() as connection:
        name = await publish_features(connection, database.city, RUN, FeatureResult("homes", RUN.title, table))
    assert time.monotonic() - began < 10
    async with database.reading() as connection:
        catalog = await load_catalog(connection, database.city)
        assert await connection.fetchval("select count(*) from generic_object") == count
        assert catalog.layer(name, PUBLIC).extent is not None
