"""Loading: whole or not at all, nothing lost on the way, nobody kept waiting, and a report of each row that failed."""

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import psycopg
import pyarrow as pa
import pytest
import rasterio
import shapely
from rasterio.transform import from_origin

from cim_models.database import Database
from layers.access import PUBLIC
from layers.catalog import load_catalog
from layers.features import read_page
from layers.formats import FormatError
from layers.load import Delivery, file_deliveries, load, recipe_deliveries
from layers.mapping import OutsideCity
from layers.query import Selection
from layers.recipe import read_recipe
from layers.report import MOST_DETAILS, Report
from tests.deliveries import counts, dataset, estate, fetch, houses, one, run
from tests.enact import footprint
from tests.layers.sources import source, square, write_squares

# Enough for a partition to be built anew.
MANY = 6_000
STATE = """
    select (select count(*) from building), (select count(*) from generic_object), (select count(*) from dataset),
           (select count(*) from import_run), (select count(*) from change), (select count(*) from solid),
           (select count(*) from layer), (select count(*) from pg_class where relkind in ('r', 'p', 'i'))
"""


# --- what arrives


async def test_a_file_arrives_as_it_is(empty: Database, tmp_path: Path) -> None:
    """What GDAL wrote is what the features give: geometry to 1e-9 degrees, each property typed, the extent."""
    write_squares(tmp_path)
    (report,) = run(empty, *file_deliveries(tmp_path / "a.gpkg"))
    assert (report.read, report.inserted, report.rejected, report.files) == (50, 50, 0, ("a.gpkg",))
    async with empty.reading() as connection:
        catalog = await load_catalog(connection, empty.city)
        layer = catalog.layer("a", PUBLIC)
        page = await read_page(connection, Selection(layer), catalog, PUBLIC, limit=100)
    found = {feature["properties"]["label"]: feature for feature in map(orjson.loads, page.features)}
    assert len(found) == 50
    for number in range(50):
        feature = found[f"楼{number}"]
        shape = shapely.from_geojson(orjson.dumps(feature["geometry"]))
        assert feature["properties"]["height"] == number
        assert shape.symmetric_difference(square(120.5 + number / 100, 27.6)).area < 1e-15
    assert layer.extent == pytest.approx((120.5, 27.6, 120.991, 27.601))
    assert {"height": "number", "label": "text"}.items() <= {p.name: p.type for p in layer.properties}.items()


def test_a_generic_data_set_has_a_partition_and_a_layer_of_its_own(empty: Database) -> None:
    for _ in range(2):
        run(empty, dataset("lamp-posts", source([shapely.Point(120.95, 28.1)], name="lamps", kind=["led"])))
    (dataset_id,) = fetch(empty, "select id from dataset where name = 'lamp-posts'")[0]
    assert one(empty, "select tableoid::regclass::text from generic_object") == f"generic_object_{dataset_id}_current"
    assert fetch(empty, "select id, title_zh from layer where dataset_id = %s", dataset_id) == [
        ("lamp_posts", "lamp-posts")
    ]
    assert one(empty, "select properties from dataset") == {"kind": "text"}
    indexes = "select replace(indexname, tablename, '') from pg_indexes where tablename = %s"
    shared = set(fetch(empty, indexes, "facility_current"))
    assert shared <= set(fetch(empty, indexes, f"generic_object_{dataset_id}_current"))


def test_a_layers_id_is_never_taken_twice(empty: Database) -> None:
    """A data set that is called like a layer of the city gets an id of its own."""
    run(empty, dataset("roads", source([shapely.Point(120.95, 28.1)], name="r")))
    (layer,) = fetch(empty, "select id from layer where dataset_id is not null")
    assert layer[0].startswith("roads_")


def test_one_data_set_feeds_several_themes(empty: Database) -> None:
    house: dict[str, Any] = {"uid": ["a"], "class": ["Building"]}
    school: dict[str, Any] = {"uid": ["a"], "class": ["School"]}
    delivery = dataset(
        "mixed",
        source([footprint(0)], name="building", **house),
        source([shapely.Point(120.95, 28.1)], name="facility", **school),
    )
    (report,) = run(empty, delivery)
    assert counts(report) == (2, 0, 0, 0)
    assert one(empty, "select themes from dataset") == ["building", "facility"]
    assert one(empty, "select count(*) from facility where class = 'School'") == 1


