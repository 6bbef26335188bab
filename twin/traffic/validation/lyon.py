"""Lyon's published trips on its network beside the city's car counters, which neither was made from."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from pyproj import Transformer

from twin.traffic.assignment import Assignment, assign
from twin.traffic.generation import WORKDAY
from twin.traffic.network import Ids
from twin.traffic.readers import lyon

HOUR = 8
# A counter is of a street if a section passes so near; its other direction lies no further from that.
NEAR_M, OTHER_WAY_M = 35.0, 25.0
DAYS_A_YEAR = 365.0
# Lines across both bridges over the Rhône that the network has whole, in longitude and latitude.
BRIDGE = (4.8592, 45.7866), (4.8614, 45.7866)
VIADUCT = (4.8815, 45.7895), (4.8835, 45.7925)


@dataclass(frozen=True)
class Counter:
    """A car counter: vehicles in the hour of 8 o'clock as counted (a year's days times the hour's share) and found."""

    name: str
    counted: float
    simulated: float


def simulated(folder: Path) -> Assignment:
    """The trips that leave from 8 to 9 o'clock, at equilibrium, with the published banned movements."""
    network = lyon.read_network(folder / "lyon_traffic.gpkg", folder / "raw" / "network-Lyon63V.json.gz")
    trips = lyon.read_trips(folder / "raw" / "demand-Lyon63V-coords.csv.gz")
    return assign(network, trips.between(HOUR * 3600, (HOUR + 1) * 3600, network), gap=1e-8)


@dataclass(frozen=True)
class BridgeShut:
    """Vehicles in the hour, both ways: over the bridge as it is, over the next one before and after, without a way."""

    over: float
    next_before: float
    next_after: float
    stranded: float


def bridge_shut(found: Assignment) -> BridgeShut:
    """Pont Raymond-Poincaré closed by a line across it; the next one is the ring road's viaduct over the Rhône."""
    network = found.network
    onto = Transformer.from_crs("OGC:CRS84", lyon.CRS, always_xy=True)
    bridge, viaduct = (
        shapely.intersects(network.geometry, shapely.LineString([onto.transform(*place) for place in line]))
        for line in (BRIDGE, VIADUCT)
    )
    after = assign(network.closing(np.flatnonzero(bridge)), found.demand, gap=1e-8)
    return BridgeShut(
        over=float(found.flow[bridge].sum()),
        next_before=float(found.flow[viaduct].sum()),
        next_after=float(after.flow[viaduct].sum()),
        stranded=after.unserved_trips - found.unserved_trips,
    )


def compared(folder: Path, found: Assignment) -> list[Counter]:
    """Counters that stand at a section of the network; both directions are added up on both sides.

    Some counters count one direction only, which their data do not tell in numbers.
    """
    year = _last_year(folder / "traffic_counts_monthly.csv")
    features = json.loads((folder / "traffic_counters.geojson").read_text(encoding="utf-8"))["features"]
    onto = Transformer.from_crs("OGC:CRS84", lyon.CRS, always_xy=True)
    lines = found.network.geometry
    assert lines is not None
    tree = shapely.STRtree(lines)
    out = []
    for feature in features:
        about = feature["properties"]
        if about["kind"] != "voiture" or about["sensor_id"] not in year:
            continue
        place = shapely.Point(onto.transform(about["lon"], about["lat"]))
        nearest = int(tree.nearest(place))
        if shapely.distance(lines[nearest], place) > NEAR_M:
            continue
        ways = [nearest]
        back = [
            n
            for n in tree.query(place, predicate="dwithin", distance=NEAR_M + OTHER_WAY_M)
            if _opposed(lines, n, nearest)
        ]
        ways += sorted(back, key=lambda n: float(shapely.distance(lines[n], place)))[:1]
        counted = year[about["sensor_id"]] / DAYS_A_YEAR * float(WORKDAY[HOUR] / WORKDAY.sum())
        out.append(Counter(about["name"], counted, float(found.flow[ways].sum())))
    return sorted(out, key=lambda each: -each.counted)


def _last_year(path: Path) -> dict[str, float]:
    """Vehicles in the last twelve months of each counter that has them."""
    months: dict[str, list[tuple[str, float]]] = {}
    with path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            months.setdefault(row["sensor_id"], []).append((row["month"], float(row["count"])))
    return {each: sum(n for _, n in sorted(rows)[-12:]) for each, rows in months.items() if len(rows) >= 12}


def _opposed(lines: Ids, a: int, b: int) -> bool:
    """Whether two straight sections run in about opposite directions."""
    way = [np.diff(np.asarray(lines[n].coords)[[0, -1]], axis=0)[0] for n in (a, b)]
    lengths = np.hypot(*way[0]) * np.hypot(*way[1])
    return bool(lengths > 0 and (way[0] @ way[1]) / lengths < -0.9)
