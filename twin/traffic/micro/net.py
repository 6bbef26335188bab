"""A part of a network as SUMO has it: plain nodes, edges and connections, joined by netconvert; and signal programs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as xml

import numpy as np
import shapely

from twin.traffic.micro.process import Sumo
from twin.traffic.network import Flags, Integers, Network
from twin.traffic.roads import CLASSES
from twin.traffic.signals import Signal

NETCONVERT_S = 120.0
SLOWEST_M_S = 1.0
# Of the time that nobody is let in after a phase, what is amber.
AMBER_S = 3.0
# Right of way goes by class: earlier in the list of classes is greater.
RANK = {name: len(CLASSES) - n for n, name in enumerate(CLASSES)}


@dataclass(frozen=True)
class Net:
    """file: of SUMO. movements: pairs of links (indices) that it joins. x, y: metres of the CRS at its origin."""

    file: Path
    movements: frozenset[tuple[int, int]]
    signals: tuple[str, ...]
    x: float
    y: float


def build_net(
    sumo: Sumo, folder: Path, network: Network, inside: Flags, *, plans: Sequence[Signal], lit: Integers
) -> Net:
    """Write and join the links of a part. lit: nodes with signals; those of no plan get SUMO's own.

    network: with geometry. Raises MicroFailed where netconvert refuses it.
    """
    assert network.geometry is not None, "links of a net have shapes"
    links = np.flatnonzero(inside & network.open)
    west, south, _, _ = np.floor(shapely.total_bounds(network.geometry[links])).tolist()
    group = {node: f"plan{n}" for n, each in enumerate(plans) for node in each.nodes}
    nodes, edges, joins = (xml.Element(name) for name in ("nodes", "edges", "connections"))
    waiting = {int(node) for node in lit}
    for node in np.unique([network.tail[links], network.head[links]]).tolist():
        row = {"id": f"n{node}", "x": f"{network.x[node] - west:.2f}", "y": f"{network.y[node] - south:.2f}"}
        if node in group:
            row |= {"type": "traffic_light", "tl": group[node]}
        elif node in waiting:
            row |= {"type": "traffic_light", "tl": f"own{node}"}
        xml.SubElement(nodes, "node", row)
    for link in links.tolist():
        speed = max(float(network.length_m[link] / max(network.free_time_s[link], 1e-3)), SLOWEST_M_S)
        corners = shapely.get_coordinates(network.geometry[link]) - (west, south)
        row = {
            "id": f"e{link}", "from": f"n{network.tail[link]}", "to": f"n{network.head[link]}",
            "numLanes": str(max(1, round(float(network.lanes[link])))), "speed": f"{speed:.2f}",
            "priority": str(RANK.get(network.road_class[link], 1)),
            "shape": " ".join(f"{a:.2f},{b:.2f}" for a, b in corners.tolist()),
        }  # fmt: skip
        xml.SubElement(edges, "edge", row)
    for a, b in _movements(network, links):
        xml.SubElement(joins, "connection", {"from": f"e{a}", "to": f"e{b}"})
    words: list[str | Path] = ["--no-turnarounds", "--offset.disable-normalization", "--precision", "2"]
    for flag, name, root in (
        ("-n", "plain.nod.xml", nodes),
        ("-e", "plain.edg.xml", edges),
        ("-x", "plain.con.xml", joins),
    ):
        xml.ElementTree(root).write(folder / name)
        words += [flag, folder / name]
    file = folder / "part.net.xml"
    sumo.run("netconvert", [*words, "-o", file], folder, limit_s=NETCONVERT_S)
    found = xml.parse(file).getroot()
    joined = [each for each in found.iter("connection") if not each.get("from", ":").startswith(":")]
    pairs = frozenset((int(each.get("from", "")[1:]), int(each.get("to", "")[1:])) for each in joined)
    programs = tuple(
        text for n, each in enumerate(plans) if (text := _program(f"plan{n}", each, joined, network)) is not None
    )
    return Net(file, pairs, programs, west, south)


def _movements(network: Network, links: Integers) -> list[tuple[int, int]]:
    """Which link leads to which: all that meet and are not banned; back only where no other way leads on."""
    banned = {
        (int(a), int(b))
        for a, b, seconds in zip(network.turns.from_link, network.turns.to_link, network.turns.penalty_s, strict=True)
        if np.isinf(seconds)
    }
    leaving: dict[int, list[int]] = {}
    for link in links.tolist():
        leaving.setdefault(int(network.tail[link]), []).append(link)
    found = []
    for link in links.tolist():
        after = [each for each in leaving.get(int(network.head[link]), []) if (link, each) not in banned]
        on = [each for each in after if network.head[each] != network.tail[link]]
        found += [(link, each) for each in (on or after)]
    return found


def _program(name: str, signal: Signal, joined: Sequence[xml.Element], network: Network) -> str | None:
    """A plan as SUMO's fixed program; None where netconvert saw nothing to control."""
    own = [each for each in joined if each.get("tl") == name]
    if not own:
        return None
    width = 1 + max(int(each.get("linkIndex", "0")) for each in own)
    waits = signal.green_s
    green: list[list[str]] = []
    for phase in signal.phases:
        row = ["G"] * width
        for each in own:
            link, place = int(each.get("from", "")[1:]), int(each.get("linkIndex", "0"))
            # Who turns left gives way to those who come towards him at the same green.
            going = "g" if each.get("dir") in ("l", "L", "t") else "G"
            row[place] = going if link in phase.links or link not in waits else "r"
        green.append(row)
    rows = []
    for n, (phase, row) in enumerate(zip(signal.phases, green, strict=True)):
        after = green[(n + 1) % len(green)]
        ends = ["y" if now in "Gg" and then == "r" else now for now, then in zip(row, after, strict=True)]
        clear = ["r" if now == "y" else now for now in ends]
        amber = min(AMBER_S, signal.lost_s)
        spans = (row, phase.green_s), (ends, amber), (clear, signal.lost_s - amber)
        rows += [f'<phase duration="{s:g}" state="{"".join(state)}"/>' for state, s in spans if s > 0]
    head = f'<tlLogic id="{name}" type="static" programID="given" offset="{signal.offset_s:g}">'
    return head + "".join(rows) + "</tlLogic>"
