"""What the choices of a flood's inputs are called."""

from twin.flood.scenario.tables import titles
from twin.scenarios.inputs import Words

RAIN_KINDS = {
    "none": Words("无雨", "None"),
    "constant": Words("定常降雨", "Constant"),
    "storm": Words("设计暴雨（芝加哥雨型）", "Design storm (Chicago)"),
    "day": Words("总雨量按雨型分配", "A depth with a pattern"),
    "series": Words("给定过程", "A series"),
    "datastream": Words("雨量站实测", "From a gauge"),
}
RAINING = {"rain": [kind for kind in RAIN_KINDS if kind != "none"]}
FORMULAS = titles("storms.yaml", "formulas")
PATTERNS = titles("storms.yaml", "patterns")
SEA_KINDS = {
    "still": Words("静止", "Still"),
    "tide": Words("天文潮加增水", "Tide and surge"),
    "series": Words("给定过程", "A series"),
    "datastream": Words("潮位站实测", "From a gauge"),
}
TIDES = titles("tides.yaml", "tides")
# Hours are read as those of the clock where nothing else is said.
FROM_START = Words("自开始时刻起算", "Counted from the start of the run")
FIRST_WATER = {
    "bodies": Words("河湖库按常水位蓄水", "Rivers, lakes, reservoirs as usual"),
    "dry": Words("无水", "None"),
}
SLUICING = {
    "automatic": Words("自动，只向外排", "Working: out only"),
    "shut": Words("关闭", "Shut"),
    "open": Words("关不上，双向过流", "Stuck open"),
}
PUMPING = {"working": Words("运行", "Working"), "failed": Words("停机", "Failed")}
SCHEMES = {
    "full": Words("二阶，最准", "Second order, the most exact"),
    "fast": Words("一阶，约一半时间", "First order, half the time"),
    "inertial": Words("局部惯性，只用于平缓洪水", "Local inertia, gentle floods only"),
}
HOUSES = {
    "blocks": Words("不透水块体", "Water goes round them"),
    "rough": Words("加大糙率", "Water goes through slowly"),
    "none": Words("忽略", "Left out"),
}
MATERIALS = {"sand": Words("砂", "Sand"), "clay": Words("黏土", "Clay")}
LOSSES = {"curve_number": Words("SCS 曲线数", "SCS curve number"), "none": Words("不计", "None")}
DRAINING = {"rate": Words("排水能力", "A capacity"), "network": Words("管网（SWMM）", "Pipes (SWMM)")}
