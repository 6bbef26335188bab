"""SUMO networks (`.net.xml`, also gzipped): edges, lanes, connections (sumo.dlr.de/docs/Networks)."""

import gzip
from pathlib import Path
from typing import BinaryIO, cast
from xml.etree import ElementTree

import numpy as np
import shapely

from twin.traffic.errors import InvalidNetwork
from twin.traffic.network import Network
from twin.traffic.roads import CLASSES, UNKNOWN, lane_capacity

CAR = "passenger"


def read_network(path: Path) -> Network:
    """The part of a SUMO network that passenger cars use; what no connection of their lanes leads to is banned.

    Times are length over the fastest lane's limit; capacities those of the edge's OSM class, lane by lane. Coordinates
    are those of the network's projection, or the file's own where it has none.
    Raises InvalidNetwork if it is no such file or nothing in it is for cars.
    """
    nodes: dict[str, tuple[float, float]] = {}
    edges: dict[str, tuple[str, str, str, list[ElementTree.Element], str]] = {}
    connections: list[tuple[str, str, str, str]] = []
    crs, offset = "", (0.0, 0.0)
    try:
        with path.open("rb") as raw:
            # A gzipped file begins with these two bytes, however it is called.
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            file = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if packed else raw
            for _, element in ElementTree.iterparse(file):
                if element.tag == "junction" and element.get("type") != "internal":
                    nodes[element.attrib["id"]] = (float(element.attrib["x"]), float(element.attrib["y"]))
                elif element.tag == "edge" and element.get("function", "normal") == "normal":
                    lanes = [lane for lane in element.findall("lane") if _open_to_cars(lane)]
                    if lanes:
                        e = element.attrib
                        edges[e["id"]] = e["from"], e["to"], e.get("type", ""), lanes, e.get("shape", "")
                elif element.tag == "connection" and _open_to_cars(element):
                    e = element.attrib
                    connections.append((e["from"], e["to"], e.get("fromLane", "0"), e.get("toLane", "0")))
                elif element.tag == "location" and element.get("projParameter", "").startswith("+"):
                    # "!" and "-" stand for none. The offset has been added to all coordinates.
                    crs = element.attrib["projParameter"]
                    offset = _pair(element.get("netOffset", "0,0"))
    except (ElementTree.ParseError, KeyError, ValueError, OSError, EOFError) as error:
        raise InvalidNetwork(f"{path.name}: no SUMO network ({type(error).__name__}: {error})") from None
    if not edges:
        raise InvalidNetwork(f"{path.name}: no edge in it is open to passenger cars")
    lost = next((end for a, b, *_ in edges.values() for end in (a, b) if end not in nodes), None)
    if lost is not None:
        raise InvalidNetwork(f"{path.name}: an edge ends at junction {lost!r}, which the file does not hold")
    lanes_of = {each: {lane.get("index", "0") for lane in found} for each, (*_, found, _) in edges.items()}
    allowed = {(a, b) for a, b, i, j in connections if i in lanes_of.get(a, ()) and j in lanes_of.get(b, ())}
    return _network(nodes, edges, allowed, crs, offset)


def _network(
    nodes: dict[str, tuple[float, float]],
    edges: dict[str, tuple[str, str, str, list[ElementTree.Element], str]],
    allowed: set[tuple[str, str]],
    crs: str,
    offset: tuple[float, float],
) -> Network:
    used = sorted({end for a, b, *_ in edges.values() for end in (a, b)})
    index = {each: n for n, each in enumerate(used)}
    classes = [kind.removeprefix("highway.").split("|")[0] for _, _, kind, _, _ in edges.values()]
    lanes = [found for *_, found, _ in edges.values()]
    length = np.array([float(each[0].attrib["length"]) for each in lanes])
    speed = np.array([max(float(lane.attrib["speed"]) for lane in each) for each in lanes])
    number = np.array([float(len(each)) for each in lanes])
    per_lane = np.array([lane_capacity(CLASSES.get(each, UNKNOWN)) for each in classes])
    network = Network.build(
        used,
        [index[a] for a, *_ in edges.values()],
        [index[b] for _, b, *_ in edges.values()],
        length / speed,
        number * per_lane,
        x=[nodes[each][0] - offset[0] for each in used],
        y=[nodes[each][1] - offset[1] for each in used],
        link_ids=list(edges),
        length_m=length,
        lanes=number,
        road_class=np.array(classes, object),
        geometry=[_line(found[0], shape, offset) for *_, found, shape in edges.values()],
        crs=crs,
    )
    leaving: dict[str, list[str]] = {}
    for each, (start, *_) in edges.items():
        leaving.setdefault(start, []).append(each)
    bans = [
        (each, other, np.inf)
        for each, (_, end, *_) in edges.items()
        for other in leaving.get(end, ())
        if (each, other) not in allowed
    ]
    return network.with_turns(bans)


def _open_to_cars(lane: ElementTree.Element) -> bool:
    """By `allow` or `disallow` of a lane or connection: without either it is open to all."""
    allow = lane.get("allow")
    if allow is not None:
        return CAR in allow.split() or allow == "all"
    disallow = lane.get("disallow", "").split()
    return CAR not in disallow and "all" not in disallow


def _line(lane: ElementTree.Element, shape: str, offset: tuple[float, float]) -> shapely.LineString:
    corners = [_pair(point) for point in (shape or lane.attrib["shape"]).split()]
    return shapely.LineString([(x - offset[0], y - offset[1]) for x, y in corners])


def _pair(text: str) -> tuple[float, float]:
    """x and y of "x,y" or "x,y,z"."""
    x, y = text.split(",")[:2]
    return float(x), float(y)
