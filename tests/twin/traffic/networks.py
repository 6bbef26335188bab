"""Small networks that many tests share."""

from pathlib import Path

import numpy as np

from twin.traffic import Demand, Network
from twin.traffic.readers import tntp


def braess(bridge: bool) -> tuple[Network, Demand]:
    """Braess (1968): four nodes, six vehicles; the bridge 3-4 makes everybody slower."""
    tail, head = [0, 0, 2, 2, 3], [2, 3, 1, 3, 1]
    time, rise = np.array([0.0, 50, 50, 10, 0]), np.array([10.0, 1, 1, 1, 10])
    # t = time + rise * flow, as t0 (1 + alpha v / c); a link that is free when empty takes next to nothing.
    base = np.maximum(time, 1e-9)
    network = Network.build([1, 2, 3, 4], tail, head, base, 1.0, alpha=rise / base, beta=1.0)
    demand = Demand.from_pairs([1], [2], [6.0])
    return (network if bridge else network.closing([3])), demand


def published(data: Path, name: str) -> tuple[Network, Demand]:
    """A network of the TNTP collection in its own units."""
    folder = data / "traffic" / "tntp" / name
    trips = next(folder.glob("*_trips.tntp"))
    return tntp.read_network(next(folder.glob("*_net.tntp")), time_unit_s=1.0), tntp.read_trips(trips)


def grid(side: int, seed: int = 0, two_way: bool = True) -> Network:
    """A square grid of streets with times drawn at random."""
    random = np.random.default_rng(seed)
    node = np.arange(side * side).reshape(side, side)
    pairs = np.concatenate(
        [np.stack([node[:, :-1].ravel(), node[:, 1:].ravel()]), np.stack([node[:-1].ravel(), node[1:].ravel()])], axis=1
    )
    both = np.concatenate([pairs, pairs[::-1]], axis=1) if two_way else pairs
    time = random.uniform(10, 60, both.shape[1])
    y, x = np.divmod(np.arange(side * side), side)
    return Network.build(
        np.arange(side * side), both[0], both[1], time, random.uniform(300, 1800, both.shape[1]),
        x=x * 100.0, y=y * 100.0, length_m=time * 10,
    )  # fmt: skip
