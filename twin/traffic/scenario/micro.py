"""Single vehicles as a scenario of the twin: a part of the city's streets second by second, driven by SUMO."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from twin.flood.scenario.shapes import Polygon
from twin.scenarios.inputs import Inputs, Words, field
from twin.scenarios.protocol import Preset, Progress, Result
from twin.traffic.scenario.engines import missing

if TYPE_CHECKING:
    from twin.scenarios.city import City

WHEN = Words("时间", "When")
SIGNALS = Words("信号灯", "Signals")


class MicroInputs(Inputs):
    """What a planner may ask of single vehicles: where, when, and of which traffic."""

    area: Polygon = field(
        title=Words("仿真范围", "Area"),
        help=Words("与该面相交的道路，至多 2000 个路段", "The streets that touch it, 2,000 links at most"),
        widget="polygon",
    )
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
    warm_up_min: int = field(
        5,
        title=Words("预热", "Warm-up"),
        help=Words("先行驶这么久再开始记录，使路上已有车", "Driven before, so that the streets are not empty"),
        unit="min",
        group=WHEN,
        ge=0,
        le=30,
    )
    signals: Literal["plans", "sumo", "none"] = field(
        "plans",
        title=Words("信号配时", "Signals"),
        help=Words(
            "无数据的路口：两相位按韦伯斯特法配时，或用 SUMO 自带方案",
            "Where the data give no plan: two phases by Webster's method, or what SUMO makes up",
        ),
        group=SIGNALS,
        choices={
            "plans": Words("数据；没有的按韦伯斯特法", "Plans of the data, else Webster's"),
            "sumo": Words("SUMO 自带方案", "SUMO's own"),
            "none": Words("无信号灯", "None"),
        },
    )


class MicroScenario:
    """A part of the streets with every vehicle on it."""

    name = "traffic-micro"
    version = "1.0"
    title = Words("微观交通", "Single vehicles")
    description = Words(
        "在一片街区内逐秒模拟每一辆车（SUMO）：信号灯、排队、逐分钟车速，并在地图上播放车辆",
        "Each vehicle in a part of the city, second by second, by SUMO: signals, queues, speeds by minute, and the "
        "vehicles played on the map",
    )
    inputs: type[Inputs] = MicroInputs
    presets: Mapping[str, Preset] = {}

    def missing(self) -> Words | None:
        """See `twin.scenarios.protocol.Scenario`."""
        return missing("sumo", "SUMO", "sumo")

    def run(self, city: "City", inputs: MicroInputs, progress: Progress) -> Result:
        """See `twin.scenarios.protocol.Scenario`."""
        from twin.traffic.scenario.micro_run import run_micro

        return run_micro(city, inputs, progress)


MICRO = MicroScenario()
