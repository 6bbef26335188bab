"""What kind of town is where: how urban each place is, and which parts are old, central, industrial or rural."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import shapely

from twin.demo.frame import Frame
from twin.demo.grid import Floats, Grid, Ints, blur, noise, smoothstep
from twin.demo.landform import Landform
from twin.demo.layout import Layout

# Above this the land is built up without gaps.
URBAN = 0.42


class Zone(IntEnum):
    """Parts of the city by the way they are built."""

    RURAL = 0
    VILLAGE = 1
    TOWN = 2
    SUBURB = 3
    RESIDENTIAL = 4
    CORE = 5
    CENTRE = 6
    OLD_TOWN = 7
    INDUSTRY = 8
    PORT = 9


@dataclass(frozen=True)
class Districts:
    """Fields of the city's structure, each between 0 and about 1, on one grid.

    urban: share of built-up land. core: nearness to the centres. industry, port: of such use. outlying: of the small
    towns around. age: 0 in the old town, 1 at the newest edge. old_town: its outline.
    """

    grid: Grid
    urban: Floats
    core: Floats
    industry: Floats
    port: Floats
    outlying: Floats
    age: Floats
    old_town: shapely.Polygon

    def at(self, field: Floats, x: Floats, y: Floats) -> Floats:
        """A field's values at places."""
        return self.grid.sample(field, x, y)

    def zones(self, x: Floats, y: Floats) -> Ints:
        """The zone of each place, without villages, which are outlined where they stand."""
        urban, core = self.at(self.urban, x, y), self.at(self.core, x, y)
        outlying = self.at(self.outlying, x, y)
        zone = np.where(urban < URBAN, Zone.RURAL, Zone.SUBURB)
        zone = np.where((urban > 0.62) & (zone > 0), Zone.RESIDENTIAL, zone)
        zone = np.where((outlying > 0.45) & (zone > 0) & (core < 0.3), Zone.TOWN, zone)
        zone = np.where((core > 0.42) & (zone > 0), Zone.CORE, zone)
        zone = np.where((core > 0.82) & (zone > 0), Zone.CENTRE, zone)
        zone = np.where((self.at(self.industry, x, y) > 0.5) & (zone > 0), Zone.INDUSTRY, zone)
        zone = np.where((self.at(self.port, x, y) > 0.5) & (zone > 0), Zone.PORT, zone)
        inside = shapely.contains_xy(self.old_town, x, y)
        result: Ints = np.where(inside, Zone.OLD_TOWN, zone).astype(np.int64)
        return result


def divide(frame: Frame, layout: Layout, land: Landform) -> Districts:
    """The structure of this city."""
    rng = frame.random("districts")
    grid = frame.grid.coarser(2)
    x, y = grid.mesh()
    unit, size = layout.unit, np.sqrt(frame.scale)

    def near(place: Floats, reach: float, power: float = 2.0) -> Floats:
        distance = np.hypot(x - place[0], y - place[1])
        result: Floats = np.exp(-((distance / (reach * unit)) ** power))
        return result

    river = land.grid.sample(land.river_distance, x, y)
    offshore = land.grid.sample(land.offshore, x, y)
    ragged = noise(grid, 1500 * frame.scale, rng, octaves=4)
    industry = np.maximum(near(layout.industry, 1.0, 4), 0.9 * near(np.array((-3.15, 0.35)) * unit, 0.5, 4))
    port = near(layout.port, 0.85, 4) * smoothstep(-900 * size, -600 * size, offshore)
    outlying = np.zeros(grid.shape)
    for town in layout.towns:
        outlying = np.maximum(outlying, near(town[:2], town[2] / unit, 3))
    body = 1.25 * near(layout.old_town, 2.35) + 1.1 * near(layout.new_town, 1.5) + 0.7 * near(layout.station, 0.9)
    body += 0.18 * np.exp(-((river / (900 * frame.scale)) ** 2)) * near(layout.old_town, 3.2)
    urban = 1 - (1 - np.clip(body, 0, 1)) * (1 - 0.85 * industry) * (1 - 0.9 * port) * (1 - 0.8 * outlying)
    core = np.maximum(near(layout.old_town, 1.15), 1.1 * near(layout.new_town, 0.75))
    core = np.maximum(core, 0.75 * near(layout.station, 0.3))
    dry = smoothstep(0.02, -0.06, land.grid.sample(land.hilliness, x, y))
    age = np.clip(np.hypot(x, y) / (3.0 * unit), 0, 1)
    angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    wave = 1 + 0.07 * np.sin(2 * angle + rng.uniform(0, 6)) + 0.05 * np.sin(3 * angle + rng.uniform(0, 6))
    wave += 0.03 * np.sin(5 * angle + rng.uniform(0, 6))
    radius = 430 * frame.scale**0.6 * wave
    outline = np.stack((1.12 * radius * np.cos(angle), 0.92 * radius * np.sin(angle)), axis=1) + layout.old_town
    return Districts(
        grid=grid,
        urban=np.clip(urban + 0.07 * ragged, 0, 1) * dry,
        core=core * (1 + 0.06 * ragged),
        industry=blur(industry + 0.08 * ragged, grid, 60),
        port=port,
        outlying=outlying + 0.05 * ragged,
        age=age,
        old_town=shapely.Polygon(outline),
    )
