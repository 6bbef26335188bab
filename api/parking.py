"""Car parks by the time it takes to drive to them: places, how many are free, and how many may be soon."""

from typing import Any

import numpy as np
import shapely
from fastapi import Request, Response

from api.answers import json_answer
from api.documentation import described
from api.exchange import city, exchange
from api.links import GEOJSON
from api.parameters import Parameter, Query, whole_number
from api.routing import PartRouter
from api.traffic import COORDS, as_degrees, metric_place, needed, transformers
from layers.access import Forbidden
from layers.catalog import LayerNotFound
from layers.filters import parse_filter
from layers.query import Selection
from twin.sensing.parking import FACILITIES, Forecast, Occupancy, forecasts, occupancy

SENSORS = "sensors"
CAR_PARKS = parse_filter("class = 'Parking'")
COLUMNS = ("name", "name_en", "capacity")
MAX_LIMIT = 50
# Of more car parks than this nobody is told, however full the nearest ones are.
MOST_ASKED = 500
LIMIT = Parameter[int](
    "limit",
    "At most this many car parks.",
    whole_number(1, MAX_LIMIT),
    10,
    {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": 10},
)
EXAMPLE = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "id": 4711,
            "geometry": {"type": "Point", "coordinates": [120.951, 28.101]},
            "properties": {
                "name": "中心停车场", "name_en": "Central Car Park", "seconds": 140.0, "capacity": 220, "state": "ok",
                "free": 37, "time": "2026-08-10T09:15:00Z", "datastream": 12, "method": "usual",
                "forecast": [{"minutes": 15, "free": 33}, {"minutes": 30, "free": 28}],
            },
        }
    ],
}  # fmt: skip

router = PartRouter(tags=["Ways"])


@router.get("/traffic/parking", **described("getParking", COORDS, LIMIT, kinds=(GEOJSON,), example=EXAMPLE))
async def parking(request: Request) -> Response:
    """Car parks that are not known to be full, the soonest reached by car first, with free places now and soon.

    `free` is what a sensor of kind `parking` tells, while its `state` is ok. `forecast` is, by the method `usual`, the
    mean of the same quarter-hours of the week in the last four weeks, with today's difference from it fading to 1/e in
    an hour; by `persistence`, where that past is not known, the free places of now.
    """
    query, served = Query(request), city(request)
    given, limit = query.take(COORDS), query.take(LIMIT)
    query.finish()
    place = needed(given, COORDS)
    there, back = transformers(served.database.city.metric_srid)
    begin = metric_place(there, place)
    principal = exchange(request).principal
    table = await _car_parks(request)
    ways, _ = await served.ways.ways("car", principal, None)
    if table.num_rows == 0:
        return json_answer({"type": "FeatureCollection", "features": []}, media_type=GEOJSON)
    points = shapely.centroid(shapely.from_wkb(table.column("geometry").to_numpy(zero_copy_only=False)))
    seconds = await served.ways.work(lambda: ways.times(begin, points))
    nearest = np.argsort(seconds, kind="stable")[: min(MOST_ASKED, int(np.isfinite(seconds).sum()))].tolist()
    rows = table.select(["object_id", *COLUMNS]).to_pylist()
    now, soon = await _told(request, [rows[n]["object_id"] for n in nearest], limit)
    chosen = [n for n in nearest if now.get(rows[n]["object_id"], Occupancy()).free != 0][:limit]
    features = [
        {
            "type": "Feature",
            "id": rows[n]["object_id"],
            "geometry": as_degrees(back, points[n]),
            "properties": _properties(rows[n], float(seconds[n]), now.get(rows[n]["object_id"], Occupancy()), soon),
        }
        for n in chosen
    ]
    return json_answer({"type": "FeatureCollection", "features": features}, media_type=GEOJSON)


async def _car_parks(request: Request) -> Any:
    """The table of those that the principal may see. Raises LayerNotFound."""
    from twin.scenarios.city import attribute_of, read_objects

    served, principal = city(request), exchange(request).principal
    catalog = await served.catalog()
    layer = catalog.layer(FACILITIES, principal)
    async with served.reading() as connection:
        return await read_objects(
            connection,
            Selection(layer, filter=CAR_PARKS),
            [attribute_of(layer, name) for name in COLUMNS],
            catalog,
            principal,
            metric_srid=served.database.city.metric_srid,
        )


async def _told(request: Request, ids: list[int], limit: int) -> tuple[dict[int, Occupancy], dict[int, Forecast]]:
    """What sensors tell, and forecasts by datastream of the first ones; nothing for who may not read all sensors."""
    served = city(request)
    catalog = await served.catalog()
    try:
        catalog.whole_layer(SENSORS, exchange(request).principal)
    except (LayerNotFound, Forbidden):
        return {}, {}
    async with served.reading() as connection:
        now = await occupancy(connection, ids)
        free = [(each.datastream, each.free) for n in ids if (each := now.get(n)) is not None and each.free]
        streams = {stream: number for stream, number in free[:limit] if stream is not None}
        return now, await forecasts(connection, streams, str(catalog.zone))


def _properties(row: dict[str, Any], seconds: float, now: Occupancy, soon: dict[int, Forecast]) -> dict[str, Any]:
    later = None if now.datastream is None else soon.get(now.datastream)
    most = row["capacity"]

    def whole(free: float | None) -> int | None:
        """No more than there are; a sensor may count a place too many."""
        return None if free is None else int(min(free, most)) if most is not None else int(free)

    return {
        "name": row["name"],
        "name_en": row["name_en"],
        "seconds": round(seconds, 1),
        "capacity": most,
        "state": now.state,
        "free": whole(now.free),
        "time": None if now.time is None else now.time.isoformat().replace("+00:00", "Z"),
        "datastream": now.datastream,
        "method": None if later is None else later.method,
        "forecast": [] if later is None else [{"minutes": m, "free": whole(f)} for m, f in later.free.items()],
    }
