"""Works of the city as the engine has them: walls on cells' edges, sluices, pumps, dams that release, street drains."""

from dataclasses import dataclass

import numpy as np
import shapely

from twin.flood.drainage import DrainNetwork
from twin.flood.forcing import Inflow
from twin.flood.losses import Seepage
from twin.flood.raster import enclosed
from twin.flood.scenario.barriers import NEAR_M, open_breaches, stand_walls
from twin.flood.scenario.errors import FloodRefused
from twin.flood.scenario.ground import Ground
from twin.flood.scenario.inputs import FloodInputs
from twin.flood.scenario.pipes import drain_network
from twin.flood.scenario.site import Bools, Floats
from twin.flood.series import Series, constant
from twin.flood.structures import Pump, Sluice, Structure
from twin.flood.walls import Breach, Wall
from twin.scenarios.city import City
from twin.scenarios.inputs import Words
from twin.scenarios.objects import Objects, Shapes, further, read
from twin.scenarios.shapes import in_metres

HOUR = 3600.0
# Where a gate's two ends are looked for: so far from the wall's line and from the gate, m (and at least in cells).
CLEAR_M, REACH_M, CLEAR_CELLS, REACH_CELLS = 14.0, 130.0, 1.0, 4.5
GATE_HEIGHT_M = 5.0
PUMP_LIFT_M = 12.0
# A street drain serves the cells within this distance, m; Manning's n of its pipe.
SERVED_M, PIPE_MANNING = 35.0, 0.013
LEAST_FALL = 5e-4


@dataclass(frozen=True)
class Works:
    """All works of a run. bed: the ground without the bodies of walls where they will break."""

    walls: list[Wall]
    breaches: list[Breach]
    structures: list[Structure]
    inflows: list[Inflow]
    losses: list[Seepage]
    bed: Floats
    network: DrainNetwork | None
    drained_mm_h: float
    notes: list[Words]


def build_works(city: City, inputs: FloodInputs, ground: Ground) -> Works:
    """Raises FloodRefused where a breach, an inflow or a release has no place."""
    site = ground.site
    constructions = read(
        city, "constructions", site.box, "uid", "name", "class", "crest_level", "sill_level", "width", "attributes"
    )
    notes: list[Words] = []
    if holes := enclosed(ground.bed):
        en = f"terrain: {holes} cells without heights lie inside of it; no water gets there"
        notes.append(Words(f"地形：内部有 {holes} 个网格无高程数据，水不能进入", en))
    walls, bodies = stand_walls(constructions, inputs, ground, notes)
    breaches, bed = open_breaches(inputs, ground, walls, bodies)
    lines = np.array([shapely.LineString(wall.line) for wall in walls], object)
    structures: list[Structure] = [
        *_sluices(constructions.of_class("Sluice"), inputs, ground, lines, notes),
        *_pumps(city, inputs, ground, lines, notes),
        *_releases(constructions.of_class("Dam"), inputs, ground),
    ]
    network = drain_network(city, inputs, ground, notes) if inputs.drains_as == "network" and inputs.drains else None
    losses, rate = _drains(city, inputs, ground) if inputs.drains_as == "rate" else ([], 0.0)
    return Works(walls, breaches, structures, _inflows(inputs, ground), losses, bed, network, rate, notes)


def _sluices(found: Objects, inputs: FloodInputs, ground: Ground, lines: Shapes, notes: list[Words]) -> list[Sluice]:
    """Gates in the walls, by what the planner said of them."""
    gates = []
    asked = set(inputs.sluice_names)
    unknown = asked - {name for pair in zip(found["name"], found["uid"], strict=True) for name in pair}
    if unknown:
        names = ", ".join(sorted(unknown))
        raise FloodRefused(
            f"sluice_names: the city has no sluice {names} in the area", f"sluice_names：范围内没有水闸 {names}"
        )
    sill, width = found.numbers("sill_level"), found.numbers("width")
    for n, (shape, uid, name) in enumerate(zip(found.shape, found["uid"], found["name"], strict=True)):
        sides = both_sides(ground, lines, shapely.centroid(shape))
        if sides is None or not (np.isfinite(sill[n]) and np.isfinite(width[n])):
            en = f"sluice {name or uid}: left out, for it has no sill or width, or no wall near it"
            notes.append(Words(f"水闸 {name or uid}：缺底高程或宽度，或附近无墙，未计入", en))
            continue
        state = inputs.sluices if not asked or {name, uid} & asked else "automatic"
        if state == "shut":
            continue
        inside, outside = sides
        gates.append(
            Sluice(
                [inside],
                [outside],
                float(width[n]),
                float(sill[n]),
                constant(GATE_HEIGHT_M),
                one_way=state == "automatic",
                name=f"sluice {uid}",
            )
        )
    return gates


