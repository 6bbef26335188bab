"""A dam fails above a real valley: Test 5 of the UK Environment Agency's benchmark, on its own terrain at 50 m."""

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest

from twin.flood import Domain, Inflow, Series, Simulation

STEP = 5


def test_dam_failure_fills_the_valley_as_the_reference_does(shared_data: Path) -> None:
    """SC120002 Test 5: peak levels within 0.10 m of LISFLOOD-FP DG2 on 10 m cells, where they come within 90 min.

    p4 and p5 lie lower down the valley, p5 in the pond at its end, which the reference fills for 30 h.
    """
    folder = shared_data / "flood" / "ea5"
    with gzip.open(folder / "ea5-10m.dem.raw.gz", "rt") as file:
        head = dict(file.readline().split() for _ in range(6))
        fine = np.loadtxt(file)
    nodata, size = float(head["NODATA_value"]), float(head["cellsize"])
    west, south = float(head["xllcorner"]), float(head["yllcorner"])
    fine[fine == nodata] = np.nan
    rows, columns = (length // STEP * STEP for length in fine.shape)
    tiles = fine[:rows, :columns].reshape(rows // STEP, STEP, columns // STEP, STEP)
    bed = tiles[:, STEP // 2, :, STEP // 2]
    domain = Domain(bed, size * STEP, west, south + fine.shape[0] * size, manning=0.04)
    places = [line.split() for line in (folder / "ea5.stage").read_text().splitlines()[1:8]]
    gauges = {f"p{n + 1}": (float(x), float(y)) for n, (x, y, *_) in enumerate(places)}
    inflow_cells = set()
    for line in (folder / "ea5-10m.bci").read_text().splitlines():
        parts = line.split()
        if parts and parts[0] == "P":
            inflow_cells.add(domain.cell_at(float(parts[1]), float(parts[2])))
    flow = Series([0, 300, 600, 1200, 6000], [0, 0, 3000, 3000, 0])
    run = Simulation(domain, inflows=[Inflow(flow, sorted(inflow_cells), "dam")], gauges=gauges, series_step=100)
    result = run.run(5400.0)
    with (folder / "test5_reference_lisflood8_10m_DG2.csv").open() as file:
        reference = list(csv.DictReader(line for line in file if not line.startswith("#")))
    names = [name for name in reference[0] if name.strip().lower() in gauges]
    assert len(names) == 7
    for name in names:
        point = name.strip().lower()
        if point in {"p4", "p5"}:
            continue
        row, column = run.gauges[point]
        x, y = gauges[point]
        fine_row, fine_column = int((domain.north - y) / size), int((x - west) / size)
        peak = max(float(line[name]) for line in reference if line[name]) + fine[fine_row, fine_column]
        found = result.series[point].max() + bed[row, column]
        assert found == pytest.approx(peak, abs=0.10), point
    assert abs(result.balance.error) < 1e-6
