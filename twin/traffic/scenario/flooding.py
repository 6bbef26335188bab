"""The water of a finished flood run on the links of a network, state by state."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import rasterio

from twin.flood.exposure.contact import Contact, along
from twin.scenarios.city import City
from twin.scenarios.protocol import RunRecord
from twin.scenarios.runs import list_runs
from twin.traffic.network import Flags, Floats, Ids
from twin.traffic.scenario.errors import TrafficRefused
from twin.traffic.scenario.inputs import LATEST, TrafficInputs

DEPTH = "depth"
# Water of this depth at the first state was there before the flood, m.
STANDING_M = 0.05
MOST_STATES = 48
Depths = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Flooding:
    """Depths of a flood on links. frames: moments in the city's time and files."""

    record: RunRecord
    frames: list[tuple[datetime, Path]]
    contact: Contact

    def spans(self) -> list[tuple[datetime, datetime]]:
        """From when to when each state holds; the last as long as the one before."""
        begins = [at for at, _ in self.frames]
        last = begins[-1] - begins[-2] if len(begins) > 1 else timedelta(hours=1)
        return list(pairwise([*begins, begins[-1] + last]))

    def depth_m(self, number: int) -> Floats:
        """The deepest water on each link in a state; 0 on bridges and in tunnels."""
        return self.contact.deepest(read_depth(self.frames[number][1])).astype(np.float64)

    def deepest_at(self, x: Floats, y: Floats) -> Floats:
        """The deepest water at places in metres in any state, 0 outside the flood's cells."""
        with rasterio.open(self.frames[0][1]) as file:
            transform = file.transform
        most = np.nanmax([np.nan_to_num(read_depth(path)) for _, path in self.frames], axis=0)
        column = np.floor((x - transform.c) / transform.a).astype(np.int64)
        row = np.floor((y - transform.f) / transform.e).astype(np.int64)
        inside = (row >= 0) & (row < most.shape[0]) & (column >= 0) & (column < most.shape[1])
        depth = np.zeros(len(x))
        depth[inside] = most[row[inside], column[inside]]
        return depth


def read_flooding(city: City, inputs: TrafficInputs, lines: Ids, raised: Flags) -> Flooding | None:
    """The flood that was asked for, None for none. lines: of links. raised: those on bridges and in tunnels.

    Raises TrafficRefused for a run that is no flood, NoSuchRun, NotFinished.
    """
    if inputs.flood_run is None:
        return None
    record = city.previous(latest_flood(city) if inputs.flood_run == LATEST else inputs.flood_run)
    frames = _thinned(frames_of(record), inputs.flood_every_h)
    zone = ZoneInfo(city.time_zone)
    contact = contact_with(lines, raised, frames[0][1], city.metric_crs)
    return Flooding(record, [(at.astimezone(zone), path) for at, path in frames], contact)


def frames_of(record: RunRecord) -> list[tuple[datetime, Path]]:
    """The states of a flood's depth. Raises TrafficRefused."""
    frames = [(at, path) for at, path in record.rasters.get(DEPTH, ()) if at is not None]
    if not frames:
        raise TrafficRefused(
            f"flood_run: run {record.id} ({record.scenario}) has no depths by time; take one of the flood scenario",
            f"flood_run：{record.id} 不含逐时水深，请选洪涝模拟的结果",
        )
    return frames


def contact_with(lines: Ids, raised: Flags, first: Path, crs: str) -> Contact:
    """The cells that lines on the ground run through, where no water stood before the flood.

    first: file of the flood's first state. Raises TrafficRefused if it is in another CRS than the lines.
    """
    with rasterio.open(first) as file:
        transform, found = file.transform, file.crs
    if found.to_epsg() != rasterio.CRS.from_string(crs).to_epsg():
        raise TrafficRefused(f"flood_run: its cells are in {found.to_string()}, the city's roads in {crs}")
    standing = np.nan_to_num(read_depth(first)) > STANDING_M
    contact = along(lines, west=transform.c, north=transform.f, cell=transform.a, usable=~standing)
    kept = ~raised[contact.owner]
    return Contact(contact.count, contact.owner[kept], contact.cell[kept])


def read_depth(path: Path) -> Depths:
    """Cells of a state, m; nan where it is dry."""
    with rasterio.open(path) as file:
        cells: Depths = file.read(1, masked=True).filled(np.nan)
    return cells


def latest_flood(city: City) -> str:
    """The newest finished flood run that the planner may see. Raises TrafficRefused if there is none."""

    async def find() -> list[str]:
        async with city.database.reading() as connection:
            found = await list_runs(connection, city.principal, scenarios=["flood"], states=["successful"], limit=1)
            return [str(run.id) for run in found]

    runs = city.wait(find())
    if not runs:
        raise TrafficRefused(
            "flood_run: there is no finished flood run; run a flood first, or give the id of one",
            "flood_run：还没有已完成的洪涝模拟，请先运行一次",
        )
    return runs[0]


def _thinned(frames: list[tuple[datetime, Path]], hours: float) -> list[tuple[datetime, Path]]:
    """States at least so many hours apart, the first among them."""
    kept = [frames[0]]
    for at, path in frames[1:]:
        if at - kept[-1][0] >= timedelta(hours=hours) - timedelta(seconds=1):
            kept.append((at, path))
    if len(kept) > MOST_STATES:
        raise TrafficRefused(
            f"flood_every_h: {len(kept)} states; at most {MOST_STATES} are computed: take more hours between them",
            f"flood_every_h：共 {len(kept)} 个时刻，最多 {MOST_STATES} 个，请加大间隔",
        )
    return kept
