"""The search index: it follows edits, its statements use its indexes, and addresses become places through it."""

from collections.abc import AsyncIterator

import pytest

from cim_models.database import Database
from layers.access import PUBLIC, Principal
from layers.catalog import load_catalog
from layers.changes import INSERT_SQL
from layers.search import Asker, catch_up, search
from layers.search.candidates import Wanted, candidates_sql
from layers.search.folding import fold, grams, latin
from layers.search.geocode import geocode
from layers.search.reverse import reverse

FILL = """
    insert into dataset (name, themes, title_zh, title_en, loaded_at, extent)
    values ('streets', array['administrative_area', 'building', 'facility', 'road'], '街', 'Streets', now(),
            array[120.9, 28, 121.1, 28.2]);
    insert into administrative_area (dataset_id, uid, content_hash, class, name, code, level, geom) values
    (1, 'a1', '', 'AdministrativeArea', '乐清市', '330382', 'county', st_multi(st_makeenvelope(120.9, 28, 121.1, 28.2, 4490))),
    (1, 'a2', '', 'AdministrativeArea', '虹桥镇', '330382102', 'township', st_multi(st_makeenvelope(120.9, 28, 121, 28.2, 4490))),
    (1, 'a3', '', 'AdministrativeArea', '柳市镇', '330382101', 'township', st_multi(st_makeenvelope(121, 28, 121.1, 28.2, 4490))),
    (1, 'a4', '', 'AdministrativeArea', '北塘村', '330382102201', 'village', st_multi(st_makeenvelope(120.9, 28, 120.95, 28.2, 4490)));
    insert into road (dataset_id, uid, content_hash, class, name, village_code, geom) values
    (1, 'r1', '', 'Road', '人民路', '330382102201', st_geomfromtext('LINESTRING(120.91 28.1, 120.94 28.1)', 4490)),
    (1, 'r2', '', 'Road', '人民路', '330382101201', st_geomfromtext('LINESTRING(121.01 28.1, 121.04 28.1)', 4490)),
    (1, 'r3', '', 'Road', '清远路', '330382101201', st_geomfromtext('LINESTRING(121.01 28.15, 121.04 28.15)', 4490));
    insert into building (dataset_id, uid, content_hash, class, attributes, village_code, geom)
    select 1, 'b' || town || number, '', 'Building', jsonb_build_object('address', '人民路' || number || '号'), area,
           st_multi(st_makeenvelope(west + number * 0.001, 28.1001, west + number * 0.001 + 0.0002, 28.1003, 4490))
    from (values ('h', 120.91, '330382102201'), ('l', 121.01, '330382101201')) towns (town, west, area),
         generate_series(1, 20) number;
    insert into facility (dataset_id, uid, content_hash, class, name, address, village_code, geom) values
    (1, 'f1', '', 'Hospital', '乐清市人民医院', '清远路338号3幢', '330382101201', st_setsrid(st_point(121.02, 28.1501), 4490));
"""  # noqa: E501  # one object a line


@pytest.fixture
async def streets(database: Database) -> AsyncIterator[Asker]:
    """Two towns that both have a 人民路, findable."""
    async with database.writing() as connection:
        await connection.execute(FILL)
    await catch_up(database)
    async with database.reading() as connection:
        yield Asker(connection, await load_catalog(connection, database.city), PUBLIC)


async def named(asker: Asker, text: str, **options: object) -> list[str | None]:
    return [hit.name or hit.matched for hit in await search(asker, text, limit=10, **options)]  # type: ignore[arg-type]


def test_texts_are_folded() -> None:
    assert fold(" Ｌｅ  Café-Bar ") == "le cafe bar"
    assert fold("乐 清（市）") == "乐清市"
    assert grams("乐清") == ["乐", "清", "乐清"]
    assert grams("main street") is None
    assert set(latin("乐清市").split()) >= {"leqingshi", "yueqingshi", "lqs", "yqs"}
    assert "chongqinglu" in latin("重庆路").split()


async def test_streets_are_found(streets: Asker) -> None:
    """By initials in both readings, code, one and two letters, words, address; and told where they lie."""
    for text in ("lqs", "yqs", "leqing", "330382", "乐清"):
        assert (await named(streets, text))[0] == "乐清市", text
    assert await named(streets, "330382102201") == ["北塘村"]
    assert "乐清市人民医院" in await named(streets, "医")
    assert (await named(streets, "乐清 医院")) == ["乐清市人民医院"]
    assert (await named(streets, "rmyy")) == ["乐清市人民医院"]
    # One letter wrong, where nothing fits as it is written; but no number for another.
    assert await named(streets, "乐青市人民医院") == ["乐清市人民医院"]
    assert await named(streets, "renminyiyian") == ["乐清市人民医院"]
    assert await named(streets, "清远路339号") == []
    houses = await search(streets, "人民路12号", limit=5)
    assert [hit.matched for hit in houses[:2]] == ["人民路12号"] * 2
    assert {hit.township for hit in houses[:2]} == {("虹桥镇", None), ("柳市镇", None)}
    near = await search(streets, "人民路", limit=5, near=(121.02, 28.1))
    assert near[0].township == ("柳市镇", None)


