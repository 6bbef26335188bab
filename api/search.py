"""Search in one box: a name in Chinese or English, an id, or coordinates."""

from typing import Any

from fastapi import APIRouter, Request, Response

from api.answers import Language, json_answer, language, said, wants_html
from api.city import extent
from api.documentation import page_or
from api.errors import BadRequest
from api.exchange import city, exchange
from api.links import GEOJSON
from api.pages import city_title, page
from api.parameters import FORMAT, Parameter, Query, whole_number
from api.views import VIEW_PARAMETERS, as_text, take_view
from layers.search import EXACT, Hit, coordinates, search

MAX_LIMIT = 50
TEXT = Parameter[str | None](
    "q", "A name, an object's id, a source id, or longitude,latitude.", as_text, None, max_length=200
)
LIMIT = Parameter[int](
    "limit",
    "At most this many hits.",
    whole_number(1, MAX_LIMIT),
    10,
    {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": 10},
)

router = APIRouter(tags=["Search"])


@router.get("/search", **page_or(TEXT, LIMIT, *VIEW_PARAMETERS, operation_id="search", kind=GEOJSON))
async def search_city(request: Request) -> Response:
    """Objects and places that a text names, the closest first."""
    served, met, query = city(request), exchange(request), Query(request)
    html = wants_html(request, query.take(FORMAT))
    text, limit = (query.take(TEXT) or "").strip(), query.take(LIMIT)
    catalog = await served.catalog()
    view = take_view(query, catalog)
    query.finish()
    if not text:
        raise BadRequest("q: say what to search for, e.g. ?q=school")
    spoken = language(request)
    found = [_place(place) for place in coordinates(text, extent(catalog, met.principal))]
    async with served.reading() as connection:
        hits = await search(connection, text, catalog, met.principal, limit=limit, view=view)
    found = [*found, *(_feature(hit, spoken) for hit in hits)][:limit]
    if html:
        title = said(city_title(catalog), spoken)
        return page(request, "search.html", links=[], city_title=title, text=text, features=found)
    return json_answer({"type": "FeatureCollection", "features": found}, media_type=GEOJSON)


def _feature(hit: Hit, spoken: Language) -> dict[str, Any]:
    name = (hit.name or hit.name_en) if spoken == "zh" else (hit.name_en or hit.name)
    return {
        "type": "Feature",
        "id": f"{hit.layer.id}/{hit.object_id}",
        "geometry": {"type": "Point", "coordinates": hit.point},
        "bbox": hit.bbox,
        "properties": {
            "layer": hit.layer.id,
            "object_id": hit.object_id,
            "name": hit.name or hit.name_en,
            "label": name or f"{said(hit.layer.title, spoken)} {hit.uid or hit.object_id}",
            "class": hit.kind,
            "score": round(hit.score, 3),
        },
    }


def _place(place: tuple[float, float]) -> dict[str, Any]:
    lon, lat = place
    label = f"{abs(lat):g}°{'N' if lat >= 0 else 'S'}, {abs(lon):g}°{'E' if lon >= 0 else 'W'}"
    return {
        "type": "Feature",
        "id": f"{lon},{lat}",
        "geometry": {"type": "Point", "coordinates": place},
        "properties": {
            "layer": None,
            "object_id": None,
            "name": None,
            "label": label,
            "class": "Coordinates",
            "score": EXACT + 1,
        },
    }
