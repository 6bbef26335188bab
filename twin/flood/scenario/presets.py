"""Floods of the demo city that a planner can run at once."""

from twin.scenarios.inputs import Words
from twin.scenarios.protocol import Preset

PRESETS = {
    "typhoon": Preset(
        Words("台风：24 小时暴雨与高潮增水", "Typhoon: 24 h of rain, and a surge at high water"),
        {
            "duration_h": 24, "output_interval_min": 60, "rain": "day", "rain_depth_mm": 280, "rain_hours": 24,
            "high_water_h": 13, "surge_m": 1.6, "surge_peak_h": 13, "surge_hours": 16,
        },
    ),
    "super-typhoon": Preset(
        Words("超强台风：风暴潮漫过海塘", "Super typhoon: the surge comes over the sea wall"),
        {
            "duration_h": 24, "output_interval_min": 60, "rain": "day", "rain_depth_mm": 280, "rain_hours": 24,
            "high_water_h": 13, "surge_m": 3.2, "surge_peak_h": 13, "surge_hours": 16,
        },
    ),
    "storm-50": Preset(
        Words("五十年一遇短历时暴雨", "Storm of 50 years, two hours"),
        {
            "duration_h": 5, "output_interval_min": 15, "rain": "storm", "return_period_years": 50, "storm_min": 120,
            "high_water_h": 2,
        },
    ),
    "dam-release": Preset(
        Words("水库泄洪", "The reservoir releases"),
        {
            "duration_h": 8, "output_interval_min": 20, "high_water_h": 4,
            "releases": [{"discharge_m3_s": 600, "begin_h": 0.5, "hours": 5}],
        },
    ),
    "sluice-failure": Preset(
        Words("风暴潮时水闸关不上", "Sluices stay open in a surge"),
        {
            "duration_h": 10, "output_interval_min": 20, "high_water_h": 5, "surge_m": 1.8, "surge_peak_h": 5,
            "sluices": "open", "pumps": "failed",
        },
    ),
    "levee-breach": Preset(
        Words("海塘在高潮时溃决", "The sea wall breaks at high water"),
        {
            "duration_h": 8, "output_interval_min": 20, "high_water_h": 4, "surge_m": 1.5, "surge_peak_h": 4,
            "breaches": [{"begin_h": 3, "widest_m": 100}],
        },
    ),
}  # fmt: skip
