"""What closes roads: drawn, listed, filtered, or what the city's events tell; and for how long."""

from typing import Any, Self

from pydantic import model_validator

from twin.scenarios.inputs import Inputs, Words, field
from twin.scenarios.shapes import Line, Polygon

CLOSURES = Words("封路与新路", "Closures and new roads")
MOST_DRAWN, MOST_OBJECTS, MOST_KINDS = 50, 5000, 50
# Kinds of events are free texts; these are what close roads where nothing else is said.
CLOSING_KINDS = (
    "accident", "road_works", "road_closed", "flooding", "landslide", "collapse", "fire",
    "事故", "交通事故", "道路施工", "道路封闭", "积水", "滑坡", "塌陷", "火灾",
)  # fmt: skip


class Closing(Inputs):
    """Roads closed or slowed, named in one of five ways, all day or for some hours of it."""

    line: Line | None = field(
        None,
        title=Words("横穿线", "Line across"),
        help=Words("与该线相交的道路", "The roads that it crosses"),
        widget="line",
    )
    area: Polygon | None = field(
        None,
        title=Words("范围", "Area"),
        help=Words("与该面相交的道路", "The roads that touch it"),
        widget="polygon",
    )
    roads: list[int] = field(
        title=Words("道路对象编号", "Object ids of roads"), default_factory=list, max_length=MOST_OBJECTS
    )
    where: str | None = field(
        None,
        title=Words("筛选条件", "Filter"),
        help=Words("道路图层的 CQL2 条件", "CQL2 text on the roads layer, such as name = 'Jiangbin Road'"),
        max_length=5000,
    )
    event: int | None = field(
        None,
        title=Words("事件编号", "Number of an event"),
        help=Words("事件所在或所关联的道路，时段按下方填写", "The road it is on, or is linked to, in the hours below"),
        ge=1,
    )
    speed_share: float = field(
        0.0,
        title=Words("剩余速度比例", "Share of speed left"),
        help=Words("0 为封闭；其余按比例减速并减少通行能力", "0 closes; else speed and capacity fall to this share"),
        unit="1",
        ge=0,
        le=1,
    )
    from_hour: float = field(0.0, title=Words("开始", "From"), unit="h", ge=0, le=24)
    until_hour: float = field(24.0, title=Words("结束", "Until"), unit="h", ge=0, le=24)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        given = [self.line is not None, self.area is not None, bool(self.roads), self.where is not None]
        if sum([*given, self.event is not None]) != 1:
            raise ValueError("closures: give a line, an area, roads, where or an event, one of the five")
        if self.until_hour <= self.from_hour:
            raise ValueError("closures: until_hour must be later than from_hour")
        return self


def closures_field() -> Any:
    """A field for closures of the planner's own."""
    return field(title=Words("封路与限速", "Closures"), group=CLOSURES, default_factory=list, max_length=MOST_DRAWN)


def bridges_field() -> Any:
    """A field for how many of the busiest bridges are closed."""
    return field(
        0,
        title=Words("封闭最繁忙的桥", "Close the busiest bridges"),
        help=Words("按现状流量取前几座", "So many, by their traffic in the open city"),
        unit="1",
        group=CLOSURES,
        ge=0,
        le=20,
    )


def events_field() -> Any:
    """A field for whether the city's open events close roads."""
    return field(
        "none",
        title=Words("事件封路", "Roads closed by events"),
        help=Words(
            "未关闭的事件封闭其所在或所关联的道路，在其起止时间内",
            "Open events close the road that they are on or linked to, while they last",
        ),
        group=CLOSURES,
        choices={"none": Words("不计", "None"), "open": Words("全部未关闭事件", "All open events")},
    )


def event_kinds_field() -> Any:
    """A field for the kinds of events that close roads."""
    return field(
        list(CLOSING_KINDS),
        title=Words("封路的事件种类", "Kinds that close"),
        group=CLOSURES,
        when={"events": ["open"]},
        max_length=MOST_KINDS,
    )


def event_reach_field() -> Any:
    """A field for how far from a road an event may lie."""
    return field(
        30.0,
        title=Words("事件到道路的最远距离", "Farthest from an event to its road"),
        help=Words("未关联道路的事件取最近的一条", "One that is linked to no road is on the nearest"),
        unit="m",
        group=CLOSURES,
        ge=1,
        le=500,
    )
