"""/photos: pictures of water that was seen, uploaded to be named by a run's inputs."""

import asyncio

from fastapi import Request, Response

from api.answers import LIVE, json_answer
from api.documentation import described
from api.errors import Unauthorized, UnsupportedMediaType
from api.exchange import city, exchange
from api.parameters import Query
from api.routing import PartRouter
from layers.access import Forbidden
from twin.scenarios.photos import keep_photo, read_photo

JPEG = "image/jpeg"
KINDS = (JPEG, "image/png", "image/webp", "application/octet-stream")
# A picture alone: nothing in it may run, should somebody open it by itself.
TAMED = {**LIVE, "Content-Security-Policy": "default-src 'none'; sandbox"}
BODY = {"required": True, "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in KINDS}}
KEPT = {
    "photo": "photos/2f6e0d0e-9c1e-4f0e-8f0b-5d2f3a7c1b90",
    "width": 1600,
    "height": 1200,
    "place": {"type": "Point", "coordinates": [120.95, 28.1]},
    "time": "2025-09-12T14:05:00+08:00",
}

router = PartRouter(tags=["Scenarios"])


@router.post("/photos", **described("uploadPhoto", status=201, title="Its name", body=BODY, example=KEPT))
async def upload_photo(request: Request) -> Response:
    """Upload a photo (JPEG, PNG, WebP) for the inputs of a run, as of `seen` of a flood; the answer has its name.

    It is kept as a JPEG of at most 1600 pixels without anything that the camera wrote beside it. The place and time
    among that are told in the answer, null where there are none, and kept nowhere. A photo that no run shows is removed
    after a day.
    """
    principal, query = exchange(request).principal, Query(request)
    if principal.is_anonymous:
        raise Unauthorized("uploading a photo needs a token: send Authorization: Bearer TOKEN")
    served = city(request)
    catalog = await served.catalog()
    if not catalog.policy.may(principal, "run"):
        raise Forbidden(f"{principal.name} may run nothing here, and photos are for runs")
    query.finish()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in KINDS:
        raise UnsupportedMediaType(f"Content-Type {kind or 'missing'}: send {', '.join(KINDS)}")
    from twin.scenarios.pictures import prepare

    body, zone = await request.body(), catalog.zone
    photo = await asyncio.to_thread(lambda: prepare(body, zone))
    async with served.database.writing() as connection:
        name = await keep_photo(connection, photo.body, principal)
    told = {
        "photo": name,
        "width": photo.width,
        "height": photo.height,
        "place": None if photo.place is None else {"type": "Point", "coordinates": list(photo.place)},
        "time": None if photo.time is None else photo.time.isoformat(),
    }
    return json_answer(told, status=201, headers={"Location": f"{exchange(request).base}/{name}"})


@router.get("/photos/{photo}", **described("getPhoto", kinds=(JPEG,), title="At most 1600 pixels long"))
async def get_photo(request: Request, photo: str) -> Response:
    """An uploaded photo, for who uploaded it and for who may read a run that shows it."""
    query = Query(request)
    query.finish()
    # Not from a replica, which may not know of it yet.
    async with city(request).database.writing() as connection:
        body = await read_photo(connection, f"photos/{photo}", exchange(request).principal)
    return Response(body, 200, TAMED, JPEG)
