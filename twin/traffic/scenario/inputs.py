"""What a planner may ask of traffic: trips, an hour, closures, new roads, a flood."""

from typing import Literal, Self

from pydantic import model_validator

from twin.scenarios.inputs import Inputs, Words, field
from twin.scenarios.shapes import Line, Polygon
from twin.traffic.scenario.closing import (
    CLOSURES,
    MOST_DRAWN,
    Closing,
    bridges_field,
    closures_field,
    event_kinds_field,
    event_reach_field,
    events_field,
)

TRIPS = Words("出行需求", "Trips")
COUNTS = Words("交通计数", "Counts")
TIME = Words("时间", "Time")
FLOOD = Words("洪水", "Flood")
EVACUATION = Words("人员转移", "Evacuation")
COMPUTATION = Words("计算", "Computation")
MOST_CSV = 2_000_000
LATEST = "latest"


class NewRoad(Inputs):
    """A road drawn on the map; its ends are joined to the nearest crossings, and nothing on its way."""

    line: Line = field(title=Words("路线", "Line"), widget="line")
    lanes: float = field(2.0, title=Words("单向车道数", "Lanes each way"), unit="1", ge=0.5, le=10)
    speed_kmh: float = field(50.0, title=Words("设计车速", "Speed"), unit="km/h", ge=5, le=130)
    oneway: bool = field(False, title=Words("单行", "One way, as drawn"))


