"""Vector tiles hold what SQL says, ask the index that is meant, and are the same bytes whenever the same is drawn."""

from collections.abc import AsyncIterator, Callable

import mapbox_vector_tile
import pytest
import shapely
from sqlalchemy import literal_column

from cim_models.database import Database
from layers.access import PUBLIC, Principal
from layers.catalog import LayerNotFound
from layers.filters import FilterError, parse_filter
from layers.query import Selection, rows
from layers.statement import Statement, compiled
from layers.view import NOW, Interval, View, parse_interval
from tests import town
from tests.tiles.reading import catalog_of, drawn, features, tile_over
from tiles import vector
from tiles.matrix import MARGIN, Tile
from tiles.vector import all_objects, largest_objects

CENTRE = (town.WEST + 4.5 * town.STEP, town.SOUTH + 2 * town.STEP)
TOWNSHIP = Principal("a township", "township")
EDGE_SQL = """
    insert into facility (dataset_id, uid, content_hash, class, geom)
    select 1, 'edge', '', 'Shop', st_transform(st_setsrid(st_makepoint($1, $2), 3857), 4490) returning object_id
"""


async def test_a_tile_holds_what_sql_says(town_database: Database) -> None:
    tile = tile_over(*CENTRE, 15)
    raw = await drawn(town_database, tile)
    found = {f.id: f for f in features(raw.body, "buildings", tile)}
    async with town_database.reading() as connection:
        expected = await connection.fetch(
            "select object_id, class, name, height, storeys, function, year_built, st_asbinary(geom_web) as wkb"
            " from building where recorded_to = 'infinity' and plan_id is null"
            " and (valid_to is null or valid_to > now())"
            " and st_intersects(geom_web, st_tileenvelope($1, $2, $3, margin => 0.015625))",
            *tile[:3],
        )
    assert set(found) == {row["object_id"] for row in expected}
    unit = tile.side / 4096
    for row in expected:
        feature = found[row["object_id"]]
        for name in ("class", "name", "height", "storeys", "function", "year_built"):
            assert feature.properties.get(name) == row[name]
        assert shapely.hausdorff_distance(feature.geometry, shapely.from_wkb(row["wkb"])) < 1.5 * unit
    assert not {"uid", "village_code", "attributes", "dataset_id", "plan_id"} & set(feature.properties)


async def test_a_symbol_at_the_edge_is_in_both_tiles(own_town: Database) -> None:
    """A point 10 units inside one tile is drawn in the next one too, or its circle would be cut in half."""
    tile = tile_over(*CENTRE, 16)
    west, south, _, north = tile.box()
    unit = tile.side / 4096
    async with own_town.writing() as connection:
        number = await connection.fetchval(EDGE_SQL, west + 10 * unit, (south + north) / 2)
    for neighbour, across in ((tile, 10), (Tile(tile.z, tile.x - 1, tile.y), 4106)):
        raw = await drawn(own_town, neighbour, layer="facilities")
        layer = mapbox_vector_tile.decode(raw.body)["facilities"]
        (feature,) = (f for f in layer["features"] if f["id"] == number)
        assert feature["geometry"]["coordinates"][0] == across


@pytest.mark.parametrize(
    ("view", "wanted"),
    [
        (NOW, None),
        (NOW, "height > 10 and function = 'residential'"),
        (View(valid=parse_interval("2014-12-31T00:00:00Z", None)), None),  # type: ignore[arg-type]
        (View(plan=town.PLAN), None),
    ],
)
@pytest.mark.parametrize("zoom", [14, 16])
async def test_views_and_filters_hold_what_the_one_predicate_says(
    town_database: Database, zoom: int, view: View, wanted: str | None
) -> None:
    catalog = await catalog_of(town_database)
    parsed = parse_filter(wanted) if wanted else None
    selection = Selection(catalog.layer("buildings", PUBLIC), view, parsed)
    tile = tile_over(*CENTRE, zoom)
    statement = compiled(
        rows(selection, catalog, PUBLIC)
        .add_columns(literal_column("object_id"))
        .where(literal_column(f"st_intersects(geom_web, st_makeenvelope{(*tile.box(MARGIN), 3857)})"))
    )
    async with town_database.reading() as connection:
        expected = {row[0] for row in await connection.fetch(statement.sql, *statement.arguments)}
    raw = await drawn(town_database, tile, view=view, wanted=parsed)
    assert {f.id for f in features(raw.body, "buildings", tile)} == expected
    assert expected


async def test_a_principal_sees_its_own_rows(town_database: Database) -> None:
    for zoom in (11, 14, 16):
        tile = tile_over(town.WEST, town.SOUTH, zoom)
        raw = await drawn(town_database, tile, principal=TOWNSHIP)
        seen = [f.properties["height"] for f in features(raw.body, "buildings", tile)]
        assert seen
        assert max(seen) <= 5


async def test_a_hidden_layer_is_not_drawn(town_database: Database) -> None:
    with pytest.raises(LayerNotFound):
        await drawn(town_database, tile_over(*CENTRE, 15), layer="utility_pipes")


async def test_a_filter_on_what_is_not_there_is_refused(town_database: Database) -> None:
    for zoom in (11, 15):
        with pytest.raises(FilterError, match="colour"):
            await drawn(town_database, tile_over(*CENTRE, zoom), wanted=parse_filter("colour = 'red'"))


