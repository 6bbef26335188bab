"""What the flood engine refuses, and how a run ends early."""

from twin import TwinError


class FloodError(TwinError):
    """Anything that the flood engine refuses or cannot finish. zh: the same in Chinese, where a planner may meet it."""

    def __init__(self, message: str, zh: str | None = None) -> None:
        super().__init__(message)
        self.zh = zh


class InvalidInput(FloodError):
    """An input that cannot be computed with; the message names the field, the place and what to do."""


class Unstable(FloodError):
    """The water reached speeds or depths that no flood has; the message says when and where."""


class Cancelled(FloodError):
    """The caller asked to stop; the simulation can go on from where it is."""