def test_solids_come_with_their_object(empty: Database) -> None:
    """A box of 3D faces: its footprint in the theme's table, the faces beside it, as they came."""
    low, high = [(0, 0, 5), (10, 0, 5), (10, 10, 5), (0, 10, 5)], [(0, 0, 9), (10, 0, 9), (10, 10, 9), (0, 10, 9)]
    walls = [[low[i], low[(i + 1) % 4], high[(i + 1) % 4], high[i]] for i in range(4)]
    at = shapely.transform(
        shapely.MultiPolygon([shapely.Polygon(ring) for ring in (low[::-1], high, *walls)]),
        lambda xyz: xyz + np.array((540_000, 3_100_000, 0)),
        include_z=True,
    )
    delivery = dataset(
        "blocks",
        source([at], crs="EPSG:4549", name="blocks", id=["x"]),
        theme="building",
        uid="id",
        solid="2",
        **{"class": "Building"},
        fields={"height": "geometry.height"},
        vertical_datum="1985",
    )
    run(empty, delivery)
    ((lod, srid, datum, faces, top),) = fetch(
        empty,
        "select lod, srid, vertical_datum, ST_NumGeometries(solid.geom), ST_ZMax(solid.geom)"
        " from solid join building using (object_id) where height = 4",
    )
    assert (lod, srid, datum, faces, top) == ("2", 4549, "1985", 6, 9)


def test_terrain_becomes_a_cog_in_the_citys_directory(empty: Database, tmp_path: Path) -> None:
    path = tmp_path / "dem.tif"
    write_dem(path)
    home = tmp_path / "home"
    run(empty, *file_deliveries(path), home=home)
    stored = one(empty, "select path from terrain")
    assert (home / stored).is_file()
    assert one(empty, "select resolution from terrain") == pytest.approx(10)
    # A load that fails leaves no raster behind either.
    broken = Delivery(houses("b", {"a": 1}).dataset, [(houses("b", {"a": 1}).parts[0][0], Broken())])
    other = tmp_path / "other.tif"
    write_dem(other, value=5)
    with pytest.raises(FormatError):
        run(empty, *file_deliveries(other), broken, home=home)
    assert [f.name for f in home.rglob("*") if f.is_file()] == [Path(stored).name]


def write_dem(path: Path, value: float = 3) -> None:
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=20,
        height=20,
        count=1,
        dtype="float32",
        crs="EPSG:4549",
        transform=from_origin(540_000, 3_100_200, 10, 10),
    ) as raster:
        raster.write(np.full((1, 20, 20), value, dtype="float32"))


# --- the same again


def test_the_same_file_again_is_not_even_read(empty: Database, tmp_path: Path) -> None:
    write_squares(tmp_path)
    run(empty, *file_deliveries(tmp_path / "a.fgb"))
    before = fetch(empty, STATE)
    (again,) = run(empty, *file_deliveries(tmp_path / "a.fgb"))
    assert (again.same_file, again.read, again.unchanged) == (True, 0, 50)
    assert fetch(empty, STATE) == before


def test_the_same_content_again_writes_no_row(empty: Database) -> None:
    """Another file with the same content, such as the same export of another day."""
    run(empty, estate("e", MANY))
    before = fetch(empty, "select sum(id), max(recorded_from), count(*) from building")
    (again,) = run(empty, estate("e", MANY))
    assert counts(again) == (0, 0, MANY, 0)
    assert fetch(empty, "select sum(id), max(recorded_from), count(*) from building") == before


