"""What if: scenarios found by entry point, run as jobs, their results shown as layers of the city."""

from twin import TwinError


class ScenarioError(TwinError):
    """A scenario that cannot run like this; the message is shown to the planner who asked for it.

    zh: the same in Chinese, where whoever raises it knows it.
    """

    def __init__(self, message: str, zh: str | None = None) -> None:
        super().__init__(message)
        self.zh = zh or message


class NoSuchScenario(ScenarioError):
    """No installed package has a scenario of that name."""


class BadInputs(ScenarioError):
    """Inputs that do not fit the scenario; the message names each field."""


class NoSuchRun(ScenarioError):
    """No run of that id, or none that the principal may see: both read the same."""


class NotFinished(ScenarioError):
    """A run whose results are not there, or not yet."""


class TooManyRuns(ScenarioError):
    """The principal has as many runs under way as one may have."""
