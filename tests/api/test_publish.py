"""Tables that were there before the city: published, each kind, and seen by every service at once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import mapbox_vector_tile
import morecantile
import psycopg
import pytest

from api.app import create_app
from cim_models.embedded.cluster import SUPERUSER
from layers.publish import PublishError, publish, unpublish
from tests import town
from tests.api.conftest import Places, client_of
from twin.directory import CityPlace
from twin.settings import Settings

TABLES = """
    create schema survey;
    create table survey.wells (well_no integer primary key, name text, depth numeric, "口径" integer, dry boolean,
                               seen date, photo bytea, shape geometry(Point, 4549));
    insert into survey.wells select i, '井' || i, i * 1.5, 300 + i, i % 2 = 0, date '2024-05-01', '\\x00',
        st_transform(st_setsrid(st_point(120.95 + i * 0.001, 28.1), 4490), 4549) from generate_series(1, 5) i;
    create view survey.deep_wells as select well_no, depth, shape from survey.wells where depth > 3;
    create materialized view survey.kept_wells as select * from survey.wells;
    create unique index on survey.kept_wells (well_no);
    create table survey.no_key (label text, geom geometry(Point, 4490));
    insert into survey.no_key values ('a', st_setsrid(st_point(120.95, 28.1), 4490)), ('a', null);
    create table survey.mixed (id integer primary key, geom geometry);
    insert into survey.mixed values (1, st_setsrid(st_point(120.95, 28.1), 4490)),
        (2, st_setsrid(st_point(500000, 3100000), 4549));
    create table survey.no_srid (id integer primary key, geom geometry);
    insert into survey.no_srid values (1, st_point(120.95, 28.1));
    create table survey.beijing (id integer primary key, geom geometry(Point, 2437));
    create table survey.curves (id text primary key, geom geometry(CompoundCurveZ, 4490));
    insert into survey.curves values ('弯', st_geomfromewkt(
        'SRID=4490;COMPOUNDCURVE Z(CIRCULARSTRING Z(120.95 28.1 5, 120.951 28.101 5, 120.952 28.1 5))'));
    create table survey.parts (id bigint, kind text, geom geometry(Polygon, 4490), primary key (id, kind))
        partition by list (kind);
    create table survey.parts_a partition of survey.parts for values in ('a');
    insert into survey.parts values (7, 'a', st_makeenvelope(120.95, 28.1, 120.951, 28.101, 4490));
    create table survey.empty (id uuid primary key, geom geometry(MultiPolygon, 4490));
    create table survey.text_only (id integer primary key);
"""


@pytest.fixture(scope="module")
async def url(new_city: Callable[..., str]) -> str:
    url = new_city()
    town.fill(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(TABLES.encode())
    return url


@pytest.fixture(scope="module")
async def client(url: str, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(create_app(settings, Places(CityPlace("town", url, Path("unused"))))) as made:
        yield made


async def seen(client: httpx.AsyncClient, layer: str) -> dict[str, object]:
    """The layer's items, as soon as a server that was running shows them; within a second."""
    for _ in range(20):
        answer = await client.get(f"/collections/{layer}/items", params={"limit": 100})
        if answer.status_code == 200:
            return answer.json()  # type: ignore[no-any-return]
        await asyncio.sleep(0.05)
    raise AssertionError(answer.text)


async def test_a_table_is_in_every_service_within_a_second(client: httpx.AsyncClient, url: str) -> None:
    found = publish(url, "survey.wells", who="test", title="水井", index=True)
    assert (found.key, found.geometry, found.srid, found.rows) == ("well_no", "shape", 4549, 5)
    assert found.notes == ("photo holds raw bytes and is left out", "transformed from EPSG:4549 as it is read")[::-1]
    items = await seen(client, "wells")
    first = items["features"][0]  # type: ignore[index]
    assert first["id"] == 1
    assert first["geometry"]["coordinates"] == pytest.approx([120.951, 28.1], abs=1e-8)
    told = first["properties"]
    assert (told["name"], told["depth"], told["口径"], told["dry"], told["seen"]) == (
        "井1",
        1.5,
        301,
        False,
        "2024-05-01",
    )
    narrow = await client.get(
        "/collections/wells/items", params={"filter": 'depth > 4 and "口径" < 305', "bbox": "120,28,121,29"}
    )
    assert [feature["id"] for feature in narrow.json()["features"]] == [3, 4]
    assert (await client.get("/collections/wells/items/3")).json()["properties"]["name"] == "井3"
    schema = (await client.get("/collections/wells/schema")).json()["properties"]
    assert {"depth", "口径", "dry"} <= schema.keys()
    at = morecantile.tms.get("WebMercatorQuad").tile(120.953, 28.1, 12)
    tile = await client.get(f"/collections/wells/tiles/WebMercatorQuad/12/{at.y}/{at.x}")
    drawn = mapbox_vector_tile.decode(tile.content)["wells"]["features"]
    assert {feature["id"] for feature in drawn} == {1, 2, 3, 4, 5}
    picture = await client.get(
        "/collections/wells/map", params={"bbox": "120.94,28.09,120.96,28.11", "width": 64, "height": 64}
    )
    assert picture.headers["content-type"] == "image/png"
    count = (await client.get("/collections/wells/aggregate", params={"property": "depth"})).json()
    assert count["total"]["sum"] == 22.5, count
    assert (await client.get("/collections/wells/items", params={"f": "csv"})).text.count("井") == 5


