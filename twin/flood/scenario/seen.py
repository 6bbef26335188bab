"""Water that people saw, beside what a run finds there."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from twin.flood.scenario.choices import Seen
from twin.flood.scenario.errors import FloodRefused
from twin.flood.scenario.findings import Findings, number
from twin.flood.scenario.shapes import in_metres
from twin.flood.scenario.site import Site


def cells_of(site: Site, seen: Sequence[Seen]) -> list[tuple[int, int]]:
    """Row and column of each place. Raises FloodRefused for one outside of the run."""
    cells = []
    for n, each in enumerate(seen):
        place = in_metres(each.at, site.crs)
        cell = site.cell_of(place.x, place.y)
        if cell is None:
            raise FloodRefused(f"seen: place {n + 1} lies outside of what is computed")
        cells.append(cell)
    return cells


def beside_seen(findings: Findings) -> tuple[pa.Table, Mapping[str, Any]]:
    """A row for each place that was seen, and indicators of the miss over all of them.

    Found is the greatest depth of the place's cell and the eight around it: people tell a place to some metres, and
    water stands in the lowest of them.
    """
    rows, asked = [], findings.inputs.seen
    depth = np.where(findings.ground.blocked, 0.0, findings.found.depth)
    for n, (each, (row, column)) in enumerate(zip(asked, cells_of(findings.ground.site, asked), strict=True)):
        found = float(np.nanmax(depth[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2], initial=0.0))
        rows.append(
            {
                "place": each.name or str(n + 1),
                "lon": float(each.at["coordinates"][0]),
                "lat": float(each.at["coordinates"][1]),
                "seen_m": each.depth_m,
                "found_m": round(found, 3),
                "miss_m": round(found - each.depth_m, 3),
            }
        )
    misses = np.array([row["miss_m"] for row in rows])
    return pa.Table.from_pylist(rows), {
        "seen_miss_m": number(float(np.abs(misses).mean()), "m", "积水点平均误差", "Mean miss of water that was seen"),
        "seen_bias_m": number(float(misses.mean()), "m", "积水点平均偏差", "Mean of found less seen"),
    }
