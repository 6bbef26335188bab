"""The server: every part wired together into one ASGI application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp

from api import (
    city,
    collections,
    coverage,
    edits,
    features,
    geocode,
    health,
    landing,
    maps,
    matrices,
    parking,
    remote,
    schemas,
    search,
    statistics,
    styles,
    terrain,
    tiles,
    tilesets,
    traffic,
    travel_times,
    trip_users,
    viewer,
)
from api.answers import qualities
from api.cities import Cities, CityDirectory
from api.errors import problem_of
from api.exchange import exchange
from api.gateway import Gateway, Routes
from api.links import JSON
from api.problem import MEDIA_TYPE
from api.processes import execution, jobs, photos
from api.sensorthings import router as sensorthings
from api.sensorthings.quick import ObservationRoute
from api.ways_ahead import build_ways
from api.wfs import router as wfs
from api.wms import router as wms
from api.wmts import router as wmts
from twin import logs
from twin.directory import Directory
from twin.settings import Settings

# Documents below this gain nothing; the fastest level already takes three quarters off GeoJSON.
COMPRESSED_FROM = 1_024
COMPRESSION_LEVEL = 1
READABLE_HEADERS = ("Link", "Content-Crs", "ETag", "X-Request-Id")
LOG = structlog.get_logger()


def create_app(settings: Settings, directory: CityDirectory | None = None) -> ASGIApp:
    """The server for the cities of `directory`, by default those that the settings name."""
    logs.set_up(settings)
    cities = Cities(directory or Directory(settings.database_url, settings.data, settings.cities), settings)
    app = _routes(settings, cities)
    served: ASGIApp = GZipMiddleware(app, minimum_size=COMPRESSED_FROM, compresslevel=COMPRESSION_LEVEL)
    served = ObservationRoute(tiles.TileRoute(Routes(served, settings.request_timeout)))
    served = Gateway(served, cities, settings)
    if settings.cors_origins:
        # Pages of other sites may read, never write: and there is no cookie that could speak for a user.
        served = CORSMiddleware(
            served,
            allow_origins=settings.cors_origins,
            allow_methods=("GET", "HEAD"),
            allow_headers=("Authorization",),
            expose_headers=READABLE_HEADERS,
        )
    return served


def _routes(settings: Settings, cities: Cities) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        ahead = asyncio.create_task(build_ways(cities)) if settings.ways_ahead else None
        yield
        if ahead is not None:
            ahead.cancel()
            await asyncio.wait([ahead])
        await app.state.remote.close()
        await cities.close()

    app = FastAPI(
        openapi_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        exception_handlers={
            Exception: _refuse,
            HTTPException: _refuse,
            RequestValidationError: _refuse,
        },
    )
    app.state.settings = settings
    app.state.cities = cities
    app.state.remote = remote.open_remote(settings)
    for module in (
        landing,
        city,
        collections,
        schemas,
        features,
        edits,
        matrices,
        tilesets,
        maps,
        terrain,
        coverage,
        search,
        geocode,
        statistics,
        styles,
        wms,
        wmts,
        wfs,
        remote,
        sensorthings,
        execution,
        jobs,
        photos,
        traffic,
        travel_times,
        trip_users,
        parking,
        health,
    ):
        app.include_router(module.router)
    viewer.mount(app, settings)
    return app


async def _refuse(request: Request, error: Exception) -> Response:
    """Every refusal is a problem document, whoever raised it."""
    met = exchange(request)
    problem = problem_of(error)
    body = problem.document(met.path, met.request_id)
    # Who takes plain JSON and nothing else gets the same document under that name, as the OGC's suites want it.
    accepted = qualities(request.headers.get("accept", ""))
    kind = JSON if JSON in accepted and accepted.keys().isdisjoint((MEDIA_TYPE, "application/*", "*/*")) else MEDIA_TYPE
    return Response(body, problem.status, {"Cache-Control": "no-store", **problem.headers}, kind)
