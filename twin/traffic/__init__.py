"""A traffic engine: networks, trips, equilibrium, ways and times; arrays and files in, arrays out, no database.

network = read_network(Path("Anaheim_net.tntp"))
result = assign(network, read_trips(Path("Anaheim_trips.tntp")), gap=1e-6)
Router(network, result.time_s).isochrone("hospital", limit_s=600)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twin.traffic.access import Route, Router, Tree
    from twin.traffic.assignment import Assignment, assign
    from twin.traffic.checks import Finding, check
    from twin.traffic.demand import CAR, Demand, VehicleClass
    from twin.traffic.errors import Cancelled, InvalidDemand, InvalidNetwork, NotConverged, TrafficError
    from twin.traffic.network import Network, Turns
    from twin.traffic.path_store import Unserved

__all__ = [
    "CAR",
    "Assignment",
    "Cancelled",
    "Demand",
    "Finding",
    "InvalidDemand",
    "InvalidNetwork",
    "Network",
    "NotConverged",
    "Route",
    "Router",
    "TrafficError",
    "Tree",
    "Turns",
    "Unserved",
    "VehicleClass",
    "assign",
    "check",
]

# Names are loaded when they are first asked for: the compiled loops take seconds, and a server that only lists the
# scenario's inputs needs none of them.
HOMES = {
    "access": ("Route", "Router", "Tree"),
    "assignment": ("Assignment", "assign"),
    "checks": ("Finding", "check"),
    "demand": ("CAR", "Demand", "VehicleClass"),
    "errors": ("Cancelled", "InvalidDemand", "InvalidNetwork", "NotConverged", "TrafficError"),
    "network": ("Network", "Turns"),
    "path_store": ("Unserved",),
}
_HOME_OF = {name: home for home, names in HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
