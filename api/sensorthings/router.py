"""Routes of the SensorThings API; every address below its root is read by the service itself."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any

import orjson
from fastapi import Request, Response

from api.answers import LIVE
from api.errors import MethodNotAllowed, NotFound
from api.routing import PartRouter
from api.sensorthings import by_hand, events, latest, pictures, ranking, rules, series, signals, stream, typhoons
from api.sensorthings.arrays import create_observations
from api.sensorthings.batch import Do, answer_batch
from api.sensorthings.call import Answer, Call
from api.sensorthings.reads import read
from api.sensorthings.root import front_page
from api.sensorthings.service import VERSIONS, Service, readable, writable
from api.sensorthings.writes import write, writing
from twin.sensing import BadEntity

router = PartRouter(tags=["SensorThings"])
# First: the addresses of their own would be taken for versions of the standard's.
for beside in (latest, ranking, signals, series, by_hand, pictures, stream, events, rules, typhoons):
    router.include_router(beside.router)
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


@router.get("/sensors/{version}", include_in_schema=False)
async def root(request: Request, version: str) -> Response:
    """The service's front page."""
    service = await readable(request)
    _refuse_unknown(version)
    return _response(Answer(body=front_page(service.base, request.app.state.settings.mqtt_public_url)))


@router.api_route("/sensors/{version}/{path:path}", methods=METHODS, include_in_schema=False)
async def resource(request: Request, version: str, path: str) -> Response:
    """Whatever is at an address below the root."""
    service = await readable(request)
    _refuse_unknown(version)
    if not path:
        if request.method != "GET":
            raise MethodNotAllowed("the front page is only read", allowed="GET, HEAD")
        return _response(Answer(body=front_page(service.base, request.app.state.settings.mqtt_public_url)))
    query = request.scope["query_string"].decode("ascii", "replace")
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    call = Call(request.method, path, query, await request.body(), media_type)
    if path == "$batch":
        _only_post(call)
        together = partial(_together, request)
        answered = await answer_batch(call, lambda each: _answer(request, service, each), together)
    else:
        answered = await _answer(request, service, call)
    return _response(answered, call.assumed(service.zone))


async def _answer(request: Request, service: Service, call: Call) -> Answer:
    """What a call comes to, alone or in a batch."""
    if call.path == "CreateObservations":
        _only_post(call)
        await writable(request)
        return await create_observations(service, call)
    if call.method == "GET":
        return await read(service, call)
    await writable(request)
    if call.path == "$batch":
        raise MethodNotAllowed("a batch holds no batch", allowed="GET")
    return await write(service, call)


@asynccontextmanager
async def _together(request: Request) -> AsyncIterator[Do]:
    """What does the calls of a batch that are one change. Raises BadEntity for what is none."""
    service = await writable(request)
    async with writing(service) as connection:
        inside = replace(service, connection=connection)

        async def change(call: Call) -> Answer:
            if call.method == "GET" or call.path in ("$batch", "CreateObservations"):
                raise BadEntity("atomicityGroup: only what is created, changed and deleted by itself is so together")
            return await write(inside, call)

        yield change


def _only_post(call: Call) -> None:
    if call.method != "POST":
        raise MethodNotAllowed(f"{call.path} is posted to", allowed="POST")


def _refuse_unknown(version: str) -> None:
    if version not in VERSIONS:
        raise NotFound(f"no version {version[:40]!r} of SensorThings; there is {VERSIONS[0]}")


def _response(answered: Answer, more: Mapping[str, str] = MappingProxyType({})) -> Response:
    body: Any = answered.body
    if body is not None and not isinstance(body, bytes):
        body = orjson.dumps(body)
    headers = {**LIVE, **answered.headers, **more}
    media_type = None if body is None else answered.media_type
    return Response(body, answered.status, headers, media_type)
