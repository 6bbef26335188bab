"""Where waters meet or part: Riemann problems, a jump across a slanting flow, a basin that runs dry."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.flood import Domain, Rim, Simulation, constant
from twin.flood.cpu.solver import Mode
from twin.flood.cpu.state import GHOSTS, Floats
from twin.flood.validation.exact import bump, oblique_jump, riemann
from twin.flood.validation.rows import FINITE_VOLUMES, Curves, Found, Line, at_most, near

# Aims: L1 error of depth over the greatest of the beginning; level left above a crest, m; depth behind a jump, share.
MEETING = {"full": 0.01, "fast": 0.03}
LEFT_M = 0.002
JUMP = 0.005

# Depths m and speeds m/s to the left and right, and how long they run, s; the dam of the first stands 10 m further on.
PROBLEMS = (
    ("bore into shallow water", (1.0, 2.5), (0.1, 0.0), 3.0),
    ("waters that part", (1.0, -5.0), (1.0, 5.0), 2.5),
    ("dry to the left", (0.0, 0.0), (1.0, 0.0), 4.0),
    ("waters that part and leave dry ground", (0.1, -3.0), (0.1, 3.0), 5.0),
)


def riemann_problems() -> Found:
    """The tests of Toro (2001, section 7.5): 50 m of frictionless channel in 200 cells."""
    x = (np.arange(200) + 0.5) / 4 - 25
    for title, left, right, seconds in PROBLEMS:
        depth, _ = riemann(x, seconds, left, right)
        lines = [Line("exact", x, depth, exact=True)]
        for mode in FINITE_VOLUMES:
            flow = left[0] * left[1]
            west = Rim("west", "discharge", constant(flow)) if flow > 0 else Rim("west", "open")
            rims = [west, Rim("east", "open")]
            first = np.where(x < 0, left[0], right[0])[None, :]
            channel = Simulation(Domain(np.zeros((1, 200)), 0.25, manning=0.0), mode=mode, initial=first, rims=rims)
            set_moving(channel, first * np.where(x < 0, left[1], right[1]), 0.0)
            channel.run(seconds)
            lines.append(Line(mode, x, channel.depth[0].copy()))
            error = float(np.abs(channel.depth[0] - depth).mean()) / max(left[0], right[0])
            yield at_most(f"Toro: {title}", "L1 error of depth / greatest", error, MEETING[mode], mode=mode)
        yield Curves("flood-fronts", f"Toro: {title}", "m", "depth, m", lines)


def slanting_jump() -> Found:
    """A flow at Froude 2.7 turned by 8.95 degrees (Alcrudo & Garcia-Navarro 1993), along a wall that follows the grid.

    A wall in steps of cells turns the water twice at each step: how much that costs is told beside.
    """
    turn, speed = math.radians(8.95), 8.57
    deep, angle = oblique_jump(speed, 1.0, turn)
    x, y = np.meshgrid((np.arange(80) + 0.5) / 2, 19.75 - np.arange(40) / 2)
    case, beside = "jump across a slanting flow", math.degrees(angle - turn)
    for mode in FINITE_VOLUMES:
        depth = _turned(turn, speed, mode)
        found = float(depth[(x > 25) & (x < 36) & (y < (x - 10) * math.tan(angle - turn) - 2)].mean())
        yield near(case, "depth behind", found, deep, share=JUMP, unit="m", mode=mode)
        front = [float(np.interp((1 + deep) / 2, depth[:, n], y[:, n])) for n in range(50, 76)]
        off = abs(math.degrees(math.atan(np.polyfit(x[0, 50:76], front, 1)[0])) - beside)
        figure = f"its angle to the wall, off {beside:.2f} degrees by"
        yield at_most(case, figure, off, 0.3, "degrees", mode=mode)
        wall = np.maximum(x - 10, 0) * math.tan(turn)
        depth = _turned_by_steps(np.where(y < wall, np.nan, 0.0), speed, mode)
        behind = (x > 25) & (x < 36) & (y > wall + 1) & (y < (x - 10) * math.tan(angle) - 2)
        over = abs(float(depth[behind].mean()) / deep - 1) * 100
        yield at_most(case, "depth behind a wall in steps, off by", over, None, "%", mode=mode)


def _turned(turn: float, speed: float, mode: Mode) -> Floats:
    """Depths, m, of a slanting flow 1 m deep above a southern wall that begins after 10 m."""
    rims = [
        Rim("west", "level", constant(1.0), name="west"),
        Rim("north", "level", constant(1.0), name="north"),
        Rim("south", "open", last=20, name="south"),
        Rim("east", "open", name="east"),
    ]
    run = Simulation(Domain(np.zeros((40, 80)), 0.5, manning=0.0), mode=mode, initial=1.0, rims=rims)
    set_moving(run, speed * math.cos(turn), speed * math.sin(turn))
    run.run(15.0)
    return run.depth


def _turned_by_steps(ground: Floats, speed: float, mode: Mode) -> Floats:
    """Depths, m, of a flow to the east, 1 m deep, on ground that ends at a slanting wall."""
    rims = [
        Rim("west", "discharge", constant(speed), depth=1.0, name="west"),
        Rim("north", "open", name="north"),
        Rim("east", "open", name="east"),
    ]
    run = Simulation(Domain(ground, 0.5, manning=0.0), mode=mode, initial=1.0, rims=rims)
    set_moving(run, speed, 0.0)
    run.run(15.0)
    return run.depth


def draining() -> Found:
    """A basin behind a bump runs out until its level is that of the crest (Gallouet, Herard & Seguin 2003)."""
    x = (np.arange(100) + 0.5) / 4
    bed, case = bump(x), "a basin behind a bump runs out"
    for mode in FINITE_VOLUMES:
        outlet = Rim("east", "level", constant(-1.0), name="outlet")
        basin = Simulation(Domain(bed[None, :], 0.25, manning=0.0), mode=mode, initial_level=0.5, rims=[outlet])
        basin.run(400.0)
        level = bed[:36] + basin.depth[0, :36]
        yield at_most(case, "level left above the crest", float(level.max()) - 0.2, LEFT_M, "m", mode=mode)
        yield at_most(case, "difference of levels in it", float(np.ptp(level)), 1e-3, "m", mode=mode)


def set_moving(run: Simulation, east: npt.ArrayLike, south: npt.ArrayLike) -> None:
    """Let the water begin with these flows, m2/s, where there is any; beyond the rim too."""
    water = run.solver.water
    rows, columns = run.domain.shape
    for flow, given in ((water.flow_x, east), (water.flow_y, south)):
        spread: npt.NDArray[Any] = np.broadcast_to(np.asarray(given), (rows, columns))
        flow[:] = np.pad(spread, GHOSTS, mode="edge")
        flow[GHOSTS:-GHOSTS, GHOSTS:-GHOSTS] *= run.depth > 0
    run.solver.begin()
