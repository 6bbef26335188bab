"""What must hold of any run: volume, symmetry, depths that are not negative; and each structure by its formula."""

import math
from collections.abc import Iterator

import numpy as np

from twin.flood import (
    Culvert,
    CurveNumber,
    Domain,
    GreenAmpt,
    Inflow,
    Pump,
    Rain,
    Rim,
    Seepage,
    Series,
    Simulation,
    Sluice,
    Wall,
    Weir,
    constant,
)
from twin.flood.cpu.solver import Mode
from twin.flood.structures import Structure, gate_discharge, weir_discharge
from twin.flood.validation.rows import MODES, Row, at_most, near
from twin.flood.walls import Breach

GRAVITY = 9.81
LEFT, RIGHT = [(5, 8)], [(5, 12)]


def hills(rows: int = 70, columns: int = 90, seed: int = 3) -> Domain:
    """Rolling ground of a few metres that falls to the south-east."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:rows, 0:columns]
    waves = sum(
        np.sin(x / rng.uniform(4, 15) + rng.uniform(0, 6)) * np.sin(y / rng.uniform(4, 15) + rng.uniform(0, 6))
        for _ in range(5)
    )
    return Domain(20 + 0.8 * np.asarray(waves) - 0.03 * (x + y), 10.0, manning=0.03)


def storm(domain: Domain, mode: Mode, threads: int = 1) -> Simulation:
    """Rain, a river, a tide, ground that drinks and an open side at once."""
    return Simulation(
        domain,
        mode=mode,
        rain=[Rain(Series([0, 600, 1200], [60, 120, 0], "steps"))],
        inflows=[Inflow.disc(domain, 300, -300, radius=25, discharge=Series([0, 300, 900], [0, 40, 5]), name="river")],
        rims=[
            Rim("east", "level", Series([0, 1800], [16, 19]), name="sea"),
            Rim("south", "open", name="downstream"),
        ],
        losses=[Seepage(2.0, 10.0), Seepage(20.0, account="drains"), GreenAmpt(10.0, 100.0, 0.3)],
        threads=threads,
    )


def volumes() -> Iterator[Row]:
    """A storm with everything at once for half an hour: what is there is what was there and came."""
    for mode in MODES:
        run = storm(hills(), mode)
        result = run.run(1800.0)
        case = "storm, river, tide, losses, open side"
        yield at_most(case, "volume error, share of the water moved", abs(result.balance.error), 1e-6, mode=mode)
        yield Row(case, "least depth", ">= 0 m", f"{run.depth.min():g} m", bool(run.depth.min() >= 0), mode)


def symmetries() -> Iterator[Row]:
    """A drop in a square keeps its eight symmetries; hills turned by 90 degrees give the same water, turned."""
    y, x = np.mgrid[0:61, 0:61] - 30.0
    hill, ground = 1 + np.exp(-(x**2 + y**2) / 50), hills(60, 60).levels
    for mode in MODES:
        drop = Simulation(Domain(np.zeros((61, 61)), 10.0), mode=mode, initial=hill)
        drop.run(40.0)
        deep = drop.depth
        off = max(float(np.abs(deep - other).max()) for other in (deep[::-1], deep[:, ::-1], deep.T))
        yield at_most("round drop", "loss of symmetry in 40 s", off, 2e-5, "m", mode=mode)
        depths = []
        for bed in (ground, np.rot90(ground)):
            run = Simulation(Domain(bed, 10.0), mode=mode, initial_level=19.0, rain=[Rain(constant(50.0))])
            run.run(300.0)
            depths.append(run.depth.astype(np.float64))
        difference = np.abs(np.rot90(depths[0]) - depths[1])
        # A ripple may tip a cell from wet to dry; the bulk must agree closely.
        case, bulk = "hills turned by 90 degrees", float(np.quantile(difference, 0.99))
        yield at_most(case, "difference in 99 %", bulk, 1e-4, "m", mode=mode)
        yield at_most(case, "greatest difference", float(difference.max()), 0.01, "m", mode=mode)


def structures() -> Iterator[Row]:
    """A minute from a pond that hardly falls, beside what each formula gives for it; 2 m against dry ground."""
    culvert = Culvert(LEFT, RIGHT, 0.5, 0.5, 30, 0.1, 0.0)
    losses = 1.5 + GRAVITY * 2 * 0.013**2 * 30 / 0.125 ** (4 / 3)
    full = math.pi / 16 * math.sqrt(2 * GRAVITY / losses)
    yield near(
        "culvert, full barrel",
        "A sqrt(2 g dh / losses), Chow 1959",
        culvert.discharge(0, 2, 1),
        full,
        share=1e-6,
        unit="m3/s",
    )
    drowned = 0.61 * 0.2 * math.sqrt(2 * GRAVITY * 0.5)
    found = gate_discharge(3.0, 2.5, 0.0, 0.2)
    yield near("gate, drowned", "Cc a sqrt(2 g dh), Henry 1950", found, drowned, share=1e-6, unit="m2/s")
    submerged = 1.7049 * (1 - 0.5**1.5) ** 0.385
    yield near("weir, submerged", "Villemonte 1947", weir_discharge(1.0, 0.5, 0.0), submerged, share=1e-3, unit="m2/s")
    pipe = Culvert(LEFT, RIGHT, 1.2, 1.2, 5, 0.02, 0.0, manning=0.012)
    for ratio in (1.2, 2.0):
        chart = math.sqrt((ratio - 0.67) / 0.0398) * math.pi / 4 * 1.2**2.5 / 1.811
        passed, figure = pipe.discharge(0, 0.02 + 1.2 * ratio, -5), f"headwater {ratio:g} bores, FHWA HDS-5 chart 1"
        yield near("culvert, control at its inlet", figure, passed, chart, share=0.11, unit="m3/s")
    gate = gate_discharge(2, 0, 0, 0.3)
    for name, structure, expected in (
        ("sluice", Sluice(LEFT, RIGHT, 1.0, 0.0, constant(0.3)), gate),
        ("weir", Weir(LEFT, RIGHT, 1.0, 1.5), weir_discharge(2, 0, 1.5)),
        ("culvert", culvert, culvert.discharge(0, 2, 0)),
    ):
        yield near(
            f"{name} between two ponds",
            "mean discharge of a minute",
            _passed(structure) / 60,
            expected,
            share=0.05,
            unit="m3/s",
        )
    pump = Pump(LEFT, RIGHT, [0, 4], [1.0, 0.5], start=0.5, stop=0.2)
    yield near("pump between two ponds", "discharge by its curve", _passed(pump) / 60, 1.0, share=0.05, unit="m3/s")


def walls() -> Iterator[Row]:
    """A wall with 0.5 m above its crest, by the weir; and a breach that widens under 2 m of fall."""
    for mode in MODES:
        run = Simulation(
            Domain(np.zeros((5, 40)), 10.0),
            mode=mode,
            initial=np.where(np.arange(40) < 20, 2.5, 0.0)[None, :] + np.zeros((5, 1)),
            walls=[Wall([(200, 10), (200, -60)], 2.0)],
            rims=[Rim("west", "level", constant(2.5), name="sea")],
            gauges={"before": (195, -25)},
        )
        result = run.run(300.0)
        head = float(np.mean(result.series["before"][1:])) - 2.0
        passed = float(run.depth[:, 20:].sum()) * 100 / 300
        share = passed / (50 * 1.7049 * head**1.5)
        yield near(
            "water over a wall, 50 m long", "discharge of that by 1.7049 h^1.5", share, 1.0, share=0.05, mode=mode
        )
    breach, width = Breach("dike", (0, 0), start=0, bottom=0.0), 0.0
    for n in range(1200):
        width += breach.growth(2.0, (n + 0.5) / 600) / 600
    expected = 1.3 * GRAVITY**0.5 * 2**1.5 / 0.5 * math.log10(1 + 0.04 * GRAVITY * 2 / 0.5)
    yield near(
        "breach in clay, 2 m of fall for 2 h",
        "width, Verheij & Van der Knaap 2003",
        width,
        expected,
        share=1e-3,
        unit="m",
    )


def worked_examples() -> Iterator[Row]:
    """Losses beside tables and examples of textbooks: TR-55 (USDA 1986), table 2-1; Chow, Maidment & Mays (1988)."""
    domain, inch = Domain(np.zeros((2, 2)), 10.0), 25.4
    for number, fallen, runoff in ((60, 4.0, 0.76), (80, 2.0, 0.56), (80, 6.0, 3.78), (90, 4.0, 2.92), (98, 2.0, 1.77)):
        storm = Rain(constant(fallen * inch))
        run = Simulation(domain, rain=[storm], losses=[CurveNumber(number)])
        run.run(3600.0)
        found = float(run.depth[0, 0]) * 1000 / inch
        case = f"curve number {number}, {fallen:g} inches"
        yield near(case, "runoff, TR-55 table 2-1", found, runoff, share=0.01, unit="inches")
    # A silt loam at 30 % of its saturation: K 0.65 cm/h, suction 16.7 cm, deficit 0.34.
    loam = GreenAmpt(6.5, 167.0, 0.34)
    for case, deep, rain, example, soaked in (
        ("silt loam under water for an hour", 0.5, 0.0, "4.3.1", 3.17),
        ("silt loam in rain of 5 cm/h for an hour", 0.0, 50.0, "4.4.2", 3.02),
    ):
        run = Simulation(domain, initial=deep, rain=[Rain(constant(rain))], losses=[loam])
        run.run(3600.0)
        found = (deep + rain / 1000 - float(run.depth[0, 0])) * 100
        yield near(case, f"infiltration, Chow et al. 1988, example {example}", found, soaked, share=0.005, unit="cm")


def losses() -> Iterator[Row]:
    """An hour on flat ground: curve number, Green-Ampt, a roof with room for 12 mm."""
    domain, hour = Domain(np.zeros((4, 4)), 10.0), [Rain(constant(60.0))]
    number = Simulation(domain, rain=hour, losses=[CurveNumber(80)])
    number.run(3600.0)
    keeps = 25400 / 80 - 254
    runoff = (60 - 0.2 * keeps) ** 2 / (60 + 0.8 * keeps)
    yield near(
        "curve number 80, 60 mm", "runoff, TR-55", float(number.depth[0, 0]) * 1000, runoff, share=0.005, unit="mm"
    )
    soil = Simulation(domain, initial=0.5, losses=[GreenAmpt(20.0, 100.0, 0.3)])
    soil.run(3600.0)
    soaked = (0.5 - float(soil.depth[0, 0])) * 1000
    taken = soaked - 30 * math.log(1 + soaked / 30)
    yield near("Green-Ampt, one hour under water", "F - S ln(1 + F / S) = K t", taken, 20.0, share=0.02, unit="mm")
    roof = Simulation(domain, rain=hour, losses=[Seepage(30.0, 12.0)])
    roof.run(3600.0)
    yield near(
        "green roof with room for 12 mm",
        "what runs off 60 mm",
        float(roof.depth[0, 0]) * 1000,
        48.0,
        share=1e-3,
        unit="mm",
    )


def _passed(structure: Structure) -> float:
    """m3 that came into the right one of two ponds of 10 x 10 cells of 10 m within a minute."""
    bed = np.zeros((10, 21))
    bed[:, 10] = 20
    first = np.where(np.arange(21) < 10, 2.0, 0.0)[None, :] + np.zeros((10, 1))
    run = Simulation(Domain(bed, 10.0), initial=np.where(bed > 0, 0, first), structures=[structure])
    run.run(60.0)
    return float(run.depth[:, 11:].sum(dtype=np.float64)) * 100
