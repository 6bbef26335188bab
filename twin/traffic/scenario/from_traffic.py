"""What scenarios ask that take their traffic from a finished run: of which, where, when, and with which signals."""

from typing import Any

from twin.scenarios.inputs import Inputs, Words, field
from twin.scenarios.shapes import Polygon

WHEN = Words("时间", "When")
SIGNALS = Words("信号灯", "Signals")
AREA = Words("仿真范围", "Area")


def warm_up_field(minutes: int, *, most: int) -> Any:
    """A field for the time before what is recorded."""
    return field(
        minutes,
        title=Words("预热", "Warm-up"),
        help=Words("先行驶这么久再开始记录，使路上已有车", "Driven before, so that the streets are not empty"),
        unit="min",
        group=WHEN,
        ge=0,
        le=most,
    )


class FromTraffic(Inputs):
    """Inputs of a simulation of a traffic run's vehicles, or of the city's as it is."""

    area: Polygon | None = field(None, title=AREA, widget="polygon")
    traffic_run: str | None = field(
        None,
        title=Words("交通情景", "Traffic run"),
        help=Words(
            "已完成的交通影响模拟：沿用其出行、封路、新路与洪水；不选则为现状",
            "A finished run: its trips, closures, new roads and water; none takes the city as it is",
        ),
        widget="run",
        of="traffic",
        max_length=100,
    )
    hour: int | None = field(
        None,
        title=Words("小时", "Hour"),
        help=Words("不填为所选情景的首个时刻，现状为 17 时", "By default the first one of the run; 17 as it is"),
        unit="h",
        group=WHEN,
        ge=0,
        le=23,
    )
    minutes: int = field(15, title=Words("仿真时长", "Minutes"), unit="min", group=WHEN, ge=1, le=60)
    warm_up_min: int = warm_up_field(5, most=30)


def signals_field(without: Words, **further: Words) -> Any:
    """A field for the plans of signals; without: what is done where the data give none. further: choices."""
    return field(
        "plans",
        title=Words("信号配时", "Signals"),
        help=without,
        group=SIGNALS,
        choices={
            "plans": Words("数据；没有的按韦伯斯特法", "Plans of the data, else Webster's"),
            **further,
            "none": Words("无信号灯", "None"),
        },
    )
