"""Coverages: the frames of a raster layer in time, and which of them a moment shows."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from asyncpg import Record
from sqlalchemy import select

from cim_models.database import Connection
from layers.access import Principal
from layers.catalog import Catalog, Layer
from layers.query import belonging, known, objects
from layers.statement import compiled
from layers.view import NOW, Interval, View


@dataclass(frozen=True)
class Frame:
    """Cells of one moment; time None is a state without time. band: counted from 1. unit: UCUM."""

    time: datetime | None
    path: Path
    band: int
    variable: str
    unit: str
    vertical_datum: str


async def read_frames(
    connection: Connection, layer: Layer, catalog: Catalog, principal: Principal, *, folder: Path, view: View = NOW
) -> tuple[Frame, ...]:
    """All frames of a raster layer that `principal` may see, the earliest first, whatever moment the view is of.

    folder: the city's. Raises LayerNotFound.
    """
    layer = catalog.layer(layer.id, principal)
    table = objects(layer, catalog)
    mine = belonging(table, layer, catalog.grant(layer, principal), catalog)
    found = select().select_from(table).where(known(table, view), table.c.plan_id.is_(None), *mine)
    columns = [table.c[name] for name in ("valid_from", "path", "band", "variable", "unit", "vertical_datum")]
    statement = compiled(found.add_columns(*columns).order_by(table.c.valid_from.nulls_first()))
    found_rows = await connection.fetch(statement.sql, *statement.arguments)
    return tuple(_frames(folder, found_rows))


def frame_at(frames: Sequence[Frame], span: Interval | None, now: datetime) -> Frame | None:
    """The frame that a moment shows, by `state_at`; None of no frames."""
    if len(frames) < 2:
        return frames[0] if frames else None
    return frames[state_at([frame.time for frame in frames if frame.time], span, now)]


def state_at(times: Sequence[datetime], span: Interval | None, now: datetime) -> int:
    """Which of several states, by the moments at which they begin, is shown: the last one until then.

    Before all of them it is the first, and the last one goes on: a result is shown at the nearest moment that it
    tells of. span: of which the end counts, None is `now`.
    """
    moment = now if span is None else span.end
    return len(times) - 1 if moment is None else max(bisect_right(times, moment) - 1, 0)


def _frames(folder: Path, found: Sequence[Record]) -> Iterator[Frame]:
    """Whoever wrote a row, no file but the city's own is named."""
    home = folder.resolve()
    for row in found:
        path = (home / row["path"]).resolve()
        if path.is_relative_to(home):
            told = row["variable"], row["unit"], row["vertical_datum"]
            yield Frame(row["valid_from"], path, row["band"], *told)
