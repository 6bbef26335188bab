"""Traffic runs that a planner can begin with."""

from twin.scenarios.inputs import Words
from twin.scenarios.protocol import Preset
from twin.traffic.scenario.inputs import LATEST

PRESETS = {
    "evening-peak": Preset(Words("晚高峰现状", "Evening peak, as it is"), {"hour": 17}),
    "bridge-closed": Preset(
        Words("晚高峰封闭最繁忙的一座桥", "Evening peak, the busiest bridge closed"),
        {"hour": 17, "busiest_bridges": 1},
    ),
    "flooded-evening": Preset(
        Words("最近一次洪水模拟中的交通（先运行洪水）", "Traffic in the newest flood run (run a flood first)"),
        {"flood_run": LATEST},
    ),
    "lyon-bridge": Preset(
        Words("里昂：早高峰封闭罗讷河庞加莱桥", "Lyon: Pont Raymond-Poincaré over the Rhône closed, morning"),
        {
            "hour": 8,
            "closures": [{"line": {"type": "LineString", "coordinates": [[4.8592, 45.7866], [4.8614, 45.7866]]}}],
        },
    ),
    "lyon-railway": Preset(
        Words("里昂：早高峰封闭拉法耶特大道铁路桥下", "Lyon: Cours Lafayette closed under the railway bridge, morning"),
        {
            "hour": 8,
            "demand": "crossings",
            "closures": [{"line": {"type": "LineString", "coordinates": [[4.8612, 45.7628], [4.8612, 45.7648]]}}],
        },
    ),
}
