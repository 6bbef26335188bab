"""A network whose streets without a choice on the way are a link each, for engines that look at all pairs of nodes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from twin.traffic.network import Flags, Floats, Integers, Network
from twin.traffic.signals import Phase, Signal


@dataclass(frozen=True, eq=False)
class Chains:
    """network: of chains, each a link. links: of the whole network, those of a chain after each other in its direction.

    length_m: of these. first: where each chain begins among them, and at the end their number. node: number here of
    each node of the whole network, -1 where there is none.
    """

    network: Network
    links: Integers
    length_m: Floats
    first: Integers
    node: Integers

    @property
    def chain(self) -> Integers:
        """The chain of each of `links`."""
        return np.repeat(np.arange(self.network.links), np.diff(self.first))

    def having(self, flags: Flags) -> Integers:
        """The chains of flagged links of the whole network."""
        return np.unique(self.chain[flags[self.links]])

    def signals(self, signals: Sequence[Signal]) -> list[Signal]:
        """Signals of the whole network as those of the chains; what lies off them is left out."""
        ending = {int(link): n for n, link in enumerate(self.links[self.first[1:] - 1].tolist())}
        found = []
        for each in signals:
            nodes = tuple(int(self.node[n]) for n in each.nodes if self.node[n] >= 0)
            phases = tuple(
                Phase(tuple(ending[link] for link in phase.links if link in ending), phase.green_s)
                for phase in each.phases
            )
            if nodes and any(phase.links for phase in phases):
                found.append(replace(each, nodes=nodes, phases=phases))
        return found


def chained(network: Network, used: Flags, kept: Flags, group: Integers) -> Chains:
    """Links in use as chains. kept: nodes that stay, besides those with a choice. group: links of another are not
    joined; those of one must have equal capacity and lanes. Banned turns are not kept.

    Of chains that lead from one node to the same other one all but the first keep a node in their middle: engines
    that name a way by its nodes could not tell them apart.
    """
    links = np.flatnonzero(used & (network.tail != network.head))
    stays = kept.copy()
    while True:
        chains = _joined(network, links, stays, group)
        seen: set[tuple[int, int]] = set()
        halved = False
        for chain in sorted(chains, key=len):
            ends = int(network.tail[chain[0]]), int(network.head[chain[-1]])
            if (ends in seen or ends[0] == ends[1]) and len(chain) > 1:
                stays[network.head[chain[(len(chain) - 1) // 2]]] = halved = True
            seen.add(ends)
        if not halved:
            return _network(network, sorted(chains))


def _joined(network: Network, links: Integers, kept: Flags, group: Integers) -> list[list[int]]:
    """Links after each other as far as nobody has a choice."""
    leaving: dict[int, list[int]] = {}
    arriving: dict[int, list[int]] = {}
    for link in links.tolist():
        leaving.setdefault(int(network.tail[link]), []).append(link)
        arriving.setdefault(int(network.head[link]), []).append(link)
    following: dict[int, int] = {}
    for node, here in arriving.items():
        pairs = [] if kept[node] else _through(network, here, leaving.get(node, []))
        if all(group[a] == group[b] for a, b in pairs):
            following.update(pairs)
    rest = dict.fromkeys(links.tolist())
    after = set(following.values())
    begins = [link for link in rest if link not in after]
    chains = []
    # Rings without a beginning come last, from wherever.
    for begin in [*begins, *rest]:
        chain, at = [], begin
        while at in rest:
            del rest[at]
            chain.append(at)
            at = following.get(at, -1)
        if chain:
            chains.append(chain)
    return chains


def _through(network: Network, arriving: list[int], leaving: list[int]) -> list[tuple[int, int]]:
    """Which link follows which at a node where nobody has a choice but to turn round; none where somebody has."""
    around = {int(network.tail[link]) for link in arriving} | {int(network.head[link]) for link in leaving}
    if len(around) != 2 or not len(arriving) == len(leaving) <= 2:
        return []
    pairs = [(a, b) for a in arriving for b in leaving if network.tail[a] != network.head[b]]
    return pairs if len(pairs) == len(arriving) else []


def _network(network: Network, chains: list[list[int]]) -> Chains:
    links = np.array([link for chain in chains for link in chain], np.int64)
    first = np.r_[0, np.cumsum([len(chain) for chain in chains])].astype(np.int64)
    start, end = links[first[:-1]], links[first[1:] - 1]
    nodes, ends = np.unique(np.r_[network.tail[start], network.head[end]], return_inverse=True)
    number = np.full(network.nodes, -1)
    number[nodes] = np.arange(len(nodes))
    made = Network.build(
        network.node_ids[nodes],
        ends[: len(start)],
        ends[len(start) :],
        np.add.reduceat(network.free_time_s[links], first[:-1]),
        network.capacity[start],
        x=network.x[nodes],
        y=network.y[nodes],
        length_m=np.add.reduceat(network.length_m[links], first[:-1]),
        lanes=network.lanes[start],
        alpha=network.alpha[start],
    )
    return Chains(made, links, network.length_m[links], first, number)
