"""Real ground: a dam that fails above a valley beside a finer model, and a flooded street beside what was seen."""

import csv
import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
import shapely

from twin.flood import Domain, Inflow, Rim, Series, Simulation, constant
from twin.flood.cpu.solver import Mode
from twin.flood.records import Result
from twin.flood.validation.rows import Curves, Line, Row, at_most

Floats = npt.NDArray[np.floating[Any]]
HOUR = 3600.0
# Cells of the valley's terrain in one of ours: 10 m in 50 m, as the benchmark asks.
COARSER = 5
# Levels are compared where both models are wetter than this, m.
WET_M = 0.05
# A front is passing for so long, s.
FRONT_S = 300.0
# It may come so much off: a sample of the reference and a half. Far p5, behind 7 km of flat ground, is not judged.
ARRIVAL_S = dict.fromkeys(("p1", "p2", "p3", "p4", "p6", "p7"), 150.0)
# The reference's times are rounded up to its steps.
STEP_S = 1.0
NEAR_M, HOUSE_M = 1.5, 3.0
LEFT_OUT = {"house030", "house032", "house033"}


@dataclass(frozen=True, eq=False)
class Valley:
    """Test 5 of the UK Environment Agency: levels at its points, ours and the reference's, m, over hours."""

    mode: Mode
    result: Result
    hours: Floats
    found: dict[str, Floats]
    reference_hours: Floats
    reference: dict[str, Floats]

    def rows(self) -> list[Row]:
        """Peaks within 0.10 m, arrivals within 150 s (the reference is sampled every 100 s), levels within 0.09 m.

        Levels are judged behind the front, and told with it: where a front of a metre comes one sample later, the
        difference for that sample is a metre. Only the mode that is meant for it is judged.
        """
        judged = self.mode == "full"
        case, rows, steady, all_of_it = "EA Test 5 at 50 m", list[Row](), list[Floats](), list[Floats]()

        def tell(figure: str, found: float, limit: float | None, unit: str) -> None:
            rows.append(at_most(case, figure, found, limit if judged else None, unit, mode=self.mode))

        for point, reference in self.reference.items():
            mine = self.found[point]
            off = np.interp(self.reference_hours, self.hours, mine) - reference
            both, first = np.isfinite(off), _first(self.reference_hours, reference)
            late = np.rint(HOUR * abs(_first(self.hours, mine) - first))
            tell(f"{point}: peak level, off by", abs(float(np.fmax.reduce(mine) - np.fmax.reduce(reference))), 0.1, "m")
            tell(f"{point}: arrival after {HOUR * first:.0f} s, off by", late, ARRIVAL_S.get(point), "s")
            all_of_it.append(off[both])
            steady.append(off[both & (self.reference_hours >= _first(self.reference_hours, off) + FRONT_S / HOUR)])
        tell("levels from 5 min after both are wet, root mean square", _rms(steady), 0.09, "m")
        tell("the same with the front", _rms(all_of_it), None, "m")
        return rows


def curves(valleys: Sequence[Valley]) -> list[Curves]:
    """Levels at each point, of every mode beside the reference."""
    first = valleys[0]
    return [
        Curves(
            "flood-valley",
            point,
            "h",
            "level, m",
            [
                Line("DG2, 10 m", first.reference_hours, reference, exact=True, samples=True),
                *(Line(f"{each.mode}, 50 m", each.hours, each.found[point]) for each in valleys),
            ],
        )
        for point, reference in first.reference.items()
    ]


