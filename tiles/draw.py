"""One layer's part of a tile, drawn by whatever answers best: its overviews or its objects."""

from dataclasses import replace

from cim_models.database import Connection
from tiles.drawn import Raw
from tiles.matrix import MARGIN, PIXELS, Box, Tile
from tiles.overview.level import pixel_side
from tiles.overview.recipe import CELL_PIXELS, TOP_ZOOM, WIDE
from tiles.overview.source import Source
from tiles.overview.tile import draw_overview, overviews_know
from tiles.statements import Statements
from tiles.vector import Request, are_few, draw_objects


async def draw(connection: Connection, request: Request, statements: Statements) -> Raw:
    """Draw a tile; `statements` keeps what may be used again.

    Raises LayerNotFound if the principal may not read the layer, FilterError for a filter that the layer cannot mean.
    """
    is_plain = request.view.is_now and request.filter is None and request.sees_all_rows
    kept = statements.of(request.layer) if is_plain else {}
    source = Source(request.layer, request.catalog)
    # A filter that leaves few objects is answered by just these. Of many, overviews show where all of them are, though
    # a quarter in the colour of what prevails there.
    if overviews_know(source, request) and (request.filter is None or not await are_few(connection, request)):
        return await draw_overview(connection, source, request, kept)
    raw = await draw_objects(connection, request, kept)
    # What others write into their own table is in no feed: what was drawn of it may be untrue in a moment.
    return raw if request.layer.published is None else replace(raw, settled=False)


def reach(tile: Tile) -> Box:
    """The box (EPSG:3857) in which a change may alter a tile: where it is drawn from overviews, whole cells."""
    if tile.zoom > TOP_ZOOM:
        return tile.web_box(MARGIN)
    if tile.grid.is_web:
        return tile.box((CELL_PIXELS + WIDE) / PIXELS)
    west, south, east, north = tile.web_box(MARGIN)
    wider = (CELL_PIXELS + WIDE) * pixel_side(tile.zoom)
    return west - wider, south - wider, east + wider, north + wider
