"""Cases of the UK Environment Agency's benchmark of flood models (Néelz & Pender 2013, SC120002) on made-up ground."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from twin.flood import Domain, Inflow, Rim, Series, Simulation
from twin.flood.cpu.solver import Mode
from twin.flood.validation.rows import MODES, Found, Row, at_most

HOUR = 3600.0
POND, CREST_M = "EA Test 1, a pond behind a crest", 10.25
PLAIN = "EA Test 4, a bank gives way to a plain"
# A reference that has a sample a minute; depths that count as arrived, m.
SAMPLE_S, ARRIVED_M = 60.0, 0.02


def pond() -> Found:
    """A level rises over a crest and falls again: the pond behind keeps what came, up to the crest.

    Levels as in the benchmark, over a shorter time; its ground is known to us by its crest and ponds only.
    """
    x = (np.arange(70) + 0.5) * 10
    bed = np.interp(x, [0, 100, 400, 495, 505, 600, 700], [9.0, 9.0, 9.6, CREST_M, CREST_M, 9.6, 10.6])
    tide = Series(np.array([0, 0.25, 1.75, 2, 4]) * HOUR, [9.7, 10.35, 10.35, 9.7, 9.7], name="tide")
    for mode in MODES:
        run = Simulation(
            Domain(bed[None, :], 10.0, manning=0.03),
            mode=mode,
            initial_level=np.where(x < 500, 9.7, 9.0)[None, :],
            rims=[Rim("west", "level", tide)],
        )
        result = run.run(4 * HOUR)
        level = bed + run.depth[0]
        yield at_most(POND, "level kept, off its crest by", abs(float(level[60]) - CREST_M), 0.01, "m", mode=mode)
        yield at_most(POND, "level before it, off by", abs(float(level[40]) - 9.7), 0.005, "m", mode=mode)
        yield at_most(POND, "volume error", abs(result.balance.error), 1e-6, mode=mode)


class Point(NamedTuple):
    """A place on the plain, and what LISFLOOD-FP's DG2 found on 5 m (Shaw et al. 2021, doi 10.5281/zenodo.4066824).

    peak m; arrival s, the first sample above 2 cm; early: depth after an hour, m.
    """

    x: float
    y: float
    peak: float
    arrival: float
    early: float


POINTS = {
    "p1": Point(50, 1000, 0.3251, 660, 0.3092),
    "p2": Point(100, 1000, 0.2745, 1020, 0.2461),
    "p3": Point(200, 1000, 0.2275, 1860, 0.1739),
    "p4": Point(300, 1000, 0.2002, 2760, 0.1137),
    "p5": Point(400, 1000, 0.1800, 3720, 0.0),
    "p6": Point(300, 1300, 0.1755, 4020, 0.0),
}


def plain(hours: float, mode: Mode = "full") -> Sequence[Row]:
    """20 m3/s through 20 m of the western side onto a level plain of 1 x 2 km, Manning's n 0.05, cells of 5 m.

    hours: 5 in the benchmark; peaks are told from 4.2 on. Judged is the mode that is meant for it.
    """
    flow = Series([0, 300, HOUR, 4 * HOUR, 5 * HOUR], [0, 0, 20, 20, 0])
    domain = Domain(np.zeros((400, 200)), 5.0, north=2000.0, manning=0.05)
    run = Simulation(
        domain,
        mode=mode,
        inflows=[Inflow(flow, [(row, 0) for row in range(198, 202)], "breach")],
        rims=[Rim("east", "open", name="east"), Rim("north", "open", name="north"), Rim("south", "open", name="south")],
        gauges={name: (point.x, point.y) for name, point in POINTS.items()},
        series_step=SAMPLE_S,
        threads=1,
    )
    result = run.run(hours * HOUR)
    judged, found = mode != "fast", result.series
    late = [abs(result.series_times[int(np.argmax(found[n] > ARRIVED_M))] - p.arrival) for n, p in POINTS.items()]
    early = [abs(float(np.interp(HOUR, result.series_times, found[n])) - p.early) for n, p in POINTS.items()]
    peaks = [abs(float(found[n].max()) - p.peak) for n, p in POINTS.items()]
    rows = [
        at_most(
            PLAIN, "arrivals at six points, off by at most", max(late), SAMPLE_S if judged else None, "s", mode=mode
        ),
        at_most(PLAIN, "depths after an hour, off by at most", max(early), 0.005 if judged else None, "m", mode=mode),
    ]
    if hours > 4.2:
        rows += [
            at_most(PLAIN, "peaks, off by at most", max(peaks), 0.005 if judged else None, "m", mode=mode),
            at_most(PLAIN, "volume error", abs(result.balance.error), 1e-6, mode=mode),
        ]
    return rows
