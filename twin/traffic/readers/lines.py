"""A network from any layer of lines: the city's own roads, OpenStreetMap, an official data set, Lyon's sections."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from twin.traffic.errors import InvalidNetwork
from twin.traffic.network import Floats, Ids, Integers, Network
from twin.traffic.readers.noding import Pieces, join_ends, split_at_crossings
from twin.traffic.roads import CLASSES, NATIONAL_KMH, NOT_FOR_CARS, UNKNOWN, lane_capacity, speed_kmh

BACKWARD = {"-1", "reverse"}
ONE_WAY = {"true", "yes", "1", "t"} | BACKWARD


@dataclass(frozen=True)
class Columns:
    """Which column tells what; one that the table lacks tells nothing.

    access: text; "no" and "private" close a road to cars.
    """

    id: str = "object_id"
    start_node: str = "start_node"
    end_node: str = "end_node"
    road_class: str = "class"
    oneway: str = "oneway"
    lanes: str = "lanes"
    lanes_forward: str = "lanes_forward"
    lanes_backward: str = "lanes_backward"
    speed_kmh: str = "speed_kmh"
    length_m: str = "length_m"
    access: str = "access"
    vertical_level: str = "vertical_level"
    bridge: str = "bridge"
    tunnel: str = "tunnel"


@dataclass
class Report:
    """What was taken for granted, by number of lines: dropped, and defaults used."""

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, what: str, number: int) -> None:
        """Count lines; none is not told."""
        if number:
            self.counts[what] = self.counts.get(what, 0) + number


def network_from_lines(
    table: pa.Table,
    columns: Columns | None = None,
    *,
    country: str = "CN",
    snap_m: float = 0.5,
    crs: str = "",
    drop: Iterable[str] = NOT_FOR_CARS,
) -> tuple[Network, Report]:
    """A network of one link for each direction of each line, and a report of what was taken for granted.

    table: "geometry" as WKB in a CRS in metres, and what Columns names. With start and end nodes, these join lines;
    without, ends within snap_m do, and lines are split where they touch or cross on the same vertical level: a bridge
    is not joined to what it crosses. Both directions of a line carry its id. Lanes are those of all directions,
    half of them each way unless those forward and backward are told.
    country: whose default speeds are used (CN, FR, DE). drop: classes that are left out.
    Raises InvalidNetwork if nothing is left, or for a country without defaults.
    """
    names, report = columns or Columns(), Report()
    if country not in NATIONAL_KMH:
        raise InvalidNetwork(f"no default speeds for {country!r}; there are those of {', '.join(NATIONAL_KMH)}")
    lines = shapely.from_wkb(table.column("geometry").to_numpy(zero_copy_only=False))
    classes = _texts(table, names.road_class)
    unwanted = np.isin(classes, list(drop))
    access = np.isin(_texts(table, names.access), ["no", "private"])
    simple = (shapely.get_type_id(lines) == shapely.GeometryType.LINESTRING) & ~shapely.is_empty(lines)
    report.add("not for cars", int((unwanted & simple).sum()))
    report.add("no access", int((access & ~unwanted & simple).sum()))
    report.add("no single line", int((~simple).sum()))
    used = np.flatnonzero(simple & ~unwanted & ~access)
    if not len(used):
        raise InvalidNetwork(f"no line of {table.num_rows} is a road that cars may use; see the class column")
    rows = table.take(used)
    network = _build(rows, lines[used], classes[used], names, country=country, snap_m=snap_m, crs=crs, report=report)
    return network, report


def _build(
    rows: pa.Table,
    lines: Ids,
    classes: Ids,
    names: Columns,
    *,
    country: str,
    snap_m: float,
    crs: str,
    report: Report,
) -> Network:
    start, end = _texts(rows, names.start_node), _texts(rows, names.end_node)
    named = (start != "") & (end != "")
    if named.all():
        pieces = Pieces(lines, np.arange(len(lines)))
        ids, both = np.unique(np.concatenate([start, end]).astype(str), return_inverse=True)
        tail, head = both[: len(lines)], both[len(lines) :]
    else:
        pieces = split_at_crossings(lines, _levels(rows, names), snap_m)
        tail, head, count = join_ends(pieces.lines, snap_m)
        ids = np.arange(count).astype(str)
        report.add("joined by place", len(lines))
        report.add("split where lines meet", len(pieces.lines) - len(lines))
    of = pieces.of
    lengths = shapely.length(pieces.lines)
    told = _numbers(rows, names.length_m)[of] if named.all() else np.full(len(of), np.nan)
    lengths = np.where(np.isfinite(told) & (told > 0), told, lengths)
    forward, backward = _directions(rows, names, report)
    kinds = [CLASSES.get(each, UNKNOWN) for each in classes.tolist()]
    report.add("unknown class", sum(each not in CLASSES for each in classes.tolist()))
    speed = _speeds(rows, names, classes, country, report)
    lanes = _lanes(_numbers(rows, names.lanes), kinds, forward & backward, report)
    each_lane = np.array([lane_capacity(each) for each in kinds])
    # The two directions of a line stand one after the other in each list.
    way = np.concatenate([np.flatnonzero(forward[of]), np.flatnonzero(backward[of])])
    against = np.arange(len(way)) >= int(forward[of].sum())
    line = of[way]
    apart = np.where(against, _numbers(rows, names.lanes_backward)[line], _numbers(rows, names.lanes_forward)[line])
    lanes_way = np.where(apart > 0, apart, lanes[line])
    x, y = _places(pieces.lines, tail, head, len(ids))
    identity = rows.column(names.id).to_numpy(zero_copy_only=False) if names.id in rows.column_names else None
    return Network.build(
        ids,
        np.where(against, head[way], tail[way]),
        np.where(against, tail[way], head[way]),
        lengths[way] / (speed[line] / 3.6),
        lanes_way * each_lane[line],
        x=x,
        y=y,
        link_ids=line if identity is None else identity[line],
        length_m=lengths[way],
        lanes=lanes_way,
        road_class=classes[line],
        geometry=np.where(against, shapely.reverse(pieces.lines[way]), pieces.lines[way]),
        crs=crs,
    )


def _places(lines: Ids, tail: Integers, head: Integers, nodes: int) -> tuple[Floats, Floats]:
    x, y = np.full(nodes, np.nan), np.full(nodes, np.nan)
    for node, at in ((head, -1), (tail, 0)):
        points = shapely.get_point(lines, at)
        x[node], y[node] = shapely.get_x(points), shapely.get_y(points)
    return x, y


def _directions(rows: pa.Table, names: Columns, report: Report) -> tuple[Any, Any]:
    """Whether each line may be driven along, and against, its direction. What is not told is two-way."""
    told = np.array([each.lower() for each in _texts(rows, names.oneway)])
    report.add("two-way by default", int((told == "").sum()))
    back = np.isin(told, list(BACKWARD))
    return ~back, ~np.isin(told, list(ONE_WAY - BACKWARD))


def _speeds(rows: pa.Table, names: Columns, classes: Ids, country: str, report: Report) -> Floats:
    values = (
        rows.column(names.speed_kmh).to_pylist() if names.speed_kmh in rows.column_names else [None] * rows.num_rows
    )
    habits = NATIONAL_KMH[country]
    found, defaults, unread = [], 0, 0
    for value, kind in zip(values, classes.tolist(), strict=True):
        speed = speed_kmh(value)
        if speed is None:
            defaults += 1
            unread += isinstance(value, str) and bool(value)
            speed = habits.get(kind, CLASSES.get(kind, UNKNOWN).speed_kmh)
        found.append(speed)
    report.add("speed by class", defaults)
    report.add("speed not understood", unread)
    return np.array(found)


def _lanes(told: Floats, kinds: Sequence[Any], two_way: Any, report: Report) -> Floats:
    """Lanes of one direction; a two-way street of one lane has half a lane each way."""
    known = np.isfinite(told) & (told > 0)
    report.add("lanes by class", int((~known).sum()))
    return np.where(known, np.where(two_way, told / 2, told), [each.lanes for each in kinds])


def _levels(rows: pa.Table, names: Columns) -> Integers:
    """Vertical level; a bridge or tunnel that tells none is above or below the ground."""
    level = _numbers(rows, names.vertical_level)
    raised = np.isin(_texts(rows, names.bridge), ["True", "true", "yes"]).astype(int)
    sunk = np.isin(_texts(rows, names.tunnel), ["True", "true", "yes"]).astype(int)
    return np.where(np.isfinite(level), np.nan_to_num(level), raised - sunk).astype(np.int64)


def _texts(table: pa.Table, name: str) -> Ids:
    if name not in table.column_names:
        return np.full(table.num_rows, "", object)
    return np.array(["" if each is None else str(each) for each in table.column(name).to_pylist()], object)


def _numbers(table: pa.Table, name: str) -> Floats:
    if name not in table.column_names:
        return np.full(table.num_rows, np.nan)
    values = table.column(name).to_pylist()
    try:
        return np.array([np.nan if each in (None, "") else float(each) for each in values], np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidNetwork(f"column {name}: {error}; numbers are needed") from None
