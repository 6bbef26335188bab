"""Traffic as a scenario of the twin: roads that close or flood, where their traffic goes, who is cut off."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from twin.scenarios.inputs import Inputs, Words
from twin.scenarios.protocol import Preset, Progress, Result
from twin.traffic.scenario.inputs import TrafficInputs
from twin.traffic.scenario.presets import PRESETS

if TYPE_CHECKING:
    from twin.scenarios.city import City


class TrafficScenario:
    """The city's roads with and without a closure, a new road or a flood, compared."""

    name = "traffic"
    version = "1.0"
    title = Words("交通影响", "Traffic")
    description = Words(
        "用全市路网与建筑推算出行并求均衡分配：封路、限速、新路、洪水逐时淹没；给出流量、车速、延误、断路村庄与排放的变化",
        "Trips from the city's buildings, in equilibrium on its roads: closures, new roads, a flood hour by hour; what "
        "changes in volumes, speeds, delay and emissions, and which villages are cut off",
    )
    inputs: type[Inputs] = TrafficInputs
    presets: Mapping[str, Preset] = PRESETS

    def run(self, city: "City", inputs: TrafficInputs, progress: Progress) -> Result:
        """See `twin.scenarios.protocol.Scenario`."""
        # The engine's compiled loops take seconds to load, and the server that lists this scenario needs none.
        from twin.traffic.scenario.run import run_traffic

        return run_traffic(city, inputs, progress)


TRAFFIC = TrafficScenario()
