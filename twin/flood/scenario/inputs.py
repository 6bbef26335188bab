"""What a planner may ask of a flood: rain, sea, rivers, works, and how finely to compute."""

from typing import Any, Literal, Self

from pydantic import AwareDatetime, model_validator

from twin.flood.errors import InvalidInput
from twin.flood.scenario import names
from twin.flood.scenario.choices import Breaching, Release, River, Seen, Wall
from twin.flood.scenario.hydrographs import Hydrograph, refuse_wrong
from twin.flood.scenario.tables import formulas, patterns, tides
from twin.scenarios.inputs import Inputs, Words, field
from twin.scenarios.shapes import Polygon

TIME = Words("时间与计算", "Time and computation")
RAIN = Words("降雨", "Rain")
SEA = Words("潮位", "Sea level")
RIVERS = Words("河道与水库", "Rivers and reservoirs")
WORKS = Words("水利工程", "Works")
GROUND = Words("下垫面", "Ground")
SEEN = Words("已知积水", "Water that was seen")
UNCERTAINTY = Words("不确定性", "Uncertainty")
MOST_MEMBERS = 50
MOST_FRAMES = 200


class FloodInputs(Inputs):
    """Inputs of a flood run; times are hours since its start, levels metres above the city's vertical datum."""

    start: AwareDatetime | None = field(
        None,
        title=Words("开始时刻", "Start"),
        help=Words("不填则为当前整点", "The present full hour if it is left out"),
        group=TIME,
    )
    duration_h: float = field(6.0, title=Words("历时", "Duration"), unit="h", group=TIME, gt=0, le=168)
    output_interval_min: float = field(
        30.0, title=Words("输出间隔", "Interval of the output"), unit="min", group=TIME, ge=1, le=1440
    )
    resolution_m: float = field(
        20.0,
        title=Words("网格分辨率", "Resolution"),
        help=Words(
            "网格减半，用时约为八倍",
            "Half the cell takes eight times as long",
        ),
        unit="m",
        group=TIME,
        ge=1,
        le=200,
    )
    mode: Literal["full", "fast", "inertial"] = field(
        "fast",
        title=Words("算法", "Scheme"),
        help=Words("局部惯性不可用于溃坝、溃堤", "Local inertia is wrong where a dam or a wall fails"),
        group=TIME,
        choices=names.SCHEMES,
    )
    area: tuple[float, float, float, float] | None = field(
        None,
        title=Words("计算范围", "Area"),
        help=Words(
            "西、南、东、北（度）；不填则为全市", "West, south, east, north in degrees; all the city if left out"
        ),
        group=TIME,
    )
    exposure: bool = field(True, title=Words("统计影响与损失", "Count exposure and loss"), group=TIME)

    rain: Literal["none", "constant", "storm", "day", "series", "datastream"] = field(
        "none", title=Words("降雨类型", "Rain"), choices=names.RAIN_KINDS, group=RAIN
    )
    rain_mm_h: float = field(
        30.0, title=Words("雨强", "Intensity"), unit="mm/h", group=RAIN, when={"rain": ["constant"]}, ge=0, le=1000
    )
    storm_formula: str = field(
        "lanwan",
        title=Words("暴雨强度公式", "Intensity formula"),
        group=RAIN,
        when={"rain": ["storm"]},
        choices=names.FORMULAS,
    )
    return_period_years: float = field(
        50.0, title=Words("重现期", "Return period"), unit="a", group=RAIN, when={"rain": ["storm"]}, gt=0
    )
    storm_min: float = field(
        120.0, title=Words("设计历时", "Duration of the storm"), unit="min", group=RAIN, when={"rain": ["storm"]}, gt=0
    )
    storm_peak: float = field(
        0.4,
        title=Words("雨峰系数", "Place of the peak"),
        unit="1",
        group=RAIN,
        when={"rain": ["storm"]},
        ge=0.05,
        le=0.95,
        widget="slider",
    )
    rain_depth_mm: float = field(
        300.0, title=Words("总雨量", "Depth"), unit="mm", group=RAIN, when={"rain": ["day"]}, ge=0, le=3000
    )
    rain_hours: float = field(
        24.0, title=Words("降雨历时", "Hours of rain"), unit="h", group=RAIN, when={"rain": ["day"]}, gt=0, le=168
    )
    rain_pattern: str = field(
        "scs3", title=Words("雨型", "Pattern"), group=RAIN, when={"rain": ["day"]}, choices=names.PATTERNS
    )
    rain_series: Hydrograph = field(
        title=Words("降雨过程", "Series of rain"),
        help=Words("[小时, mm/h] 逐段", "[hour, mm/h], each until the next"),
        unit="mm/h",
        group=RAIN,
        when={"rain": ["series"]},
        widget="series",
        default_factory=list,
        max_length=5000,
    )
    rain_datastream: int | None = field(
        None,
        title=Words("雨量站数据流", "Datastream of rain"),
        help=Words("每个值为上一时刻以来的雨量（mm）", "Each value is the rain since the one before, mm"),
        group=RAIN,
        when={"rain": ["datastream"]},
        widget="datastream",
        of="rain",
    )
    rain_factor: float = field(
        1.0, title=Words("雨量系数", "Factor on the rain"), unit="1", group=RAIN, when=names.RAINING, ge=0, le=20
    )
    rain_area: Polygon | None = field(
        None,
        title=Words("降雨范围", "Area of the rain"),
        help=Words("不填则全域降雨", "Everywhere if it is left out"),
        group=RAIN,
        when=names.RAINING,
        widget="polygon",
    )

    sea: Literal["still", "tide", "series", "datastream"] = field(
        "tide", title=Words("潮位类型", "Sea level"), choices=names.SEA_KINDS, group=SEA
    )
    sea_level_m: float = field(
        0.2, title=Words("静止潮位", "Still level"), unit="m", group=SEA, when={"sea": ["still"]}, ge=-10, le=15
    )
    tide: str = field(
        "lanwan",
        title=Words("潮汐调和常数", "Tidal constituents"),
        group=SEA,
        when={"sea": ["tide"]},
        choices=names.TIDES,
    )
    high_water_h: float = field(
        6.0,
        title=Words("高潮时刻", "Hour of high water"),
        help=Words("自开始时刻起算，各分潮此时同为最高", "From the run's start; all constituents are highest then"),
        unit="h",
        group=SEA,
        when={"sea": ["tide"]},
        ge=-200,
        le=200,
    )
    surge_m: float = field(0.0, title=Words("风暴增水", "Surge"), unit="m", group=SEA, ge=-5, le=10)
    surge_peak_h: float = field(
        6.0,
        title=Words("增水峰时刻", "Hour of the surge"),
        help=names.FROM_START,
        unit="h",
        group=SEA,
        ge=-48,
        le=200,
    )
    surge_hours: float = field(12.0, title=Words("增水历时", "Length of the surge"), unit="h", group=SEA, gt=0, le=96)
    sea_shift_m: float = field(
        0.0,
        title=Words("潮位抬升", "Added to the sea level"),
        help=Words("如海平面上升", "Such as a risen mean sea level"),
        unit="m",
        group=SEA,
        ge=-5,
        le=5,
    )
    sea_series: Hydrograph = field(
        title=Words("潮位过程", "Series of levels"),
        help=Words("[小时, 米]", "[hour, m]"),
        unit="m",
        group=SEA,
        when={"sea": ["series"]},
        widget="series",
        default_factory=list,
        max_length=5000,
    )
    sea_datastream: int | None = field(
        None,
        title=Words("潮位站数据流", "Datastream of the tide"),
        group=SEA,
        when={"sea": ["datastream"]},
        widget="datastream",
        of="tide,water_level",
    )
    sea_datum: str | None = field(
        None,
        title=Words("潮位高程基准", "Datum of the sea levels"),
        help=Words(
            "不填则为城市基准；若不同，须给出与城市基准之差",
            "The city's if it is left out; where it is another, its offset must be given",
        ),
        group=SEA,
        when={"sea": ["series", "datastream"]},
    )
    sea_datum_offset_m: float | None = field(
        None,
        title=Words("基准差", "Offset of that datum"),
        help=Words("加到潮位上即为城市基准", "Added to these levels it gives those above the city's datum"),
        unit="m",
        group=SEA,
        when={"sea": ["series", "datastream"]},
        ge=-200,
        le=200,
    )
    forecast_h: float = field(
        0.0,
        title=Words("预见期", "Forecast horizon"),
        help=Words(
            "最后一个实测值之后最多沿用多少小时", "How long the last value of a datastream may be held to go on"
        ),
        unit="h",
        group=SEA,
        ge=0,
        le=72,
    )

    rivers: list[River] = field(title=Words("入流", "Inflows"), group=RIVERS, default_factory=list, max_length=20)
    releases: list[Release] = field(
        title=Words("水库泄洪", "Releases"), group=RIVERS, default_factory=list, max_length=20
    )
    initial_water: Literal["bodies", "dry"] = field(
        "bodies", title=Words("初始水体", "Water at the start"), choices=names.FIRST_WATER, group=RIVERS
    )

    sluices: Literal["automatic", "shut", "open"] = field(
        "automatic", title=Words("水闸", "Sluices"), choices=names.SLUICING, group=WORKS
    )
    sluice_names: list[str] = field(
        title=Words("所指水闸", "Which sluices"),
        help=Words("不填则为全部；其余自动", "All if empty; the others work by themselves"),
        group=WORKS,
        default_factory=list,
        max_length=200,
    )
    pumps: Literal["working", "failed"] = field(
        "working", title=Words("泵站", "Pumps"), choices=names.PUMPING, group=WORKS
    )
    pumps_fail_h: float = field(
        0.0,
        title=Words("停泵时刻", "Hour of failure"),
        help=names.FROM_START,
        unit="h",
        group=WORKS,
        when={"pumps": ["failed"]},
        ge=0,
        le=168,
    )
    drains: float = field(
        1.0,
        title=Words("雨水管网可用率", "Share of the street drains that work"),
        unit="1",
        group=WORKS,
        ge=0,
        le=1,
        widget="slider",
    )
    drains_as: Literal["rate", "network"] = field(
        "rate",
        title=Words("雨水管网模型", "Street drains as"),
        help=Words("管网逐管计算，满管时溢出地面，用时更长", "Pipes overflow when they are full; they take longer"),
        choices=names.DRAINING,
        group=WORKS,
    )
    raise_walls_m: float = field(
        0.0, title=Words("海塘堤防加高", "Raise sea walls and dikes by"), unit="m", group=WORKS, ge=-5, le=10
    )
    walls: list[Wall] = field(
        title=Words("新建墙", "Walls drawn"), group=WORKS, default_factory=list, max_length=50, widget="line"
    )
    breaches: list[Breaching] = field(
        title=Words("溃口", "Breaches"), group=WORKS, default_factory=list, max_length=20, widget="point"
    )

    buildings: Literal["blocks", "rough", "none"] = field(
        "blocks",
        title=Words("建筑物", "Buildings"),
        group=GROUND,
        choices=names.HOUSES,
    )
    infiltration: Literal["curve_number", "none"] = field(
        "curve_number",
        title=Words("下渗", "Infiltration"),
        choices=names.LOSSES,
        group=GROUND,
    )
    soil_group: Literal["A", "B", "C", "D"] = field(
        "C",
        title=Words("水文土壤组", "Hydrologic soil group"),
        help=Words("A 透水最好，D 最差（SCS）", "A drains best, D worst (SCS)"),
        group=GROUND,
        when={"infiltration": ["curve_number"]},
    )
    roughness_factor: float = field(
        1.0, title=Words("糙率系数", "Factor on roughness"), unit="1", group=GROUND, ge=0.3, le=3
    )

    seen: list[Seen] = field(
        title=Words("已知积水点", "Water that was seen"),
        help=Words(
            "本次过程中实测或目击的水深，可附时间与照片，结果列出模拟与其之差",
            "Depths seen or measured in this flood, with the time and a photo; the result shows by how much the run "
            "misses them",
        ),
        group=SEEN,
        default_factory=list,
        max_length=500,
        widget="point",
    )
    members: int = field(
        0,
        title=Words("集合成员数", "Members of an ensemble"),
        help=Words(
            "另按不确定的雨量、潮位和糙率各算一次，给出超水深概率和各指标的范围；用时按成员数成倍增加",
            "Runs besides, with other rain, sea and roughness: the probability of deep water, and how each figure "
            "spreads; each takes as long as the run itself",
        ),
        group=UNCERTAINTY,
        ge=0,
        le=MOST_MEMBERS,
    )
    rain_spread: float = field(
        0.2,
        title=Words("雨量不确定性", "Uncertainty of the rain"),
        help=Words("对数标准差，0.2 约为 ±20%", "Standard deviation of its logarithm; 0.2 is some 20 %"),
        unit="1",
        group=UNCERTAINTY,
        ge=0,
        le=1,
    )
    sea_spread_m: float = field(
        0.2,
        title=Words("潮位不确定性", "Uncertainty of the sea level"),
        help=Words("标准差", "Standard deviation"),
        unit="m",
        group=UNCERTAINTY,
        ge=0,
        le=2,
    )
    roughness_spread: float = field(
        0.2,
        title=Words("糙率不确定性（对数）", "Uncertainty of roughness (logarithm)"),
        unit="1",
        group=UNCERTAINTY,
        ge=0,
        le=1,
    )
    probability_depth_m: float = field(
        0.3, title=Words("概率所指水深", "Depth of the probability"), unit="m", group=UNCERTAINTY, ge=0.02, le=10
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """What one field asks of another."""
        for chosen, wanted, value in (
            (self.rain == "series", "rain_series", self.rain_series),
            (self.rain == "datastream", "rain_datastream", self.rain_datastream),
            (self.sea == "series", "sea_series", self.sea_series),
            (self.sea == "datastream", "sea_datastream", self.sea_datastream),
        ):
            if chosen and value in (None, []):
                raise ValueError(f"{wanted}: it is missing, though it was chosen to be used")
        _known("storm_formula", self.storm_formula, formulas())
        _known("rain_pattern", self.rain_pattern, patterns())
        _known("tide", self.tide, tides())
        refuse_wrong("rain_series", self.rain_series, 0, 5000, "mm/h")
        refuse_wrong("sea_series", self.sea_series, -300, 300, "m")
        if self.rain == "storm":
            try:
                formulas()[self.storm_formula].depth(self.storm_min, self.return_period_years)
            except InvalidInput as error:
                raise ValueError(f"storm_min, return_period_years: {error}") from error
        if self.duration_h * 60 / self.output_interval_min > MOST_FRAMES:
            raise ValueError(
                f"output_interval_min: {self.duration_h:g} h by {self.output_interval_min:g} min are more than "
                f"{MOST_FRAMES} states; take a longer interval"
            )
        if self.area is not None and not (
            -180 <= self.area[0] < self.area[2] <= 180 and -90 <= self.area[1] < self.area[3] <= 90
        ):
            raise ValueError("area: west, south, east, north in degrees are needed")
        return self


def _known(name: str, value: str, table: dict[str, Any]) -> None:
    if value not in table:
        raise ValueError(f"{name}: there is no {value!r}; known are {', '.join(table)}")
