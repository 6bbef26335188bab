"""How fast vehicles drive through water: a curve per class of vehicle, with its source."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.traffic.network import Floats

SOURCE = (
    "Pregnolato, Ford, Wilkinson & Dawson 2017, The impact of flooding on road transport: a depth-disruption function, "
    "Transportation Research Part D 55, 67-81: v = 0.0009 w^2 - 0.5529 w + 86.9448 km/h, w in mm, up to 300 mm"
)
LORRY_SOURCE = "own choice: the same curve over twice the depth"


@dataclass(frozen=True)
class Wading:
    """A class of vehicle in water. deepest_m: where it has to stop."""

    name: str
    deepest_m: float
    source: str

    def speed_kmh(self, depth_m: npt.ArrayLike) -> Floats:
        """The highest speed that is safe in still water of a depth; inf where it is dry, 0 where it has to stop."""
        depth = np.nan_to_num(np.asarray(depth_m, np.float64))
        w = depth / self.deepest_m * 300.0
        speed = 0.0009 * w**2 - 0.5529 * w + 86.9448
        return np.where(depth <= 0, np.inf, np.where(depth >= self.deepest_m, 0.0, speed))


CAR_IN_WATER = Wading("car", 0.3, SOURCE)
LORRY_IN_WATER = Wading("lorry", 0.6, LORRY_SOURCE)