class TrafficInputs(Inputs):
    """Inputs of a traffic run; hours are of the city's own clock."""

    demand: Literal["auto", "city", "crossings", "csv"] = field(
        "auto",
        title=Words("需求来源", "Trips from"),
        group=TRIPS,
        choices={
            "auto": Words("建筑遍布路网时按建筑，否则按路口", "Buildings if all along the roads, else crossings"),
            "city": Words("按建筑面积、用途与人口推算", "Floors, functions and people"),
            "crossings": Words("按路口平摊（建筑用途未知时）", "Spread by crossings, where functions are not known"),
            "csv": Words("起讫点表", "A table of origin, destination, trips"),
        },
    )
    od_csv: str | None = field(
        None,
        title=Words("起讫点表", "Table of trips"),
        help=Words(
            "表头 origin,destination,trips；小区编号见结果表 zones", "Header origin,destination,trips; zones by code"
        ),
        group=TRIPS,
        widget="file",
        when={"demand": ["csv"]},
        max_length=MOST_CSV,
    )
    zones: Literal["auto", "village", "township", "grid"] = field(
        "auto",
        title=Words("交通小区", "Zones"),
        group=TRIPS,
        choices={
            "auto": Words("村（社区）足够多则用村，否则网格", "Villages where there are enough, else a grid"),
            "village": Words("村（社区）", "Villages"),
            "township": Words("乡镇（街道）", "Townships"),
            "grid": Words("网格", "A grid"),
        },
    )
    grid_m: float = field(600.0, title=Words("网格边长", "Side of the grid"), unit="m", group=TRIPS, ge=100, le=5000)
    trips_per_1000: float = field(
        100.0,
        title=Words("每千人高峰小时机动车出行", "Vehicle trips of 1000 people in the peak hour"),
        help=Words(
            "假定值；无人口数据时按面积率", "Assumed; where people are not known, rates by floor area are taken"
        ),
        unit="1/h",
        group=TRIPS,
        gt=0,
        le=2000,
    )
    trips_total: float | None = field(
        None,
        title=Words("高峰小时总出行", "All trips in the peak hour"),
        help=Words("替代上一项", "Instead of the former"),
        unit="1/h",
        group=TRIPS,
        gt=0,
        le=5e6,
    )
    mean_trip_min: float = field(
        5.0,
        title=Words("平均行程时间", "Mean time of a trip"),
        help=Words("重力模型按此标定", "What the gravity model is calibrated to"),
        unit="min",
        group=TRIPS,
        gt=0.5,
        le=120,
    )
    lorry_share: float = field(
        0.08, title=Words("货车与客车比例", "Share of lorries and buses"), unit="1", group=TRIPS, ge=0, le=0.6
    )

    counts: Literal["sensors", "file", "none"] = field(
        "sensors",
        title=Words("计数来源", "Counts from"),
        help=Words("与计算流量对照", "They stand beside the volumes that are computed"),
        group=COUNTS,
        choices={
            "sensors": Words("本市交通传感器", "The city's sensors"),
            "file": Words("文件", "A file"),
            "none": Words("不对照", "None"),
        },
    )
    counts_csv: str | None = field(
        None,
        title=Words("计数表", "Table of counts"),
        help=Words(
            "表头 vehicles（辆/小时）及 link、road 或 lon,lat；可选 direction（度）、hour、name",
            "Header vehicles (an hour) and link, road or lon,lat; also direction (degrees), hour, name",
        ),
        group=COUNTS,
        widget="file",
        when={"counts": ["file"]},
        max_length=MOST_CSV,
    )
    fit_counts: bool = field(
        False,
        title=Words("按计数校正出行", "Fit the trips to them"),
        help=Words(
            "在现状路网上以最小改动使计算流量接近计数", "Changed as little as the counts ask, on the city as it is"
        ),
        group=COUNTS,
        when={"counts": ["sensors", "file"]},
    )
    count_error: float = field(
        0.02,
        title=Words("计数误差", "Error of the counts"),
        help=Words(
            "出行每改变 e 倍所容许的计数偏差，越大则越接近原有出行",
            "A count may be missed by this share for an e-fold change of trips; more keeps nearer to these",
        ),
        unit="1",
        group=COUNTS,
        when={"fit_counts": [True]},
        ge=0,
        le=1,
    )

    hour: int = field(17, title=Words("小时", "Hour"), unit="h", group=TIME, ge=0, le=23)
    hours: int = field(
        1,
        title=Words("计算小时数", "Hours to compute"),
        help=Words("洪水情景按洪水的时刻计算", "With a flood, the flood's own times are taken"),
        unit="h",
        group=TIME,
        ge=1,
        le=24,
    )

    closures: list[Closing] = closures_field()
    busiest_bridges: int = bridges_field()
    events: Literal["none", "open"] = events_field()
    event_kinds: list[str] = event_kinds_field()
    event_reach_m: float = event_reach_field()
    new_roads: list[NewRoad] = field(
        title=Words("新建道路", "New roads"), group=CLOSURES, default_factory=list, max_length=MOST_DRAWN
    )

    flood_run: str | None = field(
        None,
        title=Words("洪水模拟", "Flood run"),
        help=Words(
            "已完成的洪水模拟编号；latest 为最近一次", "Id of a finished flood run; latest takes the newest one"
        ),
        group=FLOOD,
        widget="run",
        of="flood",
        max_length=100,
    )
    flood_every_h: float = field(
        1.0, title=Words("洪水时刻间隔", "Hours between the flood's states"), unit="h", group=FLOOD, ge=0.1, le=24
    )
    flood_traffic: bool = field(
        True,
        title=Words("逐时分配交通", "Traffic at each state"),
        help=Words("否：只算可达性，快得多", "No: only who is cut off, which is much quicker"),
        group=FLOOD,
    )

    evacuate: Literal["no", "area", "flood"] = field(
        "no",
        title=Words("转移对象", "Who leaves"),
        help=Words("按避灾点容量分配，求清空时间", "To shelters with room, and how long it takes until all are there"),
        group=EVACUATION,
        choices={
            "no": Words("不转移", "Nobody"),
            "area": Words("范围内人员", "People in an area"),
            "flood": Words("洪水模拟中需转移人员", "Those whom the flood run says"),
        },
    )
    evacuation_area: Polygon | None = field(
        None,
        title=Words("转移范围", "Area to leave"),
        group=EVACUATION,
        widget="polygon",
        when={"evacuate": ["area"]},
    )
    people_a_vehicle: float = field(
        4.0,
        title=Words("每车人数", "People a vehicle"),
        help=Words("假定值", "Assumed"),
        unit="1",
        group=EVACUATION,
        when={"evacuate": ["area", "flood"]},
        ge=1,
        le=60,
    )

    country: Literal["auto", "CN", "FR", "DE"] = field(
        "auto",
        title=Words("缺省车速", "Speeds where none is known"),
        group=COMPUTATION,
        choices={
            "auto": Words("按城市时区", "By the city's time zone"),
            "CN": Words("中国", "China"),
            "FR": Words("法国", "France"),
            "DE": Words("德国", "Germany"),
        },
    )
    gap: float = field(1e-5, title=Words("相对间隙", "Relative gap"), unit="1", group=COMPUTATION, ge=1e-10, le=1e-2)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.demand == "csv") != (self.od_csv is not None):
            raise ValueError('od_csv: give it with demand "csv", and only then')
        if (self.counts == "file") != (self.counts_csv is not None):
            raise ValueError('counts_csv: give it with counts "file", and only then')
        if self.fit_counts and self.counts == "none":
            raise ValueError('fit_counts: needs counts, of the "sensors" or a "file"')
        if (self.evacuate == "area") != (self.evacuation_area is not None):
            raise ValueError('evacuation_area: give it with evacuate "area", and only then')
        if self.evacuate == "flood" and self.flood_run is None:
            raise ValueError('evacuate: "flood" needs a flood_run')
        return self
