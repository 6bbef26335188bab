"""/typhoons: where they are, where agencies expect them, and how near they come to the city."""

from datetime import UTC, datetime, timedelta

from fastapi import Request, Response

from api.answers import json_answer
from api.city import extent, view
from api.documentation import described
from api.errors import BadRequest
from api.exchange import exchange
from api.links import GEOJSON
from api.parameters import Parameter, Query
from api.routing import PartRouter
from api.sensorthings.bodies import json_body, parsed
from api.sensorthings.service import Service, readable, writable
from layers.view import parse_moment
from twin.sensing import BadEntity, EntityNotFound
from twin.sensing.approach import Place, features, summary
from twin.sensing.typhoons import (
    Typhoon,
    delete_typhoon,
    list_typhoons,
    load_typhoon,
    read_typhoon_csv,
    save_typhoon,
)

# Listed without being asked for: what was told of in these days.
RECENT = timedelta(days=5)
MAX_CSV = 2_000_000
DATETIME = Parameter[str | None](
    "datetime", "What was known at this moment; by default everything, of the last five days.", str, None
)
POINT = {"at": "2025-09-12T14:00:00+08:00", "lon": 121.6, "lat": 27.5, "wind_ms": 42, "pressure_hpa": 955,
         "grade": "STY", "radii": {"r7": [280, 260, 220, 240], "r10": [110, 100, 90, 100]}}  # fmt: skip
EXAMPLE = {
    "id": "2513",
    "name_zh": "示例",
    "name_en": "EXAMPLE",
    "points": [POINT],
    "forecasts": [
        {"agency": "CMA", "issued_at": "2025-09-12T14:00:00+08:00",
         "points": [{"at": "2025-09-12T20:00:00+08:00", "lon": 120.7, "lat": 28.2, "wind_ms": 38}]}
    ],
}  # fmt: skip
LISTED = {
    "typhoons": [
        {"id": "2513", "name": {"zh": "示例", "en": "EXAMPLE"}, "simulated": False, "source": None,
         "position": {"at": "2025-09-12T06:00:00Z", "lon": 121.6, "lat": 27.5, "distance_km": 93.4},
         "nearest": [{"agency": "CMA", "distance_km": 11.2, "at": "2025-09-12T11:15:00Z", "hours": 5.3}]}
    ]
}  # fmt: skip

router = PartRouter(tags=["Events"])


@router.get("/typhoons", **described("getTyphoons", DATETIME, example=LISTED))
async def typhoons(request: Request) -> Response:
    """Typhoons: where each is, how far from the city, and when each agency expects it nearest."""
    service, query = await readable(request), Query(request)
    text = query.take(DATETIME)
    query.finish()
    moment = None if text is None else parse_moment(text, service.zone)
    place = await _place(request, service)
    async with service.city.reading() as connection:
        found = await list_typhoons(connection, (moment or datetime.now(UTC)) - RECENT)
    known = [each if moment is None else each.until(moment) for each in found]
    return json_answer({"typhoons": [summary(each, place) for each in known if each is not None]})


@router.get("/typhoons/{number}", **described("getTyphoon", DATETIME, kinds=(GEOJSON,)))
async def typhoon(request: Request, number: str) -> Response:
    """A typhoon for the map: features with a `role` (track, position, wind, forecast, forecast_position)."""
    service, query = await readable(request), Query(request)
    text = query.take(DATETIME)
    query.finish()
    async with service.city.reading() as connection:
        found: Typhoon | None = await load_typhoon(connection, number)
    if text is not None and found is not None:
        found = found.until(parse_moment(text, service.zone))
    if found is None:
        raise EntityNotFound(f"nothing was known of typhoon {number} by then")
    place = await _place(request, service)
    document = {"type": "FeatureCollection", "features": features(found, place), "twin": summary(found, place)}
    return json_answer(document, media_type=GEOJSON)


@router.put("/typhoons/{number}", **described("putTyphoon", body=json_body(EXAMPLE), example=LISTED["typhoons"][0]))
async def put_typhoon(request: Request, number: str) -> Response:
    """Keep what is known of a typhoon, as JSON or CSV, in place of what was."""
    service = await writable(request)
    found = await _read(request, number, service)
    async with service.city.database.writing() as connection:
        await save_typhoon(connection, found, exchange(request).principal.name)
    return json_answer(summary(found, await _place(request, service)))


@router.delete("/typhoons/{number}", **described("deleteTyphoon", kinds=(), status=204))
async def forget_typhoon(request: Request, number: str) -> Response:
    """Forget a typhoon."""
    service = await writable(request)
    async with service.city.database.writing() as connection:
        await delete_typhoon(connection, number)
    return Response(status_code=204)


async def _read(request: Request, number: str, service: Service) -> Typhoon:
    body = await request.body()
    if request.headers.get("content-type", "").startswith("text/csv"):
        if len(body) > MAX_CSV or b"\0" in body:
            raise BadRequest(f"a CSV of at most {MAX_CSV:,} bytes without NUL is read")
        try:
            return read_typhoon_csv(body.decode("utf-8"), number, service.zone)
        except UnicodeDecodeError:
            raise BadRequest("the CSV is not UTF-8") from None
    found = parsed(Typhoon, body)
    if found.id != number:
        raise BadEntity(f"id: the document is of {found.id}, the address of {number[:40]}")
    return found


async def _place(request: Request, service: Service) -> Place:
    """The middle of the city."""
    catalog = await service.city.catalog()
    lon, lat = view(catalog, extent(catalog, exchange(request).principal))["center"]
    return float(lon), float(lat)
