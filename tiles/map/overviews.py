"""Which overviews may be drawn from just now: those that are built by today's definition and lack no edit."""

from collections.abc import Collection

from cim_models.database import Connection
from layers.catalog import Catalog, Layer
from tiles.matrix import HALF_WORLD, Box
from tiles.overview.cells import cell_range
from tiles.overview.recipe import CONSUMER
from tiles.overview.source import Source

STATE = """
    select l.layer, l.definition
    from overview_layer l
    where l.layer = any($1) and exists (select from change_consumer where name = $2)
      and not exists (
        select from overview_coverage o
        where o.layer = l.layer and o.zoom = $3 and o.cell_x between $4 and $6 and o.cell_y between $5 and $7
          and (o.exact_from is not null or o.exact_to is not null) and (o.exact_from > now() or o.exact_to <= now()))
"""
PENDING = """
    select distinct c."table" from change c, change_consumer k
    where k.name = $1 and (c.xid, c.seq) > (k.xid, k.seq) and c.plan_id is null
"""


async def known_overviews(
    connection: Connection, layers: Collection[Layer], catalog: Catalog, zoom: int, box: Box
) -> set[str]:
    """The layers whose overviews of a zoom show a box (EPSG:3857) of the city as it is."""
    sources = {layer.id: Source(layer, catalog) for layer in layers}
    wanted = [name for name, source in sources.items() if source.has_overviews]
    if not wanted:
        return set()
    found = await connection.fetch(STATE, wanted, CONSUMER, zoom, *cell_range(box, zoom))
    pending = {row["table"] for row in await connection.fetch(PENDING, CONSUMER)}
    return {
        row["layer"]
        for row in found
        if row["definition"] == sources[row["layer"]].definition
        and sources[row["layer"]].layer.theme.table not in pending
    }


def tiles_of(box: Box, zoom: int) -> tuple[int, int, int, int]:
    """The first and last column and row (x0, y0, x1, y1) of the web's tiles that a box (EPSG:3857) touches."""
    last = (1 << zoom) - 1
    side = 2 * HALF_WORLD / (1 << zoom)
    west, south, east, north = box
    x0, x1 = (max(0, min(last, int((x + HALF_WORLD) // side))) for x in (west, east))
    y0, y1 = (max(0, min(last, int((HALF_WORLD - y) // side))) for y in (north, south))
    return x0, y0, x1, y1
