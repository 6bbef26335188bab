"""Streets minute by minute as a layer, and their sums as a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from twin.scenarios.inputs import Words
from twin.scenarios.protocol import VectorLayer
from twin.traffic.dynamic import Shut
from twin.traffic.link_minutes import LinkMinutes
from twin.traffic.network import Floats, Integers
from twin.traffic.scenario.maps import ROUND, TIME
from twin.traffic.scenario.streets import Streets

TITLES: dict[str, tuple[str, str, str | None]] = {
    "road": ("道路编号", "Road", None), "speed_kmh": ("车速", "Speed", "km/h"),
    "speed_share": ("车速与畅行车速之比", "Share of the free speed", "1"),
    "vehicles": ("车辆数", "Vehicles", "1"), "queue": ("排队车辆", "Queue", "1"), "flow": ("流量", "Flow", "1/h"),
    "longest_queue": ("最长排队", "Longest queue", "1"), "longest_at": ("最长时刻", "When", None),
    "queued_min": ("排队时间", "Minutes with a queue", "min"), "lost_hours": ("损失车小时", "Vehicle-hours lost", "h"),
}  # fmt: skip
PACE = ["step", ["get", "speed_share"], "#7a0f23", 0.15, "#d22f27", 0.3, "#ee7d31", 0.5, "#f2c230", 0.7, "#2e9e5b"]
WIDTH = ["step", ["get", "queue"], 2, 1, 3, 3, 4.5, 8, 6.5, 15, 9]
LOST = ["step", ["get", "lost_hours"], "#f2c230", 0.5, "#ee7d31", 2, "#d22f27", 8, "#7a0f23"]
LOST_WIDTH = ["step", ["get", "longest_queue"], 2, 3, 3, 8, 4.5, 15, 6.5, 40, 9]
LOST_ASIDE = ["step", ["get", "longest_queue"], 1.4, 3, 2, 8, 2.8, 15, 3.8, 40, 5]
LOST_PAINT = {"line-color": LOST, "line-width": LOST_WIDTH, "line-offset": LOST_ASIDE}
MOST_ROWS = 1000
# What has no end ends in a day.
LONGEST_S = 86_400.0
ASIDE = ["step", ["get", "queue"], 1.4, 1, 2, 3, 2.8, 8, 3.8, 15, 5]


def street_layer(streets: Streets, minutes: LinkMinutes, begins: datetime) -> VectorLayer:
    """Speed and queue of each link that had vehicles, minute by minute."""
    link = minutes.link
    network = streets.network
    free = network.length_m[link] / network.free_time_s[link]
    start = [begins + timedelta(minutes=n) for n in minutes.minute.tolist()]
    columns = _links(streets, link) | {
        "speed_kmh": np.round(minutes.speed_m_s * 3.6, 1),
        "speed_share": np.round(np.clip(minutes.speed_m_s / free, 0, 1), 2),
        "vehicles": np.round(minutes.vehicles, 1),
        "queue": np.round(minutes.queue, 1),
        "flow": np.round(minutes.left * 60),
        "valid_from": pa.array(start, TIME),
        "valid_to": pa.array(
            [at + timedelta(minutes=n) for at, n in zip(start, minutes.lasts.tolist(), strict=True)], TIME
        ),
    }
    paint = {"line-color": PACE, "line-width": WIDTH, "line-offset": ASIDE}
    style = [{"id": "line", "type": "line", "layout": ROUND, "paint": paint}]
    return VectorLayer("queues", Words("逐分钟车速与排队", "Speed and queue by minute"), titled_columns(columns), style)


def minute_table(minutes: LinkMinutes, begins: datetime, asked: int) -> pa.Table:
    """Sums of each minute that was asked for, empty ones too: vehicles on the road, of these standing, mean speed."""
    count = max(asked, int(minutes.minute.max(initial=-1)) + 1)
    vehicles = np.bincount(minutes.minute, minutes.vehicles, count)
    metres = np.bincount(minutes.minute, minutes.vehicles * minutes.speed_m_s, count)
    return titled_columns(
        {
            "time": pa.array([begins + timedelta(minutes=n) for n in range(count)], TIME),
            "vehicles": np.round(vehicles, 1),
            "queue": np.round(np.bincount(minutes.minute, minutes.queue, count), 1),
            "speed_kmh": np.round(3.6 * metres / np.maximum(vehicles, 1e-9), 1),
        }
    )


def lost_layer(streets: Streets, minutes: LinkMinutes, begins: datetime) -> VectorLayer:
    """Each link where vehicles were in a queue: the longest one, when that was, and the hours lost in all."""
    lost = _Lost.of(streets, minutes)
    columns = _links(streets, lost.link) | lost.columns(begins)
    style = [{"id": "line", "type": "line", "layout": ROUND, "paint": LOST_PAINT}]
    return VectorLayer("lost", Words("最长排队与延误", "Longest queue and delay"), titled_columns(columns), style)


def lost_table(streets: Streets, minutes: LinkMinutes, begins: datetime) -> pa.Table:
    """The same as a table, the most hours lost first."""
    lost = _Lost.of(streets, minutes)
    most = np.argsort(-lost.hours, kind="stable")[:MOST_ROWS]
    columns = _links(streets, lost.link) | lost.columns(begins)
    return titled_columns({name: column for name, column in columns.items() if name != "geometry"}).take(pa.array(most))


def closed_roads_layer(streets: Streets, shut: Sequence[Shut], begins: datetime, before_s: float) -> VectorLayer:
    """What is closed from when to when. before_s: seconds from the simulation's start to `begins`."""
    tables = []
    for each in shut:
        own = np.array(each.links, np.int64)
        own = own[own < streets.network.links]
        if each.share > 0 or each.end_s <= before_s or not len(own):
            continue
        start, end = (begins + timedelta(seconds=min(at - before_s, LONGEST_S)) for at in (each.begin_s, each.end_s))
        columns = _links(streets, own)
        columns["valid_from"] = pa.array([max(start, begins)] * len(own), TIME)
        columns["valid_to"] = pa.array([end] * len(own), TIME)
        tables.append(titled_columns(columns))
    style = [
        {"id": name, "type": "line", "layout": ROUND, "paint": {"line-color": colour, "line-width": width}}
        for name, colour, width in (("closed", "#1a1a1a", 5), ("closed-inner", "#ffd60a", 2))
    ]
    table = pa.concat_tables(tables) if tables else titled_columns(_links(streets, np.empty(0, np.int64)))
    return VectorLayer("closed_roads", Words("封闭道路", "Closed roads"), table, style)