async def test_nothing_there_is_no_bytes(town_database: Database) -> None:
    for zoom in (9, 12, 14, 18):
        assert (await drawn(town_database, tile_over(0, 0, zoom))).body == b""


async def test_equal_tiles_are_equal_bytes(own_town: Database) -> None:
    """Also after the table was written anew in another order."""
    tile = tile_over(*CENTRE, 15)
    first = await drawn(own_town, tile)
    async with own_town.writing() as connection:
        await connection.execute("create temporary table kept as select * from building order by height desc")
        await connection.execute("delete from building")
        columns = await connection.fetchval(
            "select string_agg(quote_ident(attname), ', ') from pg_attribute"
            " where attrelid = 'building'::regclass and attnum > 0 and not attisdropped and attgenerated = ''"
        )
        await connection.execute(f"insert into building ({columns}) select {columns} from kept")
    assert await drawn(own_town, tile) == first


async def test_a_crowded_tile_keeps_the_largest_and_says_so(
    town_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    tile = tile_over(*CENTRE, 14)
    whole = await drawn(town_database, tile)
    assert not whole.thinned
    monkeypatch.setattr(vector, "MOST_BYTES", 600)
    light = await drawn(town_database, tile)
    assert light.thinned
    assert 0 < len(light.body) <= 600
    sizes = {f.id: f.geometry.area for f in features(whole.body, "buildings", tile)}
    kept = {f.id for f in features(light.body, "buildings", tile)}
    assert kept < set(sizes)
    deep = tile_over(*CENTRE, 15)
    assert len((await drawn(town_database, deep)).body) <= 600


@pytest.fixture(scope="module")
async def crowded(new_city: Callable[..., str]) -> AsyncIterator[Database]:
    """A city large enough for the planner to care: 30,000 buildings now and 30,000 of the past."""
    opened = await Database.open(new_city())
    async with opened.writing() as connection:
        for recorded_to in ("infinity", "2020-01-01"):
            await connection.execute(
                "insert into building (dataset_id, uid, content_hash, class, geom, recorded_from, recorded_to)"
                " select 1, 'b' || i, '', 'Building', st_multi(st_makeenvelope(x, y, x + 0.0001, y + 0.0001, 4490)),"
                f" '2019-01-01', '{recorded_to}'"
                " from (select i, 120.9 + i % 200 * 0.001 as x, 28.0 + i / 200 * 0.001 as y"
                " from generate_series(1, 30000) i) r"
            )
    async with opened.writing() as connection:
        await connection.execute("analyze building")
    yield opened
    await opened.close()


async def plan_of(database: Database, statement: Statement, tile: Tile, **values: object) -> str:
    async with database.reading() as connection:
        arguments = statement.with_values(z=tile.z, x=tile.x, y=tile.y, stray=1.0, **values)
        found = await connection.fetch(f"explain {statement.sql}", *arguments)
    return "\n".join(row[0] for row in found)


async def test_a_tile_of_now_asks_the_index_of_the_present(crowded: Database) -> None:
    catalog = await catalog_of(crowded)
    selection = Selection(catalog.layer("buildings", PUBLIC))
    plan = await plan_of(crowded, all_objects(selection, catalog, PUBLIC), tile_over(121.0, 28.05, 16))
    assert "building_current_geom_web" in plan
    assert "building_past" not in plan


async def test_the_largest_of_many_are_found_by_their_index(crowded: Database) -> None:
    catalog = await catalog_of(crowded)
    selection = Selection(catalog.layer("buildings", PUBLIC))
    statement = largest_objects(selection, catalog, PUBLIC)
    plan = await plan_of(crowded, statement, tile_over(121.0, 28.05, 9), limit=1000)
    assert "building_current_size" in plan
    assert "building_past" not in plan


async def test_a_past_belief_is_looked_up_by_index_in_both_parts(crowded: Database) -> None:
    catalog = await catalog_of(crowded)
    moment = parse_interval("2019-06-01T00:00:00Z", catalog.zone).start
    selection = Selection(catalog.layer("buildings", PUBLIC), View(recorded=moment))
    plan = await plan_of(crowded, all_objects(selection, catalog, PUBLIC), tile_over(121.0, 28.05, 16))
    assert "building_past_geom_web" in plan
    assert "building_current_geom_web" in plan


async def test_all_tiles_of_a_layer_and_kind_of_view_are_one_statement(town_database: Database) -> None:
    """The text is the same for every tile, moment and plan, so that the server prepares it once."""
    catalog = await catalog_of(town_database)
    layer = catalog.layer("buildings", PUBLIC)
    moments = [parse_interval(f"20{year}-01-01T00:00:00Z", catalog.zone).start for year in (10, 20)]
    views = [
        [NOW],
        [View(Interval(m, m)) for m in moments],
        [View(recorded=m) for m in moments],
        [View(plan=1), View(plan=2)],
    ]
    texts = []
    for alike in views:
        same = {all_objects(Selection(layer, view), catalog, PUBLIC).sql for view in alike}
        assert len(same) == 1
        texts += same
    assert len(set(texts)) == len(views)
