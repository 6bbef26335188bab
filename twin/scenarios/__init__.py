"""What if: scenarios found by entry point, run as jobs, their results shown as layers of the city."""

from twin import TwinError


class ScenarioError(TwinError):
    """A scenario that cannot run like this; the message is shown to the planner who asked for it.

    words: the same in Chinese, where whoever raises it knows it.
    """

    def __init__(self, message: str, zh: str | None = None) -> None:
        super().__init__(message)
        self.zh = zh or message
