"""Travel times between many places at once, in a table of all pairs."""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import shapely
from fastapi import Request, Response

from api.answers import json_answer
from api.bodies import read_json
from api.documentation import described
from api.errors import BadRequest
from api.exchange import city, exchange
from api.links import JSON
from api.parameters import Parameter, Query, one_of
from api.routing import PartRouter
from api.traffic import FLOOD_RUN, MODE, RUN, Asked, asked_state, checked_place, last_of, transformers
from api.views import DATETIME, PLAN

if TYPE_CHECKING:
    from twin.traffic.network import Floats

CSV, ARROW = "text/csv", "application/vnd.apache.arrow.file"
MOST_PLACES, MOST_PAIRS = 1_000, 250_000
LEVELS = "village", "township"


def parse_places(text: str) -> list[tuple[float, float]]:
    """MULTIPOINT((lon lat),(lon lat)), or POINT(lon lat); raises ValueError."""
    wanted = "MULTIPOINT((lon lat),(lon lat)) in longitude and latitude is wanted"
    try:
        shape = shapely.from_wkt(text)
    except (shapely.errors.GEOSException, NotImplementedError):
        raise ValueError(wanted) from None
    if shape.geom_type not in ("Point", "MultiPoint") or shape.is_empty:
        raise ValueError(wanted)
    return [checked_place(x, y) for x, y in shapely.get_coordinates(shape).tolist()]


def _places(name: str, description: str) -> Parameter[list[tuple[float, float]] | None]:
    schema = {"type": "string", "example": "MULTIPOINT((120.95 28.1),(120.96 28.11))"}
    return Parameter(name, description, parse_places, None, schema, max_length=6_000)


ORIGINS = _places("origins", "Whence: places in longitude and latitude (CRS84). Without destinations, among these.")
DESTINATIONS = _places("destinations", "Whither: places in longitude and latitude (CRS84).")
AREAS = Parameter[str | None](
    "areas",
    "Instead of places: between the middles of all villages, or of all townships.",
    one_of(*LEVELS),
    None,
    {"type": "string", "enum": list(LEVELS)},
)
FORM = Parameter[str](
    "f",
    "Format: a table of rows and columns as JSON; or a row a pair that a way leads for, as CSV or as an Arrow file.",
    one_of("json", "csv", "arrow"),
    "json",
    {"type": "string", "enum": ["json", "csv", "arrow"], "default": "json"},
)
STATE: tuple[Parameter[Any], ...] = MODE, RUN, FLOOD_RUN, DATETIME, PLAN, FORM
EXAMPLE = {
    "mode": "car",
    "origins": [{"id": "0", "name": None, "coordinates": [120.95, 28.1]}],
    "destinations": [
        {"id": "0", "name": None, "coordinates": [120.96, 28.11]},
        {"id": "1", "name": None, "coordinates": [121.2, 28.4]},
    ],
    "seconds": [[214.0, None]],
}
POINTS = {
    "type": "array", "minItems": 1, "maxItems": MOST_PLACES,
    "items": {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "number"}},
}  # fmt: skip
BODY = {
    "required": True,
    "description": f"Places as [longitude, latitude]; at most {MOST_PAIRS:,} pairs. Without destinations: among these.",
    "content": {
        JSON: {
            "schema": {
                "type": "object",
                "required": ["origins"],
                "properties": {"origins": POINTS, "destinations": POINTS},
            },
            "example": {"origins": [[120.95, 28.1]], "destinations": [[120.96, 28.11], [121.2, 28.4]]},
        }
    },
}

router = PartRouter(tags=["Ways"])


@dataclass(frozen=True, eq=False)
class _Places:
    """Places with ids, names and longitude and latitude; points in metres."""

    ids: list[str]
    names: list[str | None]
    degrees: list[tuple[float, float]]
    points: Any

    def told(self) -> list[dict[str, Any]]:
        columns = zip(self.ids, self.names, self.degrees, strict=True)
        return [{"id": each, "name": name, "coordinates": place} for each, name, place in columns]


@router.get(
    "/traffic/matrix",
    **described("getTravelTimes", ORIGINS, DESTINATIONS, AREAS, *STATE, kinds=(JSON, CSV, ARROW), example=EXAMPLE),
)
async def travel_times(request: Request) -> Response:
    """Seconds from each of some places to each of others: null where no way leads, or no road is near."""
    query = Query(request)
    begin, end, level, form = query.take(ORIGINS), query.take(DESTINATIONS), query.take(AREAS), query.take(FORM)
    state = last_of(query)
    if (begin is None) == (level is None) or (level is not None and end is not None):
        raise BadRequest("origins, areas: give one of the two; destinations go with origins")
    asked = await asked_state(request, state)
    if begin is None:
        origins = destinations = await _middles(request, asked, str(level))
    else:
        origins, destinations = _given(request, begin), _given(request, begin if end is None else end)
    return await _answer(request, asked, origins, destinations, form)


