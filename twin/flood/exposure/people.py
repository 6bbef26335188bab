"""How many people live in each building: a village's residents over its homes by floor area."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from twin.flood.exposure.rules import Rules

Floats = npt.NDArray[np.float64]


def residents(
    rules: Rules,
    *,
    function: Sequence[str | None],
    storeys: Floats,
    area: Floats,
    village: Sequence[str | None],
    population: Mapping[str, int],
) -> Floats:
    """People in each building.

    storeys: 1 where they are not known (NaN); area: of the footprint, m2. population: of villages by code; where a
    village is not in it, its homes hold a person for each `residential_m2_each` of floor.
    """
    people = rules.table["people"]
    lived_in = np.fromiter((kind in people["lived_in"] for kind in function), bool, len(function))
    floor = np.where(lived_in, area * np.maximum(np.nan_to_num(storeys, nan=1.0), 1.0), 0.0)
    found = floor / float(people["residential_m2_each"])
    codes = np.array([code or "" for code in village], object)
    for code, count in population.items():
        here = codes == code
        total = floor[here].sum()
        if total > 0:
            found[here] = floor[here] / total * count
    return found
