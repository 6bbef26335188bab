"""Traffic as layers: lines as wide as their volume and coloured by their load, what changed, what is closed."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from twin.scenarios.inputs import Words
from twin.scenarios.protocol import VectorLayer
from twin.traffic.checks import Finding
from twin.traffic.network import Floats, Integers
from twin.traffic.scenario.evacuation import Evacuation
from twin.traffic.scenario.reach import Reached
from twin.traffic.scenario.solving import Traffic
from twin.traffic.scenario.states import State
from twin.traffic.scenario.streets import Streets
from twin.traffic.scenario.zoning import Houses

TIME = pa.timestamp("us", tz="UTC")
# Links that fewer use are not drawn; a change counts from both of these on, pcu/h and share of the volume.
SHOWN_PCU, CHANGED_PCU, CHANGED_SHARE = 1.0, 10.0, 0.02
TITLES: dict[str, tuple[str, str, str | None]] = {
    "road": ("道路编号", "Road", None), "link": ("路段序号", "Link", None),
    "volume": ("流量", "Volume", "pcu/h"), "cars": ("小客车", "Cars", "1/h"),
    "lorries": ("货车与客车", "Lorries", "1/h"),
    "capacity": ("通行能力", "Capacity", "pcu/h"), "load": ("负荷 v/c", "Volume / capacity", "1"),
    "speed_kmh": ("车速", "Speed", "km/h"), "delay_s": ("延误", "Delay", "s"),
    "volume_usual": ("现状流量", "Volume as it is", "pcu/h"), "change": ("流量变化", "Change of volume", "pcu/h"),
    "speed_change_kmh": ("车速变化", "Change of speed", "km/h"), "depth_m": ("水深", "Depth", "m"),
    "hour": ("小时", "Hour", "h"), "fault": ("问题", "Fault", None),
    "people": ("人口", "People", "1"), "share": ("断路人口比例", "Share of people cut off", "1"),
    "people_cut_off": ("断路人口", "People cut off", "1"),
    "trips": ("出行（双向）", "Trips, both ways", "1/h"), "trips_there": ("去程出行", "Trips there", "1/h"),
    "trips_back": ("回程出行", "Trips back", "1/h"),
    "trips_without_a_way": ("无路可达出行", "Trips without a way", "1/h"),
    "lost_min": ("每次出行多费时间", "A trip takes longer by", "min"),
}  # fmt: skip
# By steps: each class of width times each class of load is a rule of its own for whoever draws the map.
WIDTH = ["step", ["get", "volume"], 0.6, 50, 1, 200, 1.7, 500, 2.5, 1000, 3.5, 2000, 5, 3500, 7, 5000, 9.5]
# Half of the width and a little, so that both directions of a road lie beside each other, right of its middle.
ASIDE = ["step", ["get", "volume"], 0.6, 50, 0.8, 200, 1.1, 500, 1.5, 1000, 2, 2000, 2.8, 3500, 3.9, 5000, 5.2]
LOAD = [
    "step", ["get", "load"],
    "#2e9e5b", 0.6, "#a4cf4c", 0.8, "#f2c230", 0.9, "#ee7d31", 1.0, "#d22f27", 1.2, "#7a0f23",
]  # fmt: skip
CHANGE = [
    "step", ["get", "change"],
    "#08306b", -600, "#2171b5", -200, "#6baed6", -50, "#c6dbef", 0, "#fcbba1", 50, "#fb6a4a", 200, "#cb181d",
    600, "#67000d",
]  # fmt: skip
CHANGE_WIDTH = ["step", ["get", "change"], 7, -600, 4.5, -200, 2.5, -50, 1.2, 50, 2.5, 200, 4.5, 600, 7]
CHANGE_ASIDE = ["step", ["get", "change"], 4, -600, 2.8, -200, 1.8, -50, 1, 50, 1.8, 200, 2.8, 600, 4]
MOVED_WIDTH = ["step", ["get", "volume"], 2, 20, 3, 100, 4.5, 400, 7]
ROUND = {"line-cap": "round", "line-join": "round"}


def traffic_layers(streets: Streets, pairs: Sequence[tuple[Traffic, Traffic]]) -> Iterator[VectorLayer]:
    """Traffic of all states, of the city as it is and as it would be; and what changed, where something did."""
    titles = {"traffic": Words("交通流量", "Traffic"), "usual": Words("现状交通流量", "Traffic as it is")}
    changed = any(pair[0] is not pair[1] for pair in pairs)
    for role, title in titles.items():
        if role == "usual" and not changed:
            continue
        tables = [_volumes(streets, pair[1] if role == "traffic" else pair[0], pair[1].state) for pair in pairs]
        yield VectorLayer(role, title, titled(tables), line_style(LOAD, WIDTH, ASIDE))
    tables = [_differences(streets, *pair) for pair in pairs]
    # What is closed may be a road that nobody uses.
    if any(table.num_rows for table in tables):
        style = line_style(CHANGE, CHANGE_WIDTH, CHANGE_ASIDE)
        yield VectorLayer("change", Words("流量变化", "Change of traffic"), titled(tables), style)


def closed_layer(streets: Streets, states: Sequence[State]) -> VectorLayer | None:
    """Roads that no car may use, state by state; None where there are none."""
    usual = ~streets.as_it_is.open
    tables = []
    for state in states:
        links = np.flatnonzero(state.shut[: streets.network.links] & ~usual & (streets.directions == 0))
        if len(links):
            tables.append(rows_of(streets, links, state, {"depth_m": np.round(state.depth_m[links], 2)}))
    if not tables:
        return None
    style = [
        {"id": name, "type": "line", "layout": ROUND, "paint": {"line-color": colour, "line-width": width}}
        for name, colour, width in (("closed", "#1a1a1a", 5), ("closed-inner", "#ffd60a", 2))
    ]
    return VectorLayer("closed", Words("封闭道路", "Closed roads"), titled(tables), style)


def evacuation_layers(streets: Streets, evacuation: Evacuation, state: State) -> Iterator[VectorLayer]:
    """Roads that people are taken to shelters by, as wide as their vehicles; none where nobody is."""
    links = np.flatnonzero(evacuation.vehicles >= SHOWN_PCU)
    if len(links):
        table = rows_of(streets, links, state, {"volume": np.round(evacuation.vehicles[links])})
        style = line_style("#6a3d9a", MOVED_WIDTH, 1)
        yield VectorLayer("evacuation", Words("转移路线", "Ways to the shelters"), titled([table]), style)


def fault_layer(streets: Streets, findings: Sequence[Finding]) -> VectorLayer | None:
    """Links that are doubtful, by kind; None where there are none."""
    rows = []
    for finding in findings:
        for link in finding.links.tolist():
            if link < streets.network.links:
                road = int(streets.road[link])
                rows.append(
                    {"geometry": shapely.to_wkb(streets.lines[link]), "uid": f"{finding.kind}-{link}",
                     "road": streets.told("object_id")[road], "fault": finding.title[1], "name": finding.title[0]}
                )  # fmt: skip
    if not rows:
        return None
    style = [{"id": "fault", "type": "line", "layout": ROUND, "paint": {"line-color": "#b5179e", "line-width": 3}}]
    return VectorLayer(
        "faults", Words("路网疑点", "Doubts about the network"), titled([pa.Table.from_pylist(rows)]), style
    )


def cut_off_layers(houses: Houses, reached: Reached) -> Iterator[VectorLayer]:
    """Of each service, villages whose people are cut off from it, state by state, by car; none where there are none."""
    colour = ["interpolate", ["linear"], ["get", "share"], 0, "#fee8c8", 0.3, "#fdbb84", 0.7, "#e34a33", 1, "#7f0000"]
    style = [{"id": "cut-off", "type": "fill", "paint": {"fill-color": colour, "fill-opacity": 0.6}}]
    for service in reached.services:
        rows = [
            {
                "geometry": shapely.to_wkb(houses.shapes[row["village_code"]]),
                "uid": row["village_code"],
                "name": row["village"],
                "hour": row["hour"],
                "people": row["people"],
                "people_cut_off": row["people_cut_off"],
                "share": round(row["people_cut_off"] / max(row["people"], 1), 3),
                "valid_from": row["time"],
                "valid_to": reached.ends.get(row["time"]),
            }
            for row in reached.rows
            if row["service"] == service.name and row["vehicle"] == "car" and row["village_code"] in houses.shapes
        ]
        if rows:
            title = Words(f"断路村庄（{service.title.zh}）", f"Villages cut off ({service.title.en.lower()})")
            table = pa.Table.from_pylist(rows, schema=_schema(rows[0]))
            yield VectorLayer(f"cut_off_{service.name}", title, titled([table]), style)


def line_style(colour: Any, width: Any, aside: Any) -> list[dict[str, Any]]:
    """Lines beside their road's middle, on the right."""
    paint = {"line-color": colour, "line-width": width, "line-offset": aside}
    return [{"id": "line", "type": "line", "layout": ROUND, "paint": paint}]


