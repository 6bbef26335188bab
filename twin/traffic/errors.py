"""What the traffic engine refuses, and how a computation ends short of its aim."""

from typing import TYPE_CHECKING

from twin import TwinError

if TYPE_CHECKING:
    from twin.traffic.assignment import Assignment


class TrafficError(TwinError):
    """Anything that the traffic engine refuses or cannot finish."""


class InvalidNetwork(TrafficError):
    """A network that cannot be computed with; the message names the field, the link or node and what to do."""


class InvalidDemand(TrafficError):
    """Trips that cannot be assigned; the message names the zone or line and what to do."""


class Cancelled(TrafficError):
    """The caller asked to stop."""


class NotConverged(TrafficError):
    """The gap asked for was not reached; what was reached is in `assignment`."""

    def __init__(self, message: str, assignment: "Assignment") -> None:
        super().__init__(message)
        self.assignment = assignment
