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
    """The part of a SUMO network that passenger cars use; movements without a connection are banned.

    Times are length over the fastest lane's limit; capacities those of the edge's OSM class, lane by lane.
    Raises InvalidNetwork if it is no such file or nothing in it is for cars.
    """
    nodes: dict[str, tuple[float, float]] = {}
    edges: dict[str, tuple[str, str, str, list[ElementTree.Element], str]] = {}
    allowed: set[tuple[str, str]] = set()
    crs = ""
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
                elif element.tag == "connection":
                    allowed.add((element.attrib["from"], element.attrib["to"]))
                elif element.tag == "location":
                    crs = element.get("projParameter", "")
    except (ElementTree.ParseError, KeyError, ValueError, OSError, EOFError) as error:
        raise InvalidNetwork(f"{path.name}: no SUMO network ({type(error).__name__}: {error})") from None
    if not edges:
        raise InvalidNetwork(f"{path.name}: no edge in it is open to passenger cars")
    return _network(nodes, edges, allowed, crs)


def _network(
    nodes: dict[str, tuple[float, float]],
    edges: dict[str, tuple[str, str, str, list[ElementTree.Element], str]],
    allowed: set[tuple[str, str]],
    crs: str,
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
        x=[nodes[each][0] for each in used],
        y=[nodes[each][1] for each in used],
        link_ids=list(edges),
        length_m=length,
        lanes=number,
        road_class=np.array(classes, object),
        geometry=[_line(found[0], shape) for *_, found, shape in edges.values()],
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
    """By the lane's `allow` or `disallow`: without either it is open to all."""
    allow = lane.get("allow")
    if allow is not None:
        return CAR in allow.split() or allow == "all"
    disallow = lane.get("disallow", "").split()
    return CAR not in disallow and "all" not in disallow


def _line(lane: ElementTree.Element, shape: str) -> shapely.LineString:
    return shapely.LineString(
        [tuple(float(part) for part in point.split(",")[:2]) for point in (shape or lane.attrib["shape"]).split()]
    )
