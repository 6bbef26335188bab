"""The plan of the made-up city before anything is built: coast, hills, river, centres and through routes.

Lengths are kilometres in a city of about 16,000 buildings and grow with the city; a seed moves everything a little.
"""

from dataclasses import dataclass

import numpy as np

from twin.demo.frame import Frame, curve
from twin.demo.grid import Floats

# The land lies to the right of the coast, from north to south.
COAST = (
    (6.6, 8.5), (6.2, 7.0), (6.5, 5.9), (6.75, 4.9), (6.3, 4.0), (5.5, 3.35), (4.75, 2.75), (4.2, 2.05), (3.85, 1.1),
    (3.7, 0.2), (3.55, -0.8), (3.1, -1.9), (2.35, -2.85), (1.35, -3.5), (0.35, -4.05), (-0.55, -4.9),
    (-1.2, -6.0), (-1.7, -7.2), (-2.2, -8.5),
)  # fmt: skip
# Middle x, y, half axes, bearing of the long axis in degrees.
HILLS = (
    (-7.4, 3.2, 3.6, 2.6, 25), (-7.8, -2.6, 3.3, 3.2, -20), (-3.6, 5.4, 2.7, 1.7, 10),
    (0.6, 5.5, 2.3, 1.35, -8), (3.4, 5.6, 1.7, 1.1, 20), (5.5, 4.6, 1.25, 1.25, 30),
    (-5.6, -5.6, 2.2, 1.2, 15), (-1.25, 1.55, 0.62, 0.42, 35), (2.0, 2.95, 0.55, 0.42, -20),
    (-2.75, -2.55, 0.8, 0.48, 50), (-0.1, -4.35, 0.62, 0.42, 60), (1.25, -1.62, 0.24, 0.17, 20),
    (5.7, -2.6, 0.62, 0.36, 40), (6.6, -3.5, 0.85, 0.5, 65), (4.7, -5.0, 0.42, 0.3, 10),
    (-5.75, 2.5, 0.95, 0.6, 20), (-5.5, 0.85, 0.85, 0.55, 5), (7.2, 0.2, 0.42, 0.26, 75),
    (2.4, -5.3, 0.3, 0.22, 0),
)  # fmt: skip
RIVER = (
    (-7.75, 3.55), (-7.2, 2.9), (-6.55, 2.5), (-5.95, 1.95), (-5.3, 1.55), (-4.6, 1.25), (-3.9, 0.75), (-3.3, 0.05),
    (-2.6, -0.35), (-1.9, -0.25), (-1.25, -0.65), (-0.5, -1.0), (0.3, -0.8), (1.05, -0.95), (1.75, -1.15),
    (2.5, -0.85), (3.1, -0.75), (3.65, -0.85), (4.6, -1.2), (5.6, -1.0), (6.6, -1.6), (8.5, -1.9),
)  # fmt: skip
MOTORWAY = (
    (-0.9, 8.5), (-1.25, 6.2), (-1.9, 4.4), (-2.75, 2.9), (-3.3, 1.6), (-3.6, 0.4), (-3.75, -1.0), (-3.5, -2.5),
    (-3.2, -3.8), (-3.6, -5.2), (-4.4, -6.6), (-5.0, -8.5),
)  # fmt: skip
RAILWAY = (
    (0.6, 8.5), (0.15, 6.2), (-0.9, 4.3), (-2.05, 2.7), (-2.65, 1.3), (-2.8, 0.2), (-2.8, -1.0), (-2.2, -2.1),
    (-1.7, -3.2), (-2.1, -4.6), (-3.1, -6.4), (-3.7, -8.5),
)  # fmt: skip
DAM = (-5.5, 1.65)
OLD_TOWN, NEW_TOWN, PORT, INDUSTRY, STATION = (0.0, 0.0), (1.55, -1.95), (4.3, 2.05), (2.75, 1.35), (-2.6, 0.75)
# Outlying towns: x, y, radius.
TOWNS = ((-3.0, -1.75, 0.62), (0.3, 3.1, 0.55), (-0.9, -3.55, 0.55), (3.1, 3.75, 0.42), (-3.9, 2.15, 0.36))


@dataclass(frozen=True)
class Layout:
    """The plan in local metres.

    coast, river, motorway, railway: points along smooth lines; the river runs downstream and on through the bay.
    hills: rows of x, y, half axes (m), bearing (radians). towns: rows of x, y, radius (m).
    """

    unit: float
    coast: Floats
    river: Floats
    motorway: Floats
    railway: Floats
    hills: Floats
    towns: Floats
    old_town: Floats
    new_town: Floats
    port: Floats
    industry: Floats
    station: Floats
    dam: Floats


def lay_out(frame: Frame) -> Layout:
    """The plan of a city of this size and seed."""
    rng = frame.random("layout")
    unit = 1000 * frame.scale

    def shifted(points: object, by: float) -> Floats:
        at = np.array(points, dtype=float)
        return (at + rng.uniform(-by, by, at.shape)) * unit

    hills = np.array(HILLS)
    hills[:, :2] += rng.uniform(-0.1, 0.1, (len(hills), 2))
    hills[:, 2:4] *= rng.uniform(0.9, 1.12, (len(hills), 2))
    hills[:, 4] = np.radians(hills[:, 4] + rng.uniform(-25, 25, len(hills)))
    hills[:, :4] *= unit
    towns = np.array(TOWNS) * unit
    towns[:, :2] += rng.uniform(-0.12, 0.12, (len(towns), 2)) * unit
    step = frame.grid.cell
    return Layout(
        unit=unit,
        coast=curve(shifted(COAST, 0.12), step),
        river=curve(shifted(RIVER, 0.08), step),
        motorway=curve(shifted(MOTORWAY, 0.06), step),
        railway=curve(shifted(RAILWAY, 0.06), step),
        hills=hills,
        towns=towns,
        old_town=shifted(OLD_TOWN, 0.0),
        new_town=shifted(NEW_TOWN, 0.08),
        port=shifted(PORT, 0.0),
        industry=shifted(INDUSTRY, 0.08),
        station=shifted(STATION, 0.0),
        dam=shifted(DAM, 0.0),
    )
