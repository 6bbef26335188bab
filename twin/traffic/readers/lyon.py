"""Central Lyon as published with MnMS (LICIT): directed sections, banned movements, timed trips."""

import csv
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyogrio
from pyproj import Transformer

from twin.traffic.demand import Demand
from twin.traffic.errors import InvalidDemand, InvalidNetwork
from twin.traffic.network import Floats, Network
from twin.traffic.readers.lines import Columns, network_from_lines
from twin.traffic.zones import nearest_nodes

CRS = "EPSG:3946"
# The network and the trips came without a declared CRS; both lie on the buildings in Lambert-93.
TRIPS_CRS = "EPSG:2154"
# A section has no class: one lane each way of what a street of the inner city is.
STREET = "secondary"


@dataclass(frozen=True, eq=False)
class Trips:
    """Timed trips: seconds of the day, places in EPSG:3946, x then y."""

    departure_s: Floats
    origin: Floats
    destination: Floats

    def between(self, begin_s: float, end_s: float, network: Network) -> Demand:
        """Trips an hour that leave in a time, from the nearest node to the nearest node."""
        chosen = (self.departure_s >= begin_s) & (self.departure_s < end_s)
        ends = [nearest_nodes(network, *places[chosen].T)[0] for places in (self.origin, self.destination)]
        ids = [network.node_ids[nodes].tolist() for nodes in ends]
        return Demand.from_pairs(ids[0], ids[1], 3600 / (end_s - begin_s), network.zone_ids.tolist())


def read_network(path: Path, bans: Path | None = None) -> Network:
    """The sections for cars of `lyon_traffic.gpkg`, with the banned movements of `network-Lyon63V.json.gz`.

    A section's times and capacities are those of a street with one lane and 50 km/h; the source tells lengths alone.
    """
    _, table = pyogrio.read_arrow(path, layer="lyon63v_sections")
    rows = pa.table(table)
    rows = rows.filter(rows.column("car")).rename_columns({"geom": "geometry"}).drop_columns(["class"])
    columns = Columns("section_id", "from_node", "to_node")
    rows = rows.append_column("oneway", pa.array(np.full(rows.num_rows, "yes", object)))
    rows = rows.append_column("class", pa.array(np.full(rows.num_rows, STREET, object)))
    network, _ = network_from_lines(rows, columns, country="FR", crs=CRS)
    return network if bans is None else network.with_turns(_banned(bans, network))


def read_trips(path: Path) -> Trips:
    """The trips of `demand-Lyon63V-coords.csv.gz`. Raises InvalidDemand, naming the line."""
    rows: list[list[float]] = []
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for number, row in enumerate(csv.DictReader(file, delimiter=";"), 2):
            try:
                clock = [float(part) for part in row["DEPARTURE"].split(":")]
                places = [float(part) for name in ("ORIGIN", "DESTINATION") for part in row[name].split()]
            except (KeyError, AttributeError, ValueError) as error:
                raise InvalidDemand(f"{path.name}, line {number}: {error} in {row}") from None
            rows.append([clock[0] * 3600 + clock[1] * 60 + clock[2], *places])
    table = np.array(rows)
    onto = Transformer.from_crs(TRIPS_CRS, CRS, always_xy=True)
    ends = [np.stack(onto.transform(table[:, n], table[:, n + 1]), axis=1) for n in (1, 3)]
    return Trips(table[:, 0], ends[0], ends[1])


def _banned(path: Path, network: Network) -> Iterator[tuple[str, str, float]]:
    """EXCLUDE_MOVEMENTS: at a node, from which neighbour one may not go on to which others."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        layers = json.load(file)["LAYERS"]
    cars = next((each for each in layers if each["TYPE"].endswith("CarLayer")), None)
    if cars is None:
        raise InvalidNetwork(f"{path.name}: no layer of cars")
    ids = network.node_ids.tolist()
    ends = zip(network.tail.tolist(), network.head.tolist(), strict=True)
    between = {(ids[a], ids[b]): link for (a, b), link in zip(ends, network.link_ids.tolist(), strict=True)}
    for node in cars["NODES"]:
        for before, afters in node["EXCLUDE_MOVEMENTS"].items():
            for after in afters:
                pair = between.get((before, node["ID"])), between.get((node["ID"], after))
                if pair[0] is not None and pair[1] is not None:
                    yield pair[0], pair[1], float("inf")
