"""Which scenarios there are: those of every installed package, found by entry point."""

import logging
import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import entry_points

from pydantic import TypeAdapter, ValidationError

from twin.scenarios import NoSuchScenario, ScenarioError
from twin.scenarios.inputs import Inputs, Words
from twin.scenarios.protocol import Scenario

GROUP = "citytwin.scenarios"
NAME = re.compile(r"[a-z][a-z0-9-]{0,47}\Z")

logger = logging.getLogger(__name__)


@cache
def scenarios() -> Mapping[str, Scenario]:
    """Every scenario by name, in order. One that cannot be used is left out, and the log says why."""
    found: dict[str, Scenario] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        try:
            scenario = entry.load()
            check(scenario)
        # A package of somebody else's: whatever it raises, the others are there.
        except Exception as error:
            logger.error("scenario %s (%s) left out: %s: %s", entry.name, entry.value, type(error).__name__, error)
            continue
        found[scenario.name] = scenario
    return found


def find_scenario(name: str) -> Scenario:
    """Raises NoSuchScenario, naming those there are."""
    found = scenarios().get(name)
    if found is None:
        raise NoSuchScenario(f"no scenario {name[:60]!r}; there are: {', '.join(scenarios())}")
    return found


def missing(scenario: Scenario) -> Words | None:
    """What is to be installed here before a scenario can run; None where it can."""
    told: Callable[[], Words | None] | None = getattr(scenario, "missing", None)
    return None if told is None else told()


def check(scenario: Scenario) -> None:
    """Whether a scenario is as the protocol wants it. Raises ScenarioError."""
    name = getattr(scenario, "name", "")
    if NAME.match(name) is None:
        raise ScenarioError(f"{name!r} cannot name a scenario; take a-z, 0-9 and -, a letter first")
    if not (isinstance(scenario.inputs, type) and issubclass(scenario.inputs, Inputs)):
        raise ScenarioError(f"{name}: `inputs` must be a class derived from twin.scenarios.inputs.Inputs")
    for key, preset in scenario.presets.items():
        try:
            TypeAdapter(scenario.inputs).validate_python(dict(preset.inputs))
        except ValidationError as error:
            raise ScenarioError(f"{name}: preset {key!r} does not fit the inputs: {faults(error)}") from None


def faults(error: ValidationError) -> str:
    """What was wrong with some inputs, each with the name of its field."""
    told = (f"{'.'.join(map(str, each['loc'])) or 'inputs'}: {each['msg']}" for each in error.errors()[:5])
    return "; ".join(told)
