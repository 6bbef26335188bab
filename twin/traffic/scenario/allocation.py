"""Who goes where when places have only so much room: the transport problem, solved exactly."""

import numpy as np

from twin.traffic.network import Floats, Integers

# Costs that differ by less are the same, s.
SAME = 1e-6


def allocate(people: Integers, room: Integers, cost: Floats) -> Integers:
    """People of each group [row] in each place [column], at the least sum of costs over all people.

    cost: of one person from a group to a place, inf where no way leads. As many are placed as can be; the others stay.
    Shortest augmenting paths (Ahuja, Magnanti & Orlin 1993, Network Flows, section 9.7), which never undo the optimum
    of what is already placed.
    """
    flow = np.zeros(cost.shape, np.int64)
    left, free = people.astype(np.int64), room.astype(np.int64)
    if flow.size == 0:
        return flow
    while True:
        distance, by, via = _distances(left, flow, cost)
        goal = np.where(free > 0, distance, np.inf)
        place = int(goal.argmin())
        if not np.isfinite(goal[place]):
            return flow
        end, forth, back = place, [], []
        while True:
            group = int(by[place])
            forth.append((group, place))
            if via[group] < 0:
                break
            place = int(via[group])
            back.append((group, place))
        moved = min([left[group], free[end], *(flow[each] for each in back)])
        for each in forth:
            flow[each] += moved
        for each in back:
            flow[each] -= moved
        left[group] -= moved
        free[end] -= moved


def _distances(left: Integers, flow: Integers, cost: Floats) -> tuple[Floats, Integers, Integers]:
    """Least cost of one more person in each place, by which group; and whence each group is displaced (-1: nowhere)."""
    begun, via = np.where(left > 0, 0.0, np.inf), np.full(len(left), -1)
    distance, by = np.full(cost.shape[1], np.inf), np.full(cost.shape[1], -1)
    undone = np.where(flow > 0, -cost, np.inf)
    while True:
        # Only what is truly less is taken over: of two ways alike, one would lead back along the other.
        if not _lower(distance, by, (begun[:, None] + cost).T):
            return distance, by, via
        if not _lower(begun, via, distance[None, :] + undone):
            return distance, by, via


def _lower(least: Floats, whence: Integers, found: Floats) -> bool:
    """Take over the least of each row of `found` where it is less, and its column; whether there was any."""
    column = found.argmin(axis=1)
    value = found[np.arange(len(found)), column]
    better = value < least - SAME
    least[better], whence[better] = value[better], column[better]
    return bool(better.any())