def valley(folder: Path, hours: float, mode: Mode = "full") -> Valley:
    """Run Test 5. folder: flood/ea5. Points that the reference does not see wet within the hours are left out."""
    with gzip.open(folder / "ea5-10m.dem.raw.gz", "rt") as file:
        head = dict(file.readline().split() for _ in range(6))
        fine = np.loadtxt(file)
    size = float(head["cellsize"])
    west, north = float(head["xllcorner"]), float(head["yllcorner"]) + fine.shape[0] * size
    fine[fine == float(head["NODATA_value"])] = np.nan
    rows, columns = (length // COARSER * COARSER for length in fine.shape)
    tiles = fine[:rows, :columns].reshape(rows // COARSER, COARSER, columns // COARSER, COARSER)
    domain = Domain(tiles[:, COARSER // 2, :, COARSER // 2], size * COARSER, west, north, manning=0.04)
    stages = [line.split() for line in (folder / "ea5.stage").read_text().splitlines()[1:8]]
    gauges = {f"p{n + 1}": (float(x), float(y)) for n, (x, y, *_) in enumerate(stages)}
    parts = [line.split() for line in (folder / "ea5-10m.bci").read_text().splitlines()]
    cells = {domain.cell_at(float(part[1]), float(part[2])) for part in parts if part and part[0] == "P"}
    flow = Series([0, 300, 600, 1200, 6000], [0, 0, 3000, 3000, 0])
    run = Simulation(
        domain, mode=mode, inflows=[Inflow(flow, sorted(cells), "dam")], gauges=gauges, series_step=100, threads=1
    )
    result = run.run(hours * HOUR)
    table = _columns(folder / "test5_reference_lisflood8_10m_DG2.csv")
    times = table.pop("t_s") / HOUR
    seen = times <= hours + STEP_S / HOUR
    found, reference = {}, {}
    for point, depth in table.items():
        x, y = gauges[point]
        bed = fine[int((north - y) / size), int((x - west) / size)]
        if np.nanmax(depth[seen]) > WET_M:
            reference[point] = _level(depth[seen], float(bed))
            found[point] = _level(result.series[point], float(domain.levels[run.gauges[point]]))
    return Valley(mode, result, result.series_times / HOUR, found, times[seen], reference)


@dataclass(frozen=True)
class Stage:
    """A peak stage of the flood of June 2007 in Merewether, m AHD: seen, found, and by TUFLOW on the same cells.

    ground: m AHD at the place; away: m to the nearest water; depth m and speed m/s of the water that was looked at.
    """

    name: str
    ground: float
    observed: float
    found: float
    tuflow: float
    away: float
    depth: float
    speed: float


@dataclass(frozen=True, eq=False)
class Street:
    """Merewether: stages at the five points, and the water in the streets."""

    mode: Mode
    result: Result
    depth: Floats
    houses: npt.NDArray[np.bool_]
    places: Sequence[tuple[float, float]]
    stages: Sequence[Stage]

    def rows(self) -> list[Row]:
        """The mean error near TUFLOW's on the same cells (0.124 m), judged in the mode that is meant for it."""
        case = "Merewether 2007 at 1 m, observed"
        limit = 0.135 if self.mode == "full" else None
        return [
            at_most(case, "mean absolute error of five stages", self.error(self.stages), limit, "m", mode=self.mode),
            at_most(case, "volume error", abs(self.result.balance.error), 1e-6, mode=self.mode),
        ]

    @staticmethod
    def error(stages: Sequence[Stage]) -> float:
        """Mean absolute error of some stages, m."""
        return float(np.mean([abs(each.found - each.observed) for each in stages]))


def street(folder: Path, seconds: float, mode: Mode = "full") -> Street:
    """Run Merewether, houses as blocks. folder: flood/merewether."""
    with rasterio.open(folder / "topography1.tif") as raster:
        bed = raster.read(1).astype(np.float64)[:-1, 1:]
        west, north = raster.transform.c + raster.transform.a, raster.transform.f
        bed[bed == raster.nodata] = np.nan
    rows, columns = bed.shape
    x, y = np.meshgrid(west + np.arange(columns) + 0.5, north - np.arange(rows) - 0.5)
    houses = np.zeros(bed.shape, bool)
    for house in sorted((folder / "houses").glob("house*.csv")):
        if house.stem not in LEFT_OUT:
            houses |= _inside(house, x, y)
    manning = np.where(_inside(folder / "Road" / "RoadPolygon.csv", x, y), 0.02, 0.04)
    bed = bed + HOUSE_M * houses
    domain = Domain(bed, 1.0, west, north, manning, "EPSG:32756", "AHD")
    flow = Inflow.disc(domain, 382265, 6354280, radius=10, discharge=constant(19.7))
    rims = [Rim("north", "open", name="north"), Rim("east", "open", name="east")]
    run = Simulation(domain, mode=mode, inflows=[flow], rims=rims, threads=1)
    result = run.run(seconds)
    depth = run.depth.copy()
    frame = run.frame()
    speed = np.hypot(frame.velocity_x, frame.velocity_y)
    level = np.where(depth > 0.01, bed + depth, np.nan)
    stages, places = [], []
    with (folder / "point_observations.csv").open() as file:
        for point in csv.DictReader(file):
            place = float(point["x"]), float(point["y"])
            away = np.where(np.isfinite(level), np.hypot(x - place[0], y - place[1]), np.inf)
            around = away <= max(NEAR_M, float(away.min()))
            observed, tuflow = float(point["Observed"]), float(point["TUFLOW_1m_Table9"])
            stages.append(
                Stage(
                    point["ID"],
                    ground=float(bed[domain.cell_at(*place)]),
                    observed=observed,
                    found=float(level[around].mean()),
                    tuflow=tuflow,
                    away=float(away.min()),
                    depth=float(depth[around].mean()),
                    speed=float(speed[around].mean()),
                )
            )
            places.append(place)
    return Street(mode, result, depth, houses, places, stages)


def _level(depth: Floats, bed: float) -> Floats:
    """m above the datum, NaN where it is dry."""
    return np.where(depth > WET_M, bed + depth, np.nan)


def _first(hours: Floats, level: Floats) -> float:
    """The hour when a place gets wet, NaN for never."""
    wet = np.isfinite(level)
    return float(hours[int(np.argmax(wet))]) if wet.any() else float("nan")


def _rms(errors: Sequence[Floats]) -> float:
    return float(np.sqrt(np.mean(np.concatenate(errors) ** 2)))


def _columns(file: Path) -> dict[str, Floats]:
    """Columns of a table, NaN where it says nothing."""
    with file.open() as lines:
        rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    return {name.strip().lower(): np.array([float(row[name] or "nan") for row in rows]) for name in rows[0]}


def _inside(outline: Path, x: Floats, y: Floats) -> npt.NDArray[np.bool_]:
    """Which places lie in a polygon of a file of corners."""
    with outline.open() as file:
        corners = [[float(v) for v in row[:2]] for row in csv.reader(file) if len(row) > 1 and _is_number(row[0])]
    return np.asarray(shapely.contains_xy(shapely.polygons(corners), x, y), bool)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
