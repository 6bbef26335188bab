"""Single vehicles as results: streets by minute as a layer, and the vehicles' tracks as a file for maps to play."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyproj
import shapely

from twin.scenarios.inputs import Words
from twin.scenarios.protocol import VectorLayer
from twin.traffic.micro.simulation import Streets as Minutes
from twin.traffic.network import Floats, Integers
from twin.traffic.scenario.maps import ROUND, TIME
from twin.traffic.scenario.streets import Streets

TITLES: dict[str, tuple[str, str, str | None]] = {
    "road": ("道路编号", "Road", None), "speed_kmh": ("车速", "Speed", "km/h"),
    "speed_share": ("车速与畅行车速之比", "Share of the free speed", "1"),
    "vehicles": ("车辆数", "Vehicles", "1"), "queue": ("排队车辆", "Queue", "1"), "flow": ("流量", "Flow", "1/h"),
}  # fmt: skip
PACE = ["step", ["get", "speed_share"], "#7a0f23", 0.15, "#d22f27", 0.3, "#ee7d31", 0.5, "#f2c230", 0.7, "#2e9e5b"]
WIDTH = ["step", ["get", "queue"], 2, 1, 3, 3, 4.5, 8, 6.5, 15, 9]
ASIDE = ["step", ["get", "queue"], 1.4, 1, 2, 3, 2.8, 8, 3.8, 15, 5]
# Places of vehicles in one file: what a page can hold. Seconds between them are thinned to that.
MOST_PLACES = 1_500_000
STEPS_S = 1, 2, 5, 10, 30
# Coordinates are told in millionths of a degree, 0.1 m.
UNITS = 1e6
FILE = "vehicles.json"


def street_layer(streets: Streets, minutes: Minutes, begins: datetime) -> VectorLayer:
    """Speed and queue of each link that had vehicles, minute by minute."""
    link = minutes.link
    network = streets.network
    told = streets.table.take(pa.array(streets.road[link]))
    ids = told.column("object_id").to_pylist()
    free = network.length_m[link] / network.free_time_s[link]
    start = [begins + timedelta(minutes=n) for n in minutes.minute.tolist()]
    columns: dict[str, Any] = {
        "geometry": pa.array(shapely.to_wkb(streets.lines[link]).tolist(), pa.binary()),
        "uid": pa.array([f"{a}-{b}" for a, b in zip(ids, streets.directions[link].tolist(), strict=True)], pa.string()),
        "road": pa.array(ids, pa.int64()),
        "name": told.column("name"),
        "name_en": told.column("name_en"),
        "speed_kmh": np.round(minutes.speed_m_s * 3.6, 1),
        "speed_share": np.round(np.clip(minutes.speed_m_s / free, 0, 1), 2),
        "vehicles": np.round(minutes.vehicles, 1),
        "queue": np.round(minutes.queue, 1),
        "flow": np.round(minutes.left * 60),
        "valid_from": pa.array(start, TIME),
        "valid_to": pa.array([at + timedelta(minutes=1) for at in start], TIME),
    }
    paint = {"line-color": PACE, "line-width": WIDTH, "line-offset": ASIDE}
    style = [{"id": "line", "type": "line", "layout": ROUND, "paint": paint}]
    return VectorLayer("queues", Words("逐分钟车速与排队", "Speed and queue by minute"), _titled(columns), style)


def minute_table(minutes: Minutes, begins: datetime) -> pa.Table:
    """Sums of each minute: vehicles on the road, of these standing, and their mean speed."""
    count = int(minutes.minute.max(initial=-1)) + 1
    vehicles = np.bincount(minutes.minute, minutes.vehicles, count)
    metres = np.bincount(minutes.minute, minutes.vehicles * minutes.speed_m_s, count)
    return _titled(
        {
            "time": pa.array([begins + timedelta(minutes=n) for n in range(count)], TIME),
            "vehicles": np.round(vehicles, 1),
            "queue": np.round(np.bincount(minutes.minute, minutes.queue, count), 1),
            "speed_kmh": np.round(3.6 * metres / np.maximum(vehicles, 1e-9), 1),
        }
    )


def write_tracks(folder: Path, tracks: pa.Table, begins: datetime, crs: str) -> Path:
    """Tracks as JSON: {"begins", "step_s", "units", "origin": [lon, lat], "vehicles": [{"type", "from", "x", "y"}]}.

    from: the first step that the vehicle is there; x, y: its places step by step, each as the difference to the one
    before (the first: to the origin), in 1/units of a degree.
    """
    number, second, x, y = (tracks[name].to_numpy() for name in ("vehicle", "time", "x", "y"))
    step = next((each for each in STEPS_S if len(number) / each <= MOST_PLACES), STEPS_S[-1])
    kept = np.round(second).astype(np.int64) % step == 0
    number, second = number[kept], np.round(second[kept]).astype(np.int64) // step
    lon, lat = pyproj.Transformer.from_crs(crs, "OGC:CRS84", always_xy=True).transform(x[kept], y[kept])
    origin = [float(np.round(each.min(), 5)) if len(each) else 0.0 for each in (lon, lat)]
    east, north = (_units(each, start) for each, start in zip((lon, lat), origin, strict=True))
    order = np.lexsort((second, number))
    first = np.flatnonzero(np.diff(number[order], prepend=-1))
    kinds = tracks["type"].to_pylist()
    where = np.flatnonzero(kept)
    vehicles = [
        {
            "type": kinds[where[part[0]]],
            "from": int(second[part[0]]),
            "x": np.diff(east[part], prepend=0).tolist(),
            "y": np.diff(north[part], prepend=0).tolist(),
        }
        for part in np.split(order, first[1:])
        if len(part)
    ]
    path = folder / FILE
    head = {"begins": begins.isoformat(), "step_s": step, "units": UNITS, "origin": origin}
    path.write_text(json.dumps(head | {"vehicles": vehicles}, separators=(",", ":")))
    return path


def _units(degrees: Floats, origin: float) -> Integers:
    return np.round((degrees - origin) * UNITS).astype(np.int64)


def _titled(columns: dict[str, Any]) -> pa.Table:
    table = pa.table(columns)
    fields = []
    for column in table.schema:
        zh, en, unit = TITLES.get(column.name, (None, None, None))
        metadata = {} if zh is None else {"zh": zh, "en": en} | ({"unit": unit} if unit else {})
        fields.append(column.with_metadata(metadata))
    return table.cast(pa.schema(fields))
