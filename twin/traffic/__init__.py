"""A traffic engine: networks, trips, equilibrium, ways and times; arrays and files in, arrays out, no database.

network = read_network(Path("Anaheim_net.tntp"))
result = assign(network, read_trips(Path("Anaheim_trips.tntp")), gap=1e-6)
Router(network, result.time_s).isochrone("hospital", limit_s=600)
"""

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
