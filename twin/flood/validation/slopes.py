"""Water on slopes beside exact answers built here from their formulas: channels, uniform flow, rain, a wave."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from twin.flood import Domain, Rain, Rim, Series, Simulation, constant
from twin.flood.validation.exact import varied_flow
from twin.flood.validation.fronts import set_moving
from twin.flood.validation.rows import FINITE_VOLUMES, MODES, Curves, Found, Line, at_most

Floats = npt.NDArray[np.floating[Any]]
GRAVITY = 9.81
# Critical depth of 2 m2/s, m.
CRITICAL_M = (4 / GRAVITY) ** (1 / 3)
# Aims: mean error of depth in the channels and of the wave, m; of uniform flow and of runoff, per cent.
CHANNEL_M = {"full": 0.006, "fast": 0.01}
WAVE_M = {"full": 0.02}
UNIFORM = {"full": 0.5, "fast": 0.5, "inertial": 0.5}
LEAVES = {"full": 0.5, "fast": 0.5, "inertial": 0.5}
COMES = {"full": 4.0, "fast": 4.0}
BACKWATER_M = {"full": 0.004, "fast": 0.004, "inertial": 0.02}
RUNOFF = {"full": 1.0, "fast": 5.0, "inertial": 1.0}


class Channel(NamedTuple):
    """A steady flow of `discharge` m2/s over Manning's n whose depth is known along `length` m; out: at its end.

    shock: where its depth jumps, m.
    """

    name: str
    depth: Callable[[Floats], Floats]
    discharge: float
    manning: float
    length: float
    level_held: bool
    seconds: float
    shock: float | None = None


def channels() -> Found:
    """MacDonald et al. (1997) in the forms of SWASHES 3.2 (Delestre et al. 2013), 100 cells each.

    The depth is chosen; the bed follows from dz/dx = (q^2 / (g h^3) - 1) dh/dx - n^2 q^2 / h^(10/3).
    """
    for case in (
        Channel("supercritical, 1 km", _fast, 2.5, 0.04, 1000, False, 1500),
        Channel("into supercritical, 1 km", _into_fast, 2.0, 0.0218, 1000, False, 2500),
        Channel("jump, 1 km", _jump, 2.0, 0.0218, 1000, True, 2500, 500.0),
        Channel("critical and jump, 100 m", _short, 2.0, 0.0328, 100, True, 600, 200 / 3),
    ):
        x = (np.arange(100) + 0.5) * case.length / 100
        bed = _bed(case, x)
        exact = case.depth(x)
        level = float(case.depth(np.array([case.length]))[0])
        tail = Rim("east", "level", constant(level)) if case.level_held else Rim("east", "open")
        title = f"MacDonald's channel: {case.name}"
        lines = [Line("bed", x, bed, exact=True), Line("exact", x, bed + exact, exact=True)]
        for mode in FINITE_VOLUMES:
            flow = Simulation(
                Domain(bed[None, :], case.length / 100, manning=case.manning),
                mode=mode,
                initial=exact[None, :],
                rims=[Rim("west", "discharge", constant(case.discharge), name="inflow"), tail],
            )
            flow.run(case.seconds)
            lines.append(Line(mode, x, bed + flow.depth[0]))
            error = float(np.abs(flow.depth[0] - exact).mean())
            yield at_most(title, "mean error of level", error, CHANNEL_M[mode], "m", mode=mode)
        if case.shock is not None:
            yield Curves("flood-steady", title, "m", "level, m", lines)


def uniform() -> Found:
    """Manning's steady flow, 0.3 m and a film of 5 cm, down 1 % on cells of 20 m: q = h^(5/3) S^(1/2) / n."""
    slope, cell, n = 0.01, 20.0, 0.03
    bed = slope * cell * np.arange(60.0)[::-1]
    for deep in (0.3, 0.05):
        discharge = deep ** (5 / 3) * slope**0.5 / n
        case = f"uniform flow down 1 %, {deep:g} m deep"
        for mode in MODES:
            river = Simulation(
                Domain(bed[None, :], cell, manning=n),
                mode=mode,
                initial=deep,
                rims=[Rim("west", "discharge", constant(discharge), name="inflow"), Rim("east", "open")],
                sections={"middle": [(600.0, -30.0), (600.0, 10.0)]},
            )
            found = river.run(2400.0)
            inner, frame = slice(20, 40), river.frame()
            for figure, value, exact in (
                ("error of depth", float(river.depth[0, inner].mean()), deep),
                ("error of speed", float(frame.velocity_x[0, inner].mean()), discharge / deep),
            ):
                yield at_most(case, figure, abs(value / exact - 1) * 100, UNIFORM.get(mode), "%", mode=mode)
            passed = float(found.sections["middle"][-1]) / (cell * discharge)
            yield at_most(case, "error of the discharge in a section", abs(passed - 1) * 100, 0.5, "%", mode=mode)


