"""The tracks of single vehicles as a file for maps to play."""

import json
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyproj

from twin.traffic.network import Floats, Integers

# Places of vehicles in one file: what a page can hold. Seconds between them are thinned to that.
MOST_PLACES = 1_500_000
STEPS_S = 1, 2, 5, 10, 30
# Coordinates are told in millionths of a degree, 0.1 m.
UNITS = 1e6
FILE = "vehicles.json"


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
