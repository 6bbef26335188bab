"""TNTP files: networks, trips and best-known flows (github.com/bstabler/TransportationNetworks, its README)."""

import re
from pathlib import Path

import numpy as np

from twin.traffic.demand import CAR, Demand, VehicleClass
from twin.traffic.errors import InvalidDemand, InvalidNetwork
from twin.traffic.network import Floats, Network

METADATA = re.compile(r"<([^>]+)>\s*([^\t\r\n~<]*)")
COMMENT = re.compile(r"~.*")
ORIGIN = re.compile(r"^[^\S\n]*Origin[^\S\n]+", re.MULTILINE | re.IGNORECASE)
PAIR = re.compile(r"([\d.]+)\s*:\s*([^\s;]+)\s*;?")
HEADER = re.compile(r"(init|from|tail|a)[_ ]?(node)?\b", re.IGNORECASE)
COLUMNS = 10
# A matrix of so many zones takes 3 GB.
MOST_ZONES, MOST_NODES = 20_000, 10_000_000


def read_network(path: Path, *, time_unit_s: float = 60.0, length_unit_m: float = 1609.344) -> Network:
    """The network of a `_net.tntp` file: nodes 1..n, the first of them zones.

    Files do not tell their units: minutes and miles here unless said otherwise; time_unit_s=1 keeps the file's own
    numbers, so that objectives can be compared. Nodes below FIRST THRU NODE are centroids: no through traffic.
    Raises InvalidNetwork, naming the line.
    """
    text = path.read_text(encoding="utf-8", errors="replace")
    about = _about(text)
    try:
        zones, nodes = _count(about, "NUMBER OF ZONES", MOST_ZONES), _count(about, "NUMBER OF NODES", MOST_NODES)
        # A file without it has no centroids apart.
        first = _count({"FIRST THRU NODE": "1"} | about, "FIRST THRU NODE", MOST_NODES)
    except ValueError as error:
        raise InvalidNetwork(f"{path.name}: {error}; is this a TNTP network?") from None
    rows: list[list[float]] = []
    for line, words in enumerate(text.splitlines(), 1):
        content = words.split("~", 1)[0].replace(";", " ").strip().removeprefix("\ufeff")
        # Some files name their columns without the mark of a comment.
        if not content or content.startswith("<") or (not rows and HEADER.match(content)):
            continue
        try:
            rows.append([float(word) for word in content.split()[:COLUMNS]])
        except ValueError:
            raise InvalidNetwork(f"{path.name}, line {line}: {content[:60]!r} is no row of numbers") from None
        if len(rows[-1]) < 7:
            raise InvalidNetwork(f"{path.name}, line {line}: {len(rows[-1])} columns; a link has at least 7")
        rows[-1] += [0.0] * (COLUMNS - len(rows[-1]))
    table = np.array(rows).reshape(-1, COLUMNS)
    if about.get("NUMBER OF LINKS", str(len(table))) != str(len(table)):
        raise InvalidNetwork(f"{path.name}: {len(table)} links, the head speaks of {about['NUMBER OF LINKS']}")
    odd = np.flatnonzero((table[:, :2] % 1 != 0).any(axis=1))
    if len(odd):
        raise InvalidNetwork(
            f"{path.name}, link {odd[0] + 1}: nodes are whole numbers, not {table[odd[0], :2].tolist()}"
        )
    ends = table[:, :2].astype(np.int64)
    lost = ends[(ends < 1) | (ends > nodes)]
    if len(lost):
        raise InvalidNetwork(f"{path.name}: a link at node {lost[0]}, the head speaks of {nodes} nodes")
    if zones > nodes:
        raise InvalidNetwork(f"{path.name}: the head speaks of {zones} zones and {nodes} nodes; zones are nodes")
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
        zones = _count(_about(text), "NUMBER OF ZONES", MOST_ZONES)
    except ValueError as error:
        raise InvalidDemand(f"{path.name}: {error}; is this a TNTP trip table?") from None
    text = COMMENT.sub("", text)
    matrix = np.zeros((zones, zones))
    for block in ORIGIN.split(text)[1:]:
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
            try:
                found[f"{words[0]}-{words[1]}"] = float(words[2])
            except ValueError:
                raise InvalidNetwork(f"{path.name}: {line[:60]!r} is no row of from, to, volume") from None
    missing = next((each for each in network.link_ids.tolist() if each not in found), None)
    if missing is not None:
        raise InvalidNetwork(f"{path.name}: no volume of link {missing}")
    return np.array([found[each] for each in network.link_ids.tolist()])


def _about(text: str) -> dict[str, str]:
    return {name.strip().upper(): value.strip() for name, value in METADATA.findall(text)}


def _count(about: dict[str, str], name: str, most: int) -> int:
    """Raises ValueError, saying what the head lacks."""
    try:
        found = float(about[name])
    except KeyError:
        raise ValueError(f"the head lacks {name}") from None
    except ValueError:
        found = 0.0
    if not (found == found // 1 and 1 <= found <= most):
        raise ValueError(f"{name} is {about[name][:40]!r}; a whole number from 1 to {most:,} is wanted")
    return int(found)