def rims() -> Found:
    """Manning's steady flow on gentle to steep slopes beside its rims: as it comes in, and as it leaves an open rim."""
    n, cell = 0.03, 10.0
    for slope, deep in ((0.001, 1.0), (0.02, 3.0), (0.05, 3.0)):
        discharge = deep ** (5 / 3) * slope**0.5 / n
        froude = discharge / deep / math.sqrt(GRAVITY * deep)
        bed = slope * cell * np.arange(40.0)[::-1]
        case = f"uniform flow down {100 * slope:g} %, {deep:g} m deep, Froude {froude:.1f}"
        for mode in MODES:
            river = Simulation(
                Domain(bed[None, :], cell, manning=n),
                mode=mode,
                initial=deep,
                rims=[
                    Rim("west", "discharge", constant(discharge), depth=deep, name="inflow"),
                    Rim("east", "open", name="outflow"),
                ],
            )
            set_moving(river, discharge, 0.0)
            river.run(600.0)
            off = np.abs(river.depth[0] / deep - 1) * 100
            yield at_most(case, "depth where it leaves, off by", float(off[-1]), LEAVES.get(mode), "%", mode=mode)
            if froude > 1:
                yield at_most(case, "depth where it comes, off by", float(off[0]), COMES.get(mode), "%", mode=mode)


def backwater() -> Found:
    """Depths above a weir or a fall at the end of a mild slope, and below critical flow on a steep one.

    2 m2/s over n 0.03 on 200 cells, beside the equation of gradually varied flow (Chow 1959, section 9-1).
    """
    n, discharge = 0.03, 2.0
    for name, slope, length, at, depth, below in (
        ("M1, raised by a weir", 0.001, 4000.0, 4000.0, 2.5, False),
        ("M2, towards a fall", 0.001, 4000.0, 4000.0, 1.1 * CRITICAL_M, False),
        ("S2, from critical to normal", 0.02, 400.0, 0.0, 0.999 * CRITICAL_M, True),
    ):
        x = (np.arange(200) + 0.5) * length / 200
        exact = varied_flow(x, q=discharge, slope=slope, n=n, depth=depth, at=at)
        bed = slope * (length - x)
        tail = Rim("east", "open") if below else Rim("east", "level", constant(depth), name="tail")
        for mode in MODES:
            flow = Simulation(
                Domain(bed[None, :], length / 200, manning=n),
                mode=mode,
                initial=exact[None, :],
                rims=[Rim("west", "discharge", constant(discharge), name="inflow"), tail],
            )
            set_moving(flow, discharge, 0.0)
            flow.run(300.0 if below else 1200.0)
            error = float(np.abs(flow.depth[0] - exact).mean())
            yield at_most(f"backwater {name}", "mean error of depth", error, BACKWATER_M[mode], "m", mode=mode)


