"""Tiles that a server gives are true: never older than two seconds, whoever edits, in every process."""

import asyncio
import gzip
import itertools
import random
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import mapbox_vector_tile
import pytest
import shapely

from cim_models.database import Database
from layers.access import PUBLIC, Principal
from layers.catalog import Catalog, LayerNotFound
from layers.edit import Correct, Insert, apply
from layers.filters import Filter, parse_filter
from layers.timeline import Span
from layers.validity import keep_ticking
from layers.view import NOW, Interval, View
from tests import town
from tests.enact import EDITOR
from tests.tiles.reading import catalog_of, drawn, features, tile_over
from tiles.matrix import Tile, TileOutOfRange
from tiles.overview.follow import catch_up, follow
from tiles.picture import Picture
from tiles.service import TileService
from tiles.studio import Busy, TooSlow

MOST_STALE_S = 2.0
CENTRE = (town.WEST + 4.5 * town.STEP, town.SOUTH + 2 * town.STEP)
TILE = tile_over(*CENTRE, 15)


@asynccontextmanager
async def service(
    database: Database, files: Path | None = None, *, drawing: int = 4, waiting: int = 100, limit_s: float = 20.0
) -> AsyncIterator[TileService]:
    opened = TileService(database, memory=2**24, files=files, drawing=drawing, waiting=waiting, limit_s=limit_s)
    await opened.start()
    try:
        yield opened
    finally:
        await opened.close()


async def asked(
    serving: TileService,
    catalog: Catalog,
    tile: Tile = TILE,
    *layers: str,
    view: View = NOW,
    wanted: Filter | None = None,
    principal: Principal = PUBLIC,
) -> Picture:
    """As the API asks: for the picture that is kept, else for the tile."""
    names = layers or ("buildings",)
    words = repr((names, view, wanted))
    kept = serving.kept(catalog, words, tile, principal)
    if kept is not None:
        return kept
    chosen = [catalog.layer(name, principal) for name in names]
    return await serving.tile(catalog, chosen, tile, principal, view=view, wanted=wanted, words=words)


def raw(picture: Picture) -> bytes:
    return gzip.decompress(picture.body)


async def edited(database: Database, uid: str = "b13", **properties: object) -> None:
    """Correct a building of the town through the edit engine."""
    catalog = await catalog_of(database)
    async with database.reading() as connection:
        number = await connection.fetchval(
            "select object_id from building where uid = $1 and plan_id is null and recorded_to = 'infinity'", uid
        )
    await apply(database, catalog, EDITOR, [Correct(layer="buildings", object_id=number, properties=properties)])


async def unheard(database: Database, uid: str) -> None:
    """Take a building away behind the feed's back: only what was kept still shows it."""
    async with database.writing() as connection:
        await connection.execute("delete from building where uid = $1", uid)


async def test_what_was_drawn_is_kept_in_memory_and_in_files(own_town: Database, tmp_path: Path) -> None:
    catalog = await catalog_of(own_town)
    async with service(own_town, tmp_path) as one:
        first = await asked(one, catalog)
        assert raw(first) == (await drawn(own_town, TILE)).body
        await unheard(own_town, "b13")
        assert await asked(one, catalog) == first
        async with service(own_town, tmp_path) as other:
            assert await asked(other, catalog) == first
        async with service(own_town, None) as alone:
            assert await asked(alone, catalog) != first
    async with service(own_town, tmp_path) as after_restart:
        assert await asked(after_restart, catalog) == first


async def test_an_edit_is_seen_by_every_process(own_town: Database, tmp_path: Path) -> None:
    catalog = await catalog_of(own_town)
    async with service(own_town, tmp_path) as one, service(own_town, tmp_path) as other:
        before = [await asked(serving, catalog) for serving in (one, other)]
        await edited(own_town, height=77.0)
        await asyncio.sleep(MOST_STALE_S)
        after = [await asked(serving, catalog) for serving in (other, one)]
    assert len({picture.etag for picture in before}) == len({picture.etag for picture in after}) == 1
    assert raw(after[0]) == (await drawn(own_town, TILE)).body != raw(before[0])


