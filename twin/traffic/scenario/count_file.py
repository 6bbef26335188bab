"""Counts that a planner brings in a table: where on the roads they were taken, which way, and in which hour."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyproj
import shapely

from twin.scenarios.inputs import Words
from twin.sensing.counters import Count, Counter
from twin.traffic.readers.tables import Row, read_rows
from twin.traffic.scenario.counters import NEAR_M, Counted, link_uids, placed
from twin.traffic.scenario.errors import TrafficRefused
from twin.traffic.scenario.streets import Streets

MOST_PLACES, MOST_VEHICLES = 2000, 1e6
NAMED = 5


@dataclass(frozen=True)
class _Place:
    """Where a row counts; one of link, road, and lon with lat is told."""

    link: str
    road: str
    lon: str
    lat: str
    direction: str

    @classmethod
    def of(cls, row: Row) -> "_Place":
        found = cls(*(row.texts.get(each, "") for each in ("link", "road", "lon", "lat", "direction")))
        if not (found.link or found.road or (found.lon and found.lat)):
            raise _refused(
                row, "no place; give link, road, or lon and lat", "缺少位置：请给出 link、road 或 lon 与 lat"
            )
        return found

    @property
    def name(self) -> str:
        return self.link or self.road or f"{self.lon} {self.lat}"


def read_count_file(text: str, streets: Streets, crs: str, hour: int, notes: list[Words]) -> list[Counted]:
    """Places of a table with what was counted there; rows of one place and hour are averaged.

    hour: of rows that tell none. Places that are on no road are noted. Raises TrafficRefused, naming the line.
    """
    counts: dict[_Place, dict[int, list[float]]] = {}
    rows: dict[_Place, Row] = {}
    for row in read_rows(text, "counts_csv", ("vehicles",)):
        place = _Place.of(row)
        rows.setdefault(place, row)
        at = int(_number(row, "hour", 0, 23)) if row.texts.get("hour") else hour
        counts.setdefault(place, {}).setdefault(at, []).append(_number(row, "vehicles", 0, MOST_VEHICLES))
    if not 1 <= len(counts) <= MOST_PLACES:
        raise TrafficRefused(f"counts_csv: {len(counts)} places; 1 to {MOST_PLACES} are read")
    onto = pyproj.Transformer.from_crs("OGC:CRS84", crs, always_xy=True)
    uids = {each: link for link, each in enumerate(link_uids(streets))}
    told = np.array(streets.told("object_id"), np.int64), np.array(streets.told("uid"), object)
    found: list[Counted] = []
    others: list[Counter] = []
    for place, by_hour in counts.items():
        row = rows[place]
        usual = {at: Count(float(np.mean(each)), len(each)) for at, each in by_hour.items()}
        direction = _number(row, "direction", 0, 360) if place.direction else None
        counter = Counter(None, row.texts.get("name") or place.name, 0.0, 0.0, direction, usual=usual)
        if place.link:
            if place.link not in uids:
                raise _refused(row, f"link {place.link[:60]!r} is none of the run's", f"没有路段“{place.link[:60]}”")
            found.append(Counted(counter, np.array([uids[place.link]])))
        elif place.road:
            others.append(_on_road(counter, place.road, row, streets, told))
        else:
            x, y = onto.transform(_number(row, "lon", -180, 180), _number(row, "lat", -90, 90))
            others.append(replace(counter, x=x, y=y))
    found += placed(others, streets)
    _note_lost(others, found, notes)
    return found


def _on_road(counter: Counter, road: str, row: Row, streets: Streets, told: tuple[np.ndarray, np.ndarray]) -> Counter:
    """At the middle of the longest link of a road. told: ids and uids of the roads."""
    ids, uids = told
    chosen = (ids.astype(str) == road) | (uids == road)
    links = np.flatnonzero(chosen[streets.road])
    if not len(links):
        raise _refused(row, f"road {road[:60]!r} is none for cars", f"没有机动车道路“{road[:60]}”")
    lines = streets.lines[links]
    middle = lines[int(shapely.length(lines).argmax())].interpolate(0.5, normalized=True)
    return replace(counter, x=middle.x, y=middle.y, roads=frozenset(ids[chosen].tolist()))


def _note_lost(asked: Sequence[Counter], found: Sequence[Counted], notes: list[Words]) -> None:
    """Raises TrafficRefused where no count is left."""
    kept = {id(each.counter) for each in found}
    lost = [each.name for each in asked if id(each) not in kept]
    if not lost:
        return
    names = ", ".join(lost[:NAMED]) + (" ..." if len(lost) > NAMED else "")
    if not found:
        raise TrafficRefused(
            f"counts_csv: no count is within {NEAR_M:g} m of a road for cars in its direction ({names}); "
            "lon and lat are degrees, direction is where vehicles drive to, clockwise from north",
            f"counts_csv：{NEAR_M:g} 米内没有方向相符的机动车道路（{names}）",
        )
    notes.append(
        Words(
            f"{len(lost)} 处计数在 {NEAR_M:g} 米内没有方向相符的机动车道路，未采用：{names}",
            f"{len(lost)} counts are not within {NEAR_M:g} m of a road for cars in their direction: {names}",
        )
    )


def _number(row: Row, column: str, low: float, high: float) -> float:
    text = row.texts[column]
    try:
        found = row.number(column) if column != "hour" else float(text.partition(":")[0])
    except ValueError:
        found = np.nan
    if not low <= found <= high:
        raise _refused(
            row,
            f"{column} is {text[:40]!r}; use {low:g} to {high:g}",
            f"{column} 为“{text[:40]}”，须为 {low:g} 至 {high:g}",
        )
    return found


def _refused(row: Row, english: str, chinese: str) -> TrafficRefused:
    return TrafficRefused(f"counts_csv, line {row.line}: {english}", f"counts_csv 第 {row.line} 行：{chinese}")
