"""Map tiles: cut true from larger maps, seamless, drawn once, fresh after an edit, and each reader's own."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cim_models.database import Database
from layers.access import PUBLIC, Principal
from layers.catalog import Catalog
from layers.view import NOW, View
from tests import town
from tests.tiles.reading import catalog_of
from tests.tiles.test_grids import GRIDS, over
from tests.tiles.test_service import MOST_STALE_S, edited, unheard
from tiles.map import MapLayer, MapRequest, MapService
from tiles.map_tiles import Content, MapTiles, sheet_of
from tiles.matrix import WEB, Grid, Tile, TileOutOfRange
from tiles.picture import Picture
from tiles.service import TileService

LAYERS = ("buildings", "facilities")
MIDDLE = town.WEST + 2.2 * town.STEP, town.SOUTH + 1.2 * town.STEP
FAR = town.WEST + 9.2 * town.STEP, town.SOUTH + 3.2 * town.STEP
TOWNSHIP = Principal("somebody", "township")


@dataclass
class Serving:
    """The services of one process, and how many maps it drew."""

    catalog: Catalog
    maps: MapService
    tiles: MapTiles
    drawn: int = 0

    async def tile(
        self, tile: Tile, *layers: str, view: View = NOW, principal: Principal = PUBLIC, background: str | None = None
    ) -> Picture:
        """As the API asks: for what is kept, else for the tile."""
        words = repr((layers, view, background))
        kept = self.tiles.kept(self.catalog, words, tile, principal)
        if kept is not None:
            return kept
        chosen = [self.catalog.layer(name, principal) for name in layers or LAYERS]
        content = Content(tuple(MapLayer(layer, "day", view) for layer in chosen), "image/png", background)
        return await self.tiles.tile(self.catalog, content, tile, principal, words=words)


@asynccontextmanager
async def serving(database: Database, files: Path | None = None) -> AsyncIterator[Serving]:
    tiles = TileService(database, memory=2**22, files=files, drawing=4, waiting=100, limit_s=20)
    maps = MapService(database, database.url, files=Path("unused"), drawing=2, waiting=100, limit_s=20)
    await tiles.start()
    await maps.start()
    found = Serving(await catalog_of(database), maps, MapTiles(database, maps, tiles, memory=2**22))
    draw = maps.draw

    async def counted(request: MapRequest, catalog: Catalog, principal: Principal) -> bytes:
        found.drawn += 1
        return await draw(request, catalog, principal)

    maps.draw = counted  # type: ignore[method-assign]
    try:
        yield found
    finally:
        await found.tiles.close()
        await tiles.close()
        await maps.close()


def pixels(body: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(body)).convert("RGBA")).astype(int)


async def whole(
    serving: Serving, grid: Grid, box: tuple[float, float, float, float], side: tuple[int, int]
) -> np.ndarray:
    """A map that is drawn in one piece."""
    shown = tuple(MapLayer(serving.catalog.layer(name, PUBLIC)) for name in LAYERS)
    request = MapRequest(shown, box, grid.crs.code, *side, transparent=True)
    return pixels(await serving.maps.draw(request, serving.catalog, PUBLIC))


@pytest.mark.parametrize("grid", GRIDS, ids=lambda grid: grid.id)
async def test_a_tile_is_the_map_of_its_box(town_database: Database, grid: Grid) -> None:
    """Every pixel of each tile is that of the sheet's map, in its place."""
    async with serving(town_database) as one:
        sheet, tiles = sheet_of(over(grid, *MIDDLE, 18))
        drawn = await whole(one, grid, sheet.box(), (1024, 1024))
        assert drawn[:, :, 3].any()
        for tile in tiles:
            try:
                cut = pixels((await one.tile(tile)).body)
            except TileOutOfRange:
                continue
            left, top = (tile.x - tiles[0].x) * 256, (tile.y - tiles[0].y) * 256
            assert np.array_equal(cut, drawn[top : top + 256, left : left + 256])


async def test_names_go_on_from_sheet_to_sheet(town_database: Database) -> None:
    """Across every seam of the town the tiles are what one large map shows; no name is cut."""
    async with serving(town_database) as one:
        first, last = over(WEB, town.WEST, town.SOUTH + 0.0034, 18), over(WEB, town.WEST + 0.0094, town.SOUTH, 18)
        columns, rows = range(first.x, last.x + 1), range(first.y, last.y + 1)
        patched = np.vstack([np.hstack([pixels((await one.tile(Tile(18, x, y))).body) for x in columns]) for y in rows])
        west, _, _, north = first.box()
        _, south, east, _ = last.box()
        large = await whole(one, WEB, (west, south, east, north), (patched.shape[1], patched.shape[0]))
    # Names at the rim of the large map may find another place: its neighbours lack what lies beyond it.
    inner = np.abs(patched - large).max(axis=2)[256:-256, 256:-256]
    assert np.count_nonzero(inner > 8) < 0.001 * inner.size


async def test_a_sheet_is_drawn_once_for_all_its_tiles(town_database: Database) -> None:
    async with serving(town_database) as one:
        _, tiles = sheet_of(over(WEB, *MIDDLE, 18))
        asked = await asyncio.gather(*(one.tile(tile) for tile in tiles), return_exceptions=True)
        assert any(isinstance(each, Picture) for each in asked)
        assert one.drawn == 1
        assert await one.tile(over(WEB, *MIDDLE, 18)) in asked
        assert one.drawn == 1


@pytest.mark.parametrize("grid", GRIDS, ids=lambda grid: grid.id)
async def test_an_edit_shows_and_what_it_does_not_touch_stays(own_town: Database, grid: Grid, tmp_path: Path) -> None:
    """Also in another process, which shares the files."""
    near, far = over(grid, *MIDDLE, 20), over(grid, *FAR, 20)
    async with serving(own_town, tmp_path) as one, serving(own_town, tmp_path) as other:
        before, kept = await one.tile(near, "buildings"), await one.tile(far, "buildings")
        assert (await other.tile(near, "buildings")).etag == before.etag
        assert other.drawn == 0
        await unheard(own_town, "b40")
        await edited(own_town, function="industrial", **{"class": "Building"})
        await asyncio.sleep(MOST_STALE_S)
        after = await one.tile(near, "buildings")
        assert after.etag == (await other.tile(near, "buildings")).etag != before.etag
        assert await one.tile(far, "buildings") == kept


async def test_each_reader_has_its_own(town_database: Database) -> None:
    async with serving(town_database) as one:
        tile = over(WEB, *MIDDLE, 18)
        everybody = await one.tile(tile, "buildings")
        few = await one.tile(tile, "buildings", principal=TOWNSHIP)
        assert pixels(few.body)[:, :, 3].sum() < pixels(everybody.body)[:, :, 3].sum()
        assert await one.tile(tile, "buildings") == everybody


async def test_beyond_the_layers_there_are_no_tiles(town_database: Database) -> None:
    async with serving(town_database) as one:
        with pytest.raises(TileOutOfRange, match="columns"):
            await one.tile(over(WEB, 100, 20, 18))
        assert one.drawn == 0