def _volumes(streets: Streets, traffic: Traffic, state: State) -> pa.Table:
    found, m = traffic.found, streets.network.links
    links = np.flatnonzero(found.flow[:m] >= SHOWN_PCU)
    speed = speeds(traffic)[links]
    columns = {
        "volume": np.round(found.flow[links]),
        "cars": np.round(found.class_flow["car"][links]),
        "lorries": np.round(found.class_flow.get("lorry", np.zeros(len(found.flow)))[links]),
        "capacity": np.round(traffic.state.network.capacity[links]),
        "load": np.round(found.volume_over_capacity[links], 3),
        "speed_kmh": np.round(speed, 1),
        "delay_s": np.round((traffic.time_s - traffic.state.network.free_time_s)[links], 1),
    }
    return rows_of(streets, links, state, columns)


def _differences(streets: Streets, usual: Traffic, changed: Traffic) -> pa.Table:
    m = streets.network.links
    before, after = usual.found.flow[:m], changed.found.flow[:m]
    change = after - before
    links = np.flatnonzero(np.abs(change) >= np.maximum(CHANGED_PCU, CHANGED_SHARE * before))
    # The least first, so that the greatest are drawn over them.
    links = links[np.argsort(np.abs(change[links]), kind="stable")]
    columns = {
        "volume_usual": np.round(before[links]),
        "volume": np.round(after[links]),
        "change": np.round(change[links]),
        "speed_change_kmh": np.round((speeds(changed) - speeds(usual))[links], 1),
    }
    return rows_of(streets, links, changed.state, columns)


