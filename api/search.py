"""Search in one box: a name, address or code in Chinese or English, an id, or coordinates."""

import math
from typing import Any

from fastapi import Request, Response

from api.answers import Language, json_answer, language, said, wants_html
from api.city import extent
from api.documentation import page_or
from api.errors import BadRequest
from api.exchange import city, exchange
from api.links import GEOJSON
from api.pages import city_title, page
from api.parameters import FORMAT, Parameter, Query, whole_number
from api.routing import PartRouter
from api.views import BBOX, VIEW_PARAMETERS, as_text, parse_bbox, take_view
from layers.search import Asker, Hit, coordinates, search
from layers.search.candidates import EXACT

MAX_LIMIT = 50


def parse_position(text: str) -> tuple[float, float]:
    """longitude,latitude; raises ValueError."""
    try:
        longitude, latitude = (float(part) for part in text.split(","))
    except ValueError:
        longitude = latitude = math.nan
    if not (abs(longitude) <= 180 and abs(latitude) <= 90):
        raise ValueError("two numbers are wanted: longitude,latitude in degrees")
    return longitude, latitude


TEXT = Parameter[str | None](
    "q",
    "A name, an address, pinyin or its initials, a division code, an object's id, a source id, or coordinates: decimal,"
    " degrees with minutes and seconds, or metres of a CGCS2000 belt, in either order.",
    as_text,
    None,
    {"type": "string", "example": "第二中学"},
    max_length=200,
)
LIMIT = Parameter[int](
    "limit",
    "At most this many hits.",
    whole_number(1, MAX_LIMIT),
    10,
    {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": 10},
)
LAYER = Parameter[str | None](
    "layer", "Look only in this layer.", as_text, None, {"type": "string", "example": "facilities"}, max_length=63
)
NEAR = Parameter[tuple[float, float] | None](
    "near",
    "longitude,latitude: of what matches alike, the nearest comes first.",
    parse_position,
    None,
    {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2, "example": [120.95, 28.1]},
)
BOX = Parameter[tuple[float, ...] | None](
    "bbox",
    "Only what lies in this box: west,south,east,north in degrees.",
    parse_bbox,
    None,
    BBOX.schema,
)

router = PartRouter(tags=["Search"])


@router.get("/search", **page_or(TEXT, LIMIT, LAYER, NEAR, BOX, *VIEW_PARAMETERS, operation_id="search", kind=GEOJSON))
async def search_city(request: Request) -> Response:
    """Objects and places that a text names, the best match first; only what the token may see."""
    served, met, query = city(request), exchange(request), Query(request)
    html = wants_html(request, query.take(FORMAT))
    text, limit = (query.take(TEXT) or "").strip(), query.take(LIMIT)
    layer, near, box = query.take(LAYER), query.take(NEAR), query.take(BOX)
    catalog = await served.catalog()
    view = take_view(query, catalog)
    query.finish()
    if not text:
        raise BadRequest("q: say what to search for, e.g. ?q=school")
    spoken = language(request)
    places = coordinates(text, extent(catalog, met.principal), catalog.city.metric_srid)
    found = [_place(place) for place in places]
    async with served.reading() as connection:
        asker = Asker(connection, catalog, met.principal, view)
        hits = await search(asker, text, limit=limit, layer=layer, near=near, bbox=None if box is None else flat(box))
    found = [*found, *(_feature(hit, spoken) for hit in hits)][:limit]
    if html:
        title = said(city_title(catalog), spoken)
        return page(request, "search.html", links=[], city_title=title, text=text, features=found)
    return json_answer({"type": "FeatureCollection", "features": found}, media_type=GEOJSON)


def flat(box: tuple[float, ...]) -> tuple[float, float, float, float]:
    """The box without its heights."""
    half = len(box) // 2
    return box[0], box[1], box[half], box[half + 1]


def _feature(hit: Hit, spoken: Language) -> dict[str, Any]:
    name = (hit.name or hit.name_en) if spoken == "zh" else (hit.name_en or hit.name)
    zh, en = hit.township or (None, None)
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
            "matched": hit.matched,
            "township": (zh or en) if spoken == "zh" else (en or zh),
            "score": round(hit.score, 3),
        },
    }


def _place(place: tuple[float, float]) -> dict[str, Any]:
    lon, lat = place
    label = f"{abs(lat):.9g}°{'N' if lat >= 0 else 'S'}, {abs(lon):.9g}°{'E' if lon >= 0 else 'W'}"
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
            "matched": None,
            "township": None,
            "score": EXACT + 1,
        },
    }
