"""Water as the model has it: sea, tidal flats, river, reservoir, canals, streams, lakes and ponds with their levels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from twin.demo.channels import CANAL_BED, CANAL_LEVEL, Channels, river_reach
from twin.demo.contours import areas_above
from twin.demo.defences import HIGHEST_TIDE, LEVEE_OFFSET, Defences
from twin.demo.grid import Floats, Shapes
from twin.demo.landform import LOW_WATER, Landform
from twin.demo.names import NameBook, named
from twin.demo.overlay import apart, less, polygons_of
from twin.demo.shapes import one
from twin.demo.site import Site
from twin.demo.tables import ThemeWriter, attributes, numbered

# Length of the river's pieces, each with its own level, m.
REACH = 1200.0
# Ends of canals between dikes and walls that are smaller than this are no water of their own, m2.
LEAST_CANAL = 1500.0
MEAN_SEA_LEVEL, MEAN_HIGH_WATER = 0.2, 2.6
RIVER_NAME = ("澜江", "Lan River")
RESERVOIR_NAME = ("云溪水库", "Yunxi Reservoir")


@dataclass(frozen=True)
class WaterBodies:
    """All water. kind: class of each; level and depth, m; name: Chinese and English or None."""

    shape: Shapes
    kind: list[str]
    level: Floats
    depth: Floats
    name: list[tuple[str, str] | None]

    def of(self, *kinds: str) -> Shapes:
        """Bodies of these classes."""
        return self.shape[np.isin(self.kind, kinds)]


def gather(site: Site, defences: Defences, ponds: Shapes, lakes: Shapes) -> WaterBodies:
    """Every body of water of the city. ponds, lakes: polygons."""
    land, channels = site.land, site.channels
    sea, flat = _sea(land)
    reach, level, depth = _reaches(land, channels)
    held = defences.full_level - float(land.grid.sample(land.ground, *land.river.dam_axis[0]))
    canal = canal_water(channels, defences)
    canals = [named(stem, "河") for stem in NameBook(site.frame).canals(len(canal))]
    stream = _upper_streams(land, channels, defences)
    lowest = _lowest(land, stream)
    return _all(
        _Group("Sea", sea, MEAN_SEA_LEVEL, 8.0, [("澜湾", "Lan Bay")] * len(sea)),
        _Group("TidalFlat", flat, MEAN_SEA_LEVEL, 0.0),
        _Group("River", reach, level, depth, [RIVER_NAME] * len(reach)),
        _Group("Reservoir", one(defences.reservoir), defences.full_level, held, [RESERVOIR_NAME]),
        _Group("Canal", canal, CANAL_LEVEL, CANAL_LEVEL - CANAL_BED, [(name.zh, name.en) for name in canals]),
        _Group("Stream", stream, lowest - 0.8, 0.4),
        _Group("Lake", lakes, _lowest(land, lakes) - 0.9, 1.5),
        _Group("Pond", ponds, _lowest(land, ponds) - 0.5, 0.7),
    )


@dataclass(frozen=True)
class _Group:
    """Bodies of one class; level and depth (m) of all or of each."""

    kind: str
    shape: Shapes
    level: Floats | float
    depth: Floats | float
    name: Sequence[tuple[str, str] | None] = ()


def _all(*groups: _Group) -> WaterBodies:
    return WaterBodies(
        shape=np.concatenate([group.shape for group in groups]),
        kind=[group.kind for group in groups for _ in group.shape],
        level=np.concatenate([np.broadcast_to(group.level, len(group.shape)) for group in groups]).round(2),
        depth=np.concatenate([np.broadcast_to(group.depth, len(group.shape)) for group in groups]).round(2),
        name=[name for group in groups for name in group.name or [None] * len(group.shape)],
    )


def _lowest(land: Landform, shapes: Shapes) -> Floats:
    """Lowest natural ground on the outline of each, m."""
    corners, owner = shapely.get_coordinates(shapes, return_index=True)
    lowest = np.full(len(shapes), np.inf)
    np.minimum.at(lowest, owner, land.grid.sample(land.ground, *corners.T))
    return lowest


def canal_water(channels: Channels, defences: Defences) -> Shapes:
    """The canals' surface, up to the foot of wall and levee."""
    walls = [*shapely.buffer(defences.sea_wall, 12), *shapely.buffer(defences.levee, 8)]
    dry = np.array([*walls, shapely.buffer(channels.river, LEVEE_OFFSET)], dtype=object)
    water = shapely.simplify(shapely.buffer(channels.canal_lines, channels.canal_width / 2, quad_segs=3), 0.4)
    pieces, _ = polygons_of(less(apart(water), dry), LEAST_CANAL)
    return pieces


