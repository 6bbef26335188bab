"""People who have to leave, by village and hour, and the nearest dry shelter that a road still leads to."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from twin.flood.exposure.objects import Exposed
from twin.flood.exposure.roads import RoadNet
from twin.flood.exposure.rules import Rules

if TYPE_CHECKING:
    from twin.scenarios.objects import Objects

Floats = npt.NDArray[np.float32]
SCHEMA = pa.schema(
    {
        "time": pa.timestamp("us", tz="UTC"),
        "village_code": pa.string(),
        "village": pa.string(),
        "people": pa.int64(),
        "shelter": pa.string(),
        "shelter_capacity": pa.int64(),
        "way_km": pa.float64(),
    }
)
# A shelter is dry below this depth, m.
DRY_M = 0.05


def people_to_move(
    exposed: Exposed, law: Rules, *, buildings: Floats, roads: Floats, services: Floats, moments: list[datetime]
) -> pa.Table:
    """One row for each village and state from which anybody has to go; depths [object, state], m.

    shelter: the nearest by open road that is dry at that time; null where none can be reached, which means boats.
    """
    codes = np.array([code or "" for code in exposed.buildings["village_code"]], str)
    villages, place = np.unique(codes, return_inverse=True)
    centre = shapely.get_coordinates(shapely.centroid(exposed.buildings.shape))
    net = RoadNet(exposed.roads["start_node"], exposed.roads["end_node"], shapely.length(exposed.roads.shape))
    ways = _Ways(exposed, net, law.vehicles[law.evacuation])
    rows: list[dict[str, Any]] = []
    for n, moment in enumerate(moments):
        above = np.clip(buildings[:, n] - law.doorstep, 0, None).astype(np.float64)
        moving = exposed.people * law.share_to_move(above, exposed.storeys)
        people = np.bincount(place, weights=moving, minlength=len(villages))
        if not (people >= 0.5).any():
            continue
        x, y = (np.bincount(place, weights=moving * centre[:, axis], minlength=len(villages)) for axis in (0, 1))
        nearest = ways.at(roads[:, n], services[:, n])
        for village in np.flatnonzero(people >= 0.5).tolist():
            shelter = ways.shelter(x[village] / people[village], y[village] / people[village], nearest)
            rows.append(
                {
                    "time": moment,
                    "village_code": str(villages[village]),
                    "village": exposed.names.get(str(villages[village]), ""),
                    "people": round(float(people[village])),
                    **shelter,
                }
            )
    return pa.Table.from_pylist(rows, schema=SCHEMA)


class _Ways:
    """From places to shelters over roads that are open."""

    def __init__(self, exposed: Exposed, net: RoadNet, limit: float) -> None:
        self._services, self._nodes, self._net, self._limit = exposed.services, exposed.nodes, net, limit
        self._shelters = [n for n, kind in enumerate(exposed.services["class"]) if kind == "Shelter"]
        self._tree = shapely.STRtree(self._nodes.shape)
        self._node_of = {n: self._nearest_node(shapely.centroid(exposed.services.shape[n])) for n in self._shelters}

    def at(self, roads: Floats, services: Floats) -> dict[str, tuple[int, float]]:
        """Nearest dry shelter of each road node in one state."""
        targets = {node: n for n, node in self._node_of.items() if node is not None and services[n] < DRY_M}
        return self._net.nearest(targets, roads >= self._limit)

    def shelter(self, x: float, y: float, nearest: dict[str, tuple[int, float]]) -> dict[str, Any]:
        """The columns of a row that tell where people go."""
        node = self._nearest_node(shapely.Point(x, y))
        found = nearest.get(node or "")
        if found is None:
            return {"shelter": None, "shelter_capacity": None, "way_km": None}
        services: Objects = self._services
        return {
            "shelter": services["name"][found[0]],
            "shelter_capacity": services["capacity"][found[0]],
            "way_km": round(found[1] / 1000, 2),
        }

    def _nearest_node(self, place: shapely.Point) -> str | None:
        if not len(self._nodes):
            return None
        node: str = self._nodes["uid"][int(self._tree.nearest(place))]
        return node
