"""A flood run from the city to its results."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from twin.flood.domain import Domain
from twin.flood.errors import FloodError
from twin.flood.losses import CurveNumber, Loss
from twin.flood.scenario.boundary import rims
from twin.flood.scenario.errors import FloodRefused
from twin.flood.scenario.findings import Findings
from twin.flood.scenario.ground import Ground, lay_ground
from twin.flood.scenario.inputs import FloodInputs
from twin.flood.scenario.outputs import Keeper, raster_layers
from twin.flood.scenario.seen import beside_seen, refuse_seen
from twin.flood.scenario.site import choose_site
from twin.flood.scenario.weather import rain, sea_level
from twin.flood.scenario.works import Works, build_works
from twin.flood.simulation import Simulation
from twin.scenarios.city import City
from twin.scenarios.inputs import Words
from twin.scenarios.objects import read
from twin.scenarios.protocol import Progress, RasterLayer, Result, VectorLayer

if TYPE_CHECKING:
    from twin.flood.exposure.count import Counted

HOUR = 3600.0
WET_M = 0.05
# Parts of the whole run: the ground, the water, then exposure and report.
PREPARED, COMPUTED, COUNTED = 0.06, 0.86, 0.97
# Share of an ensemble that is done when all its members are.
LAST = 0.99
# Duration above a depth is summed over samples this far apart, s.
SAMPLE_S = 300.0
GAUGE_KINDS = ("water_level", "tide")
SERIES_STEP_S = 300.0


def run_flood(city: City, inputs: FloodInputs, progress: Progress) -> Result:
    """Compute a flood and what it does to the city. Raises FloodRefused, telling the planner which field is wrong."""
    try:
        return _run(city, inputs, progress)
    except FloodError as error:
        raise FloodRefused(str(error), error.zh) from error


def _run(city: City, inputs: FloodInputs, tell: Progress) -> Result:
    own = 1 / (1 + inputs.members)
    progress = _Part(tell, 0.0, own)
    phases = _Phases()
    start = start_of(city, inputs)
    progress(0.0, Words("读取地形与工程", "Reading terrain and works"))
    site = choose_site(city, inputs.resolution_m, inputs.area)
    refuse_seen(city, site, inputs, start)
    level = sea_level(city, inputs, start)
    ground = lay_ground(city, site, inputs, level.at(0.0))
    progress(PREPARED / 2, Words("读取水利工程", "Reading the works"))
    works = build_works(city, inputs, ground)
    ground = replace(ground, bed=works.bed)
    domain = ground.domain(city.vertical_datum)
    gauges = _gauges(city, ground)
    simulation = Simulation(
        domain,
        mode=inputs.mode,
        initial_level=np.where(np.isnan(ground.standing), np.nan_to_num(ground.bed) - 1.0, ground.standing),
        rain=rain(city, inputs, start, ground.site),
        inflows=works.inflows,
        rims=rims(ground, level, city.vertical_datum),
        walls=works.walls,
        breaches=works.breaches,
        structures=works.structures,
        losses=_losses(inputs, ground, works),
        drains=works.network,
        gauges={uid: place for uid, (_, place) in gauges.items()},
        series_step=SERIES_STEP_S,
        wet_m=WET_M,
        threads=max(1, city.cores),
    )
    phases.end("reading")
    progress(PREPARED, Words("开始计算", "Computing"))
    until = inputs.duration_h * HOUR
    outputs = output_times(inputs)
    samples = np.arange(0.0, until, min(SAMPLE_S, inputs.output_interval_min * 60))
    keeper = Keeper(city.folder, domain, ground, outputs, start)
    keeper.resume(simulation)
    found = simulation.run(
        until,
        frames=sorted({*outputs, *samples.tolist()}),
        on_frame=lambda frame: keeper.take(frame, simulation),
        progress=_Telling(progress, inputs.duration_h),
    )
    keeper.done()
    phases.end("water")
    progress(COMPUTED, Words("统计影响", "Counting exposure"))
    pipes_lost = simulation.drainage.close() if simulation.drainage is not None else None
    findings = Findings(city, inputs, ground, works, found, start, outputs, keeper.long_deep / HOUR, pipes_lost)
    layers: list[RasterLayer | VectorLayer] = list(raster_layers(city.folder, found, ground, keeper, findings.moments))
    tables: dict[str, pa.Table] = {"gauges": _gauge_table(domain, found, gauges, start)}
    phases.end("layers")
    indicators = findings.indicators(phases.seconds)
    if inputs.seen:
        tables["seen"], points, missed = beside_seen(findings)
        layers.append(points)
        indicators |= missed
    if inputs.exposure:
        exposed = _exposed(city, findings, progress)
        layers += exposed.layers
        tables |= exposed.tables
        # People first, then land.
        indicators = {**exposed.indicators, **indicators}
        phases.end("exposure")
    if inputs.members:
        from twin.flood.scenario.ensemble import compute_members

        ensemble = compute_members(city, inputs, _Part(tell, COUNTED * own, LAST))
        layers.append(ensemble.probability(ground, city.folder, city.vertical_datum))
        indicators = ensemble.spread_of(indicators)
    indicators = dict(indicators) | {"phases_s": phases.told}
    tell(max(COUNTED * own, LAST if inputs.members else 0.0), Words("编写报告", "Writing the report"))
    from twin.flood.scenario.report import write_report

    return Result(
        layers=layers,
        indicators=indicators,
        tables=tables,
        files=write_report(city, findings, indicators, tables),
    )


def _exposed(city: City, findings: Findings, progress: Progress) -> "Counted":
    from twin.flood.exposure.count import count_exposure

    return count_exposure(city, findings, lambda share: progress(COMPUTED + (COUNTED - COMPUTED) * share, ""))


def start_of(city: City, inputs: FloodInputs) -> datetime:
    """When the run begins: as asked, else the moment that is looked at, else the present full hour."""
    looked_at = city.view.valid.start if city.view.valid is not None else None
    start = inputs.start or looked_at or datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    return start.astimezone(ZoneInfo(city.time_zone))


def output_times(inputs: FloodInputs) -> list[float]:
    """Seconds since the start at which the water is kept, both ends among them."""
    until, step = inputs.duration_h * HOUR, inputs.output_interval_min * 60
    return [*np.arange(0.0, until - 1e-6, step).tolist(), until]


def _losses(inputs: FloodInputs, ground: Ground, works: Works) -> list[Loss]:
    losses: list[Loss] = list(works.losses)
    if inputs.infiltration == "curve_number" and inputs.rain != "none":
        losses.append(CurveNumber(ground.curve_number))
    return losses


@dataclass(frozen=True)
class _Part:
    """Progress of a part of the run, as progress of the whole."""

    whole: Progress
    first: float
    last: float

    def __call__(self, fraction: float, message: Words | str = "") -> None:
        self.whole(self.first + (self.last - self.first) * fraction, message)


class _Phases:
    """How long each part of a run took: [seconds, seconds of processors]."""

    def __init__(self) -> None:
        self.told: dict[str, list[float]] = {}
        self._began, self._last = time.monotonic(), (time.monotonic(), time.process_time())

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._began

    def end(self, name: str) -> None:
        """What went on since the one before was this."""
        now = time.monotonic(), time.process_time()
        self.told[name] = [round(b - a, 1) for a, b in zip(self._last, now, strict=True)]
        self._last = now


class _Telling:
    """Tells the job how far the water is."""

    def __init__(self, progress: Progress, hours: float) -> None:
        self._progress, self._hours, self._last = progress, hours, 0.0

    def __call__(self, share: float, seconds: float) -> None:
        now = time.monotonic()
        if now - self._last < 0.5:
            return
        self._last = now
        self._progress(
            PREPARED + (COMPUTED - PREPARED) * share,
            Words(
                f"已模拟 {seconds / HOUR:.1f} 小时，共 {self._hours:g} 小时",
                f"{seconds / HOUR:.1f} of {self._hours:g} h of water computed",
            ),
        )


def _gauges(city: City, ground: Ground) -> dict[str, tuple[str, tuple[float, float]]]:
    """Water level and tide gauges by uid: name and place, put on the lowest of the cells around them."""
    sensors = read(city, "sensors", ground.site.box, "uid", "name", "kind")
    xs, ys = ground.site.middles()
    found = {}
    for shape, uid, name, kind in zip(sensors.shape, sensors["uid"], sensors["name"], sensors["kind"], strict=True):
        cell = ground.site.cell_of(shape.x, shape.y) if kind in GAUGE_KINDS else None
        if cell is None:
            continue
        rows, columns = slice(max(cell[0] - 1, 0), cell[0] + 2), slice(max(cell[1] - 1, 0), cell[1] + 2)
        around = np.where(ground.blocked, np.nan, ground.bed)[rows, columns]
        if np.isfinite(around).any():
            row, column = np.unravel_index(int(np.nanargmin(around)), around.shape)
            found[uid] = (name or uid, (float(xs[columns][column]), float(ys[rows][row])))
    return found


def _gauge_table(
    domain: Domain, found: Any, gauges: Mapping[str, tuple[str, tuple[float, float]]], start: datetime
) -> pa.Table:
    times = [start + timedelta(seconds=float(t)) for t in found.series_times]
    columns: dict[str, list[Any]] = {"time": [], "gauge": [], "name": [], "depth_m": [], "level_m": []}
    for uid, depth in found.series.items():
        name, (x, y) = gauges[uid]
        bed = float(domain.levels[domain.cell_at(x, y)])
        columns["time"] += times
        columns["gauge"] += [uid] * len(times)
        columns["name"] += [name] * len(times)
        columns["depth_m"] += np.round(depth, 3).tolist()
        columns["level_m"] += np.round(np.where(depth > 0, bed + depth, np.nan), 3).tolist()
    table = pa.table({name: values for name, values in columns.items() if name != "time"})
    return table.add_column(0, "time", pa.array(columns["time"], pa.timestamp("us", tz="UTC")))
