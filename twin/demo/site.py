"""What a city has before its first street: plan, land, districts, the street grid's lines, water courses."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely

from twin.demo.channels import Channels, dig
from twin.demo.county import outline
from twin.demo.districts import Districts, divide
from twin.demo.frame import Frame
from twin.demo.grid import Shapes
from twin.demo.guide import guide_streets
from twin.demo.landform import Landform, shape_land
from twin.demo.lattice import Lattice, lay_lattice
from twin.demo.layout import Layout, lay_out
from twin.demo.shapes import one


@dataclass(frozen=True)
class Site:
    """The place of the city."""

    frame: Frame
    layout: Layout
    land: Landform
    districts: Districts
    lattice: Lattice
    county: shapely.Polygon
    channels: Channels

    @cached_property
    def corridors(self) -> Shapes:
        """Running waters with their banks, where only bridges go."""
        channels = self.channels
        return np.concatenate((one(channels.river_corridor), channels.canal_corridors, channels.stream_corridors))


def choose_site(frame: Frame) -> Site:
    """The place of a city of this size and seed."""
    layout = lay_out(frame)
    land = shape_land(frame, layout)
    districts = divide(frame, layout, land)
    lattice = lay_lattice(frame, layout, guide_streets(frame, land, land.river_distance))
    county = outline(frame)
    return Site(frame, layout, land, districts, lattice, county, dig(frame, land, districts, lattice, county))
