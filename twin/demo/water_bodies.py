"""Water as the model has it: sea, tidal flats, river, reservoir, canals, streams, lakes and ponds with their levels."""

from dataclasses import dataclass

import numpy as np
import shapely

from twin.demo.channels import CANAL_BED, CANAL_LEVEL, Channels, river_reach
from twin.demo.contours import areas_above
from twin.demo.defences import LEVEE_OFFSET, Defences
from twin.demo.frame import Frame
from twin.demo.grid import Floats, Ints, Shapes
from twin.demo.landform import LOW_WATER, Landform
from twin.demo.names import NameBook, named
from twin.demo.parcels import apart, less, polygons_of
from twin.demo.tables import ThemeWriter, attributes, numbered

# Length of the river's pieces, each with its own level, m.
REACH = 1200.0
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


def gather(
    frame: Frame, land: Landform, channels: Channels, defences: Defences, ponds: Shapes, lakes: Shapes
) -> WaterBodies:
    """Every body of water of the city. ponds, lakes: polygons."""
    parts: list[tuple[Shapes, str, Floats | float, Floats | float, list[tuple[str, str] | None]]] = []
    sea, flat = _sea(frame, land, channels)
    parts.append((sea, "Sea", MEAN_SEA_LEVEL, 8.0, [("澜湾", "Lan Bay")] * len(sea)))
    parts.append((flat, "TidalFlat", MEAN_SEA_LEVEL, 0.0, [None] * len(flat)))
    reach, level, depth = _reaches(land, channels)
    parts.append((reach, "River", level, depth, [RIVER_NAME] * len(reach)))
    reservoir = np.array([defences.reservoir], dtype=object)
    foot = float(land.grid.sample(land.ground, *land.river.dam_axis[0]))
    parts.append((reservoir, "Reservoir", defences.full_level, defences.full_level - foot, [RESERVOIR_NAME]))
    canal = canal_water(channels, defences)
    stems = NameBook(frame).villages(400)[-len(canal) :]
    names = [named(stem, "河") for stem in stems]
    parts.append((canal, "Canal", CANAL_LEVEL, CANAL_LEVEL - CANAL_BED, [(n.zh, n.en) for n in names]))
    stream = _upper_streams(land, channels, defences)
    ground = land.grid.sample(land.ground, *_end(stream)) if len(stream) else np.zeros(0)
    parts.append((stream, "Stream", np.round(ground - 0.8, 2), 0.4, [None] * len(stream)))
    parts.append((lakes, "Lake", CANAL_LEVEL, 1.5, [None] * len(lakes)))
    around = land.grid.sample(land.ground, *_inner(ponds)) if len(ponds) else np.zeros(0)
    parts.append((ponds, "Pond", np.round(around - 0.6, 2), 0.7, [None] * len(ponds)))
    return WaterBodies(
        shape=np.concatenate([part[0] for part in parts]),
        kind=[part[1] for part in parts for _ in part[0]],
        level=np.concatenate([np.broadcast_to(part[2], len(part[0])) for part in parts]),
        depth=np.concatenate([np.broadcast_to(part[3], len(part[0])) for part in parts]),
        name=[name for part in parts for name in part[4]],
    )


def canal_water(channels: Channels, defences: Defences) -> Shapes:
    """The canals' surface, up to the foot of wall and levee."""
    walls = [*shapely.buffer(defences.sea_wall, 12), *shapely.buffer(defences.levee, 8)]
    dry = np.array([*walls, shapely.buffer(channels.river, LEVEE_OFFSET)], dtype=object)
    water = shapely.simplify(shapely.buffer(channels.canal_lines, channels.canal_width / 2, quad_segs=3), 0.4)
    pieces, _ = polygons_of(less(apart(water), dry), 400)
    return pieces


def _sea(frame: Frame, land: Landform, channels: Channels) -> tuple[Shapes, Shapes]:
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
    taken = shapely.Polygon()
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
    return np.array(shapes, dtype=object), np.round(level, 2), np.round(depth, 2)


def _upper_streams(land: Landform, channels: Channels, defences: Defences) -> Shapes:
    """Stream lines, and the river above the reservoir, outside all larger water."""
    river = land.river
    upper = shapely.LineString(river.points[: river.dam])
    wide = shapely.union_all([channels.river, channels.canals, defences.reservoir, defences.dam])
    lines = shapely.difference(np.append(channels.streams, upper), wide)
    lines = shapely.intersection(lines, shapely.union_all(land.land))
    parts = shapely.get_parts(shapely.line_merge(lines))
    return parts[(shapely.get_type_id(parts) == 1) & (shapely.length(parts) > 20)]


def _end(lines: Shapes) -> tuple[Floats, Floats]:
    end = shapely.get_point(lines, -1)
    return shapely.get_x(end), shapely.get_y(end)


def _inner(shapes: Shapes) -> tuple[Floats, Floats]:
    point = shapely.point_on_surface(shapes)
    return shapely.get_x(point), shapely.get_y(point)


def write_water(bodies: WaterBodies, writer: ThemeWriter) -> Ints:
    """All bodies; gives the number of each, of which its uid is made."""
    tide = attributes(mean_high_water_m=MEAN_HIGH_WATER, low_water_m=LOW_WATER, highest_tide_m=4.6)
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
    return np.arange(len(bodies.shape))


def water_uids(bodies: WaterBodies) -> list[str]:
    """Unique id of each body."""
    return numbered("water", range(len(bodies.shape)))
