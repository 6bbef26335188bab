"""/sensors/pictures: what the made-up cameras of a city see."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response

from api.answers import LIVE
from api.documentation import described
from api.errors import BadRequest
from api.parameters import Parameter, Query
from api.sensorthings.service import readable
from layers.view import parse_interval
from twin.sensing.simulation.scene import draw_scene, read_scene

SVG = "image/svg+xml"
# Drawn here, and yet nothing in it may run, should somebody open it by itself.
TAMED = {**LIVE, "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
DATETIME = Parameter[str | None]("datetime", "The moment that is seen; now by default.", str, None)

router = APIRouter(tags=["Sensors"])


@router.get("/sensors/pictures/{name}", **described("getPicture", DATETIME, kinds=(SVG,), title="640 x 360"))
async def picture(request: Request, name: str) -> Response:
    """The picture of a made-up camera, named by its `properties.key`: the river at the level that its gauge told."""
    service, query = await readable(request), Query(request)
    text = query.take(DATETIME)
    query.finish()
    moment = datetime.now(UTC)
    if text is not None:
        span = parse_interval(text, service.zone)
        if not span.is_moment or span.start is None:
            raise BadRequest("datetime: a moment is wanted, such as 2025-09-12T06:00:00Z")
        moment = span.start
    async with service.city.reading() as connection:
        scene = await read_scene(connection, name, moment)
    return Response(draw_scene(scene, service.zone), 200, TAMED, SVG)
