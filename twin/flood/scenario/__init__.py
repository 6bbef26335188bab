"""The flood as a scenario of the twin: what a planner asks, a run from the city's own data, what the water does."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from twin.flood.scenario.inputs import FloodInputs
from twin.flood.scenario.presets import PRESETS
from twin.scenarios.inputs import Inputs, Words
from twin.scenarios.protocol import Preset, Progress, Result

if TYPE_CHECKING:
    from twin.scenarios.city import City


class FloodScenario:
    """Rain, sea and rivers over the city's terrain, with its walls, sluices, pumps and drains."""

    name = "flood"
    version = "1.0"
    title = Words("洪涝模拟", "Flood")
    description = Words(
        "用全市地形、建筑和水利工程求解二维浅水方程：暴雨、风暴潮、泄洪、溃堤；给出逐时水深、影响与损失",
        "Two-dimensional shallow water over the city's terrain, buildings and works: rain, surge, dam release, breach; "
        "depth by hour, exposure and loss",
    )
    inputs: type[Inputs] = FloodInputs
    presets: Mapping[str, Preset] = PRESETS

    def run(self, city: "City", inputs: FloodInputs, progress: Progress) -> Result:
        """See `twin.scenarios.protocol.Scenario`."""
        # The engine's compiled loops take seconds to load, and the server that lists this scenario needs none.
        from twin.flood.scenario.run import run_flood

        return run_flood(city, inputs, progress)


FLOOD = FloodScenario()
