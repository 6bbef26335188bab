"""Single vehicles as a scenario of the twin: a part of the city's streets second by second, driven by SUMO."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from twin.scenarios.inputs import Inputs, Words, field
from twin.scenarios.protocol import Preset, Progress, Result
from twin.scenarios.shapes import Polygon
from twin.traffic.scenario.engines import missing
from twin.traffic.scenario.from_traffic import AREA, FromTraffic, signals_field

if TYPE_CHECKING:
    from twin.scenarios.city import City


class MicroInputs(FromTraffic):
    """What a planner may ask of single vehicles: where, when, and of which traffic."""

    area: Polygon = field(
        title=AREA,
        help=Words("与该面相交的道路，至多 2000 个路段", "The streets that touch it, 2,000 links at most"),
        widget="polygon",
    )
    signals: Literal["plans", "sumo", "none"] = signals_field(
        Words(
            "无数据的路口：两相位按韦伯斯特法配时，或用 SUMO 自带方案",
            "Where the data give no plan: two phases by Webster's method, or what SUMO makes up",
        ),
        sumo=Words("SUMO 自带方案", "SUMO's own"),
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