def _pumps(city: City, inputs: FloodInputs, ground: Ground, lines: Shapes, notes: list[Words]) -> list[Pump]:
    """Drainage pumps at the walls: from the water behind to the water in front."""
    nodes = read(city, "utility_nodes", ground.site.box, "uid", "name", "class", "attributes").of_class("Pump")
    working = constant(1.0)
    if inputs.pumps == "failed":
        working = Series([0.0, max(inputs.pumps_fail_h * HOUR, 1.0)], [float(inputs.pumps_fail_h > 0), 0.0], "steps")
    pumps = []
    for shape, uid, name, told in zip(nodes.shape, nodes["uid"], nodes["name"], nodes["attributes"], strict=True):
        facts = further(told)
        sides = both_sides(ground, lines, shape)
        if sides is None or not {"capacity_m3_s", "start_level_m", "stop_level_m"} <= set(facts):
            en = f"pump {name or uid}: left out, for its capacity or levels are not known, or no wall is near"
            notes.append(Words(f"泵站 {name or uid}：流量或启停水位不明，或附近无墙，未计入", en))
            continue
        inside, outside = sides
        capacity = float(facts["capacity_m3_s"])
        pumps.append(
            Pump(
                [inside],
                [outside],
                heads=[0.0, PUMP_LIFT_M],
                discharges=[capacity, capacity],
                start=float(facts["start_level_m"]),
                stop=float(facts["stop_level_m"]),
                working=working,
                name=f"pump {uid}",
            )
        )
    return pumps


def both_sides(ground: Ground, lines: Shapes, place: shapely.Point) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """The lowest cell behind the wall near a place, and the lowest in front of it, where sea or river lie.

    None where there is no wall near, or no ground on one of its sides.
    """
    site = ground.site
    away = shapely.distance(lines, place) if len(lines) else np.array([np.inf])
    if away.min() > NEAR_M:
        return None
    line = lines[int(away.argmin())]
    at = shapely.line_locate_point(line, place)
    reach = max(REACH_M, REACH_CELLS * site.cell)
    (x0, y0), (x1, y1) = (
        shapely.line_interpolate_point(line, float(np.clip(at + way, 0, line.length))).coords[0] for way in (-30, 30)
    )
    xs, ys = site.middles()
    rows, columns = np.flatnonzero(np.abs(ys - place.y) < reach), np.flatnonzero(np.abs(xs - place.x) < reach)
    row, column = (grid.ravel() for grid in np.meshgrid(rows, columns, indexing="ij"))
    x, y = xs[column], ys[row]
    clear = shapely.distance(shapely.points(x, y), line) > max(CLEAR_M, CLEAR_CELLS * site.cell)
    usable = clear & (np.hypot(x - place.x, y - place.y) < reach)
    usable &= np.isfinite(ground.bed[row, column]) & ~ground.blocked[row, column]
    row, column, x, y = row[usable], column[usable], x[usable], y[usable]
    left = (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0) > 0
    if left.all() or not left.any():
        return None
    wet = (ground.sea | ground.river)[row, column]
    front = left if wet[left].mean() > wet[~left].mean() else ~left
    ends = []
    for side in (~front, front):
        lowest = np.flatnonzero(side)[ground.bed[row, column][side].argmin()]
        ends.append((int(row[lowest]), int(column[lowest])))
    return ends[0], ends[1]


