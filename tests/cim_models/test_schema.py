"""The migrated database is what the models say, and its functions say what the standards say."""

import threading
from collections.abc import Callable
from itertools import pairwise

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from pyproj import Transformer
from sqlalchemy import create_engine, make_url

from cim_models.database import CitySpec, CitySpecError, NoCity, SchemaTooNew, migrate, read_city
from cim_models.embedded import Cluster
from cim_models.schema import schema
from cim_models.themes import THEMES
from tests.conftest import TEST_CITY


def test_models_and_migrations_agree(city_url: str) -> None:
    """Alembic finds nothing that a migration would have to change: tables, columns, types, nullability."""
    engine = create_engine(make_url(city_url).set(drivername="postgresql+psycopg"))
    known = set(schema(4490).tables)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_object": lambda _, name, kind, *__: kind not in ("table", "index") or name in known,
                "compare_type": True,
                "compare_server_default": False,
            },
        )
        assert compare_metadata(context, schema(4490)) == []


def test_geometry_columns_carry_the_citys_crs(city_url: str) -> None:
    with psycopg.connect(city_url) as connection:
        rows = connection.execute(
            "select f_table_name, type, srid from geometry_columns where f_geometry_column = 'geom'"
        ).fetchall()
    found = {table: (kind, srid) for table, kind, srid in rows}
    for theme in THEMES.values():
        assert found[theme.table] == (theme.geometry.upper(), 4490)


@pytest.mark.parametrize("srid", [4326, 4490])
@pytest.mark.parametrize("point", [(121.0, 28.1), (-179.9, -33.0), (4.84, 45.76), (0.0, 85.0)])
def test_web_mercator_is_projs(city_url: str, srid: int, point: tuple[float, float]) -> None:
    """EPSG:3857 within a millimetre of PROJ."""
    expected = Transformer.from_crs(f"EPSG:{srid}", "EPSG:3857", always_xy=True).transform(*point)
    with psycopg.connect(city_url) as connection:
        row = connection.execute(
            "select st_x(g), st_y(g) from web_mercator(st_setsrid(st_makepoint(%s, %s), %s)) g", (*point, srid)
        ).fetchone()
    assert row == pytest.approx(expected, abs=1e-3)


def test_web_mercator_ends_at_its_limit(city_url: str) -> None:
    """A polygon over the pole is cut at 85.0511 degrees, the square's edge (20,037,508 m), never infinite."""
    with psycopg.connect(city_url) as connection:
        row = connection.execute("select st_ymax(web_mercator(st_makeenvelope(0, 80, 10, 90, 4490)))").fetchone()
    assert row is not None
    assert 20_037_000 < row[0] < 20_037_509


def test_one_current_row_for_a_source_id(city_url: str) -> None:
    insert = (
        "insert into building (dataset_id, uid, content_hash, class, geom, valid_from, plan_id, plan_action)"
        " values (1, 'a', '', 'Building', st_multi(st_makeenvelope(121, 28, 121.1, 28.1, 4490)), %s, %s, %s)"
    )
    with psycopg.connect(city_url, autocommit=True) as connection:
        connection.execute(insert, (None, None, None))
        connection.execute(insert, ("2024-01-01", None, None))
        connection.execute(insert, (None, 7, "add"))
        for again in [(None, None, None), ("2024-01-01", None, None), (None, 7, "add")]:
            with pytest.raises(psycopg.errors.UniqueViolation):
                connection.execute(insert, again)
        connection.execute("update building set recorded_to = now() + interval '1 second' where plan_id = 7")
        connection.execute(insert, (None, 7, "replace"))
        parts = connection.execute("select tableoid::regclass::text, count(*) from building group by 1").fetchall()
    assert dict(parts) == {"building_current": 3, "building_past": 1}


def test_an_empty_database_is_no_city(cluster: Cluster) -> None:
    cluster.create_database("nothing_in_it")
    url = cluster.url("nothing_in_it")
    with pytest.raises(NoCity, match="twin init"):
        migrate(url)
    with pytest.raises(NoCity):
        read_city(url)
    cluster.drop_database("nothing_in_it")


def test_a_newer_schema_is_refused(city_url: str) -> None:
    with psycopg.connect(city_url) as connection:
        connection.execute("update alembic_version set version_num = '9999'")
    with pytest.raises(SchemaTooNew, match="upgrade CityTwin"):
        migrate(city_url)


def test_two_migrations_at_once_lay_one_city_down(cluster: Cluster) -> None:
    cluster.create_database("raced")
    url = cluster.url("raced")
    failures: list[Exception] = []

    def run() -> None:
        try:
            migrate(url, TEST_CITY)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert read_city(url).name == "testing"
    cluster.drop_database("raced")


def test_migrating_again_changes_nothing(new_city: Callable[..., str]) -> None:
    url = new_city()
    assert migrate(url) == migrate(url)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"srid": 3857}, "4326 or 4490"),
        ({"metric_srid": 4326}, "no projected CRS in metres"),
        ({"metric_srid": 2263}, "no projected CRS in metres"),
        ({"metric_srid": 999999}, "not known to PROJ"),
    ],
)
def test_a_city_that_cannot_be_measured_is_refused(change: dict[str, int], said: str) -> None:
    """EPSG:2263 is in US survey feet."""
    with pytest.raises(CitySpecError, match=said):
        CitySpec(**{"name": "x", "title_zh": "x", "title_en": "x", "metric_srid": 4549} | change)  # type: ignore[arg-type]


def test_every_column_with_a_code_list_has_one(city_url: str) -> None:
    with psycopg.connect(city_url) as connection:
        lists = {row[0] for row in connection.execute("select id from code_list")}
        sources = [row[0] for row in connection.execute("select source from code_list")]
    for theme in THEMES.values():
        assert theme.classes in lists
        assert {a.codes for a in theme.attributes if a.codes} <= lists
    assert all(sources)


def test_land_use_follows_the_standard(city_url: str) -> None:
    """GB/T 21010-2017 has 12 first and 73 second classes, each second under its first."""
    with psycopg.connect(city_url) as connection:
        rows = connection.execute(
            "select code, parent from code where list = 'land_use' and scheme = 'GB/T 21010' order by code"
        ).fetchall()
    first = [code for code, parent in rows if parent is None]
    second = [(code, parent) for code, parent in rows if parent]
    assert first == [f"{n:02}" for n in range(1, 13)]
    assert len(second) == 73
    assert all(code.startswith(parent) for code, parent in second)
    assert all(a < b for a, b in pairwise(code for code, _ in second))
