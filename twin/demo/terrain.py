"""The terrain raster: natural land with roads graded, channels dug, walls and dam raised, all in agreement."""

from pathlib import Path

import numpy as np
import rasterio
import shapely
from rasterio.features import rasterize
from rasterio.transform import from_origin

from twin.demo.burn import cells_in, cells_near
from twin.demo.channels import CANAL_BED, CANAL_LEVEL, Channels
from twin.demo.defences import CREST_HALF, FACE, SEA_WALL_CREST, Defences
from twin.demo.frame import METRIC_CRS, Frame
from twin.demo.grid import Floats, Grid, Ints, Shapes, enlarge, noise, smoothstep
from twin.demo.landform import Landform
from twin.demo.shapes import one
from twin.demo.site import Site

NODATA = -9999.0
VERTICAL_DATUM = "EPSG:5737"
# Half the width of a graded road's bed and the width over which its cutting runs out, m.
ROAD_HALF, CUTTING = 7.0, 34.0
STREAM_DEPTH = 1.2


def build_terrain(
    site: Site, defences: Defences, roads: tuple[Shapes, list[Floats]], still: tuple[Shapes, Floats]
) -> Floats:
    """Elevation of the fine grid's cells, m above the 1985 datum, float32.

    roads: lines with the height of their surface at each vertex. still: ponds and lakes with the height of
    their beds, m.
    """
    land, channels = site.land, site.channels
    grid = site.frame.fine_grid
    ground = enlarge(land.ground, land.grid, grid)
    _roughen(site.frame, land, ground)
    _grade(grid, ground, *roads)
    _streams(grid, ground, channels)
    _canals(grid, ground, channels)
    _ponds(grid, ground, *still)
    _walls(grid, ground, defences)
    _river(grid, ground, land, channels)
    _dam(grid, ground, land, defences)
    return ground


def write_terrain(path: Path, frame: Frame, ground: Floats) -> None:
    """Cloud-Optimized GeoTIFF, float32, in EPSG:4549 with heights above the 1985 datum."""
    grid = frame.fine_grid
    east, north = frame.origin
    transform = from_origin(grid.west + east, grid.north + north, grid.cell, grid.cell)
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path, "w", driver="COG", dtype="float32", count=1, width=grid.columns, height=grid.rows,
        crs=METRIC_CRS, transform=transform, nodata=NODATA, compress="DEFLATE", predictor=3, level=1,
        blocksize=512, overview_resampling="average", num_threads="ALL_CPUS", bigtiff="IF_SAFER",
    ) as file:  # fmt: skip
        file.write(ground.astype(np.float32), 1)
        file.set_band_description(1, "elevation, m above the 1985 national height datum (EPSG:5737); made up")
        file.units = ("m",)


def _roughen(frame: Frame, land: Landform, ground: Floats) -> None:
    """Gullies on slopes, a little unevenness in the fields."""
    grid, rng = frame.fine_grid, frame.random("roughness")
    steep = enlarge(smoothstep(3, 60, land.relief), land.grid, grid)
    ground += (0.05 + 2.2 * np.clip(steep, 0, 1)) * noise(grid, 110, rng, octaves=2)


def _grade(grid: Grid, ground: Floats, roads: Shapes, heights: list[Floats]) -> None:
    if not len(roads):
        return
    near = cells_near(grid, roads, ROAD_HALF + CUTTING)
    surface = _along(roads, heights, near.line, near.along)
    half = max(ROAD_HALF, 1.2 * grid.cell)
    weight = 1 - smoothstep(half, half + CUTTING, near.away)
    at = near.row, near.column
    ground[at] += ((surface - ground[at]) * weight).astype(np.float32)


def _along(lines: Shapes, values: list[Floats], line: Ints, along: Floats) -> Floats:
    """Values given at the vertices of lines, between them, at `along` m from the start of `line`."""
    offset = np.concatenate(([0.0], np.cumsum(shapely.length(lines) + 1000)))
    corners, owner = shapely.get_coordinates(lines, return_index=True)
    step = np.where(owner[1:] == owner[:-1], np.hypot(*np.diff(corners, axis=0).T), 0)
    way = np.concatenate(([0.0], np.cumsum(step)))
    first = np.concatenate(([True], owner[1:] != owner[:-1]))
    way = way - way[first][owner] + offset[owner]
    result: Floats = np.interp(offset[line] + along, way, np.concatenate(values))
    return result