def runoff() -> Found:
    """60 mm/h on a plane of 200 m, 5 %, n 0.05: the kinematic wave's rising hydrograph (Eagleson 1970, chapter 15).

    Per metre of width q = sqrt(S) / n (i t)^(5/3) until the concentration time, then i L.
    """
    slope, n, length, cell, rain = 0.05, 0.05, 200.0, 2.0, 60 / 3.6e6
    alpha = math.sqrt(slope) / n
    bed = slope * (length - (np.arange(100) + 0.5) * cell)
    reach = length - cell
    whole = (reach / (alpha * rain ** (2 / 3))) ** 0.6
    for mode in MODES:
        plane = Simulation(
            Domain(bed[None, :], cell, manning=n),
            mode=mode,
            rain=[Rain(constant(60.0))],
            rims=[Rim("east", "open")],
            sections={"foot": [(reach, -10.0), (reach, 10.0)]},
            series_step=whole / 20,
        )
        found = plane.run(1.5 * whole)
        flow, t = found.sections["foot"] / cell, found.series_times
        exact = np.where(t < whole, alpha * (rain * t) ** (5 / 3), rain * reach)
        error = float(np.abs(flow - exact).mean()) / (rain * reach) * 100
        yield at_most("rain on a plane, 5 %", "mean error of runoff", error, RUNOFF.get(mode), "%", mode=mode)


def wave() -> Found:
    """A wave runs at 1 m/s onto a dry level bed (Hunter et al. 2005; Bates et al. 2010, section 4.1), after an hour.

    h = (7/3 n^2 u^2 (u t - x))^(3/7), n 0.03, on cells of 50 m.
    """
    n, speed, x = 0.03, 1.0, (np.arange(100) + 0.5) * 50
    times = np.arange(0, 3601, 30.0)
    sea = Series(times, _wave(n, speed, speed * times), name="sea")
    exact = _wave(n, speed, speed * 3600 - x)
    for mode in MODES:
        shore = Simulation(Domain(np.zeros((1, 100)), 50.0, manning=n), mode=mode, rims=[Rim("west", "level", sea)])
        shore.run(3600.0)
        error = float(np.sqrt(np.mean((shore.depth[0] - exact) ** 2)))
        yield at_most("wave onto a dry level bed", "error of depth (rms)", error, WAVE_M.get(mode), "m", mode=mode)


def _wave(n: float, speed: float, behind: Floats) -> Floats:
    """Depth so far behind the front, m."""
    depth: Floats = (7 / 3 * n * n * speed * speed * np.maximum(behind, 0.0)) ** (3 / 7)
    return depth


def _fast(x: Floats) -> Floats:
    found: Floats = CRITICAL_M * (1 - 0.2 * np.exp(-36 * (x / 1000 - 0.5) ** 2))
    return found


def _into_fast(x: Floats) -> Floats:
    y = x / 1000 - 0.5
    found: Floats = CRITICAL_M * np.where(y <= 0, 1 - np.tanh(3 * y) / 3, 1 - np.tanh(6 * y) / 6)
    return found


def _jump(x: Floats) -> Floats:
    y = x / 1000 - 0.5
    waves = (a * np.exp(-20 * k * np.maximum(y, 0)) for k, a in enumerate((-0.348427, 0.552264, -0.55558), start=1))
    behind = 1 + sum(waves, np.zeros_like(x)) + 0.8 * np.exp(x / 1000 - 1)
    found: Floats = CRITICAL_M * np.where(y <= 0, 0.9 - np.exp(-x / 250) / 6, behind)
    return found


def _short(x: Floats) -> Floats:
    y = x / 100 - 2 / 3
    behind = 0.674202 * y**4 + 0.674202 * y**3 - 21.7112 * y**2 + 14.492 * y + 1.4305
    found: Floats = np.where(y <= 0, CRITICAL_M * (4 / 3 - x / 100) - 9 * x / 1000 * y, CRITICAL_M * behind)
    return found


def _bed(case: Channel, x: Floats) -> Floats:
    """Bed above that at the end of a channel, by the trapezoidal rule over steps of a hundred-thousandth."""
    fine = np.linspace(0, case.length, 100_001)
    depth, q, n = case.depth(fine), case.discharge, case.manning
    rise = np.gradient(depth, fine)
    if case.shock is not None:
        # The depth jumps there, the bed does not: its slope goes on from just before.
        at = int(np.searchsorted(fine, case.shock))
        rise[at - 2 : at + 3] = rise[at - 3]
    slope = (q * q / (GRAVITY * depth**3) - 1) * rise - n * n * q * q / depth ** (10 / 3)
    bed = np.concatenate(([0.0], np.cumsum((slope[1:] + slope[:-1]) / 2 * np.diff(fine))))
    found: Floats = np.interp(x, fine, bed - bed[-1])
    return found