async def test_what_others_write_is_seen_at_once(client: httpx.AsyncClient, url: str) -> None:
    publish(url, "survey.deep_wells", who="test", key="well_no")
    before = await seen(client, "deep_wells")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("update survey.wells set depth = 99 where well_no = 1")
        after = await seen(client, "deep_wells")
        connection.execute("update survey.wells set depth = 1.5 where well_no = 1")
    assert len(after["features"]) == len(before["features"]) + 1  # type: ignore[arg-type]


async def test_curves_heights_texts_parts_and_emptiness(client: httpx.AsyncClient, url: str) -> None:
    assert publish(url, "survey.curves", who="test").notes == (
        "curves are drawn as lines", "heights of its geometry are left out")  # fmt: skip
    (curve,) = (await seen(client, "curves"))["features"]  # type: ignore[misc]
    assert 0 < curve["id"] < 2**53
    assert curve["properties"]["uid"] == "弯"
    assert len(curve["geometry"]["coordinates"]) > 10
    assert len(curve["geometry"]["coordinates"][0]) == 2
    publish(url, "survey.parts", who="test", key="id")
    (part,) = (await seen(client, "parts"))["features"]  # type: ignore[misc]
    assert (part["id"], part["properties"]["kind"]) == (7, "a")
    publish(url, "survey.kept_wells", who="test")
    assert len((await seen(client, "kept_wells"))["features"]) == 5  # type: ignore[arg-type]
    assert "it is empty" in publish(url, "survey.empty", who="test").notes[0]
    assert (await seen(client, "empty"))["features"] == []


async def test_a_foreign_table(client: httpx.AsyncClient, url: str) -> None:
    parts = psycopg.conninfo.conninfo_to_dict(url)
    far = f"options (host '{parts['host']}', dbname '{parts['dbname']}')"
    with psycopg.connect(url, user=SUPERUSER, autocommit=True) as connection:
        connection.execute(
            f"""
            create extension postgres_fdw;
            create server far foreign data wrapper postgres_fdw {far};
            create user mapping for {parts["user"]} server far
                options (user '{parts["user"]}', password_required 'false');
            grant usage on foreign server far to {parts["user"]};
            """.encode()
        )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(b"create schema far; import foreign schema survey limit to (wells) from server far into far")
    found = publish(url, "far.wells", who="test", layer="far_wells", key="well_no")
    assert (found.kind, found.rows) == ("foreign table", 5)
    assert len((await seen(client, "far_wells"))["features"]) == 5  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("survey.no_key", "a table without a key of one column.*name one that is filled and unique with --key"),
        ("survey.mixed", r"rows of several SRIDs \(1 in 4490, 1 in 4549|rows of several SRIDs \(1 in 4549, 1 in 4490"),
        ("survey.no_srid", "have no SRID; say it once with select UpdateGeometrySRID"),
        ("survey.beijing", "no accurate transformation"),
        ("survey.text_only", "no geometry column"),
        ("survey.nothing", "no such table or view"),
        ("'; drop table layer", "no such table or view"),
        ("public.building", "a table of the city itself"),
    ],
)
def test_what_cannot_be_published_says_why(url: str, table: str, told: str) -> None:
    with pytest.raises(PublishError, match=told):
        publish(url, table, who="test")


def test_a_key_must_tell_rows_apart(url: str) -> None:
    with pytest.raises(PublishError, match="label has 'a' more than once"):
        publish(url, "survey.no_key", who="test", key="label")


async def test_it_is_edited_where_it_stands_and_taken_away_whole(client: httpx.AsyncClient, url: str) -> None:
    publish(url, "survey.wells", who="test", layer="wells_again")
    assert (await seen(client, "wells_again"))["features"]
    unpublish(url, "wells_again", who="test")
    for _ in range(20):
        if (await client.get("/collections/wells_again/items")).status_code == 404:
            break
        await asyncio.sleep(0.05)
    assert (await client.get("/collections/wells_again")).status_code == 404
    with psycopg.connect(url) as connection:
        assert connection.execute("select count(*) from survey.wells").fetchone() == (5,)
    with pytest.raises(PublishError, match="no published layer"):
        unpublish(url, "buildings", who="test")
