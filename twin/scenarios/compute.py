"""One run from its inputs to what is kept of it."""

from pathlib import Path

from twin.scenarios import ScenarioError
from twin.scenarios.child import Call
from twin.scenarios.city import City
from twin.scenarios.describe import read_inputs
from twin.scenarios.keep import keep
from twin.scenarios.protocol import Progress
from twin.scenarios.record import folder_of
from twin.scenarios.registry import find_scenario, missing


def compute(call: Call, progress: Progress) -> None:
    """Compute and keep the run that a call names. Raises what the scenario raises."""
    files = Path(call.files)
    folder = folder_of(files, call.run)
    with City.open(call.url, call.run, files=files, folder=folder.path, cores=call.cores) as city:
        scenario = find_scenario(city.run.scenario)
        if (lacking := missing(scenario)) is not None:
            raise ScenarioError(lacking.en, lacking.zh)
        progress(0.0)
        result = scenario.run(city, read_inputs(scenario, city.run.inputs), progress)
        progress(1.0)
        keep(city, scenario, result, call.kept_s)
