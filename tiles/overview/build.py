"""Building overviews: cells from the top zoom down, a batch of them in one short transaction."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from sqlalchemy import func, literal, select

from cim_models.base import WEB_SRID
from cim_models.database import Connection
from layers.statement import compiled
from tiles.matrix import HALF_WORLD, Box
from tiles.overview.cells import cell_range, home
from tiles.overview.generalise import generalised
from tiles.overview.level import ROW_BITS, Ints, Level, parent
from tiles.overview.mass import Mass, mass
from tiles.overview.reading import lower_level, top_level
from tiles.overview.recipe import TOP_ZOOM
from tiles.overview.source import Source
from tiles.overview.writing import write_cells

# About 50,000 buildings of a dense city; short enough for the change feed, which waits for open transactions.
BATCH = 256
# A box of more cells than this is searched for those that hold anything.
NAMED_CELLS = 64
BUILT = """
    insert into overview_layer (layer, definition, built_at) values ($1, $2, now())
    on conflict (layer) do update set definition = excluded.definition, built_at = excluded.built_at
"""
STORED_CELLS = """
    select distinct cell_x, cell_y from {table}
    where layer = $1 and zoom = $2 and cell_x between $3 and $4 and cell_y between $5 and $6
"""
EVERYWHERE_BOX = (-HALF_WORLD, -HALF_WORLD, HALF_WORLD, HALF_WORLD)


async def build_layer(connections: Sequence[Connection], source: Source) -> None:
    """Build all overviews of a layer anew and note that they stand; each connection takes a part of the work."""
    cells = await touched_cells(connections[0], source, [EVERYWHERE_BOX])
    await build_cells(connections, source, cells)
    await connections[0].execute(BUILT, source.layer.id, source.definition)


async def build_cells(connections: Sequence[Connection], source: Source, cells: Ints) -> None:
    """Build cells of the top zoom anew, and all coarser cells that they lie in.

    With two connections the database reads and writes for one batch while another is generalised here.
    """
    for zoom in range(TOP_ZOOM, source.layer.min_zoom - 1, -1):
        batches = _batches(cells)
        try:
            async with asyncio.TaskGroup() as group:
                for connection in connections:
                    group.create_task(_build_batches(connection, source, zoom, batches))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        cells = np.unique(parent(cells))


async def _build_batches(connection: Connection, source: Source, zoom: int, batches: Iterator[Ints]) -> None:
    for batch in batches:
        # One view of the city for a batch, so that an object's row is there to be asked for its properties.
        async with connection.transaction(isolation="repeatable_read"):
            if zoom == TOP_ZOOM:
                level = await top_level(connection, source, batch)
            else:
                level = await lower_level(connection, source, zoom, batch)
            level, masses = await asyncio.to_thread(_drawn, level, source)
            await write_cells(connection, source, level, masses, batch)


async def touched_cells(connection: Connection, source: Source, boxes: Iterable[Box]) -> Ints:
    """The cells of the top zoom whose content may have changed where boxes (EPSG:3857) did."""
    found: list[Ints] = []
    wide: list[Box] = []
    for box in boxes:
        x0, y0, x1, y1 = cell_range(box, TOP_ZOOM)
        if (x1 - x0 + 1) * (y1 - y0 + 1) <= NAMED_CELLS:
            x, y = np.meshgrid(np.arange(x0, x1 + 1), np.arange(y0, y1 + 1))
            found.append((y.ravel() << ROW_BITS) | x.ravel())
        else:
            wide.append(box)
    for box in wide:
        found.append(await _cells_with_objects(connection, source, box))
        found.append(await _stored_cells(connection, source, box))
    return np.unique(np.concatenate([*found, np.zeros(0, np.int64)]))


async def _cells_with_objects(connection: Connection, source: Source, box: Box) -> Ints:
    """The homes of the objects in a box."""
    web = source.table.c.geom_web
    envelope = func.ST_MakeEnvelope(*map(literal, box), WEB_SRID)
    cell = home(source.table, TOP_ZOOM).label("cell")
    statement = compiled(select(cell).where(web.op("&&")(envelope), *source.believed()).distinct())
    rows = await connection.fetch(statement.sql, *statement.arguments)
    return np.array([row["cell"] for row in rows], dtype=np.int64)


async def _stored_cells(connection: Connection, source: Source, box: Box) -> Ints:
    """The cells in a box that hold something now, perhaps for the last time."""
    x0, y0, x1, y1 = cell_range(box, TOP_ZOOM)
    arguments = (source.layer.id, TOP_ZOOM, x0, x1, y0, y1)
    tables = ("overview", "overview_coverage")
    rows = [row for table in tables for row in await connection.fetch(STORED_CELLS.format(table=table), *arguments)]
    return np.array([(row["cell_y"] << ROW_BITS) | row["cell_x"] for row in rows], dtype=np.int64)


def _drawn(level: Level, source: Source) -> tuple[Level, Mass]:
    level = generalised(level, source.recipe, time.time_ns() // 1000)
    return level, mass(level)


def _batches(cells: Ints) -> Iterator[Ints]:
    """Some hundred cells at a time, in their rows' order, so that a batch lies together."""
    for first in range(0, len(cells), BATCH):
        yield cells[first : first + BATCH]
