"""Roads that the city's events close: those they are linked to, else the nearest to where they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import shapely

from twin.scenarios.city import City
from twin.scenarios.inputs import Words
from twin.scenarios.shapes import in_metres
from twin.sensing import EntityNotFound
from twin.sensing.events import STEPS, Sought
from twin.traffic.network import Flags
from twin.traffic.scenario.errors import TrafficRefused
from twin.traffic.scenario.streets import ROADS, Streets

# Both directions of a street have the same line, nearly.
SAME_M = 1.0
ENDED = "resolved", "closed"
MOST_EVENTS = 1000


@dataclass(frozen=True, eq=False)
class RoadEvent:
    """An event and the links it is on. distance_m: from its place to these, 0 where it is linked to them."""

    number: int
    title: str
    kind: str
    begins: datetime
    ends: datetime | None
    links: Flags
    distance_m: float


def event_on_road(city: City, streets: Streets, number: int, reach_m: float) -> RoadEvent:
    """One event by its number. Raises TrafficRefused where there is none, or none on a road; LayerNotFound."""
    try:
        told = city.event(number)
    except EntityNotFound:
        raise TrafficRefused(f"closures: there is no event {number}", f"closures：没有编号为 {number} 的事件") from None
    found = _placed(city, streets, told, reach_m)
    if found is None:
        raise TrafficRefused(
            f"closures: event {number} ({told['properties']['title'][:60]}) is within {reach_m:g} m of no road for "
            "cars; take more for event_reach_m, or draw the closure",
            f"closures：事件 {number} 周围 {reach_m:g} 米内没有机动车道路，请加大 event_reach_m 或在图上绘制",
        )
    return found


def open_events(
    city: City, streets: Streets, kinds: Sequence[str], reach_m: float, notes: list[Words]
) -> list[RoadEvent]:
    """Events of some kinds that are neither resolved nor closed, and are on a road. Raises LayerNotFound."""
    states = sorted({state for states, _ in STEPS.values() for state in states} - set(ENDED))
    told = city.events(Sought(states=states, kinds=list(kinds)), MOST_EVENTS)
    found = [each for each in (_placed(city, streets, event, reach_m) for event in told) if each is not None]
    notes.append(
        Words(
            f"未关闭的事件 {len(told)} 件，其中 {len(found)} 件在道路上",
            f"{len(told)} open events of these kinds, of which {len(found)} are on a road",
        )
    )
    return found


def _placed(city: City, streets: Streets, told: dict[str, Any], reach_m: float) -> RoadEvent | None:
    """An event as the sensors' service tells it; None where it is on no road."""
    own = told["properties"]
    named = [each["object_id"] for each in own["objects"] or () if each.get("layer") == ROADS]
    links = np.isin(np.array(streets.told("object_id"), np.int64)[streets.road], np.array(named, np.int64))
    distance = 0.0
    if not links.any():
        if told["geometry"] is None:
            return None
        away = shapely.distance(streets.lines, in_metres(told["geometry"], city.metric_crs))
        distance = float(away.min(initial=np.inf))
        if distance > reach_m:
            return None
        links = away <= distance + SAME_M
    begins = datetime.fromisoformat(own["began_at"])
    ends = None if own["ended_at"] is None else datetime.fromisoformat(own["ended_at"])
    return RoadEvent(told["id"], own["title"], own["kind"], begins, ends, links, distance)