async def test_an_edit_while_no_server_ran_is_seen_in_the_files(own_town: Database, tmp_path: Path) -> None:
    catalog = await catalog_of(own_town)
    async with service(own_town, tmp_path) as one:
        before = await asked(one, catalog)
    await edited(own_town, height=77.0)
    async with service(own_town, tmp_path) as next_day:
        assert raw(await asked(next_day, catalog)) == (await drawn(own_town, TILE)).body != raw(before)


async def test_an_edit_elsewhere_leaves_a_tile_kept(own_town: Database, tmp_path: Path) -> None:
    catalog = await catalog_of(own_town)
    away = tile_over(town.WEST, town.SOUTH, 18)
    async with service(own_town, tmp_path) as one:
        first = await asked(one, catalog, away)
        await unheard(own_town, "b1")
        await edited(own_town, "b38", height=77.0)
        await asyncio.sleep(MOST_STALE_S)
        assert await asked(one, catalog, away) == first


async def test_a_long_transaction_keeps_no_other_edit_from_being_seen(own_town: Database) -> None:
    """An import of minutes holds the ordered feed back, but no tile stale."""
    catalog = await catalog_of(own_town)
    async with service(own_town) as one, own_town.writing() as importing:
        await importing.execute("update road set name = name")
        await importing.execute("select pg_current_xact_id()")
        before = await asked(one, catalog)
        await edited(own_town, height=77.0)
        await asyncio.sleep(MOST_STALE_S)
        assert raw(await asked(one, catalog)) == (await drawn(own_town, TILE)).body != raw(before)


async def test_files_of_another_database_are_not_taken(new_city: Callable[..., str], tmp_path: Path) -> None:
    """A city laid down anew under the same name, with the same tables and another content."""
    pictures = []
    for building in ("b13", "b14"):
        url = new_city()
        town.fill(url)
        database = await Database.open(url)
        await unheard(database, building)
        async with service(database, tmp_path) as one:
            pictures.append(await asked(one, await catalog_of(database)))
        await database.close()
    assert pictures[0].etag != pictures[1].etag


async def test_edits_that_race_with_drawing_leave_nothing_stale(own_town: Database, tmp_path: Path) -> None:
    """Two services with shared files; the height of a building rises with each edit, and no answer is older than it
    was two seconds before it was asked for. At the end all agree with the database, at low zooms too."""
    catalog = await catalog_of(own_town)
    await catch_up(own_town)
    tiles = [TILE, tile_over(*CENTRE, 12)]
    committed: list[tuple[float, float]] = [(0.0, 13.0)]
    ending = asyncio.Event()

    async def edit() -> None:
        for step in range(25):
            await edited(own_town, height=100.0 + step)
            committed.append((time.monotonic(), 100.0 + step))
            await asyncio.sleep(random.Random(step).random() * 0.3)
        ending.set()

    async def look(serving: TileService, tile: Tile) -> None:
        while not ending.is_set():
            begun = time.monotonic()
            due = max(height for moment, height in committed if moment <= begun - MOST_STALE_S)
            found = features(raw(await asked(serving, catalog, tile)), "buildings", tile)
            shown = max(f.properties.get("height", 0) for f in found)
            assert shown >= due
            await asyncio.sleep(0.01)

    following = asyncio.create_task(follow(own_town))
    async with service(own_town, tmp_path) as one, service(own_town, tmp_path) as other:
        await asyncio.gather(edit(), *(look(serving, tile) for serving in (one, other) for tile in tiles))
        await asyncio.sleep(MOST_STALE_S)
        for serving, tile in itertools.product((one, other), tiles):
            assert raw(await asked(serving, catalog, tile)) == (await drawn(own_town, tile)).body
    following.cancel()