def _streams(grid: Grid, ground: Floats, channels: Channels) -> None:
    if not len(channels.streams):
        return
    near = cells_near(grid, channels.streams, channels.stream_width / 2 + 5)
    half = channels.stream_width[near.line] / 2
    ground[near.row, near.column] -= STREAM_DEPTH * (1 - smoothstep(half, half + 5, near.away))


def _canals(grid: Grid, ground: Floats, channels: Channels) -> None:
    near = cells_near(grid, channels.canal_lines, channels.canal_width / 2 + 8)
    half = channels.canal_width[near.line] / 2
    edge = CANAL_LEVEL - 0.3
    inside = CANAL_BED + (edge - CANAL_BED) * np.clip(near.away / half, 0, 1) ** 3
    section = np.where(near.away < half, inside, edge + 0.5 * (near.away - half))
    at = near.row, near.column
    ground[at] = np.minimum(ground[at], section)


def _ponds(grid: Grid, ground: Floats, ponds: Shapes, beds: Floats) -> None:
    if not len(ponds):
        return
    transform = from_origin(grid.west, grid.north, grid.cell, grid.cell)
    dug = list(zip(ponds, beds.tolist(), strict=True))
    bed = rasterize(dug, out_shape=grid.shape, transform=transform, fill=np.inf, dtype="float32")
    np.minimum(ground, bed, out=ground)


def _walls(grid: Grid, ground: Floats, defences: Defences) -> None:
    # Never narrower than a cell and a half each way, or water would slip through between cells.
    crest_half = max(CREST_HALF, 0.8 * grid.cell)
    for lines, crests in (
        (defences.sea_wall, None),
        (defences.levee, defences.levee_crest),
    ):
        if not len(lines):
            continue
        near = cells_near(grid, lines, crest_half + 14)
        crest = SEA_WALL_CREST if crests is None else _along(lines, crests, near.line, near.along)
        at = near.row, near.column
        ground[at] = np.maximum(ground[at], crest - FACE * np.clip(near.away - crest_half, 0, None))


def _river(grid: Grid, ground: Floats, land: Landform, channels: Channels) -> None:
    """A trapezoid down to the river's bed, from the dam on through the bay."""
    river = land.river
    points = river.points[river.dam :]
    line = one(shapely.LineString(points))
    near = cells_near(grid, line, river.width.max() / 2 + 12)
    width = _along(line, [river.width[river.dam :]], near.line, near.along)
    bed = _along(line, [channels.bed[river.dam :]], near.line, near.along)
    level = _along(line, [channels.level[river.dam :]], near.line, near.along)
    half = np.maximum(width / 2, 1.5 * grid.cell)
    edge = level - 0.3
    inside = bed + (edge - bed) * np.clip((near.away / half - 0.45) / 0.55, 0, 1) ** 2
    section = np.where(near.away < half, inside, edge + 0.55 * (near.away - half))
    at = near.row, near.column
    ground[at] = np.minimum(ground[at], section)


def _dam(grid: Grid, ground: Floats, land: Landform, defences: Defences) -> None:
    under = cells_in(grid, one(defences.reservoir))
    ground[under] = np.minimum(ground[under], defences.full_level - 0.4)
    row, column = np.nonzero(cells_in(grid, one(defences.dam.buffer(grid.cell))))
    (cx, cy), (ax, ay) = land.river.dam_axis
    along = (grid.x[column] - cx) * ax + (grid.y[row] - cy) * ay
    half = max(5.0, 0.8 * grid.cell)
    section = defences.dam_crest - np.where(along > 0, 1 / 2.2, 1 / 1.2) * np.clip(np.abs(along) - half, 0, None)
    ground[row, column] = np.maximum(ground[row, column], section)
