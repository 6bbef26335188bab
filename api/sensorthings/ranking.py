"""/sensors/ranking: stations in order of rain, or of level against its reference."""

import re
from datetime import UTC, datetime, timedelta

from fastapi import Request, Response

from api.answers import json_answer
from api.documentation import described
from api.parameters import Parameter, Query, whole_number
from api.routing import PartRouter
from api.sensorthings.service import readable
from layers.view import parse_moment
from twin.sensing.odata.parser import read_duration
from twin.sensing.ranking import LONGEST, rank

HOURS = re.compile(r"(\d{1,2})h\Z")


def _window(text: str) -> timedelta:
    short = HOURS.match(text)
    found = timedelta(hours=int(short[1])) if short else read_duration(text)
    if not timedelta(0) < found <= LONGEST:
        raise ValueError(f"a time of at most {LONGEST.total_seconds() / 3600:g} hours is wanted, as 3h or PT3H")
    return found


KIND = Parameter[str]("kind", "Kind of datastreams: `rain`, `water_level`, `tide`, …", str, "rain", max_length=63)
WINDOW = Parameter[timedelta](
    "window", "Rain: summed over this; others: the change over this. As 1h, 24h or PT90M.", _window, timedelta(hours=1)
)
DATETIME = Parameter[str | None]("datetime", "The moment at which to look; now by default.", str, None)
LIMIT = Parameter[int]("limit", "At most this many.", whole_number(1, 1_000), 20)
STATION = {"datastream": 12, "thing": 9, "title": "上塘站", "name": "水位", "unit": "m", "value": 3.42,
           "time": "2025-09-12T15:00:00Z", "change": 0.6, "levels": {"warning": 2.9, "guaranteed": 3.8},
           "level": "warning", "above": 0.52, "passed": ["warning"], "datum": "1985国家高程基准",
           "place": {"type": "Point", "coordinates": [120.95, 28.1]}}  # fmt: skip
EXAMPLE = {"kind": "water_level", "window_h": 1.0, "at": "2025-09-12T15:02:00Z", "stations": [STATION]}

router = PartRouter(tags=["Sensors"])


@router.get("/sensors/ranking", **described("getRanking", KIND, WINDOW, DATETIME, LIMIT, example=EXAMPLE))
async def ranking(request: Request) -> Response:
    """Stations in order: by rain in a window, or by how far a level stands above its reference."""
    service, query = await readable(request), Query(request)
    kind, window, text, limit = query.take(KIND), query.take(WINDOW), query.take(DATETIME), query.take(LIMIT)
    query.finish()
    at = datetime.now(UTC) if text is None else parse_moment(text, service.zone)
    async with service.city.reading() as connection:
        stations = await rank(connection, kind, window, at, limit)
    return json_answer(
        {"kind": kind, "window_h": window.total_seconds() / 3600, "at": at.isoformat(), "stations": stations}
    )