def test_one_percent_changed_touches_one_percent(empty: Database) -> None:
    run(empty, estate("e", MANY))
    (again,) = run(empty, estate("e", MANY, taller=100))
    assert counts(again) == (0, MANY // 100, MANY - MANY // 100, 0)
    assert one(empty, "select count(*) from building_past") == MANY // 100


# --- what fails


class Broken:
    """A source that breaks off after its first batch."""

    name = "broken"
    crs = "EPSG:4490"
    count = None
    schema = houses("b", {"a": 1}).parts[0][1].schema

    def read(self, rows: int = 10_000) -> Iterator[pa.RecordBatch]:
        yield from houses("b", {"a": 1.0, "b": 2.0}).parts[0][1].read()
        raise FormatError("broken.gpkg: cut off; fetch it again")


def test_a_load_that_fails_leaves_nothing(empty: Database) -> None:
    run(empty, houses("first", {"a": 10}))
    before = fetch(empty, STATE)
    good = houses("second", {"x": 1})
    with pytest.raises(FormatError, match="cut off"):
        run(empty, good, Delivery(good.dataset.model_copy(update={"name": "third"}), [(good.parts[0][0], Broken())]))
    assert fetch(empty, STATE) == before
    (again,) = run(empty, good)
    assert counts(again) == (1, 0, 0, 0)


def test_a_load_that_fails_at_the_last_leaves_nothing(empty: Database) -> None:
    """Even a partition that was built anew is gone, and the old one in its place."""
    run(empty, houses("first", {"a": 10}))
    before = fetch(empty, STATE)
    with psycopg.connect(empty.url, autocommit=True) as connection:
        connection.execute("alter table import_run add constraint no_more check (who <> 'tester') not valid")
        try:
            with pytest.raises(psycopg.errors.CheckViolation):
                run(empty, estate("e", MANY), dataset("g", source([shapely.Point(120.95, 28.1)], name="g")))
        finally:
            connection.execute("alter table import_run drop constraint no_more")
    assert fetch(empty, STATE) == before


def test_each_broken_row_is_told_and_the_others_arrive(empty: Database) -> None:
    shapes = [footprint(0), None, shapely.Point(120.95, 28.1), footprint(3), square(3.0, 3.0), footprint(5)]
    rows = source(
        shapes, crs="EPSG:4490", name="r", id=["a", "b", "c", "a", "e", "f"], h=["1", "2", "3", "4", "5", "tall"]
    )
    (report,) = run(
        empty, dataset("r", rows, theme="building", uid="id", fields={"height": "h"}, **{"class": "Building"})
    )
    assert counts(report) == (1, 0, 0, 0)
    assert (report.read, report.rejected) == (6, 5)
    told = {reject.row: reject.reason for _, reject in report.rejects}
    assert set(told) == {2, 3, 4, 5, 6}
    for row, said in ((2, "no geometry"), (3, "point"), (4, "earlier row"), (5, "outside"), (6, "'tall' is no number")):
        assert said in told[row]
    stored = one(empty, "select report from import_run")
    assert {reject["row"]: reject["reason"] for reject in stored["rejects"]} == told


def test_of_many_broken_rows_the_first_are_told_and_all_counted(empty: Database) -> None:
    rows = MOST_DETAILS + 500
    shapes = [footprint(0)] + [None] * (rows - 1)
    (report,) = run(empty, houses("r", {str(n): 1.0 for n in range(rows)}, shapes))
    assert (report.rejected, len(report.rejects)) == (rows - 1, MOST_DETAILS)
    assert sum(report.reasons.values()) == rows - 1


def test_a_row_that_is_told_badly_is_not_missing(empty: Database) -> None:
    """A newer edition whose row cannot be used says nothing against the object that is there."""
    run(empty, houses("r", {"a": 1.0, "b": 2.0, "c": 3.0}, edition_date="2020-01-01"))
    (report,) = run(empty, houses("r", {"a": 1.0, "b": 9.0}, [footprint(0), None], edition_date="2021-01-01"))
    assert counts(report) == (0, 0, 1, 1)
    standing = "select uid from building where recorded_to = 'infinity' and valid_to is null order by uid"
    assert fetch(empty, standing) == [("a",), ("b",)]


def test_a_file_with_nothing_in_it_ends_nothing(empty: Database) -> None:
    run(empty, houses("r", {"a": 1.0}, edition_date="2020-01-01"))
    (report,) = run(empty, houses("r", {"a": 1.0}, [None], edition_date="2021-01-01"))
    assert (report.rejected, report.changed) == (1, False)
    assert one(empty, "select count(*) from building where recorded_to = 'infinity' and valid_to is null") == 1


def test_data_from_far_away_are_refused_unless_wanted(empty: Database) -> None:
    run(empty, houses("here", {"a": 1.0}))
    lyon = houses("there", {"a": 1.0}, [square(121.9, 30.9)])
    with pytest.raises(OutsideCity):
        run(empty, lyon)
    assert one(empty, "select count(*) from dataset") == 1
    (report,) = run(empty, lyon, anywhere=True)
    assert report.inserted == 1


# --- the change feed, the villages


def test_a_load_is_told_in_boxes_that_hold_what_changed(empty: Database) -> None:
    run(empty, estate("e", MANY))
    (told,) = fetch(empty, "select count(*) from change where op = 'bulk'")
    assert 0 < told[0] <= 500
    uncovered = """
        select count(*) from building where not exists (
            select from change where op = 'bulk' and "table" = 'building'
             and geom @ ST_MakeEnvelope(bbox_new[1], bbox_new[2], bbox_new[3], bbox_new[4], 4490)
        )
    """
    # An object that lies across two boxes is in both.
    assert one(empty, uncovered) < MANY / 20
    last = one(empty, "select max(seq) from change")
    run(empty, houses("f", {"x": 1.0}))
    ((west, south, east, north),) = [
        row[0] for row in fetch(empty, "select bbox_new from change where op = 'bulk' and seq > %s", last)
    ]
    inside = footprint(0).bounds
    assert shapely.box(west, south, east, north).contains(shapely.box(*inside))
    assert east - west < 0.03


@pytest.mark.parametrize("villages_first", [True, False])
def test_every_object_knows_its_village(empty: Database, villages_first: bool) -> None:
    middle = 120.9 + 50 * 0.0003 - 0.0001
    areas = [shapely.box(120.8, 27.9, middle, 28.3), shapely.box(middle, 27.9, 121.2, 28.3)]
    villages = dataset(
        "villages",
        source(areas, crs="EPSG:4490", name="v", code=["330326100201", "330326100202"]),
        theme="administrative_area",
        uid="code",
        fields={"code": "code", "level": {"value": "village"}},
        **{"class": "Village"},
    )
    for delivery in (villages, estate("e", MANY)) if villages_first else (estate("e", MANY), villages):
        run(empty, delivery)
    assert dict(fetch(empty, "select village_code, count(*) from building group by 1")) == {
        "330326100201": MANY / 2,
        "330326100202": MANY / 2,
    }
    assert one(empty, "select count(*) from building_past") == 0


# --- at the same time


def test_a_partition_built_anew_is_like_the_old_one(database: Database) -> None:
    """It holds what other data sets had, under the same names, with the same indexes and constraints."""
    describe = """
        select indexdef from pg_indexes where tablename = 'building_current'
        union all select conname || pg_get_constraintdef(oid) from pg_constraint
        where conrelid = 'building_current'::regclass
        union all select attname || attnum || atttypid || attnotnull from pg_attribute
        where attrelid = 'building_current'::regclass and attnum > 0
        order by 1
    """
    run(database, houses("old", {"a": 10.0}))
    before, oid = fetch(database, describe), one(database, "select 'building_current'::regclass::oid")
    run(database, estate("e", MANY))
    assert one(database, "select 'building_current'::regclass::oid") != oid
    assert fetch(database, describe) == before
    assert one(database, "select count(*) from building") == MANY + 1
    assert one(database, "select height from building where uid = 'a'") == 10


def at_once(*calls: Any) -> list[Any]:
    results: list[Any] = [None] * len(calls)

    def work(number: int) -> None:
        try:
            results[number] = calls[number]()
        except Exception as error:
            results[number] = error

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_two_loads_of_one_data_set_do_not_clash(empty: Database) -> None:
    one_, two = at_once(lambda: run(empty, estate("e", MANY)), lambda: run(empty, estate("e", MANY)))
    assert sorted([counts(one_[0]), counts(two[0])]) == [(0, 0, MANY, 0), (MANY, 0, 0, 0)]
    assert one(empty, "select count(*) from building") == MANY


def test_loads_of_two_data_sets_of_a_theme_do_not_clash(empty: Database) -> None:
    results = at_once(*(partial(run, empty, estate(name, MANY)) for name in ("e", "f", "g")))
    assert [counts(result[0]) for result in results] == [(MANY, 0, 0, 0)] * 3
    assert one(empty, "select count(*) from building") == 3 * MANY


def test_a_load_waits_for_readers_and_keeps_none_waiting(empty: Database) -> None:
    """While a long reader is in the way of the exchange of partitions, short ones still get through."""
    done: list[Report] = []
    loading = threading.Thread(target=lambda: done.extend(run(empty, estate("e", MANY))))
    with psycopg.connect(empty.url) as long_reader:
        assert long_reader.execute("select count(*) from building").fetchone() == (0,)
        loading.start()
        waits = []
        until = time.monotonic() + 6
        while time.monotonic() < until:
            started = time.monotonic()
            fetch(empty, "select count(*) from building")
            waits.append(time.monotonic() - started)
            time.sleep(0.02)
        assert not done
    loading.join()
    assert max(waits) < 2.5
    assert done[0].inserted == MANY
    assert one(empty, "select count(*) from building") == MANY


# --- a real city


def test_lyon_arrives_whole(new_city: Callable[..., str], shared_data: Path, tmp_path: Path) -> None:
    """All that its recipe names: 15,725 roofs and 313 LoD2 buildings with their solids among them."""
    recipe = read_recipe(Path(__file__).parents[2] / "twin" / "recipes" / "lyon.yaml")
    url = new_city(recipe.city.spec())
    reports: dict[str, Report] = {}
    for deliveries in recipe_deliveries(recipe, shared_data):
        for report in load(url, deliveries, who="tester", home=tmp_path):
            reports[report.dataset] = report
            assert report.read <= report.inserted + report.rejected, report
    assert reports["lyon-roofs"].inserted == 15_725
    assert reports["lyon-lod2-buildings"].inserted == 313
    with psycopg.connect(url) as connection:
        solids = connection.execute("select count(distinct object_id) from solid where lod = '2'").fetchone()
        assert solids == (313,)
        for deliveries in recipe_deliveries(recipe, shared_data):
            for report in load(url, deliveries, who="tester", home=tmp_path):
                assert report.same_file
