"""A road network: nodes, directed links with their delay functions, zones and turns, as arrays."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from twin.traffic.errors import InvalidNetwork

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Ids = npt.NDArray[Any]

Delay = Literal["bpr", "conical"]
BPR, CONICAL = 0, 1


@dataclass(frozen=True)
class Turns:
    """Movements at nodes that are banned or cost time; all others are free.

    from_link, to_link: indices of links, the first ending where the second starts. penalty_s: seconds, inf = banned.
    """

    from_link: Integers = field(default_factory=lambda: np.empty(0, np.int64))
    to_link: Integers = field(default_factory=lambda: np.empty(0, np.int64))
    penalty_s: Floats = field(default_factory=lambda: np.empty(0))

    def __len__(self) -> int:
        return len(self.from_link)


@dataclass(frozen=True, eq=False)
class Network:
    """Nodes and directed links; `Network.build` makes one with defaults and refuses what cannot be meant.

    node_ids, x, y: one a node; coordinates in metres of `crs`, or nan. through: False where trips only begin or end
        (centroids; TNTP's nodes below FIRST THRU NODE).
    tail, head: indices of each link's nodes. free_time_s, length_m, capacity (pcu/h of all lanes), lanes, toll
        (in money), road_class. open: False for a link that nobody may use; it keeps its index.
    delay: per link BPR, t0 (1 + alpha (v/c)^beta) (Bureau of Public Roads 1964), or CONICAL with slope alpha > 1
        (Spiess 1990, equation 10).
    geometry: shapely lines, or None. zone_ids, zone_nodes: where trips begin and end.
    """

    node_ids: Ids
    x: Floats
    y: Floats
    through: Flags
    link_ids: Ids
    tail: Integers
    head: Integers
    free_time_s: Floats
    length_m: Floats
    capacity: Floats
    lanes: Floats
    toll: Floats
    road_class: Ids
    open: Flags
    delay: npt.NDArray[np.int8]
    alpha: Floats
    beta: Floats
    geometry: Ids | None
    zone_ids: Ids
    zone_nodes: Integers
    turns: Turns
    crs: str

    @classmethod
    def build(
        cls,
        node_ids: npt.ArrayLike,
        tail: npt.ArrayLike,
        head: npt.ArrayLike,
        free_time_s: npt.ArrayLike,
        capacity: npt.ArrayLike,
        *,
        x: npt.ArrayLike | None = None,
        y: npt.ArrayLike | None = None,
        through: npt.ArrayLike | None = None,
        link_ids: npt.ArrayLike | None = None,
        length_m: npt.ArrayLike = np.nan,
        lanes: npt.ArrayLike = 1.0,
        toll: npt.ArrayLike = 0.0,
        road_class: npt.ArrayLike = "",
        delay: npt.ArrayLike = BPR,
        alpha: npt.ArrayLike = 0.15,
        beta: npt.ArrayLike = 4.0,
        geometry: Sequence[Any] | Ids | None = None,
        zones: Iterable[Hashable] | None = None,
        turns: Turns | None = None,
        crs: str = "",
    ) -> Self:
        """A network from indices of nodes; single values hold for all links. `zones`: ids of nodes, by default all.

        A link with delay and a capacity of zero is closed. Raises InvalidNetwork, naming the first offending link.
        """
        nodes, tails, heads = np.asarray(node_ids), _whole(tail), _whole(head)
        m, n = len(tails), len(nodes)

        def each(value: npt.ArrayLike, dtype: Any = np.float64) -> npt.NDArray[Any]:
            wide = np.broadcast_to(np.asarray(value, dtype), (m,)) if np.ndim(value) == 0 else np.asarray(value, dtype)
            return np.ascontiguousarray(wide)

        ids = np.arange(m) if link_ids is None else np.asarray(link_ids)
        limits, slope = each(capacity), each(alpha)
        made = cls(
            node_ids=nodes,
            x=np.full(n, np.nan) if x is None else np.asarray(x, np.float64),
            y=np.full(n, np.nan) if y is None else np.asarray(y, np.float64),
            through=np.ones(n, np.bool_) if through is None else np.asarray(through, np.bool_),
            link_ids=ids,
            tail=tails,
            head=heads,
            free_time_s=each(free_time_s),
            length_m=each(length_m),
            capacity=limits,
            lanes=each(lanes),
            toll=each(toll),
            road_class=each(road_class, object),
            open=(limits > 0) | (slope == 0),
            delay=each(delay, np.int8),
            alpha=slope,
            beta=each(beta),
            geometry=None if geometry is None else np.asarray(geometry, object),
            zone_ids=nodes,
            zone_nodes=np.arange(n),
            turns=turns or Turns(),
            crs=crs,
        )
        made._refuse()
        return made if zones is None else made.with_zones(zones)

    @property
    def links(self) -> int:
        return len(self.tail)

    @property
    def nodes(self) -> int:
        return len(self.node_ids)

    @property
    def speed_kmh(self) -> Floats:
        """Speed on the empty road; nan where length or time is not known."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.free_time_s > 0, 3.6 * self.length_m / self.free_time_s, np.nan)

    @cached_property
    def node_index(self) -> dict[Any, int]:
        """Index of each node by its id."""
        return {each: n for n, each in enumerate(self.node_ids.tolist())}

    @cached_property
    def zone_index(self) -> dict[Any, int]:
        """Index of each zone by its id."""
        return {each: n for n, each in enumerate(self.zone_ids.tolist())}

    def with_zones(self, ids: Iterable[Hashable], nodes: Iterable[Hashable] | None = None) -> Self:
        """The same network with zones at nodes; a zone is called by its node's id unless `nodes` are given too."""
        names = list(ids)
        places = names if nodes is None else list(nodes)
        unknown = next((each for each in places if each not in self.node_index), None)
        if unknown is not None:
            raise InvalidNetwork(f"zone at node {unknown!r}: the network has no such node")
        if len(set(names)) < len(names):
            raise InvalidNetwork("zones: an id stands twice; give each zone one id")
        return replace(
            self,
            zone_ids=np.asarray(names),
            zone_nodes=np.array([self.node_index[each] for each in places], np.int64),
        )

    def with_turns(self, movements: Iterable[tuple[Hashable, Hashable, float]]) -> Self:
        """The same network with movements (id of the link from, id of the link to, seconds; inf bans it)."""
        index = {each: n for n, each in enumerate(self.link_ids.tolist())}
        rows = list(movements)
        for a, b, seconds in rows:
            missing = next((each for each in (a, b) if each not in index), None)
            if missing is not None:
                raise InvalidNetwork(f"turn {a!r} to {b!r}: the network has no link {missing!r}")
            if self.head[index[a]] != self.tail[index[b]]:
                raise InvalidNetwork(f"turn {a!r} to {b!r}: the second link does not start where the first ends")
            if not seconds >= 0:
                raise InvalidNetwork(f"turn {a!r} to {b!r}: a penalty of {seconds} s; use 0 or more, inf for a ban")
        return replace(
            self,
            turns=Turns(
                np.array([index[a] for a, _, _ in rows], np.int64),
                np.array([index[b] for _, b, _ in rows], np.int64),
                np.array([seconds for _, _, seconds in rows], np.float64),
            ),
        )

    def closing(self, links: npt.ArrayLike) -> Self:
        """The same network with links (indices or one flag a link) closed. Raises InvalidNetwork for others."""
        chosen, shut = np.asarray(links), self.open.copy()
        if chosen.dtype == np.bool_:
            wrong = chosen.shape != shut.shape
        else:
            chosen = chosen.astype(np.int64)
            wrong = bool((~_inside(chosen, self.links)).any())
        if wrong:
            raise InvalidNetwork(f"links to close: indices below {self.links} or as many flags are needed")
        shut[chosen] = False
        return replace(self, open=shut)

    def slowed(self, factor: npt.ArrayLike, capacity_factor: npt.ArrayLike = 1.0) -> Self:
        """The same network at a share of its speed (one number, or one a link) and capacity; 0 closes a link."""
        speed = np.broadcast_to(np.asarray(factor, np.float64), (self.links,))
        flow = np.broadcast_to(np.asarray(capacity_factor, np.float64), (self.links,))
        if not ((speed >= 0) & (flow >= 0)).all():
            raise InvalidNetwork("a factor of speed or capacity is negative or no number; use 0 to 1")
        passes = (speed > 0) & (flow > 0)
        return replace(
            self,
            free_time_s=self.free_time_s / np.where(passes, speed, 1.0),
            capacity=self.capacity * np.where(passes, flow, 1.0),
            open=self.open & passes,
        )

    def links_named(self, ids: Iterable[Hashable]) -> Integers:
        """Indices of links by their ids, in every direction that carries the id. Raises InvalidNetwork."""
        wanted = set(ids)
        found = np.array([each in wanted for each in self.link_ids.tolist()], np.bool_)
        missing = wanted - set(self.link_ids[found].tolist())
        if missing:
            raise InvalidNetwork(f"no link {sorted(map(str, missing))[0]} in the network")
        return np.flatnonzero(found)

    def _refuse(self) -> None:
        names = ("link_ids", "head", "free_time_s", "length_m", "capacity", "lanes", "toll", "delay", "alpha", "beta")
        for name in names:
            if getattr(self, name).shape != (self.links,):
                raise InvalidNetwork(f"{name}: {getattr(self, name).shape} values for {self.links} links")
        if len(self.node_index) < self.nodes:
            raise InvalidNetwork("node_ids: an id stands twice; give each node one id")
        for name in ("x", "y", "through"):
            if getattr(self, name).shape != (self.nodes,):
                raise InvalidNetwork(f"{name}: {getattr(self, name).shape} values for {self.nodes} nodes")
        self._first(~_inside(self.tail, self.nodes) | ~_inside(self.head, self.nodes), "ends at no node of the network")
        for name in ("free_time_s", "capacity", "alpha", "beta", "toll"):
            values = getattr(self, name)
            self._first(~(np.isfinite(values) & (values >= 0)), f"{name} is negative or no number")
        self._first(self.length_m < 0, "length_m is negative")
        self._first((self.delay == BPR) & (self.alpha > 0) & (self.beta < 1) & (self.beta != 0), "beta is below 1")
        self._first((self.delay == CONICAL) & ~(self.alpha > 1), "the slope alpha of a conical delay is not above 1")

    def _first(self, wrong: Flags, what: str) -> None:
        if wrong.any():
            at = int(np.argmax(wrong))
            raise InvalidNetwork(f"link {self.link_ids[at]}: {what} ({int(wrong.sum())} such links)")


def _whole(values: npt.ArrayLike) -> Integers:
    return np.ascontiguousarray(values, np.int64)


def _inside(values: Integers, n: int) -> Flags:
    return (values >= 0) & (values < n)
