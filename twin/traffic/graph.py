"""From a network to the graph that trees and assignments run on: turns laid out, dead ends and chains taken in."""

from dataclasses import dataclass

import numpy as np

from twin.traffic.kernels import contraction
from twin.traffic.kernels.delays import CONICAL as CONICAL_KIND
from twin.traffic.kernels.delays import CONSTANT, POWER, QUARTIC, Delays
from twin.traffic.kernels.trees import Graph
from twin.traffic.network import CONICAL, Flags, Floats, Integers, Network


@dataclass(frozen=True)
class Expansion:
    """A network with its restricted turns as links: the network's links keep their index, movements follow.

    start, end: for each node of the network, where trips begin and where they end; they differ at restricted nodes,
    so that nobody slips past a ban by ending a trip there and beginning another.
    penalty_s: of the movements. through: per node of the expansion.
    """

    tail: Integers
    head: Integers
    penalty_s: Floats
    through: Flags
    start: Integers
    end: Integers


def expand(network: Network) -> Expansion:
    """Lay out turns at the nodes that have banned or costly ones; other nodes stay one node."""
    n = network.nodes
    tail, head = network.tail.copy(), network.head.copy()
    start, end = np.arange(n), np.arange(n)
    turns = network.turns
    turn_s = dict(zip(zip(turns.from_link.tolist(), turns.to_link.tolist(), strict=True), turns.penalty_s, strict=True))
    via = network.head[turns.from_link]
    # Nothing turns where nothing may pass.
    restricted = np.unique(via[network.through[via]])
    special = np.zeros(network.links, np.bool_)
    special[turns.from_link] = True
    movements: list[tuple[int, int, float]] = []
    nodes = n
    for node in restricted.tolist():
        leaving = np.flatnonzero(network.tail == node)
        entering = np.flatnonzero((network.head == node) & special)
        tail[leaving] = nodes + np.arange(len(leaving))
        movements += [(node, int(tail[link]), 0.0) for link in leaving]
        nodes += len(leaving)
        end[node] = nodes
        nodes += 1
        movements.append((node, int(end[node]), 0.0))
        for link in entering:
            head[link] = nodes
            movements.append((nodes, int(end[node]), 0.0))
            for other in leaving:
                seconds = turn_s.get((int(link), int(other)), 0.0)
                if np.isfinite(seconds):
                    movements.append((nodes, int(tail[other]), float(seconds)))
            nodes += 1
    through = np.ones(nodes, np.bool_)
    through[:n] = network.through
    return Expansion(
        tail=np.concatenate([tail, np.array([a for a, _, _ in movements], np.int64)]),
        head=np.concatenate([head, np.array([b for _, b, _ in movements], np.int64)]),
        penalty_s=np.array([seconds for _, _, seconds in movements], np.float64),
        through=through,
        start=start,
        end=end,
    )


def sorted_graph(tail: Integers, head: Integers, through: Flags) -> tuple[Graph, Integers]:
    """The graph with its links in the order of their tails, and which link stands at each place."""
    order = np.argsort(tail, kind="stable")
    first = np.searchsorted(tail[order], np.arange(len(through) + 1))
    return Graph(first, tail[order].astype(np.int32), head[order].astype(np.int32), through), order


def delays_of(network: Network, movements: int) -> Delays:
    """Delay functions of a network's links and of movements after them."""
    conical = network.delay == CONICAL
    power = np.where(conical, network.alpha, network.beta)
    constant = ~conical & ((network.alpha == 0) | (network.beta == 0))
    kind = np.where(conical, CONICAL_KIND, np.where(constant, CONSTANT, np.where(power == 4, QUARTIC, POWER)))
    kind[~network.open] = CONSTANT
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        rise = network.free_time_s * np.where(conical, 1.0, network.alpha / network.capacity**power)
        scale = 1 / network.capacity
    # A power of zero is a constant too: t0 (1 + alpha).
    flat = network.free_time_s * np.where(~conical & (network.beta == 0), 1 + network.alpha, 1.0)
    rows = (kind, flat, np.where(kind == CONSTANT, 0.0, rise), power, scale)
    return Delays(*(np.concatenate([np.asarray(row), np.zeros(movements, np.asarray(row).dtype)]) for row in rows))


@dataclass(frozen=True)
class Compact:
    """The graph that an assignment runs on.

    fixed [class, link]: s that do not depend on flow, inf where a class may not go. members: links of the expansion
    that stand in each link, those of link n from member_first[n] on. node: of the graph for each node of the
    expansion, -1 for those that nothing passes.
    """

    graph: Graph
    delays: Delays
    fixed: Floats
    members: Integers
    member_first: Integers
    node: Integers

    def spread(self, values: Floats, links: int) -> Floats:
        """Values of the graph's links on the links of the expansion."""
        out = np.zeros(links)
        out[self.members] = np.repeat(values, np.diff(self.member_first))
        return out


def compact(expansion: Expansion, delays: Delays, fixed: Floats, terminals: Integers) -> Compact:
    """Take in what no path between terminals needs to tell apart: dead ends, and chains of links."""
    m = len(expansion.tail)
    kept = ~expansion.through
    kept[terminals] = True
    alive = np.isfinite(fixed).any(axis=0)
    group = _groups(delays)
    head, following = expansion.head.copy(), np.full(m, -1)
    contraction.contract(expansion.tail, head, group, alive, kept, following)
    leaders = np.flatnonzero(alive)
    leader = np.full(m, -1)
    leader[leaders] = np.arange(len(leaders))
    chain = [leaders]
    owner = [np.arange(len(leaders))]
    while len(chain[-1]):
        after = following[chain[-1]]
        going = after >= 0
        chain.append(after[going])
        owner.append(owner[-1][going])
    members, owners = np.concatenate(chain), np.concatenate(owner)
    used = kept & (np.bincount(terminals, minlength=len(kept)) > 0)
    used[expansion.tail[leaders]] = used[head[leaders]] = True
    node = np.where(used, np.cumsum(used) - 1, -1)
    graph, order = sorted_graph(node[expansion.tail[leaders]], node[head[leaders]], expansion.through[used])
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    by_place = np.argsort(place[owners], kind="stable")
    members, owners = members[by_place], place[owners][by_place]
    count = len(leaders)

    def total(values: Floats) -> Floats:
        return np.bincount(owners, values[members], count).astype(np.float64)

    varying = members[delays.kind[members] != CONSTANT]
    owner_of_varying = owners[delays.kind[members] != CONSTANT]
    kind, power, scale = np.zeros(count, np.int8), np.zeros(count), np.zeros(count)
    kind[owner_of_varying] = delays.kind[varying]
    power[owner_of_varying], scale[owner_of_varying] = delays.power[varying], delays.scale[varying]
    return Compact(
        graph=graph,
        delays=Delays(kind, total(delays.base), total(delays.rise), power, scale),
        fixed=np.array([total(row) for row in fixed]),
        members=members,
        member_first=np.searchsorted(owners, np.arange(count + 1)),
        node=node,
    )


def _groups(delays: Delays) -> Integers:
    """0 for constant links, one number for each power, one for each conical link: only equals add up."""
    group = np.zeros(len(delays.kind), np.int64)
    rising = (delays.kind == QUARTIC) | (delays.kind == POWER)
    if rising.any():
        group[rising] = 1 + np.unique(delays.power[rising], return_inverse=True)[1]
    conical = delays.kind == CONICAL_KIND
    group[conical] = group.max(initial=0) + 1 + np.arange(int(conical.sum()))
    return group
