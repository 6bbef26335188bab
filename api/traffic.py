"""Ways: what is reached from a place in so many minutes, and routes; on empty roads, in a run's traffic or a flood."""

import json
import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyproj
import shapely
from fastapi import Request, Response

from api.answers import json_answer
from api.documentation import described
from api.errors import BadRequest
from api.exchange import city, exchange
from api.links import GEOJSON
from api.parameters import Parameter, Query, one_of
from api.routing import PartRouter
from api.selections import truth
from api.views import DATETIME, PLAN, as_text

if TYPE_CHECKING:
    from twin.traffic.access import Router
    from twin.traffic.scenario.ways import Ways

MOST_MINUTES, MOST_LIMITS = 90.0, 6
# Of degrees: a decimetre.
DECIMALS = 6


def parse_minutes(text: str) -> list[float]:
    """Up to six numbers above 0, rising; raises ValueError."""
    wanted = f"1 to {MOST_LIMITS} numbers above 0 and up to {MOST_MINUTES:g} are wanted, e.g. 5,10,15"
    try:
        numbers = sorted({float(part) for part in text.split(",")})
    except ValueError:
        raise ValueError(wanted) from None
    if not 1 <= len(numbers) <= MOST_LIMITS or not all(0 < each <= MOST_MINUTES for each in numbers):
        raise ValueError(wanted)
    return numbers


def parse_point(text: str) -> tuple[float, float]:
    """POINT(lon lat), or lon,lat; raises ValueError."""
    wanted = "POINT(lon lat) in longitude and latitude is wanted, such as POINT(120.955 28.102)"
    plain = text.strip()
    if plain.upper().startswith("POINT"):
        plain = plain[5:].strip().removeprefix("(").removesuffix(")").strip()
    try:
        lon, lat = (float(part) for part in plain.replace(",", " ").split())
    except ValueError:
        raise ValueError(wanted) from None
    return checked_place(lon, lat)


def checked_place(lon: float, lat: float) -> tuple[float, float]:
    """A place within the ranges of longitude and latitude; raises ValueError."""
    # Beyond these no metric CRS of a city can be computed.
    if not (abs(lon) <= 180 and abs(lat) <= 89.9):
        raise ValueError("out of range; POINT(lon lat) has longitude first, -180 to 180, then latitude, -89.9 to 89.9")
    return lon, lat


def _place(name: str, description: str) -> Parameter[tuple[float, float] | None]:
    schema = {"type": "string", "example": "POINT(120.955 28.102)"}
    return Parameter(name, description, parse_point, None, schema, max_length=200)


COORDS = _place("coords", "Where to begin, in longitude and latitude (CRS84): POINT(lon lat).")
FROM = _place("from", "Where to begin: POINT(lon lat).")
TO = _place("to", "Where to go: POINT(lon lat).")
MINUTES = Parameter[list[float]](
    "minutes",
    f"Times, at most {MOST_LIMITS} of them, up to {MOST_MINUTES:g} minutes.",
    parse_minutes,
    [5.0, 10.0, 15.0],
    {"type": "array", "items": {"type": "number"}, "maxItems": MOST_LIMITS, "example": [5, 10, 15]},
)
MODE = Parameter[str](
    "mode",
    "By car or lorry (bus, fire engine: through deeper water), on empty roads without a run; on foot at 4.8 km/h.",
    one_of("car", "lorry", "walk"),
    "car",
    {"type": "string", "enum": ["car", "lorry", "walk"], "default": "car"},
)
DIRECTION = Parameter[str](
    "direction",
    "What is reached from the place, or whence it is reached (to).",
    one_of("from", "to"),
    "from",
    {"type": "string", "enum": ["from", "to"], "default": "from"},
)
PEOPLE = Parameter[bool](
    "people",
    "Whether to count who lives there: people of the buildings that are reached in the time.",
    truth,
    False,
    {"type": "boolean", "default": False},
)
RINGS = Parameter[bool](
    "rings",
    "Whether each polygon is without what is reached in a smaller one of the times; km2 and people stay those of all.",
    truth,
    False,
    {"type": "boolean", "default": False},
)
RUN = Parameter[str | None](
    "run",
    "A finished traffic run: ways take the times of its roads, their queues, closures and water, and datetime tells "
    "the state (its first one by default).",
    as_text,
    None,
    {"type": "string", "example": "6c1c3c0e-0000-0000-0000-000000000000"},
    max_length=60,
)
FLOOD_RUN = Parameter[str | None](
    "flood_run",
    "A finished flood run: ways lead through its water, and datetime tells the state (its first one by default).",
    as_text,
    None,
    {"type": "string", "example": "6c1c3c0e-0000-0000-0000-000000000000"},
    max_length=60,
)
ROUTE_EXAMPLE = {
    "type": "Feature",
    "geometry": {"type": "LineString", "coordinates": [[120.95, 28.1], [120.96, 28.1]]},
    "properties": {"mode": "car", "seconds": 74.0, "metres": 983.0, "streets": [{"name": "海晏路", "metres": 983.0}]},
}

router = PartRouter(tags=["Ways"])


