"""Whose trips use a link of a traffic run: from where to where, and by which ways."""

import re

from fastapi import Request, Response

from api.answers import json_answer
from api.documentation import described
from api.errors import BadRequest
from api.exchange import city, exchange
from api.links import GEOJSON
from api.parameters import Parameter, Query, whole_number
from api.routing import PartRouter
from api.traffic import RUN, as_degrees, transformers
from api.views import DATETIME

MOST_LINES, MAX_LIMIT = 20_000, 1_000
LINK = re.compile(r"(-?\d{1,18})-(\d{1,4})")


def parse_link(text: str) -> tuple[int, int]:
    """A road's id and the place of the link among the road's links; raises ValueError."""
    found = LINK.fullmatch(text)
    if found is None:
        raise ValueError("the uid of a link is wanted, as the layers of the run have it, such as 14078-0")
    return int(found[1]), int(found[2])


ASKED_LINK = Parameter[tuple[int, int] | None](
    "link",
    "Which link of the run: its uid in the run's layers of traffic.",
    parse_link,
    None,
    {"type": "string", "example": "14078-0"},
    max_length=30,
)
LIMIT = Parameter[int](
    "limit",
    "At most this many pairs of zones, those with most trips first.",
    whole_number(1, MAX_LIMIT),
    50,
    {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": 50},
)
EXAMPLE = {
    "type": "FeatureCollection",
    "volume": 412.0,
    "pairs": [{"origin": "海晏村", "destination": "老城社区", "volume": 61.5}],
    "features": [
        {
            "type": "Feature",
            "geometry": {"type": "LineString", "coordinates": [[120.95, 28.1], [120.96, 28.1]]},
            "properties": {"volume": 412.0},
        }
    ],
}

router = PartRouter(tags=["Ways"])


@router.get(
    "/traffic/users", **described("getTripUsers", RUN, ASKED_LINK, DATETIME, LIMIT, kinds=(GEOJSON,), example=EXAMPLE)
)
async def trip_users(request: Request) -> Response:
    """Who drives over a link in a traffic run: pairs of zones, and the ways of these trips as lines with their pcu/h.

    Path flows at equilibrium are one of many sets with the same flows of links. `datetime` tells the state, the first
    one by default; `volume` is that of the link.
    """
    query = Query(request)
    run, link, moment, limit = query.take(RUN), query.take(ASKED_LINK), query.take(DATETIME), query.take(LIMIT)
    query.finish()
    if run is None or link is None:
        raise BadRequest("run, link: name a traffic run and a link of it, e.g. ?run=...&link=14078-0")
    from twin.traffic.scenario.trip_paths import users_of

    networks = city(request).ways
    met = await networks.conditions(None, run, moment, exchange(request).principal)
    assert met is not None  # a run was named
    found = await networks.work(lambda: users_of(met.record, *link, met.moment))
    _, back = transformers(city(request).database.city.metric_srid)
    most = sorted(range(len(found.lines)), key=lambda n: -found.flows[n])[:MOST_LINES]
    features = [
        {
            "type": "Feature",
            "geometry": as_degrees(back, found.lines[n]),
            "properties": {"volume": round(float(found.flows[n]), 1)},
        }
        for n in most
    ]
    pairs = [
        {"origin": begin, "destination": end, "volume": round(volume, 2)} for begin, end, volume in found.pairs[:limit]
    ]
    told = {"type": "FeatureCollection", "volume": round(found.volume, 1), "pairs": pairs, "features": features}
    return json_answer(told, media_type=GEOJSON)