def _sea(land: Landform) -> tuple[Shapes, Shapes]:
    """The sea below low water, and the flats above it."""
    grid = land.grid
    x, y = grid.mesh()
    coast = shapely.union_all(land.land)
    frame_box = shapely.box(x.min(), y.min(), x.max(), y.max())
    all_sea = shapely.difference(frame_box, coast)
    low = areas_above(grid, np.where(land.offshore > 0, LOW_WATER - land.ground, -1.0))
    river = land.river
    # The river's channel goes on through the flats.
    channel = shapely.buffer(shapely.LineString(river.points[river.mouth - 1 :]), river.width[river.mouth] / 2)
    deep = shapely.union_all([*low, channel])
    sea = shapely.get_parts(shapely.intersection(deep, all_sea))
    flat = shapely.get_parts(shapely.difference(all_sea, deep))
    sea, flat = sea[shapely.area(sea) > 1000], flat[shapely.area(flat) > 500]
    return sea[shapely.get_type_id(sea) == 3], flat[shapely.get_type_id(flat) == 3]


def _reaches(land: Landform, channels: Channels) -> tuple[Shapes, Floats, Floats]:
    """The river in pieces one behind the other, with level and depth of each, m."""
    river = land.river
    piece = ((river.way - river.way[river.dam]) / REACH).astype(np.int64)
    shapes, level, depth = [], [], []
    taken: shapely.Geometry = shapely.Polygon()
    for number in range(int(piece[river.mouth]) + 1):
        which = np.flatnonzero(
            (piece == number) & (np.arange(len(piece)) > river.dam) & (np.arange(len(piece)) <= river.mouth)
        )
        if not len(which):
            continue
        water = river_reach(land, int(which[0]), min(int(which[-1]) + 2, len(river.points)))
        new = shapely.get_parts(shapely.difference(shapely.intersection(water, channels.river), taken))
        new = new[shapely.get_type_id(new) == 3]
        if not len(new):
            continue
        taken = shapely.union(taken, water)
        shapes.append(new[shapely.area(new).argmax()])
        level.append(float(channels.level[which].mean()))
        depth.append(float((channels.level - channels.bed)[which].mean()))
    return np.array(shapes, dtype=object), np.array(level), np.array(depth)


def _upper_streams(land: Landform, channels: Channels, defences: Defences) -> Shapes:
    """Stream lines, and the river above the reservoir, outside all larger water."""
    river = land.river
    upper = shapely.LineString(river.points[: river.dam])
    wide = shapely.union_all([channels.river, channels.canals, defences.reservoir, defences.dam])
    lines = shapely.difference(np.concatenate((channels.streams, one(upper))), wide)
    lines = shapely.intersection(lines, shapely.union_all(land.land))
    parts = shapely.get_parts(shapely.line_merge(lines))
    whole: Shapes = parts[(shapely.get_type_id(parts) == 1) & (shapely.length(parts) > 20)]
    return whole


def write_water(bodies: WaterBodies, writer: ThemeWriter) -> None:
    """All bodies of water."""
    tide = attributes(mean_high_water_m=MEAN_HIGH_WATER, low_water_m=LOW_WATER, highest_tide_m=HIGHEST_TIDE)
    writer.write(
        bodies.shape,
        uid=water_uids(bodies),
        class_=bodies.kind,
        name=[name[0] if name else None for name in bodies.name],
        name_en=[name[1] if name else None for name in bodies.name],
        level=bodies.level,
        depth=bodies.depth,
        attributes=[tide if kind in ("Sea", "TidalFlat") else None for kind in bodies.kind],
    )


def water_uids(bodies: WaterBodies) -> list[str]:
    """Unique id of each body."""
    return numbered("water", range(len(bodies.shape)))
