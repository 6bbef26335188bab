"""The network in a state: what is closed, slowed or under water at an hour, for each class of vehicle."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import numpy as np
import shapely

from twin.scenarios.city import City
from twin.scenarios.inputs import Words
from twin.scenarios.shapes import in_metres
from twin.traffic.demand import CAR, VehicleClass
from twin.traffic.network import Flags, Floats, Network
from twin.traffic.scenario.closing import Closing
from twin.traffic.scenario.errors import TrafficRefused
from twin.traffic.scenario.events import RoadEvent, event_on_road, open_events
from twin.traffic.scenario.flooding import Flooding
from twin.traffic.scenario.inputs import TrafficInputs
from twin.traffic.scenario.streets import ROADS, Streets
from twin.traffic.scenario.trips import LORRY_PCU
from twin.traffic.scenario.water import CAR_IN_WATER, LORRY_IN_WATER, Wading


class ClosingInputs(Protocol):
    """Inputs that say what is closed (see `twin.traffic.scenario.closing`)."""

    @property
    def closures(self) -> list[Closing]: ...

    @property
    def events(self) -> str: ...

    @property
    def event_kinds(self) -> list[str]: ...

    @property
    def event_reach_m(self) -> float: ...


@dataclass(frozen=True, eq=False)
class Moment:
    """A state's time. begins, ends: None for a run of a single hour. hour: of the city's clock."""

    hour: int
    begins: datetime | None = None
    ends: datetime | None = None


@dataclass(frozen=True, eq=False)
class State:
    """The network as it is then. network: with the times of the class that is slowed least.

    shut: links that no car may use, depth_m: of water, car, lorry: what else they lose, and where they may not go.
    """

    moment: Moment
    network: Network
    car: VehicleClass
    lorry: VehicleClass
    shut: Flags
    depth_m: Floats

    @property
    def is_usual(self) -> bool:
        """Whether nothing differs from the city as it is."""
        return self.car.fixed_s is None and self.car.barred is None


def moments(city: City, inputs: TrafficInputs, flooding: Flooding | None) -> list[Moment]:
    """The times to compute, in order."""
    if flooding is not None:
        return [Moment(begins.hour, begins, ends) for begins, ends in flooding.spans()]
    if inputs.hours == 1:
        return [Moment(inputs.hour)]
    first = looked_at(city).replace(hour=inputs.hour, minute=0, second=0, microsecond=0)
    starts = [first + timedelta(hours=n) for n in range(inputs.hours)]
    return [Moment(at.hour, at, at + timedelta(hours=1)) for at in starts]


def looked_at(city: City) -> datetime:
    """The moment that the planner looks at, of the city's clock; now by default."""
    asked = city.view.valid.start if city.view.valid is not None else None
    zone = ZoneInfo(city.time_zone)
    return (asked or datetime.now(zone)).astimezone(zone)


@dataclass(frozen=True, eq=False)
class Closed:
    """What a closure means for the links: flags, the share of speed left, and its hours.

    event: what it was made from, if from one. midnight: of the day that is looked at, where the event's own times
    limit it: it then holds in each hour that it touches.
    """

    links: Flags
    speed_share: float
    from_hour: float = 0.0
    until_hour: float = 24.0
    event: RoadEvent | None = None
    midnight: datetime | None = None

    def holds(self, moment: Moment) -> bool:
        """Whether it is closed in a state."""
        if self.event is None or self.midnight is None:
            return self.from_hour <= moment.hour < self.until_hour
        begins = moment.begins or self.midnight + timedelta(hours=moment.hour)
        ends = moment.ends or begins + timedelta(hours=1)
        return self.event.begins < ends and (self.event.ends is None or self.event.ends > begins)


def read_closures(city: City, streets: Streets, inputs: ClosingInputs, notes: list[Words]) -> list[Closed]:
    """Closures of the planner's own, and by the city's open events where these are asked for.

    Raises TrafficRefused for one that concerns no road, FilterError for one that cannot be read, LayerNotFound for an
    event that the planner may not read.
    """
    ids = np.array(streets.told("object_id"), np.int64)[streets.road]
    lines = streets.lines
    found = []
    for number, asked in enumerate(inputs.closures, 1):
        drawn = asked.line or asked.area
        event = None if asked.event is None else event_on_road(city, streets, asked.event, inputs.event_reach_m)
        if event is not None:
            links = event.links
        elif drawn is not None:
            links = shapely.intersects(lines, in_metres(drawn, city.metric_crs))
        elif asked.where is not None:
            named = city.features(ROADS, where=asked.where).column("object_id").to_pylist()
            links = np.isin(ids, named)
        else:
            links = np.isin(ids, asked.roads)
        if not links.any():
            raise TrafficRefused(
                f"closures: closure {number} concerns no road for cars; draw it over one, or look at its ids or filter",
                f"closures：第 {number} 处封路未涉及任何机动车道路",
            )
        found.append(Closed(links, asked.speed_share, asked.from_hour, asked.until_hour, event))
    if inputs.events == "open":
        midnight = looked_at(city).replace(hour=0, minute=0, second=0, microsecond=0)
        events = open_events(city, streets, inputs.event_kinds, inputs.event_reach_m, notes)
        found += [Closed(each.links, 0.0, event=each, midnight=midnight) for each in events]
    return found


def state_at(network: Network, moment: Moment, closures: Sequence[Closed], depth_m: Floats | None = None) -> State:
    """The state of a network (with or without centroids, whose connectors nothing closes) at a moment.

    A class that water slows more than another loses the difference as a cost of its own. Capacity falls as speed does.
    """
    share = np.ones(network.links)
    for each in closures:
        if each.holds(moment):
            share[: len(each.links)] = np.where(
                each.links, np.minimum(share[: len(each.links)], each.speed_share), share[: len(each.links)]
            )
    depth = np.zeros(network.links)
    if depth_m is not None:
        depth[: len(depth_m)] = depth_m
    with np.errstate(divide="ignore"):
        dry = np.where(share > 0, network.free_time_s / share, np.inf)
    car, lorry = _through(network, dry, depth, CAR_IN_WATER), _through(network, dry, depth, LORRY_IN_WATER)
    if (share == 1).all() and not (depth > 0).any():
        return State(moment, network, CAR, VehicleClass("lorry", LORRY_PCU), shut=~network.open, depth_m=depth)
    best = np.minimum(car, lorry)
    passes = np.isfinite(best)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(best > 0, network.free_time_s / best, 1.0)
    factor = np.where(passes, np.minimum(factor, 1.0), 0.0)
    slowed = network.slowed(factor, factor)
    slow_car, slow_lorry = (
        VehicleClass(
            name,
            pcu,
            fixed_s=np.where(np.isfinite(own), own - np.where(passes, best, 0.0), 0.0),
            barred=~np.isfinite(own),
        )
        for name, pcu, own in (("car", 1.0, car), ("lorry", LORRY_PCU, lorry))
    )
    shut = ~network.open | ~np.isfinite(car)
    return State(moment, slowed, slow_car, slow_lorry, shut=shut, depth_m=depth)


def _through(network: Network, dry_s: Floats, depth_m: Floats, wading: Wading) -> Floats:
    """Seconds on each link in water of a depth, inf where a class has to stop."""
    speed = wading.speed_kmh(depth_m)
    with np.errstate(divide="ignore", invalid="ignore"):
        wet = np.where(speed > 0, np.nan_to_num(network.length_m) / (speed / 3.6), np.inf)
    return np.maximum(dry_s, wet)