@router.post(
    "/traffic/matrix",
    **described("postTravelTimes", *STATE, kinds=(JSON, CSV, ARROW), body=BODY, example=EXAMPLE),
)
async def many_travel_times(request: Request) -> Response:
    """The same between more places than an address holds."""
    query = Query(request)
    form = query.take(FORM)
    asked = await asked_state(request, last_of(query))
    body = await read_json(request, JSON)
    if not isinstance(body, dict) or not body.keys() <= {"origins", "destinations"}:
        raise BadRequest('an object is wanted, with "origins" and, if they differ, "destinations"')
    begin = _listed(body.get("origins"), "origins")
    end = begin if body.get("destinations") is None else _listed(body["destinations"], "destinations")
    return await _answer(request, asked, _given(request, begin), _given(request, end), form)


def _listed(value: Any, name: str) -> list[tuple[float, float]]:
    """Raises BadRequest."""
    if not isinstance(value, list) or not value or len(value) > MOST_PLACES:
        raise BadRequest(f"{name}: 1 to {MOST_PLACES:,} places [longitude, latitude] are wanted")
    found = []
    for number, place in enumerate(value):
        try:
            lon, lat = place
            found.append(checked_place(float(lon), float(lat)))
        except (TypeError, ValueError, OverflowError):
            raise BadRequest(f"{name}: place {number} is no [longitude, latitude] in degrees") from None
    return found


def _given(request: Request, places: Sequence[tuple[float, float]]) -> _Places:
    there, _ = transformers(city(request).database.city.metric_srid)
    x, y = there.transform(*np.array(places).T)
    if not (np.isfinite(x) & np.isfinite(y)).all():
        far = places[int(np.flatnonzero(~(np.isfinite(x) & np.isfinite(y)))[0])]
        raise BadRequest(f"{far[0]:g} {far[1]:g}: far outside the city")
    return _Places([str(n) for n in range(len(places))], [None] * len(places), list(places), shapely.points(x, y))


async def _middles(request: Request, asked: Asked, level: str) -> _Places:
    """Points within the divisions of a level, by their codes. Raises LayerNotFound for who may not read these."""
    found = await city(request).ways.divisions(asked.key, exchange(request).principal)
    codes = [str(code or each) for code, each in zip(found["code"], found.id, strict=True)]
    rows = [n for n, each in enumerate(found["level"]) if each == level]
    if not rows:
        raise BadRequest(f"areas: the city has no divisions of level {level}")
    points = shapely.point_on_surface(found.shape[rows])
    _, back = transformers(city(request).database.city.metric_srid)
    lon, lat = back.transform(shapely.get_x(points), shapely.get_y(points))
    degrees = np.column_stack([lon, lat]).round(6).tolist()
    names = [found["name"][n] for n in rows]
    return _Places([codes[n] for n in rows], names, [(x, y) for x, y in degrees], points)


async def _answer(request: Request, asked: Asked, origins: _Places, destinations: _Places, form: str) -> Response:
    sizes = len(origins.ids), len(destinations.ids)
    if sizes[0] * sizes[1] > MOST_PAIRS:
        raise BadRequest(
            f"{sizes[0]:,} x {sizes[1]:,} places: at most {MOST_PAIRS:,} pairs are told at once; ask in parts"
        )
    seconds = await city(request).ways.work(
        lambda: asked.ways.matrix(origins.points, destinations.points, asked.router).round(1)
    )
    if form == "json":
        # What no way leads to is null.
        rows = [[each if math.isfinite(each) else None for each in row] for row in seconds.tolist()]
        told = {"origins": origins.told(), "destinations": destinations.told()}
        return json_answer({"mode": asked.mode, **told, "seconds": rows})
    pairs = _pairs(origins, destinations, seconds)
    return Response(_csv(pairs), media_type=CSV) if form == "csv" else Response(_arrow(pairs), media_type=ARROW)


def _pairs(origins: _Places, destinations: _Places, seconds: "Floats") -> pa.Table:
    row, column = np.nonzero(np.isfinite(seconds))
    return pa.table(
        {
            "origin": np.array(origins.ids, object)[row],
            "destination": np.array(destinations.ids, object)[column],
            "seconds": seconds[row, column],
        },
        schema=pa.schema({"origin": pa.string(), "destination": pa.string(), "seconds": pa.float64()}),
    )


def _csv(pairs: pa.Table) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(pairs.column_names)
    writer.writerows(zip(*(column.to_pylist() for column in pairs.columns), strict=True))
    return text.getvalue()


def _arrow(pairs: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, pairs.schema) as writer:
        writer.write_table(pairs)
    return bytes(sink.getvalue().to_pybytes())