async def test_a_validity_that_passes_is_seen(own_town: Database) -> None:
    """Nobody edits when a building's time is over; the ticker tells."""
    catalog = await catalog_of(own_town)
    ends = datetime.now(UTC) + timedelta(seconds=3)
    place = shapely.box(town.WEST, town.SOUTH - 0.001, town.WEST + 0.0004, town.SOUTH - 0.0006)
    standing = Insert(layer="buildings", properties={"class": "Tent"}, geometry=place, span=Span(None, ends))
    (number,) = await apply(own_town, catalog, EDITOR, [standing])
    ticking = asyncio.create_task(keep_ticking(own_town))
    async with service(own_town) as one:
        tile = tile_over(town.WEST, town.SOUTH - 0.001, 15)
        assert number in {f.id for f in features(raw(await asked(one, catalog, tile)), "buildings", tile)}
        await asyncio.sleep((ends - datetime.now(UTC)).total_seconds() + MOST_STALE_S)
        assert number not in {f.id for f in features(raw(await asked(one, catalog, tile)), "buildings", tile)}
    ticking.cancel()


async def test_many_layers_are_one_gzip_member_and_hidden_ones_are_not_in_it(town_database: Database) -> None:
    catalog = await catalog_of(town_database)
    names = [layer.id for layer in catalog.layers(PUBLIC) if layer.theme.table != "terrain"]
    async with service(town_database) as one:
        picture = await asked(one, catalog, TILE, *names)
        with pytest.raises(LayerNotFound):
            await asked(one, catalog, TILE, "buildings", "utility_pipes")
    # zlib's decompressor, as browsers use it, ends with the first member.
    reader = zlib.decompressobj(wbits=31)
    body = reader.decompress(picture.body)
    assert reader.eof
    assert not reader.unused_data
    assert set(mapbox_vector_tile.decode(body)) == {"buildings", "facilities"}


async def test_layers_are_drawn_at_their_zooms_only(town_database: Database) -> None:
    catalog = await catalog_of(town_database)
    async with service(town_database) as one:
        low = tile_over(*CENTRE, 9)
        both = await asked(one, catalog, low, "buildings", "facilities")
        assert set(mapbox_vector_tile.decode(raw(both))) == {"buildings"}
        with pytest.raises(TileOutOfRange, match="facilities: drawn at zooms 11"):
            await asked(one, catalog, low, "facilities")


async def test_no_two_requests_are_mixed_up(town_database: Database, tmp_path: Path) -> None:
    """Whatever the order in which views, filters, readers and zooms take turns, each gets its own tile."""
    catalog = await catalog_of(town_database)
    moment = datetime(2014, 12, 31, tzinfo=UTC)
    views = [
        NOW,
        View(plan=town.PLAN),
        View(Interval(moment, moment)),
        View(Interval(None, moment)),
        View(Interval(moment, moment), plan=town.PLAN),
        View(recorded=datetime(2020, 1, 1, tzinfo=UTC)),
    ]
    filters = [None, parse_filter("height > 20"), parse_filter("function = 'residential'")]
    readers = [PUBLIC, Principal("a township", "township")]
    zooms = [tile_over(town.WEST + 0.0008, town.SOUTH, zoom) for zoom in (11, 14, 17)]
    requests = list(itertools.product(views, filters, readers, zooms)) * 2
    random.Random(3).shuffle(requests)
    async with service(town_database, tmp_path) as one:
        for view, wanted, reader, tile in requests:
            picture = await asked(one, catalog, tile, view=view, wanted=wanted, principal=reader)
            alone = await drawn(town_database, tile, view=view, wanted=wanted, principal=reader, catalog=catalog)
            assert (raw(picture) if picture.body else b"") == alone.body


async def test_views_that_show_the_same_share_a_drawing(own_town: Database) -> None:
    """A plan that touches nothing here, and any moment between the two at which something began or ended."""
    catalog = await catalog_of(own_town)
    corner = tile_over(town.WEST + 0.009, town.SOUTH + 0.003, 18)
    async with service(own_town) as one:
        now = await asked(one, catalog, corner)
        days = [View(Interval(m, m)) for m in (datetime(2016, 1, 1, tzinfo=UTC), datetime(2019, 5, 5, tzinfo=UTC))]
        first_day = await asked(one, catalog, TILE, view=days[0])
        await unheard(own_town, "b40")
        await unheard(own_town, "b13")
        assert await asked(one, catalog, corner, view=View(plan=town.PLAN)) == now
        assert await asked(one, catalog, TILE, view=days[1]) == first_day
        other_side = View(Interval(datetime(2014, 1, 1, tzinfo=UTC), datetime(2014, 1, 1, tzinfo=UTC)))
        assert await asked(one, catalog, TILE, view=other_side) != first_day


