"""Banned turns of the city's roads, as an import of OpenStreetMap tells them at the road that they begin on."""

import re
from collections.abc import Sequence

import numpy as np

from twin.traffic.network import Integers, Network, Turns
from twin.traffic.readers.lines import Report

# "no_left_turn node/5 way/13 except bus", as layers/formats/osm/restrictions.py writes it.
RESTRICTION = re.compile(r"(no|only)_\w+ (\S+) (\S+)(?: except (\S+))?")
CARS = frozenset({"motorcar", "motor_vehicle", "vehicle"})


def banned_turns(
    network: Network, road: Integers, uids: Sequence[str | None], told: Sequence[str | None], report: Report
) -> Turns:
    """The movements that restrictions forbid to cars. One that demands a way forbids all others.

    road: row of each link in `uids` and `told`, the names and restrictions of roads. The report counts what is kept,
    and what is not: over several roads, or at a node or towards a road that the network has not.
    """
    leaving = _leaving(network, road, told)
    bans: list[tuple[int, int]] = []
    seen: set[tuple[int, str]] = set()
    kept: set[tuple[int, str]] = set()
    for link in np.flatnonzero([told[row] is not None for row in road.tolist()]).tolist():
        row, node = int(road[link]), int(network.head[link])
        forbidden: set[int] = set()
        demanded: set[int] = set()
        for text in (told[row] or "").split("; "):
            found = RESTRICTION.fullmatch(text)
            if found is None or CARS & set((found[4] or "").split(",")):
                continue
            seen.add((row, text))
            after = {each for each in leaving[node] if _leads_to(found[3], row, int(road[each]), uids)}
            # Two roads of one way behind the node: the restriction does not say which.
            if found[2] == str(network.node_ids[node]) and len({int(road[each]) for each in after}) == 1:
                kept.add((row, text))
                (demanded if found[1] == "only" else forbidden).update(after)
        shut = forbidden | (set(leaving[node]) - demanded if demanded else set())
        bans += [(link, each) for each in sorted(shut)]
    over = {each for each in seen if not each[1].split(" ")[1].startswith("node/") or "," in each[1].split(" ")[1]}
    report.add("turn restrictions", len(kept))
    report.add("turn restrictions over a road, not kept", len(over))
    report.add("turn restrictions that fit no roads for cars", len(seen - kept - over))
    pairs = np.array(bans, np.int64).reshape(-1, 2)
    return Turns(pairs[:, 0], pairs[:, 1], np.full(len(pairs), np.inf))


def _leaving(network: Network, road: Integers, told: Sequence[str | None]) -> dict[int, list[int]]:
    """Links that leave each node at which a road with restrictions ends."""
    ends = {int(node) for node, row in zip(network.head, road.tolist(), strict=True) if told[row] is not None}
    found: dict[int, list[int]] = {node: [] for node in ends}
    for link, node in enumerate(network.tail.tolist()):
        if node in ends:
            found[node].append(link)
    return found


def _leads_to(way: str, own: int, other: int, uids: Sequence[str | None]) -> bool:
    """Whether a road is a piece of a way; of a road's own way only the road itself, turned round in."""
    if (uids[own] or "").startswith(f"{way}/"):
        return own == other
    return (uids[other] or "").startswith(f"{way}/")
