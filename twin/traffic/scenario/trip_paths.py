"""Paths of a run's trips, as its folder keeps them: whose trips use a link, and by which ways."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import shapely
from pyarrow import parquet

from twin.scenarios.protocol import RunRecord
from twin.traffic.network import Floats, Ids
from twin.traffic.scenario.errors import TrafficRefused
from twin.traffic.scenario.solving import Traffic
from twin.traffic.scenario.streets import Streets
from twin.traffic.scenario.zoning import Zones

FOLDER, LINKS, ZONES, STATES = "trip_paths", "links.parquet", "zones.parquet", "states.json"
# Of all states together; a path of a city has about 80 links, each of 4 bytes.
MOST_KEPT = 60_000_000
# Ways that fewer use are not told, pcu/h.
LEAST_PCU = 0.5


@dataclass(frozen=True, eq=False)
class Users:
    """Who uses a link. pairs: names of origin and destination, and pcu/h, the most first.

    lines, volume: links that these trips use, in metres, and their pcu/h on each.
    """

    volume: float
    pairs: list[tuple[str, str, float]]
    lines: Ids
    flows: Floats


def write_trip_paths(folder: Path, streets: Streets, zones: Zones, changed: Sequence[Traffic]) -> None:
    """Keep the paths of states, the first ones first while there is room for them."""
    place = folder / FOLDER
    place.mkdir()
    ids = np.array(streets.told("object_id"), np.int64)[streets.road]
    links = {"road": ids, "direction": streets.directions, "geometry": shapely.to_wkb(streets.lines).tolist()}
    parquet.write_table(pa.table(links), place / LINKS, compression="zstd")
    parquet.write_table(pa.table({"name": zones.names}), place / ZONES)
    begins: list[str | None] = []
    kept = 0
    for traffic in changed:
        origin, destination, flow, begin, path_links = traffic.found.paths()
        kept += len(path_links)
        if kept > MOST_KEPT:
            break
        # Connectors have no place on the map.
        own = path_links < streets.network.links
        offsets = pa.array(np.r_[0, np.cumsum(own)][begin].astype(np.int32))
        table = pa.table(
            {
                "origin": origin.astype(np.int32),
                "destination": destination.astype(np.int32),
                "pcu": flow.astype(np.float32),
                "links": pa.ListArray.from_arrays(offsets, pa.array(path_links[own].astype(np.int32))),
            }
        )
        parquet.write_table(table, place / f"{len(begins)}.parquet", compression="zstd")
        moment = traffic.state.moment.begins
        begins.append(None if moment is None else moment.isoformat())
    (place / STATES).write_text(json.dumps(begins), encoding="utf-8")


def users_of(record: RunRecord, road: int, direction: int, at: datetime | None) -> Users:
    """Who uses a link of a run in its state at a moment (None: its first). Raises TrafficRefused."""
    place = record.folder / FOLDER
    if not (place / STATES).is_file():
        raise TrafficRefused(
            f"run: {record.id} ({record.scenario}) keeps no paths; run the traffic scenario anew, and give its id",
            f"run：{record.id}（{record.scenario}）不含出行路径，请重新运行交通情景",
        )
    begins = json.loads((place / STATES).read_text(encoding="utf-8"))
    number = 0
    if at is not None:
        number = max([n for n, each in enumerate(begins) if each and datetime.fromisoformat(each) <= at], default=0)
    if number >= len(begins):
        raise TrafficRefused("run: its paths are too many to be kept", "run：出行路径过多，未保存")
    links = parquet.read_table(place / LINKS)
    found = np.flatnonzero((links["road"].to_numpy() == road) & (links["direction"].to_numpy() == direction))
    if not len(found):
        raise TrafficRefused(f"link: {road}-{direction} is none of the run", f"link：该计算没有路段 {road}-{direction}")
    table = parquet.read_table(place / f"{number}.parquet").combine_chunks()
    column = table["links"].chunk(0) if table.num_rows else pa.array([], pa.list_(pa.int32()))
    values, offsets = column.values.to_numpy(), column.offsets.to_numpy()
    path = np.repeat(np.arange(len(column)), np.diff(offsets))
    chosen = np.zeros(len(column), np.bool_)
    chosen[path[values == found[0]]] = True
    pcu = np.where(chosen, table["pcu"].to_numpy().astype(np.float64), 0.0)
    flows = np.bincount(values, pcu[path], links.num_rows).astype(np.float64)
    told = np.flatnonzero(flows >= LEAST_PCU)
    names = parquet.read_table(place / ZONES)["name"].to_pylist()
    origin, destination = (table[name].to_numpy() for name in ("origin", "destination"))
    sums = np.bincount(origin.astype(np.int64) * len(names) + destination, pcu, len(names) ** 2)
    most = np.argsort(-sums, kind="stable")[: int((sums > 0).sum())]
    pairs = [(names[n // len(names)], names[n % len(names)], float(sums[n])) for n in most.tolist()]
    lines: Ids = np.asarray(shapely.from_wkb(links["geometry"].take(told).to_pylist()), object)
    return Users(float(pcu.sum()), pairs, lines, flows[told])
