"""TNTP files: networks, trips and best-known flows (github.com/bstabler/TransportationNetworks, its README)."""

import re
from pathlib import Path

import numpy as np

from twin.traffic.demand import CAR, Demand, VehicleClass
from twin.traffic.errors import InvalidDemand, InvalidNetwork
from twin.traffic.network import Floats, Network

METADATA = re.compile(r"<([^>]+)>\s*([^\t\r\n~<]*)")
PAIR = re.compile(r"(\d+)\s*:\s*([^\s;]+)\s*;?")
COLUMNS = 10


def read_network(path: Path, *, time_unit_s: float = 60.0, length_unit_m: float = 1609.344) -> Network:
    """The network of a `_net.tntp` file: nodes 1..n, the first of them zones.

    Files do not tell their units: minutes and miles here unless said otherwise; time_unit_s=1 keeps the file's own
    numbers, so that objectives can be compared. Nodes below FIRST THRU NODE are centroids: no through traffic.
    Raises InvalidNetwork, naming the line.
    """
    text = path.read_text(encoding="utf-8", errors="replace")
    about = _about(text)
    try:
        zones, nodes, first = (int(about[name]) for name in ("NUMBER OF ZONES", "NUMBER OF NODES", "FIRST THRU NODE"))
    except (KeyError, ValueError) as error:
        raise InvalidNetwork(f"{path.name}: the head lacks {error}; is this a TNTP network?") from None
    rows: list[list[float]] = []
    for line, words in enumerate(text.splitlines(), 1):
        content = words.split("~", 1)[0].replace(";", " ").strip()
        if not content or content.startswith("<"):
            continue
        try:
            rows.append([float(word) for word in content.split()[:COLUMNS]])
        except ValueError:
            raise InvalidNetwork(f"{path.name}, line {line}: {content[:60]!r} is no row of numbers") from None
        if len(rows[-1]) < 7:
            raise InvalidNetwork(f"{path.name}, line {line}: {len(rows[-1])} columns; a link has at least 7")
        rows[-1] += [0.0] * (COLUMNS - len(rows[-1]))
    table = np.array(rows).reshape(-1, COLUMNS)
    if len(table) != int(about.get("NUMBER OF LINKS", len(table))):
        raise InvalidNetwork(f"{path.name}: {len(table)} links, the head speaks of {about['NUMBER OF LINKS']}")
    ends = table[:, :2].astype(np.int64)
    if len(ends) and (ends.min() < 1 or ends.max() > nodes):
        raise InvalidNetwork(f"{path.name}: a link at node {ends.max()}, the head speaks of {nodes} nodes")
    ids = np.arange(1, nodes + 1)
    return Network.build(
        ids,
        ends[:, 0] - 1,
        ends[:, 1] - 1,
        table[:, 4] * time_unit_s,
        table[:, 2],
        through=ids >= first,
        link_ids=np.array([f"{a}-{b}" for a, b in ends.tolist()]),
        length_m=table[:, 3] * length_unit_m,
        alpha=table[:, 5],
        beta=table[:, 6],
        toll=table[:, 8],
        road_class=np.array([f"{kind:g}" for kind in table[:, 9]], object),
        zones=ids[:zones].tolist(),
    )


def read_trips(path: Path, vehicle: VehicleClass = CAR) -> Demand:
    """The trips of a `_trips.tntp` file. Raises InvalidDemand, naming the origin."""
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        zones = int(_about(text)["NUMBER OF ZONES"])
    except (KeyError, ValueError):
        raise InvalidDemand(f"{path.name}: the head lacks NUMBER OF ZONES; is this a TNTP trip table?") from None
    matrix = np.zeros((zones, zones))
    for block in re.split(r"^\s*Origin\s+", text, flags=re.MULTILINE)[1:]:
        head, _, body = block.partition("\n")
        for to, number in PAIR.findall(body):
            try:
                a, b, trips = int(head), int(to), float(number)
            except ValueError:
                raise InvalidDemand(f"{path.name}, origin {head.strip()}: {to} : {number} is no pair") from None
            if not (1 <= a <= zones and 1 <= b <= zones):
                raise InvalidDemand(f"{path.name}: trips from {a} to {b}; zones are 1 to {zones}")
            matrix[a - 1, b - 1] += trips
    return Demand.from_matrix(matrix, range(1, zones + 1), vehicle)


def read_flows(path: Path, network: Network) -> Floats:
    """Volumes of a `_flow.tntp` file in the order of the network's links. Raises InvalidNetwork for other links."""
    found: dict[str, float] = {}
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        words = line.split()
        if len(words) >= 3:
            found[f"{words[0]}-{words[1]}"] = float(words[2])
    missing = next((each for each in network.link_ids.tolist() if each not in found), None)
    if missing is not None:
        raise InvalidNetwork(f"{path.name}: no volume of link {missing}")
    return np.array([found[each] for each in network.link_ids.tolist()])


def _about(text: str) -> dict[str, str]:
    return {name.strip().upper(): value.strip() for name, value in METADATA.findall(text)}
