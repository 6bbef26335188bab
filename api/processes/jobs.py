"""/jobs: how runs go, what they gave, and dismissing them."""

import asyncio
import math
import mimetypes
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson
from fastapi import Request, Response
from fastapi.responses import FileResponse, StreamingResponse

from api.answers import LIVE, json_answer, language, preferred, wants_html
from api.cities import ServedCity
from api.documentation import described, page_or
from api.errors import NotFound, Unauthorized
from api.exchange import city, exchange
from api.links import HTML, JSON, link
from api.pages import city_title, page
from api.parameters import FORMAT, Parameter, Query, one_of
from api.processes.outcome import result_answer
from api.processes.pages import LIMIT, OFFSET, next_link
from api.routing import PartRouter
from api.views import DATETIME
from layers.access import Forbidden, Principal
from layers.view import parse_interval
from twin.scenarios.documents import MEDIA_TYPES, status_of
from twin.scenarios.record import folder_of
from twin.scenarios.runs import Run, dismiss, find_run, list_runs
from twin.scenarios.tables import read_table, told

EVENTS = "text/event-stream"
LOOK_EVERY_S, HEARTBEAT_S, LONGEST_S = 0.5, 15.0, 24 * 3600.0
FRAME = re.compile(r"(?P<role>[a-z][a-z0-9_]*)_(?P<number>\d{4})\.tif\Z", re.ASCII)
STATES = ("accepted", "running", "successful", "failed", "dismissed")
# A report may have styles and pictures in it; nothing in it runs, and nothing speaks in this server's name.
FILE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; sandbox allow-popups"


def _seconds(text: str) -> float:
    number = float(text) if len(text) < 20 else math.nan
    if not 0 <= number <= 1e9:
        raise ValueError("seconds are wanted")
    return number


def _words(text: str) -> list[str]:
    return text.split(",")


def _states(text: str) -> list[str]:
    return [one_of(*STATES)(each) for each in text.split(",")]


PROCESS = Parameter[list[str] | None]("processID", "Only jobs of these processes, commas between them.", _words, None)
STATE = Parameter[list[str] | None]("status", f"Only jobs in these states: {', '.join(STATES)}.", _states, None)
TYPE = Parameter[str | None]("type", "Kind of job; all are processes.", one_of("process"), None)
SHORTEST = Parameter[float | None]("minDuration", "Only jobs that have run so many seconds.", _seconds, None)
LONGEST = Parameter[float | None]("maxDuration", "Only jobs that have not run longer.", _seconds, None)
FORM = Parameter[str | None](
    "f", "json, csv or xlsx.", one_of(*MEDIA_TYPES), None, {"type": "string", "enum": list(MEDIA_TYPES)}
)
LISTED = (PROCESS, STATE, TYPE, DATETIME, SHORTEST, LONGEST, LIMIT, OFFSET)

router = PartRouter(tags=["Scenarios"])


@router.get("/jobs", **page_or(*LISTED, operation_id="getJobs"))
async def jobs(request: Request) -> Response:
    """Jobs that the token may know of, the newest first: its own, and what may be read of others'."""
    query, met = Query(request), exchange(request)
    html = wants_html(request, query.take(FORMAT))
    catalog = await city(request).catalog()
    text = query.take(DATETIME)
    created = None if text is None else parse_interval(text, catalog.zone)
    limit, offset = query.take(LIMIT), query.take(OFFSET)
    wanted: dict[str, Any] = {
        "scenarios": query.take(PROCESS),
        "states": query.take(STATE),
        "since": created and created.start,
        "until": created and created.end,
        "shortest_s": query.take(SHORTEST),
        "longest_s": query.take(LONGEST),
    }
    query.take(TYPE)
    query.finish()
    async with city(request).reading() as connection:
        found = await list_runs(connection, met.principal, **wanted, limit=limit + 1, offset=offset)
    links = [
        link("self", f"{met.base}/jobs?f=json", JSON, "This document"),
        link("alternate", f"{met.base}/jobs?f=html", HTML, "This document as a page"),
    ]
    if len(found) > limit:
        links.append(next_link(request, f"{met.base}/jobs", offset + limit, "Earlier jobs"))
    if html:
        cards = [
            {"href": f"{met.base}/jobs/{run.id}", "title": f"{run.scenario} · {run.state}", "text": str(run.created_at)}
            for run in found[:limit]
        ]
        heading = "任务" if language(request) == "zh" else "Jobs"
        title = await _city_title(request)
        return page(request, "cards.html", links=links, city_title=title, heading=heading, cards=cards)
    return json_answer({"jobs": [status_of(run, met.base) for run in found[:limit]], "links": links})


@router.get("/jobs/{job}", **page_or(operation_id="getJob"))
async def job(request: Request, job: str) -> Response:
    """How a job goes; with the inputs, versions and seed by which it can be repeated."""
    query = Query(request)
    html = wants_html(request, query.take(FORMAT))
    query.finish()
    run, base = await _run(request, job), exchange(request).base
    document = status_of(run, base)
    document["twin"]["log"] = run.log
    if html:
        shown = ("status", "message", "progress", "created", "started", "finished")
        facts = [(name, str(document[name])) for name in shown if name in document]
        facts += [(name, orjson.dumps(document["twin"][name]).decode()) for name in ("inputs", "indicators")]
        title = await _city_title(request)
        return page(
            request, "facts.html", links=document["links"], city_title=title, heading=run.scenario, facts=facts,
            text=str(run.id),
        )  # fmt: skip
    return json_answer(document)


