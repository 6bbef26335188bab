"""What is doubtful about a network: islands, dead ends, one-way traps, missing lengths and capacities."""

from dataclasses import dataclass

import numpy as np

from twin.traffic.access import reached_nodes
from twin.traffic.network import Flags, Integers, Network

TITLES = {
    "island": ("孤立路段", "Not connected with the largest part of the network"),
    "trap": ("单行陷阱", "One-way trap: entered and never left"),
    "source": ("单行起点", "One-way source: left and never entered"),
    "dead_end": ("断头路", "Dead end"),
    "zero_length": ("零长度", "Length of zero or unknown"),
    "zero_time": ("零时间", "Travel time of zero"),
    "zero_capacity": ("零通行能力", "Capacity of zero: closed"),
    "loop": ("自环", "Begins and ends at the same node"),
    "duplicate": ("重复路段", "A second link between the same nodes"),
}


@dataclass(frozen=True, eq=False)
class Finding:
    """One kind of doubt: its name in TITLES, and the indices of the links or nodes that it concerns."""

    kind: str
    links: Integers
    nodes: Integers

    @property
    def title(self) -> tuple[str, str]:
        """In Chinese and in English."""
        return TITLES[self.kind]

    def __len__(self) -> int:
        return max(len(self.links), len(self.nodes))


def check(network: Network) -> list[Finding]:
    """All doubts that apply, the gravest first; none is an error. A dead end is no fault if a road ends there."""
    core = largest_part(network)
    to, back = reached_nodes(network, core), reached_nodes(network, core, towards=True)
    used = np.zeros(network.nodes, np.bool_)
    used[network.tail] = used[network.head] = True
    inside = np.zeros(network.nodes, np.bool_)
    inside[core] = True
    between = network.tail * network.nodes + network.head
    _, first = np.unique(between, return_index=True)
    second = np.ones(network.links, np.bool_)
    second[first] = False
    rising = (network.alpha > 0) & (network.beta > 0)
    found = [
        _of_nodes("island", network, used & ~to & ~back),
        _of_nodes("trap", network, used & to & ~back),
        _of_nodes("source", network, used & back & ~to),
        _of_nodes("dead_end", network, inside & _single(network)),
        _of_links("zero_length", ~(network.length_m > 0)),
        _of_links("zero_time", network.free_time_s == 0),
        _of_links("zero_capacity", (network.capacity == 0) & rising),
        _of_links("loop", network.tail == network.head),
        _of_links("duplicate", second),
    ]
    return [each for each in found if len(each)]


def largest_part(network: Network) -> Integers:
    """Nodes of the largest part in which every node is reached from every other, over open links."""
    left = np.zeros(network.nodes, np.bool_)
    left[network.tail[network.open]] = left[network.head[network.open]] = True
    best = np.empty(0, np.int64)
    while left.sum() > len(best):
        # The best-connected node left: in a city it lies in the main part.
        weight = np.bincount(network.tail[network.open], minlength=network.nodes)
        root = np.array([int(np.argmax(np.where(left, weight, -1)))])
        part = reached_nodes(network, root) & reached_nodes(network, root, towards=True)
        if part.sum() > len(best):
            best = np.flatnonzero(part)
        left &= ~part
    return best


def _single(network: Network) -> Flags:
    """Nodes with one neighbour only."""
    a = np.concatenate([network.tail, network.head])
    b = np.concatenate([network.head, network.tail])
    pairs = np.unique(np.stack([a, b])[:, a != b], axis=1)
    alone: Flags = np.bincount(pairs[0], minlength=network.nodes) == 1
    return alone


def _of_nodes(kind: str, network: Network, nodes: Flags) -> Finding:
    links = np.flatnonzero(nodes[network.tail] | nodes[network.head])
    return Finding(kind, links, np.flatnonzero(nodes))


def _of_links(kind: str, links: Flags) -> Finding:
    return Finding(kind, np.flatnonzero(links), np.empty(0, np.int64))
