"""Where on its links a simulated queue stands, and how fast who is in it moves: by kinematic waves.

Lighthill and Whitham (1955), Newell (1993), with a triangular diagram: from what a street holds and lets in and out, a
queue at its end of the density that goes with what leaves, and behind it free traffic of the density that arrives.
"""

import numpy as np

from twin.traffic.chains import Chains
from twin.traffic.dynamic import JAM_VEHICLES_PER_M, MINUTE_S, REACTION_S, Minutes
from twin.traffic.link_minutes import LinkMinutes
from twin.traffic.network import Floats

# Of how many minutes one row is, where nobody is in a queue.
CALM_MIN = 5
# Links with fewer vehicles on them are not told.
LEAST_VEHICLES = 0.5
# m/s that the front of a queue moves back at where it begins to dissolve.
WAVE_M_S = 1 / (REACTION_S * JAM_VEHICLES_PER_M)


def by_minute(chains: Chains, found: Minutes, platoon: int) -> LinkMinutes:
    """Each link of the whole network that had vehicles, minute by minute. found: of the network of chains.

    A queue counts from two platoons on, for fewer vehicles cannot be told from chance.
    """
    network = chains.network
    length = network.length_m
    lanes = np.maximum(1, np.round(network.lanes))
    free_m_s = length / network.free_time_s
    seconds = np.diff(found.time_s, prepend=0.0)[:, None]
    before = np.r_[np.zeros((1, network.links)), found.vehicles[:-1]]
    vehicles = (before + found.vehicles) / 2
    arriving, leaving = (np.diff(each, axis=0, prepend=0.0) / seconds for each in (found.entered, found.left))
    free = arriving / free_m_s
    dense = np.maximum(JAM_VEHICLES_PER_M * lanes - leaving / WAVE_M_S, free + 1e-6)
    surplus = vehicles - free * length
    queue_m = np.where(surplus < 2 * platoon, 0.0, np.clip(surplus / (dense - free), 0.0, length))
    # Of each link, how far its end is from that of its chain, and how much of it the queue covers.
    chain, own_m = chains.chain, chains.length_m
    upto = np.r_[0.0, np.cumsum(own_m)]
    behind = upto[chains.first[1:]][chain] - upto[1:]
    covered = np.clip((queue_m[:, chain] - behind) / own_m, 0.0, 1.0)
    standing = covered * own_m * dense[:, chain]
    moving = (1 - covered) * own_m * np.where(queue_m > 0, free, vehicles / length)[:, chain]
    on_it = standing + moving
    creep = np.minimum(leaving / dense, free_m_s)
    speed = (standing * creep[:, chain] + moving * free_m_s[chain]) / np.maximum(on_it, 1e-9)
    left = np.where(queue_m[:, chain] > behind, leaving[:, chain], arriving[:, chain]) * MINUTE_S
    minute, at = np.nonzero((on_it >= LEAST_VEHICLES) | (standing > 0))
    return LinkMinutes(
        minute, np.ones(len(minute), np.int64), chains.links[at],
        *(each[minute, at] for each in (speed, on_it, standing, left)),
    )  # fmt: skip


def thinned(found: LinkMinutes) -> LinkMinutes:
    """The same with one row for each `CALM_MIN` in which nobody was in a queue: the means of these minutes."""
    count, most = int(found.minute.max(initial=-1)) + 1, int(found.link.max(initial=-1)) + 1
    block = found.minute // CALM_MIN
    _, first, each = np.unique(block * most + found.link, return_index=True, return_inverse=True)
    calm = np.bincount(each, found.queue) == 0
    lasts = np.minimum(CALM_MIN, count - block[first] * CALM_MIN)

    def mean(values: Floats) -> Floats:
        summed: Floats = np.bincount(each, values) / lasts
        return summed

    vehicles = mean(found.vehicles)
    speed = mean(found.vehicles * found.speed_m_s) / np.maximum(vehicles, 1e-9)
    begin = block[first] * CALM_MIN
    kept = ~calm[each]
    whole = (begin, found.minute), (lasts, found.lasts), (found.link[first], found.link)
    merged = speed, vehicles, np.zeros(len(first)), mean(found.left)
    rows = found.speed_m_s, found.vehicles, found.queue, found.left
    return LinkMinutes(
        *(np.concatenate([a[calm], b[kept]]) for a, b in whole),
        *(np.concatenate([a[calm], b[kept]]) for a, b in zip(merged, rows, strict=True)),
    )


def since(found: LinkMinutes, minutes: int) -> LinkMinutes:
    """The same without its first minutes."""
    kept = found.minute >= minutes
    rows = found.speed_m_s, found.vehicles, found.queue, found.left
    begin = found.minute[kept] - minutes
    return LinkMinutes(begin, found.lasts[kept], found.link[kept], *(each[kept] for each in rows))