@router.delete("/jobs/{job}", **described("dismissJob", kinds=(JSON,)))
async def dismiss_job(request: Request, job: str) -> Response:
    """End a job; one that has ended is removed with its results."""
    met = exchange(request)
    if met.principal.is_anonymous:
        raise Unauthorized("dismissing a job needs a token: send Authorization: Bearer TOKEN")
    run = await _run(request, job)
    if not run.owned_by(met.principal):
        raise Forbidden(f"job {run.id} is {run.principal}'s")
    async with city(request).database.writing() as connection:
        await dismiss(connection, run.id)
        return json_answer(status_of(await find_run(connection, run.id), met.base))


@router.get("/jobs/{job}/results", **described("getJobResults", kinds=(JSON,)))
async def results(request: Request, job: str) -> Response:
    """What a job gave: indicators, and where its layers, tables and files are."""
    query = Query(request)
    query.finish()
    return result_answer(await _run(request, job), exchange(request).base)


@router.get("/jobs/{job}/events", **described("streamJob", kinds=(EVENTS,)))
async def events(request: Request, job: str) -> StreamingResponse:
    """The status of a job as server-sent events, whenever it changes, until it is over."""
    query, met = Query(request), exchange(request)
    query.finish()
    await _run(request, job)
    met.allow(LONGEST_S)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    stream = _statuses(city(request), job, met.principal, met.base)
    return StreamingResponse(stream, headers=headers, media_type=EVENTS)


@router.get("/jobs/{job}/tables/{name}", **described("getJobTable", FORM, kinds=tuple(MEDIA_TYPES.values())))
async def table(request: Request, job: str, name: str) -> Response:
    """A table of a result as JSON, CSV or XLSX."""
    query = Query(request)
    offers = {form: (kind,) for form, kind in MEDIA_TYPES.items()}
    form: Any = query.take(FORM) or preferred(request, offers, "json")
    query.finish()
    run = await _run(request, job)
    if name not in (run.outcome or {}).get("tables", ()):
        raise NotFound(f"job {run.id} has no table {name[:60]!r}")
    file = folder_of(city(request).place.files, run.id).table(name)
    zone, said = (await city(request).catalog()).zone, language(request)
    body = await asyncio.to_thread(lambda: told(read_table(file), form, zone, said))
    headers = LIVE if form == "json" else LIVE | {"Content-Disposition": f'attachment; filename="{name}.{form}"'}
    return Response(body, 200, headers, MEDIA_TYPES[form])


@router.get("/jobs/{job}/files/{name}", **described("getJobFile", kinds=("*/*",)))
async def file(request: Request, job: str, name: str) -> Response:
    """A page or picture of a result; a frame of a raster layer as a GeoTIFF, `depth_0000.tif` the first."""
    query = Query(request)
    query.finish()
    run = await _run(request, job)
    place = _file(run.outcome or {}, name)
    path = folder_of(city(request).place.files, run.id).path / (place or "")
    if place is None or not path.is_file():
        raise NotFound(f"job {run.id} has no file {name[:60]!r}")
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return FileResponse(path, headers={**LIVE, "Content-Security-Policy": FILE_POLICY}, media_type=kind)


def _file(outcome: Mapping[str, Any], name: str) -> str | None:
    """Where a file of a result is in the run's folder: one that the scenario names, or a frame, `depth_0000.tif`."""
    found: str | None = outcome.get("files", {}).get(name)
    frame = FRAME.match(name)
    if found is None and frame is not None:
        frames = outcome.get("rasters", {}).get(frame["role"], ())
        found = next(iter(frames[int(frame["number"]) :][:1]), None)
    return found


async def _run(request: Request, job: str) -> Run:
    """Raises NoSuchRun."""
    async with city(request).reading() as connection:
        return await find_run(connection, job, exchange(request).principal)


async def _statuses(served: ServedCity, job: str, principal: Principal, base: str) -> AsyncIterator[bytes]:
    yield b"retry: 2000\n\n"
    last, silent_s = None, 0.0
    while True:
        async with served.reading() as connection:
            run = await find_run(connection, job, principal)
        if last != (run.state, run.updated_at):
            last, silent_s = (run.state, run.updated_at), 0.0
            yield b"event: status\ndata: " + orjson.dumps(status_of(run, base)) + b"\n\n"
        if run.is_over:
            return
        await asyncio.sleep(LOOK_EVERY_S)
        silent_s += LOOK_EVERY_S
        if silent_s >= HEARTBEAT_S:
            silent_s = 0.0
            yield b": still here\n\n"


async def _city_title(request: Request) -> str:
    title = city_title(await city(request).catalog())
    return title.zh if language(request) == "zh" else title.en