async def test_addresses_become_places(streets: Asker) -> None:
    """Each at the finest level that stands in the city; the town decides between two streets of one name."""
    asked = {
        "乐清市虹桥镇人民路12号": ("house", 0.95, 120.9221),
        "柳市镇人民路12号3幢501室": ("house", 0.95, 121.0221),
        "人民路12号": ("house", 0.665, None),
        "清远路338号3幢": ("room", 1.0, 121.02),
        "乐清市人民医院": ("place", 0.9, 121.02),
        "柳市镇人民路999号": ("road", 0.6, 121.01),
        "虹桥镇北塘社区老屋": ("village", 0.4, 120.925),
        "虹桥镇无名路3号": ("township", 0.25, None),
        "月球环形山": None,
        "": None,
    }
    for text, found in zip(asked, await geocode(streets, list(asked)), strict=True):
        wanted = asked[text]
        if wanted is None:
            assert found is None, text
            continue
        level, score, lon = wanted
        assert found is not None, text
        assert (found.level, found.score) == (level, score), text
        assert lon is None or found.found.point[0] == pytest.approx(lon, abs=1e-3), text


async def test_places_have_addresses(streets: Asker) -> None:
    found = await reverse(streets, (120.9221, 28.1002), within_m=500)
    assert found.address is not None
    assert found.address.text == "人民路12号"
    assert found.address.distance < 15
    assert found.road is not None
    assert found.road.text == "人民路"
    assert [area.name for area in found.areas] == ["北塘村", "虹桥镇", "乐清市"]
    assert found.place is None
    nowhere = await reverse(streets, (10.0, 10.0), within_m=500)
    assert (nowhere.address, nowhere.road, nowhere.areas) == (None, None, ())


async def test_edits_are_findable(database: Database, streets: Asker) -> None:
    """What is renamed, moved, taken away and loaded, by an object's own change and by a box of many."""

    async def change(statement: str, object_id: int | None, box: tuple[float, ...] | None) -> None:
        async with database.writing() as connection:
            await connection.execute(statement)
            values = ("facility", 1, object_id, None, "update" if object_id else "bulk", box, box)
            await connection.execute(INSERT_SQL, *values, None, None, "test", None)
        await catch_up(database)

    hospital = (await search(streets, "rmyy", limit=1))[0].object_id
    await change("update facility set name = '海晏医院'", hospital, None)
    assert await named(streets, "人民医院") == []
    assert await named(streets, "hyyy") == ["海晏医院"]
    add = """insert into facility (dataset_id, uid, content_hash, class, name, geom)
             values (1, 'f2', '', 'School', '海晏小学', st_setsrid(st_point(121.05, 28.05), 4490))"""
    await change(add, None, (121.04, 28.04, 121.06, 28.06))
    assert await named(streets, "海晏小学") == ["海晏小学"]
    await change("delete from facility where uid = 'f2'", None, (121.04, 28.04, 121.06, 28.06))
    assert await named(streets, "海晏小学") == []
    count = await streets.connection.fetchval("select count(*) from search_entry where text = '海晏小学'")
    assert count == 0


async def test_only_what_one_may_see_is_matched(database: Database, streets: Asker) -> None:
    """A road that is hidden, or whose rows are, places no address, and no name that a layer does not show finds one."""
    async with database.writing() as connection:
        await connection.execute(
            "update layer set restricted = true where id in ('roads', 'buildings');"
            "insert into permission (role, layer, action, row_filter) values ('town', 'buildings', 'read',"
            """ '{"op": "=", "args": [{"property": "village_code"}, "330382101201"]}'), ('town', '*', 'read', null)"""
        )
        catalog = await load_catalog(connection, database.city)
    public, town = (Asker(streets.connection, catalog, who) for who in (PUBLIC, Principal("t", "town")))
    assert await named(public, "人民路") == []
    assert [match and match.level for match in await geocode(public, ["虹桥镇人民路12号", "人民路12号"])] == [
        "township",
        None,
    ]
    assert len(await named(town, "人民路12号")) == 1
    assert (await geocode(town, ["人民路12号"]))[0].found.point[0] == pytest.approx(121.0221, abs=1e-3)  # type: ignore[union-attr]
    assert (await reverse(town, (120.9221, 28.1002), within_m=500)).address is None


async def test_the_indexes_are_used(database: Database) -> None:
    """Of thirty thousand names, for pairs of letters, pinyin, beginnings and the nearest: no scan of the table."""
    async with database.writing() as connection:
        await connection.execute("select setseed(0.5)")
        await connection.execute(
            """
            insert into search_entry ("table", object_id, dataset_id, field, text, key, grams, latin, weight, point)
            select 'building', n, 1, 'name', name, name,
                   array[left(name, 1), substr(name, 2, 1), left(name, 2), substr(name, 2, 2), substr(name, 3, 2)],
                   ' ' || md5(n::text), 0.4, st_setsrid(st_point(120 + random(), 28 + random()), 4490)
            from generate_series(1, 30000) n,
                 lateral (select chr(20000 + (random() * 900)::int) || chr(21000 + (random() * 900)::int)
                              || chr(22000 + (random() * 900)::int) || n as name) as name
            where n is not null
            """
        )
        await connection.execute("analyze search_entry")
        some = await connection.fetchval("select text from search_entry limit 1")
        for text in (some[:2], some[1:3], "c4ca42", some):
            for near in (None, (120.5, 28.5)):
                statement = candidates_sql(Wanted(text, ["building"], near=near), 4490, 100)
                assert statement is not None
                plan = "\n".join(row[0] for row in await connection.fetch(f"explain {statement[0]}", *statement[1]))
                assert "Seq Scan on search_entry" not in plan, (text, near, plan)
                assert "search_entry_grams" in plan or "search_entry_latin" in plan or "search_entry_point" in plan
