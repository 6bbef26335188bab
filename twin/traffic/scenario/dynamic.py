"""Queues as a scenario of the twin: the city's traffic minute by minute, with closures that come and go, by UXsim."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, Self

from pydantic import model_validator

from twin.scenarios.inputs import Inputs, Words, field
from twin.scenarios.protocol import Preset, Progress, Result
from twin.scenarios.shapes import Polygon
from twin.traffic.scenario.closing import (
    CLOSURES,
    Closing,
    bridges_field,
    closures_field,
    event_kinds_field,
    event_reach_field,
    events_field,
)
from twin.traffic.scenario.engines import missing
from twin.traffic.scenario.from_traffic import AREA, WHEN, FromTraffic, signals_field, warm_up_field

if TYPE_CHECKING:
    from twin.scenarios.city import City


class DynamicInputs(FromTraffic):
    """What a planner may ask of queues: where, when, of which traffic, and what is closed from when to when."""

    area: Polygon | None = field(
        None,
        title=AREA,
        help=Words("不填为全市有车的道路", "By default all streets of the city that have traffic"),
        widget="polygon",
    )
    minutes: int = field(60, title=Words("仿真时长", "Minutes"), unit="min", group=WHEN, ge=5, le=180)
    warm_up_min: int = warm_up_field(15, most=60)
    closures: list[Closing] = closures_field()
    busiest_bridges: int = bridges_field()
    events: Literal["none", "open"] = events_field()
    event_kinds: list[str] = event_kinds_field()
    event_reach_m: float = event_reach_field()
    closed_from_min: int = field(
        10,
        title=Words("封闭开始", "Closed from minute"),
        help=Words(
            "本页的封路自此刻起，司机事先不知；自带时段的封路按其时段",
            "Of what is closed here, and no driver knows before; a closure with hours of its own has those",
        ),
        unit="min",
        group=CLOSURES,
        ge=0,
        le=180,
    )
    closed_until_min: int = field(
        40, title=Words("封闭结束", "Closed until minute"), unit="min", group=CLOSURES, ge=1, le=180
    )
    signals: Literal["plans", "none"] = signals_field(
        Words(
            "无数据的路口：两相位按韦伯斯特法配时",
            "Where the data give no plan: two phases by Webster's method",
        )
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.closed_until_min <= self.closed_from_min:
            raise ValueError("closed_until_min: it must be later than closed_from_min")
        return self


class DynamicScenario:
    """The city's traffic with queues that grow, spill back and dissolve."""

    name = "traffic-dynamic"
    version = "1.0"
    title = Words("动态交通", "Queues by minute")
    description = Words(
        "逐分钟模拟排队的形成、回溢与消散（UXsim）：信号灯、临时封路与恢复，司机途中改道；给出逐分钟排队、车速、流量与延误",
        "Queues as they grow, spill back and dissolve, minute by minute, by UXsim: signals, roads that close and open "
        "again, drivers who look for other ways; queue, speed, flow and delay of each street",
    )
    inputs: type[Inputs] = DynamicInputs
    presets: Mapping[str, Preset] = {
        "peak-queues": Preset(Words("晚高峰排队现状", "Queues of the evening peak, as it is"), {"hour": 17}),
        "bridge-half-hour": Preset(
            Words("晚高峰最繁忙的桥封闭半小时", "The busiest bridge closed for half an hour, evening peak"),
            {"hour": 17, "busiest_bridges": 1},
        ),
    }

    def missing(self) -> Words | None:
        """See `twin.scenarios.protocol.Scenario`."""
        return missing("uxsim", "UXsim", "dynamic")

    def run(self, city: "City", inputs: DynamicInputs, progress: Progress) -> Result:
        """See `twin.scenarios.protocol.Scenario`."""
        from twin.traffic.scenario.dynamic_run import run_dynamic

        return run_dynamic(city, inputs, progress)


DYNAMIC = DynamicScenario()
