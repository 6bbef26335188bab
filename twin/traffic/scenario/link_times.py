"""Times of a run's links, state by state, as its folder keeps them: what ways at the hour of a run are found by."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from twin.scenarios.protocol import RunRecord
from twin.traffic.network import Floats, Integers
from twin.traffic.scenario.errors import TrafficRefused
from twin.traffic.scenario.states import State
from twin.traffic.scenario.streets import Streets

FILE, STATES = "link_times.parquet", b"states"
TIME = pa.timestamp("us", tz="UTC")
# Links that take no longer than on the empty road, to this, are not told, s.
TOLD_S = 0.05
# A piece of road whose length has changed by more is no longer the one that was computed, m.
SAME_M = 1.0


@dataclass(frozen=True, eq=False)
class LinkTimes:
    """One state. Of each link that is told: its road, its place among the road's links, its metres, and seconds of
    cars and of lorries, inf where they may not go. All others take the time of the empty road.
    """

    road: Integers
    direction: Integers
    length_m: Floats
    car_s: Floats
    lorry_s: Floats

    def on(self, streets: Streets, vehicle: str) -> Floats:
        """Seconds of "car" or "lorry" on each link of the streets."""
        network = streets.network
        seconds = network.free_time_s.copy()
        own = np.array(streets.told("object_id"), np.int64)[streets.road]
        _, told, link = np.intersect1d(
            _keys(self.road, self.direction), _keys(own, streets.directions), return_indices=True
        )
        same = np.abs(self.length_m[told] - np.nan_to_num(network.length_m[link])) <= SAME_M
        times = self.car_s if vehicle == "car" else self.lorry_s
        seconds[link[same]] = times[told[same]]
        return seconds


def write_link_times(folder: Path, streets: Streets, states: Sequence[State], loaded: Sequence[Floats]) -> None:
    """Keep the times of states. loaded: seconds of links at the traffic of each; empty for those of empty roads."""
    network = streets.network
    m = network.links
    ids = np.array(streets.told("object_id"), np.int64)[streets.road]
    tables, begins = [], []
    for n, state in enumerate(states):
        begins.append(None if state.moment.begins is None else state.moment.begins.isoformat())
        time = (loaded[n] if loaded else state.network.free_time_s)[:m]
        car, lorry = (
            np.where(
                state.network.open[:m] & (True if each.barred is None else ~each.barred[:m]),
                time if each.fixed_s is None else time + each.fixed_s[:m],
                np.inf,
            )
            for each in (state.car, state.lorry)
        )
        with np.errstate(invalid="ignore"):
            told = (car - network.free_time_s > TOLD_S) | (lorry - network.free_time_s > TOLD_S)
        links = np.flatnonzero(told)
        tables.append(
            pa.table(
                {
                    "time": pa.array([state.moment.begins] * len(links), TIME),
                    "road": ids[links],
                    "direction": streets.directions[links],
                    "length_m": np.nan_to_num(network.length_m[links]).astype(np.float32),
                    "car_s": car[links].round(2).astype(np.float32),
                    "lorry_s": lorry[links].round(2).astype(np.float32),
                }
            )
        )
    whole = pa.concat_tables(tables).replace_schema_metadata({STATES: json.dumps(begins)})
    parquet.write_table(whole, folder / FILE, compression="zstd")


def read_link_times(record: RunRecord, at: datetime | None) -> tuple[LinkTimes, datetime | None]:
    """The times of a run's state at a moment (None: its first), and when that state began (None: it has no time).

    Raises TrafficRefused for a run that keeps none.
    """
    file = record.folder / FILE
    if not file.is_file():
        raise TrafficRefused(
            f"run: {record.id} ({record.scenario}) keeps no times of roads; run a traffic scenario, and give its id",
            f"run：{record.id}（{record.scenario}）不含路段行程时间，请先运行交通情景",
        )
    table = parquet.read_table(file)
    begins = [datetime.fromisoformat(each) for each in json.loads(table.schema.metadata[STATES]) if each is not None]
    held = None
    if begins:
        held = begins[0] if at is None else max((each for each in begins if each <= at), default=begins[0])
        table = table.filter(pc.equal(table["time"], pa.scalar(held, TIME)))
    road, direction = (table[name].to_numpy() for name in ("road", "direction"))
    length, car, lorry = (table[name].to_numpy().astype(np.float64) for name in ("length_m", "car_s", "lorry_s"))
    return LinkTimes(road, direction, length, car, lorry), held


def _keys(road: Integers, direction: Integers) -> Integers:
    """One number for each link of each road; drawn roads have numbers below 0."""
    return road.astype(np.int64) * (1 << 20) + direction
