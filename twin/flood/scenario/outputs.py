"""Grids of a run as files and layers: depth over time, and what was worst in each cell."""

import json
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt

from twin.flood.domain import Domain
from twin.flood.errors import InvalidInput
from twin.flood.raster import write_grid
from twin.flood.records import Frame, Result
from twin.flood.scenario.ground import Ground
from twin.flood.simulation import Simulation
from twin.scenarios.inputs import Words
from twin.scenarios.protocol import RasterLayer

HOUR = 3600.0
# Films thinner than this are not shown, m.
SHOWN_M = 0.02
LONG_DEEP_M = 0.3
CHECKPOINT_EVERY_S = 60.0


class Keeper:
    """Keeps what a run shows while it goes: depths at the output times, time above 0.3 m, and a checkpoint.

    long_deep: seconds that each cell was deeper than 0.3 m, from samples.
    """

    def __init__(self, folder: Path, domain: Domain, ground: Ground, outputs: Sequence[float], start: datetime) -> None:
        self._folder, self._domain, self._ground, self._start = folder, domain, ground, start
        self._outputs = {round(t): n for n, t in enumerate(outputs)}
        self.long_deep = np.zeros(domain.shape, np.float32)
        self._before: tuple[float, npt.NDArray[np.bool_]] | None = None
        self._saved_at = 0.0
        self._checkpoint, self._beside = folder / "checkpoint.npz", folder / "checkpoint-seen.npz"

    def frame_path(self, number: int) -> Path:
        """The file of an output time's depth."""
        return self._folder / f"depth-{number:03d}.tif"

    def resume(self, simulation: Simulation) -> None:
        """Go on from where an interrupted run of the same inputs left its checkpoint, if it did."""
        if not (self._checkpoint.exists() and self._beside.exists()):
            return
        try:
            simulation.restore(self._checkpoint)
        except InvalidInput:
            # The city has changed since: begin anew.
            return
        with np.load(self._beside, allow_pickle=False) as seen:
            if json.loads(str(seen["time"])) == simulation.time:
                self.long_deep[:] = seen["long_deep"]
                self._before = (simulation.time, seen["deep"])

    def take(self, frame: Frame, simulation: Simulation) -> None:
        """One state of the water."""
        deep = frame.depth > LONG_DEEP_M
        if self._before is not None:
            then, was_deep = self._before
            self.long_deep += (was_deep.astype(np.float32) + deep) / 2 * (frame.time - then)
        self._before = (frame.time, deep)
        number = self._outputs.get(round(frame.time))
        if number is None:
            return
        shown = np.where(self._ground.blocked | ~(frame.depth >= SHOWN_M), np.nan, frame.depth)
        moment = self._start + timedelta(seconds=frame.time)
        what = "depth of water, m"
        write_grid(self.frame_path(number), shown, self._domain, unit="m", description=what, time=moment)

        due = simulation.drainage is None and frame.time > 0
        if due and time.monotonic() - self._saved_at > CHECKPOINT_EVERY_S:
            simulation.save(self._checkpoint)
            np.savez(self._beside, time=json.dumps(simulation.time), long_deep=self.long_deep, deep=deep)
            self._saved_at = time.monotonic()

    def done(self) -> None:
        """The run is over; nothing is left to go on from."""
        self._checkpoint.unlink(missing_ok=True)
        self._beside.unlink(missing_ok=True)


def flooded(ground: Ground, found: Result) -> npt.NDArray[np.bool_]:
    """Cells that are land at the start and were wet deeper than a film."""
    return np.isnan(ground.standing) & ~ground.blocked & ~ground.sea & (np.nan_to_num(found.depth) >= SHOWN_M)


def raster_layers(
    folder: Path, found: Result, ground: Ground, keeper: Keeper, moments: Sequence[datetime]
) -> Iterator[RasterLayer]:
    """Depth over time; of land that was flooded the worst: depth, arrival, speed, hazard, hours over 0.3 m."""
    frames = [(moment, keeper.frame_path(n)) for n, moment in enumerate(moments)]
    yield RasterLayer("depth", Words("水深", "Depth"), "m", frames, "depth")
    land = flooded(ground, found)
    arrival = found.arrival / 60
    for role, title, unit, style, grid in (
        ("max_depth", Words("最大水深", "Greatest depth"), "m", "maximum_depth", found.depth),
        ("arrival", Words("淹没到达时间（自开始起）", "Water arrives, after the start"), "min", "arrival", arrival),
        ("max_speed", Words("最大流速", "Greatest speed"), "m/s", "velocity", found.speed),
        ("hazard", Words("洪水危险度 d(v+0.5)", "Hazard rating d (v + 0.5)"), "1", "hazard", found.rating),
        ("long_deep", Words("水深超0.3米历时", "Time deeper than 0.3 m"), "h", "duration", keeper.long_deep / HOUR),
    ):
        path = folder / f"{role}.tif"
        write_grid(path, np.where(land, grid, np.nan), found.domain, unit=unit, description=f"{title.en}, {unit}")
        yield RasterLayer(role, title, unit, [(None, path)], style)
