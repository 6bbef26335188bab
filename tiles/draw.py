"""One layer's part of a tile, drawn by whatever answers best: its overviews or its objects."""

from dataclasses import dataclass

from cim_models.database import Connection
from layers.access import Principal
from layers.catalog import Catalog, Layer
from layers.filters import Filter
from layers.query import Selection
from layers.view import View
from tiles.drawn import Raw
from tiles.matrix import MARGIN, PIXELS, Box, Tile
from tiles.overview.recipe import CELL_PIXELS, TOP_ZOOM, WIDE
from tiles.overview.source import Source
from tiles.overview.tile import draw_overview, overviews_know
from tiles.vector import are_few, draw_objects


@dataclass(frozen=True)
class Request:
    """One layer's tile as someone may see it."""

    catalog: Catalog
    layer: Layer
    tile: Tile
    view: View
    filter: Filter | None
    principal: Principal

    @property
    def selection(self) -> Selection:
        return Selection(self.layer, self.view, self.filter)


async def draw(connection: Connection, request: Request) -> Raw:
    """Draw a tile.

    Raises LayerNotFound if the principal may not read the layer, FilterError for a filter that the layer cannot mean.
    """
    source = Source(request.layer, request.catalog)
    wanted = request.selection, request.tile, request.catalog, request.principal
    # A filter that leaves few objects is answered by just these. Of many, overviews show where all of them are, though
    # a quarter in the colour of what prevails there.
    if overviews_know(source, request.selection, request.tile.z, request.principal) and (
        request.filter is None or not await are_few(connection, *wanted)
    ):
        return await draw_overview(connection, source, request.selection, request.tile, request.principal)
    return await draw_objects(connection, *wanted)


def reach(tile: Tile) -> Box:
    """The box (EPSG:3857) in which a change may alter a tile: where it is drawn from overviews, whole cells."""
    if tile.z > TOP_ZOOM:
        return tile.box(MARGIN)
    return tile.box((CELL_PIXELS + WIDE) / PIXELS)