def speeds(traffic: Traffic) -> Floats:
    """km/h of cars on each link, 0 where they may not go."""
    time, network = traffic.time_s, traffic.state.network
    with np.errstate(divide="ignore", invalid="ignore"):
        speed = np.where(time > 0, 3.6 * np.nan_to_num(network.length_m) / time, 0.0)
    return np.where(traffic.state.shut, 0.0, speed)


def rows_of(streets: Streets, links: Integers, state: State, columns: dict[str, Floats]) -> pa.Table:
    """Links in a state, with what is known of their roads and the columns."""
    road = streets.road[links]
    told = streets.table.take(pa.array(road))
    ids = told.column("object_id").to_pylist()
    directions = streets.directions[links].tolist()
    moment = state.moment
    count = len(links)
    return pa.table(
        {
            "geometry": pa.array(shapely.to_wkb(streets.lines[links]).tolist(), pa.binary()),
            "uid": pa.array([f"{a}-{b}" for a, b in zip(ids, directions, strict=True)], pa.string()),
            "road": pa.array(ids, pa.int64()),
            "name": told.column("name"),
            "name_en": told.column("name_en"),
            "class": told.column("class"),
            "hour": pa.array([moment.hour] * count, pa.int64()),
            **{name: pa.array(values, pa.float64()) for name, values in columns.items()},
            "valid_from": pa.array([moment.begins] * count, TIME),
            "valid_to": pa.array([moment.ends] * count, TIME),
        }
    )  # fmt: skip


def _schema(row: dict[str, Any]) -> pa.Schema:
    kinds = {bytes: pa.binary(), str: pa.string(), int: pa.int64(), float: pa.float64()}
    return pa.schema([(name, TIME if name.startswith("valid_") else kinds[type(value)]) for name, value in row.items()])


def titled(tables: Sequence[pa.Table]) -> pa.Table:
    """One table of them, its columns with titles and units."""
    table = pa.concat_tables(tables)
    fields = []
    for column in table.schema:
        zh, en, unit = TITLES.get(column.name, (None, None, None))
        metadata = {} if zh is None else {"zh": zh, "en": en} | ({"unit": unit} if unit else {})
        fields.append(column.with_metadata(metadata))
    return table.cast(pa.schema(fields))
