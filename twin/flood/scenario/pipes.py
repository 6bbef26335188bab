"""The city's storm drains as a network of pipes and manholes."""

from typing import Any

import numpy as np
import shapely

from twin.flood.drainage import DrainNetwork, Manhole, Outfall, Pipe
from twin.flood.scenario.ground import Ground
from twin.flood.scenario.inputs import FloodInputs
from twin.scenarios.city import City
from twin.scenarios.inputs import Words
from twin.scenarios.objects import read

MEDIA = ("storm", "combined")
# A rim lies at the ground of its cell; a manhole is at least so deep, m.
SHALLOWEST_M = 0.5
DEFAULT_BORE_MM = 400.0


def drain_network(city: City, inputs: FloodInputs, ground: Ground, notes: list[Words]) -> DrainNetwork | None:
    """The network in the area, None where there is none. Notes what had to be assumed or left out."""
    site = ground.site
    nodes = read(city, "utility_nodes", site.box, "uid", "class", "medium", "invert")
    nodes = nodes.take(nodes.among("medium", MEDIA))
    lines = read(
        city, "utility_pipes", site.box, "uid", "medium", "diameter_mm", "invert_start", "invert_end", "start_node",
        "end_node",
    )  # fmt: skip
    lines = lines.take(lines.among("medium", MEDIA))
    inverts = nodes.numbers("invert")
    # A node without a level of its own lies as deep as the pipes that meet there.
    lowest: dict[str, float] = {}
    starts, ends = lines.numbers("invert_start"), lines.numbers("invert_end")
    for column, floor in (("start_node", starts), ("end_node", ends)):
        for uid, level in zip(lines[column], floor, strict=True):
            lowest[uid] = float(np.fmin(lowest.get(uid, np.nan), level))
    manholes, outfalls = dict[str, Manhole](), dict[str, Outfall]()
    for n, (shape, uid, kind) in enumerate(zip(nodes.shape, nodes["uid"], nodes["class"], strict=True)):
        cell = site.cell_of(shape.x, shape.y)
        invert = float(np.fmin(inverts[n], lowest.get(uid, np.nan)))
        if not np.isfinite(invert):
            continue
        if kind == "Outfall":
            outfalls[uid] = Outfall(uid, _wettest(ground, cell), invert)
        elif (open_cell := _street(ground, cell)) is not None:
            rim = float(ground.bed[open_cell])
            manholes[uid] = Manhole(uid, open_cell, min(invert, rim - SHALLOWEST_M), rim)
    pipes, known = [], manholes.keys() | outfalls.keys()
    bores = np.nan_to_num(lines.numbers("diameter_mm"), nan=DEFAULT_BORE_MM) / 1000
    for n, (uid, start, end) in enumerate(zip(lines["uid"], lines["start_node"], lines["end_node"], strict=True)):
        if not {start, end} <= known or start == end:
            continue
        floors = [(manholes.get(node) or outfalls[node]).invert for node in (start, end)]
        inlet, outlet = (max(deep, float(np.nan_to_num(level, nan=deep))) for deep, level in zip(
            floors, (starts[n], ends[n]), strict=True))  # fmt: skip
        length = float(shapely.length(lines.shape[n]))
        pipes.append(Pipe(uid, start, end, length, float(bores[n]), inlet, outlet))
    joined = {node for pipe in pipes for node in (pipe.start, pipe.end)}
    ways_out = [each for uid, each in outfalls.items() if uid in joined]
    left_out = len(lines) - len(pipes)
    if left_out:
        notes.append(
            Words(
                f"{left_out} 条雨水管缺少节点或高程，未计入",
                f"{left_out} storm drains without nodes or levels are left out",
            )
        )
    if not pipes or not ways_out:
        return None
    kept = [each for uid, each in manholes.items() if uid in joined]
    return DrainNetwork(kept, ways_out, pipes, open_share=inputs.drains)


def _street(ground: Ground, cell: Any) -> tuple[int, int] | None:
    """The place's own cell, or the lowest beside it; never one of a river or canal, which drains do not take from."""
    dry = ~ground.blocked & np.isfinite(ground.bed) & np.isnan(ground.standing)
    return cell if cell is not None and dry[cell] else _lowest_of(ground, cell, dry)


def _wettest(ground: Ground, cell: Any) -> tuple[int, int] | None:
    """A cell of standing water beside an outfall, else the lowest; None outside the area."""
    usable = np.isfinite(ground.bed) & ~ground.blocked
    return _lowest_of(ground, cell, usable & np.isfinite(ground.standing)) or _lowest_of(ground, cell, usable)


def _lowest_of(ground: Ground, cell: Any, usable: Any) -> tuple[int, int] | None:
    if cell is None:
        return None
    row, column = max(cell[0] - 1, 0), max(cell[1] - 1, 0)
    around = (slice(row, cell[0] + 2), slice(column, cell[1] + 2))
    beds = np.where(usable[around], ground.bed[around], np.inf)
    if not np.isfinite(beds).any():
        return None
    found = np.unravel_index(int(beds.argmin()), beds.shape)
    return row + int(found[0]), column + int(found[1])
