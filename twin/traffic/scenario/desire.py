"""Who travels where: desire lines between zones, and the ways of those who used the roads that are closed."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from twin.scenarios.inputs import Words
from twin.scenarios.protocol import VectorLayer
from twin.traffic.network import Flags, Floats, Ids, Integers
from twin.traffic.scenario.maps import ROUND, SHOWN_PCU, TIME, line_style, rows_of, titled
from twin.traffic.scenario.solving import Traffic
from twin.traffic.scenario.streets import Streets
from twin.traffic.scenario.tables import STAMP, stamp, typed
from twin.traffic.scenario.zoning import Zones

# Of more pairs a map is a hairball; those with fewer trips are not drawn.
MOST_LINES, LEAST_TRIPS = 150, 1.0
# How far a line bows out of the straight one, as a share of it, and its corners.
BOW, CORNERS = 0.12, 17
MOST_USERS = 2000
WIDTH = ["step", ["get", "trips"], 1, 10, 1.8, 30, 3, 100, 5, 300, 8, 1000, 12]
LOST = [
    "step", ["get", "lost_min"],
    "#5b6fb5", 1, "#f2c230", 2, "#ee7d31", 5, "#d22f27", 10, "#7a0f23",
]  # fmt: skip
USERS_WIDTH = ["step", ["get", "volume"], 1.2, 50, 2, 200, 3.4, 500, 5, 1000, 7]
USERS_ASIDE = ["step", ["get", "volume"], 0.8, 50, 1.2, 200, 1.9, 500, 2.7, 1000, 3.7]


def desire_layer(zones: Zones, pairs: Sequence[tuple[Traffic, Traffic]], trips: Sequence[Floats]) -> VectorLayer | None:
    """The pairs of zones with most trips, both ways together, state by state; None where nobody leaves their zone.

    trips: vehicles from zone to zone of each state. Lines are as wide as their trips and coloured by the minutes that
    a trip takes longer than in the city as it is; trips that no way is left for are told apart.
    """
    tables = [_lines(zones, usual, changed, matrix) for (usual, changed), matrix in zip(pairs, trips, strict=True)]
    if not any(table.num_rows for table in tables):
        return None
    paint = {"line-color": LOST, "line-width": WIDTH, "line-opacity": 0.75}
    style = [{"id": "desire", "type": "line", "layout": ROUND, "paint": paint}]
    title = Words("期望线（小区间出行）", "Desire lines (trips between zones)")
    return VectorLayer("desire", title, titled(tables), style)


def _lines(zones: Zones, usual: Traffic, changed: Traffic, matrix: Floats) -> pa.Table:
    there, back = np.triu_indices(len(zones), 1)
    both = matrix[there, back] + matrix[back, there]
    most = np.flatnonzero(both >= LEAST_TRIPS)
    # The most last, so that they are drawn over the others.
    most = most[np.argsort(both[most], kind="stable")][-MOST_LINES:]
    a, b = there[most], back[most]
    served = np.isfinite(changed.matrix_s) & np.isfinite(usual.matrix_s)
    carried = np.where(served, matrix, 0.0)
    longer = carried * (np.where(served, changed.matrix_s, 0.0) - np.where(served, usual.matrix_s, 0.0))
    arrive = carried[a, b] + carried[b, a]
    with np.errstate(invalid="ignore", divide="ignore"):
        lost = (longer[a, b] + longer[b, a]) / arrive / 60
    moment = changed.state.moment
    names = zones.names
    return pa.table(
        {
            "geometry": pa.array(shapely.to_wkb(_bows(zones, a, b)).tolist(), pa.binary()),
            "uid": pa.array([f"{zones.ids[i]}-{zones.ids[j]}" for i, j in zip(a.tolist(), b.tolist(), strict=True)]),
            "name": pa.array([f"{names[i]} – {names[j]}" for i, j in zip(a.tolist(), b.tolist(), strict=True)]),
            "hour": pa.array([moment.hour] * len(a), pa.int64()),
            "trips": np.round(both[most], 1),
            "trips_there": np.round(matrix[a, b], 1),
            "trips_back": np.round(matrix[b, a], 1),
            "trips_without_a_way": np.round(both[most] - arrive, 1),
            "lost_min": np.where(arrive > 0, np.round(lost, 2), 0.0),
            "valid_from": pa.array([moment.begins] * len(a), TIME),
            "valid_to": pa.array([moment.ends] * len(a), TIME),
        }
    )


def _bows(zones: Zones, a: Integers, b: Integers) -> Ids:
    """Quadratic curves from zone to zone, bowed to one side, so that lines of one bearing do not hide each other."""
    begin, end = (np.column_stack([zones.x[n], zones.y[n]]) for n in (a, b))
    along = end - begin
    control = (begin + end) / 2 + 2 * BOW * np.column_stack([-along[:, 1], along[:, 0]])
    t = np.linspace(0, 1, CORNERS)[:, None, None]
    corners = (1 - t) ** 2 * begin + 2 * t * (1 - t) * control + t**2 * end
    found: Ids = np.asarray(shapely.linestrings(corners.transpose(1, 0, 2)), object)
    return found


def closed_links(usual: Traffic, changed: Traffic) -> Flags:
    """Links that carry traffic in the city as it is, and that no car may use in the other."""
    return changed.state.shut & ~usual.state.shut & (usual.found.flow > 0)


def users(
    streets: Streets, zones: Zones, pairs: Sequence[tuple[Traffic, Traffic]]
) -> tuple[VectorLayer, pa.Table] | None:
    """The ways, in the city as it is, of trips over the roads that are closed, and these trips pair by pair.

    None where nobody used what is closed. Path flows are one of many sets with the same link flows.
    """
    names = dict(zip((f"zone {each}" for each in zones.ids), zones.names, strict=True))
    tables: list[pa.Table] = []
    rows: list[dict[str, Any]] = []
    for usual, changed in pairs:
        closed = np.flatnonzero(closed_links(usual, changed))
        if not len(closed):
            continue
        between, flows = usual.found.select_link(closed)
        links = np.flatnonzero(flows[: streets.network.links] >= SHOWN_PCU)
        tables.append(rows_of(streets, links, changed.state, {"volume": np.round(flows[links])}))
        sums: dict[tuple[str, str], float] = {}
        for origin, destination, pcu in between:
            sums[origin, destination] = sums.get((origin, destination), 0.0) + pcu
        rows += [
            stamp(changed) | {"origin_name": names[a], "destination_name": names[b], "volume": round(pcu, 1)}
            for (a, b), pcu in sorted(sums.items(), key=lambda each: (-each[1], each[0]))[:MOST_USERS]
        ]
    if not tables:
        return None
    title = Words("封闭道路原有车流的路径", "Ways of those who used the closed roads")
    table = typed(rows, **STAMP, origin_name=pa.string(), destination_name=pa.string(), volume=pa.float64())
    return VectorLayer("users", title, titled(tables), line_style("#7b3fa0", USERS_WIDTH, USERS_ASIDE)), table