@asynccontextmanager
async def stopped(database: Database) -> AsyncIterator[None]:
    """Nothing can be read of buildings meanwhile."""
    async with database.writing() as connection:
        await connection.execute("lock table building in access exclusive mode")
        yield


async def statements(database: Database) -> int:
    """How many tiles are being drawn on the server."""
    async with database.reading() as connection:
        found: int = await connection.fetchval(
            "select count(*) from pg_stat_activity where state = 'active' and query like '%ST_AsMVT(%'"
            " and pid <> pg_backend_pid() and datname = current_database()"
        )
    return found


async def until(condition: Callable[[], Awaitable[object]], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.02)


async def test_equal_requests_draw_once(own_town: Database) -> None:
    catalog = await catalog_of(own_town)
    async with service(own_town) as one:
        async with stopped(own_town):
            waiting = [asyncio.create_task(asked(one, catalog)) for _ in range(20)]
            await until(lambda: statements(own_town))
            await asyncio.sleep(0.3)
            assert await statements(own_town) == 1
        assert len(set(await asyncio.gather(*waiting))) == 1


async def test_the_queue_ends(own_town: Database) -> None:
    catalog = await catalog_of(own_town)
    async with service(own_town, drawing=1, waiting=1) as one:
        async with stopped(own_town):
            waiting = [asyncio.create_task(asked(one, catalog, TILE._replace(x=TILE.x + i))) for i in range(2)]
            await until(lambda: statements(own_town))
            with pytest.raises(Busy, match="ask again"):
                await asked(one, catalog, TILE._replace(x=TILE.x + 2))
        await asyncio.gather(*waiting)
        assert await asked(one, catalog, TILE._replace(x=TILE.x + 2))


async def test_a_drawing_that_takes_too_long_is_broken_off_on_the_server(own_town: Database) -> None:
    catalog = await catalog_of(own_town)
    async with service(own_town, limit_s=0.5) as one:
        async with stopped(own_town):
            with pytest.raises(TooSlow, match=r"buildings 15/\d+/\d+: not drawn within 0.5 s"):
                await asked(one, catalog)
            await until(lambda: _none(own_town), 5)
        assert await asked(one, catalog)


async def test_what_nobody_waits_for_any_more_is_broken_off(own_town: Database) -> None:
    catalog = await catalog_of(own_town)
    async with service(own_town) as one:
        async with stopped(own_town):
            waiting = [asyncio.create_task(asked(one, catalog)) for _ in range(3)]
            await until(lambda: statements(own_town))
            for task in waiting[:2]:
                task.cancel()
            await asyncio.sleep(0.2)
            assert await statements(own_town) == 1
            waiting[2].cancel()
            await until(lambda: _none(own_town), 5)
        assert await asked(one, catalog)


async def _none(database: Database) -> bool:
    return await statements(database) == 0


async def test_a_changed_layer_or_right_is_heeded_at_once(own_town: Database) -> None:
    """The next catalogue counts, whatever pictures were kept under the last."""
    catalog = await catalog_of(own_town)
    async with service(own_town) as one:
        assert await asked(one, catalog)
        async with own_town.writing() as connection:
            await connection.execute("update layer set properties = array['class'], version = 2 where id = 'buildings'")
        narrower = await catalog_of(own_town)
        found = features(raw(await asked(one, narrower)), "buildings", TILE)
        assert {name for f in found for name in f.properties} == {"class"}
        async with own_town.writing() as connection:
            await connection.execute("update layer set restricted = true where id = 'buildings'")
        with pytest.raises(LayerNotFound):
            await asked(one, await catalog_of(own_town))