@router.get(
    "/traffic/isochrones",
    **described(
        "getIsochrones",
        COORDS,
        MINUTES,
        MODE,
        DIRECTION,
        PEOPLE,
        RINGS,
        RUN,
        FLOOD_RUN,
        DATETIME,
        PLAN,
        kinds=(GEOJSON,),
    ),
)
async def isochrones(request: Request) -> Response:
    """What is reached within some minutes: a polygon for each time, the largest first, with its km2 and people."""
    query, networks = Query(request), city(request).ways
    given, minutes = query.take(COORDS), query.take(MINUTES)
    towards, counts, rings = query.take(DIRECTION) == "to", query.take(PEOPLE), query.take(RINGS)
    state = last_of(query)
    place = needed(given, COORDS)
    asked = await asked_state(request, state)
    ways, used = asked.ways, asked.router
    there, back = transformers(city(request).database.city.metric_srid)
    x, y = metric_place(there, place)
    limits = [each * 60 for each in minutes]
    areas = await networks.work(lambda: ways.areas(x, y, limits, used, towards=towards))
    told: list[dict[str, Any]] = [{} for _ in minutes]
    if counts:
        homes = await networks.residents(ways, asked.key, exchange(request).principal)
        told = [{"people": None} for _ in minutes]
        if homes is not None:
            seconds = await networks.work(lambda: ways.times_to((x, y), homes.doors, used, towards=towards))
            told = [{"people": round(float(homes.people[seconds <= limit].sum()))} for limit in limits]
    shown = [*areas[:1], *map(shapely.difference, areas[1:], areas)] if rings else areas
    km2 = [round(float(each) / 1e6, 4) for each in shapely.area(areas)]
    features = [
        {
            "type": "Feature",
            "geometry": as_degrees(back, shape),
            "properties": {"minutes": limit, "mode": asked.mode, "km2": size, **people},
        }
        for limit, shape, size, people in reversed(list(zip(minutes, shown, km2, told, strict=True)))
    ]
    return json_answer({"type": "FeatureCollection", "features": features}, media_type=GEOJSON)


@router.get(
    "/traffic/route",
    **described("getRoute", FROM, TO, MODE, RUN, FLOOD_RUN, DATETIME, PLAN, kinds=(GEOJSON,), example=ROUTE_EXAMPLE),
)
async def route(request: Request) -> Response:
    """The quickest way between two places: its line, seconds, metres, and the streets in turn."""
    query = Query(request)
    given, state = (query.take(FROM), query.take(TO)), last_of(query)
    begin, end = needed(given[0], FROM), needed(given[1], TO)
    asked = await asked_state(request, state)
    there, back = transformers(city(request).database.city.metric_srid)
    first, last = metric_place(there, begin), metric_place(there, end)
    found = await city(request).ways.work(lambda: asked.ways.route(first, last, asked.router))
    streets = [
        {"name": name, "name_en": english, "metres": round(metres, 1)} for name, english, metres in found.streets
    ]
    return json_answer(
        {
            "type": "Feature",
            "geometry": as_degrees(back, found.line),
            "properties": {
                "mode": asked.mode,
                "seconds": round(found.seconds, 1),
                "metres": round(found.metres, 1),
                "streets": streets,
            },
        },
        media_type=GEOJSON,
    )


@dataclass(frozen=True, eq=False)
class Asked:
    """The mode, its network and key, and a router at the state that was asked for (None on empty roads)."""

    mode: str
    ways: "Ways"
    key: tuple[object, ...]
    router: "Router | None"


class State(NamedTuple):
    """What a question says of the roads."""

    mode: str
    moment: str | None
    plan: int | None
    flood: str | None
    traffic: str | None


def last_of(query: Query) -> State:
    """MODE, RUN, FLOOD_RUN, DATETIME and PLAN, after which the query is finished. Raises BadRequest.

    What a question lacks is told after this: a name that was misspelt is told first.
    """
    mode, moment, plan = query.take(MODE), query.take(DATETIME), query.take(PLAN)
    state = State(mode, moment, plan, query.take(FLOOD_RUN), query.take(RUN))
    query.finish()
    return state


async def asked_state(request: Request, state: State) -> Asked:
    """The roads that a question is about. Raises BadRequest, NoSuchRun, NotFinished, TrafficRefused."""
    networks, principal = city(request).ways, exchange(request).principal
    mode, moment, plan, flood, traffic = state
    if plan is not None and plan not in (await city(request).catalog()).plans:
        raise BadRequest(f"plan={plan}: the city has no such plan")
    if mode == "walk" and traffic is not None:
        raise BadRequest("run: its times are those of vehicles; ask for mode car or lorry, or leave the run out")
    met = await networks.conditions(flood, traffic, moment, principal)
    ways, key = await networks.ways("walk" if mode == "walk" else "car", principal, plan, met)
    return Asked(mode, ways, key, await networks.router(ways, key, met, "lorry" if mode == "lorry" else "car"))


def needed(place: tuple[float, float] | None, parameter: Parameter[Any]) -> tuple[float, float]:
    """A place that must be given. Raises BadRequest."""
    if place is None:
        raise BadRequest(f"{parameter.name}: say where, e.g. ?{parameter.name}=POINT(120.955 28.102)")
    return place


@cache
def transformers(srid: int) -> tuple[pyproj.Transformer, pyproj.Transformer]:
    """From longitude and latitude to metres, and back."""
    metric = f"EPSG:{srid}"
    return (
        pyproj.Transformer.from_crs("OGC:CRS84", metric, always_xy=True),
        pyproj.Transformer.from_crs(metric, "OGC:CRS84", always_xy=True),
    )


def metric_place(there: pyproj.Transformer, place: tuple[float, float]) -> tuple[float, float]:
    """Raises BadRequest for a place that the city's metric CRS does not know."""
    x, y = there.transform(*place)
    if not (math.isfinite(x) and math.isfinite(y)):
        raise BadRequest(f"{place[0]:g} {place[1]:g}: far outside the city")
    return x, y


def as_degrees(back: pyproj.Transformer, shape: shapely.Geometry) -> dict[str, Any]:
    turned = shapely.transform(shape, lambda corners: np.column_stack(back.transform(*corners.T)).round(DECIMALS))
    found: dict[str, Any] = json.loads(shapely.to_geojson(turned))
    return found