@dataclass(frozen=True, eq=False)
class _Lost:
    """Of each link with a queue: its longest, in vehicles, the minute of that, minutes with one, vehicle-hours lost."""

    link: Integers
    longest: Floats
    at: Integers
    lasted: Integers
    hours: Floats

    @classmethod
    def of(cls, streets: Streets, minutes: LinkMinutes) -> "_Lost":
        free = streets.network.length_m[minutes.link] / streets.network.free_time_s[minutes.link]
        hours = minutes.vehicles * np.clip(1 - minutes.speed_m_s / free, 0, 1) / 60
        link, each = np.unique(minutes.link, return_inverse=True)
        # The last of each link, by its queue, is its longest; of equal ones the first.
        order = np.lexsort((-minutes.minute, minutes.queue, each))
        last = order[np.flatnonzero(np.diff(each[order], append=len(link)))]
        lasted = np.bincount(each, minutes.queue > 0).astype(np.int64)
        queued = lasted > 0
        return cls(
            link[queued],
            minutes.queue[last][queued],
            minutes.minute[last][queued],
            lasted[queued],
            np.bincount(each, hours).astype(np.float64)[queued],
        )

    def columns(self, begins: datetime) -> dict[str, Any]:
        return {
            "longest_queue": np.round(self.longest, 1),
            "longest_at": pa.array([begins + timedelta(minutes=n) for n in self.at.tolist()], TIME),
            "queued_min": self.lasted,
            "lost_hours": np.round(self.hours, 3),
        }


def _links(streets: Streets, link: Integers) -> dict[str, Any]:
    """What is known of links: shape, names and their road."""
    told = streets.table.take(pa.array(streets.road[link]))
    ids = told.column("object_id").to_pylist()
    return {
        "geometry": pa.array(shapely.to_wkb(streets.lines[link]).tolist(), pa.binary()),
        "uid": pa.array([f"{a}-{b}" for a, b in zip(ids, streets.directions[link].tolist(), strict=True)], pa.string()),
        "road": pa.array(ids, pa.int64()),
        "name": told.column("name"),
        "name_en": told.column("name_en"),
    }


def titled_columns(columns: dict[str, Any]) -> pa.Table:
    table = pa.table(columns)
    fields = []
    for column in table.schema:
        zh, en, unit = TITLES.get(column.name, (None, None, None))
        metadata = {} if zh is None else {"zh": zh, "en": en} | ({"unit": unit} if unit else {})
        fields.append(column.with_metadata(metadata))
    return table.cast(pa.schema(fields))