def _releases(dams: Objects, inputs: FloodInputs, ground: Ground) -> list[Pump]:
    """Releases as outlets that take from the reservoir what they give to the river, and never more than is there."""
    found = []
    for number, asked in enumerate(inputs.releases, 1):
        reservoirs = ground.water.of_class("Reservoir")
        if asked.reservoir is not None:
            reservoirs = reservoirs.take(reservoirs.among("name", (asked.reservoir,)))
        if not len(reservoirs) or not len(dams):
            raise FloodRefused(
                f"releases: there is no reservoir {asked.reservoir or ''} with a dam in the area",
                f"releases：范围内没有带大坝的水库 {asked.reservoir or ''}",
            )
        lake = reservoirs.shape[int(shapely.area(reservoirs.shape).argmax())]
        dam = dams.shape[int(shapely.distance(dams.shape, lake).argmin())]
        inside = _lowest(ground, ground.site.covered([lake.difference(dam.buffer(2 * ground.site.cell))]))
        below = dam.buffer(max(120.0, 6 * ground.site.cell)).difference(dam.buffer(2 * ground.site.cell))
        outside = _lowest(ground, ground.site.covered([below.difference(lake.buffer(3 * ground.site.cell))]))
        if inside is None or outside is None:
            raise FloodRefused(
                f"releases: the reservoir of release {number} or the foot of its dam is not in the area",
                f"releases：第 {number} 次泄放的水库或其坝脚不在计算范围内",
            )
        begin, end = asked.begin_h * HOUR, (asked.begin_h + asked.hours) * HOUR
        times, shares = ([0.0, begin, end], [0.0, 1.0, 0.0]) if begin > 0 else ([0.0, end], [1.0, 0.0])
        bed = ground.bed[inside]
        found.append(
            Pump(
                [inside],
                [outside],
                heads=[0.0, 1.0],
                discharges=[asked.discharge_m3_s, asked.discharge_m3_s],
                start=float(bed) + 0.2,
                stop=float(bed) + 0.1,
                working=Series(times, shares, "steps"),
                name=f"release {number}",
            )
        )
    return found


def _lowest(ground: Ground, where: Bools) -> tuple[int, int] | None:
    usable = where & np.isfinite(ground.bed) & ~ground.blocked
    if not usable.any():
        return None
    row, column = np.unravel_index(int(np.where(usable, ground.bed, np.inf).argmin()), usable.shape)
    return int(row), int(column)


def _inflows(inputs: FloodInputs, ground: Ground) -> list[Inflow]:
    domain = ground.domain("")
    found = []
    for number, river in enumerate(inputs.rivers, 1):
        hours, flows = np.array(river.hydrograph).T
        series = Series(hours * HOUR, flows, name=f"rivers {number}")
        if river.at is not None:
            place = in_metres(river.at, ground.site.crs)
            x, y = place.x, place.y
        else:
            x, y = _head_of(ground, river.river or "")
        found.append(
            Inflow.disc(domain, x, y, radius=1.5 * ground.site.cell, discharge=series, name=f"inflow {number}")
        )
    return found


def _head_of(ground: Ground, name: str) -> tuple[float, float]:
    """The upper end of a river: the cell of its water where the bed is highest in its highest reach."""
    rivers = ground.water.take(ground.water.among("name", (name,)))
    rivers = rivers.take(shapely.get_dimensions(rivers.shape) == 2)
    if len(rivers):
        highest = int(np.nan_to_num(rivers.numbers("level"), nan=-np.inf).argmax())
        inside = ground.site.covered([rivers.shape[highest]], touched=True) & np.isfinite(ground.bed)
        if inside.any():
            row, column = np.unravel_index(int(np.where(inside, ground.natural, -np.inf).argmax()), inside.shape)
            xs, ys = ground.site.middles()
            return float(xs[column]), float(ys[row])
    raise FloodRefused(f"rivers: there is no river {name!r} in the area", f"rivers：范围内没有河流“{name}”")


def _drains(city: City, inputs: FloodInputs, ground: Ground) -> tuple[list[Seepage], float]:
    """Street drains as a rate on the cells they serve: what all outfalls pass when full, over the area served, mm/h."""
    site = ground.site
    pipes = read(
        city, "utility_pipes", site.box, "medium", "diameter_mm", "invert_start", "invert_end", "end_node", "start_node"
    )
    pipes = pipes.take(pipes.among("medium", ("storm", "combined")))
    if not len(pipes) or inputs.drains == 0:
        return [], 0.0
    last = ~pipes.among("end_node", set(pipes["start_node"]))
    bore = pipes.numbers("diameter_mm")[last] / 1000
    fall = np.abs(pipes.numbers("invert_start") - pipes.numbers("invert_end"))[last]
    slope = np.maximum(fall / np.maximum(shapely.length(pipes.shape[last]), 1.0), LEAST_FALL)
    # Manning's formula for a full round pipe, m3/s.
    full = np.pi / 4 * bore**2 / PIPE_MANNING * (bore / 4) ** (2 / 3) * np.sqrt(slope)
    served = site.covered(shapely.buffer(pipes.shape, SERVED_M, quad_segs=2))
    served &= np.isnan(ground.standing)
    area = float(served.sum()) * site.cell**2
    if area == 0:
        return [], 0.0
    rate = float(np.nansum(full)) / area * 1000 * HOUR * inputs.drains
    return [Seepage(np.where(served, rate, 0.0), account="drains")], rate
