"""What traffic counters count, beside what a run computes for the city as it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import shapely

from layers.catalog import LayerNotFound
from twin.scenarios.city import City
from twin.sensing.counters import Counter
from twin.traffic.counts import geh
from twin.traffic.network import Integers
from twin.traffic.scenario.solving import Traffic
from twin.traffic.scenario.states import looked_at
from twin.traffic.scenario.streets import Streets
from twin.traffic.scenario.tables import STAMP, stamp, typed

# A counter that is linked to no road is on the nearest within this, m.
NEAR_M = 25.0
# A link leads a counter's way if it differs by less than this, degrees.
ASTRAY = 60.0
# Below this a flow is held to agree with its count (DMRB volume 12).
GOOD_GEH = 5.0


@dataclass(frozen=True, eq=False)
class Counted:
    """A counter and the links that it counts: one, or both ways of a road where its direction is not known."""

    counter: Counter
    links: Integers

    @property
    def key(self) -> tuple[int, ...]:
        """The links."""
        return tuple(self.links.tolist())


def read_counted(city: City, streets: Streets) -> list[Counted]:
    """Counters on the city's roads; none for a planner who may not read the sensors."""
    try:
        counters = city.counters(looked_at(city))
    except LayerNotFound:
        return []
    return list(placed(counters, streets))


def placed(counters: Sequence[Counter], streets: Streets) -> list[Counted]:
    """Those that are on a link: of a road that they are linked to, else of the nearest within 25 m, their way."""
    lines, ids = streets.lines, np.array(streets.told("object_id"), np.int64)[streets.road]
    tree = shapely.STRtree(lines)
    found = []
    for counter in counters:
        place = shapely.Point(counter.x, counter.y)
        if counter.roads:
            near = np.flatnonzero(np.isin(ids, list(counter.roads)))
        else:
            near = np.sort(tree.query(place, predicate="dwithin", distance=NEAR_M))
        near = near[~streets.drawn[near]]
        if counter.direction is not None:
            turned = np.array([_heading(lines[link], place) for link in near.tolist()]) - counter.direction
            near = near[np.abs((turned + 180) % 360 - 180) < ASTRAY]
        if len(near):
            link = int(near[shapely.distance(lines[near], place).argmin()])
            found.append(Counted(counter, _ways(streets, link, one=counter.direction is not None)))
    return found


def _heading(line: shapely.LineString, place: shapely.Point) -> float:
    """Degrees from north that a line leads to beside a place."""
    at = line.project(place)
    (x, y), (x2, y2) = (line.interpolate(each).coords[0][:2] for each in (max(at - 1, 0.0), min(at + 1, line.length)))
    return float(np.degrees(np.arctan2(x2 - x, y2 - y)))


def _ways(streets: Streets, link: int, *, one: bool) -> Integers:
    """A link, and the one back on the same road."""
    if one:
        return np.array([link])
    network, road = streets.network, streets.road
    back = (road == road[link]) & (network.tail == network.head[link]) & (network.head == network.tail[link])
    return np.array([link, *np.flatnonzero(back & (np.arange(len(back)) != link))[:1].tolist()])


def count_table(
    streets: Streets,
    counted: Sequence[Counted],
    pairs: Sequence[tuple[Traffic, Traffic]],
    prior: Mapping[tuple[int, tuple[int, ...]], float],
) -> pa.Table:
    """Counter by counter and state by state, vehicles/h counted and computed, and GEH; hours without counts left out.

    link, link_back: uids of what is counted, as the layers of the run have them. days: that the count is the mean of.
    prior, geh_prior: computed with the trips that were not yet fitted, by hour and links; null where none were.
    """
    rows = []
    uids = link_uids(streets)
    for usual, changed in pairs:
        vehicles = np.sum(list(usual.found.class_flow.values()), axis=0)
        hour = changed.state.moment.hour
        for each in counted:
            count = each.counter.usual.get(hour)
            if count is None:
                continue
            links = [uids[link] for link in each.key]
            computed, before = float(vehicles[each.links].sum()), prior.get((hour, each.key))
            rows.append(
                stamp(changed)
                | {
                    "counter": each.counter.name, "datastream": each.counter.datastream, "link": links[0],
                    "link_back": links[1] if len(links) > 1 else None, "days": count.days,
                    "counted": round(count.flow, 1), "computed": round(computed, 1),
                    "geh": _geh(computed, count.flow), "prior": None if before is None else round(before, 1),
                    "geh_prior": None if before is None else _geh(before, count.flow),
                }
            )  # fmt: skip
    numbers = ("counted", "computed", "geh", "prior", "geh_prior")
    return typed(
        rows, **STAMP, counter=pa.string(), datastream=pa.int64(), link=pa.string(), link_back=pa.string(),
        days=pa.int64(), **dict.fromkeys(numbers, pa.float64()),
    )  # fmt: skip


def link_uids(streets: Streets) -> list[str]:
    """What the layers of a run call each link."""
    ids = np.array(streets.told("object_id"), np.int64)[streets.road].tolist()
    return [f"{road}-{direction}" for road, direction in zip(ids, streets.directions.tolist(), strict=True)]


def _geh(computed: float, counted: float) -> float:
    return round(float(geh(computed, counted)), 2)
