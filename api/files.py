"""A selection of a layer as a file: laid down whole, then handed out at the client's pace."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, BinaryIO
from weakref import WeakKeyDictionary

from fastapi import Request, Response
from starlette.responses import StreamingResponse

from api.answers import LIVE, preferred
from api.cities import ServedCity
from api.crs import content_crs
from api.exchange import Exchange, city, exchange
from api.links import GEOJSON, HTML, Link, header
from api.parameters import Parameter, one_of
from api.selections import Wanted
from layers.catalog import Catalog
from layers.crs import CRS84
from layers.formats.write import FORMATS, FileFormat, spool_geojson, spool_rows
from twin.settings import Settings

# A file of millions of objects takes minutes; a client that takes no part of it for a minute has gone.
WRITING_S = 600.0
PAUSE_S = 60.0
WAIT_S = 10.0
CHUNK = 256 * 1024
ACCEPTED = {"json": (GEOJSON, "application/json", "*/*"), "html": (HTML, "application/xhtml+xml")} | {
    each.name: (each.media_type,) for each in FORMATS.values() if each.media_type != GEOJSON
}
NAMES = ("json", "html", *FORMATS)
ITEM_FORMAT = Parameter[str | None](
    "f",
    "Format of the answer; by default what the Accept header asks for. All but json and html are files that hold the"
    " whole selection unless a limit is given, their coordinates x (east) before y (north); gml has the CRS's order.",
    one_of(*NAMES),
    None,
    {"type": "string", "enum": list(NAMES)},
)


def format_of(request: Request, given: str | None) -> str:
    """The format to answer in: `f` decides, then the Accept header; GeoJSON for programs that name none."""
    return given if given is not None else preferred(request, ACCEPTED, "json")


async def file_answer(
    request: Request, catalog: Catalog, wanted: Wanted, form: FileFormat, *, limit: int | None, links: list[Link]
) -> Response:
    """The selection as a file. Raises TooMuch, TimeoutError when too many files are being written already."""
    met = exchange(request)
    async with place_to_write(request):
        folder = Path(tempfile.mkdtemp(prefix="citytwin-"))
        try:
            file = await _laid_down(request, catalog, wanted, form, folder=folder, limit=limit)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    size = file.seek(0, 2)
    name = f"{wanted.selection.layer.id}{form.suffix}"
    headers = {
        **LIVE,
        **content_crs(CRS84 if form.degrees else wanted.telling.crs),
        "Content-Length": str(size),
        "Content-Disposition": f'attachment; filename="{name}"',
        "Link": header(links),
    }
    charset = "; charset=utf-8" if form.media_type.startswith("text/") else ""
    return StreamingResponse(handed_out(file, met), 200, headers, form.media_type + charset)


@asynccontextmanager
async def place_to_write(request: Request) -> AsyncIterator[None]:
    """The right to read a whole selection from the database; TimeoutError when too many do already."""
    places = _places(city(request), request.app.state.settings)
    async with asyncio.timeout(WAIT_S):
        await places.acquire()
    try:
        exchange(request).allow(WRITING_S)
        yield
    finally:
        places.release()


# Of each city, how many files more may be written at once.
PLACES: WeakKeyDictionary[ServedCity, asyncio.Semaphore] = WeakKeyDictionary()


def _places(served: ServedCity, settings: Settings) -> asyncio.Semaphore:
    """However many files are asked for, other requests find a connection."""
    return PLACES.setdefault(served, asyncio.Semaphore(max(1, settings.connections // 4)))


async def _laid_down(
    request: Request, catalog: Catalog, wanted: Wanted, form: FileFormat, *, folder: Path, limit: int | None
) -> BinaryIO:
    principal = exchange(request).principal
    target = folder / f"file{form.suffix}"
    if form.write is None:
        with target.open("wb") as file:
            async with city(request).reading() as connection:
                await spool_geojson(
                    connection, wanted.selection, catalog, principal, file,
                    sorts=wanted.sorts, telling=wanted.telling, limit=limit,
                )  # fmt: skip
        return target.open("rb")
    async with city(request).reading() as connection:
        spool = await spool_rows(
            connection, wanted.selection, catalog, principal, folder / "rows.arrow",
            sorts=wanted.sorts, telling=wanted.telling, limit=limit,
        )  # fmt: skip
    await asyncio.to_thread(form.write, spool, target)
    # Its folder goes now; the open file stays readable.
    return target.open("rb")


async def handed_out(file: IO[bytes], met: Exchange) -> AsyncIterator[bytes]:
    """A file's bytes at the client's pace; it is closed in the end."""
    with file:
        file.seek(0)
        while chunk := await asyncio.to_thread(file.read, CHUNK):
            met.allow(PAUSE_S)
            yield chunk
