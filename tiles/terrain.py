"""Elevation from the catalogued rasters: read in any window, drawn as Terrain-RGB and hillshade tiles.

Around the rasters lies an apron: their edge goes on and sinks smoothly to zero, so that terrain in 3D ends in a slope
and never in a cliff. What a computation reads (`elevation`) is never invented: outside and in holes it is NaN.
"""

import hashlib
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.fill import fillnodata
from rasterio.io import MemoryFile
from rasterio.transform import from_bounds
from rasterio.vrt import WarpedVRT

from cim_models.database import Connection
from layers.access import Principal
from layers.catalog import Catalog
from layers.query import Selection, objects, rows
from layers.statement import compiled
from layers.view import NOW, View
from tiles import TileError
from tiles.matrix import HALF_WORLD, Box, Tile

Heights = npt.NDArray[np.float32]

SIZE = 256
MAX_ZOOM = 16
WEB = "EPSG:3857"
ELEVATION_KINDS = ("dtm", "dsm")
# Cells of the apron along its longer side; it is only ever seen from afar.
APRON_CELLS = 192
# Mapbox Terrain-RGB: height = -10000 + 0.1 * (65536 R + 256 G + B), metres.
RGB_BASE, RGB_STEP = -10_000.0, 0.1
# Horn (1981): light from the north-west, half-way up, as relief maps have it.
SUN_AZIMUTH, SUN_ALTITUDE = math.radians(315), math.radians(45)
# Hills of a coastal plain are low; twice their height reads well at city scale.
HILLSHADE_EXAGGERATION = 2.0

logger = logging.getLogger(__name__)


class TerrainUnreadable(TileError):
    """A raster that the catalogue names cannot be read."""


@dataclass(frozen=True)
class Raster:
    """One elevation raster. resolution: metres. nodata: as the file itself says, masked when read."""

    path: Path
    resolution: float

    @cached_property
    def web_box(self) -> Box:
        """West, south, east, north in EPSG:3857. Raises TerrainUnreadable."""
        with _opened(self.path) as dataset:
            try:
                with WarpedVRT(dataset, crs=WEB) as warped:
                    return tuple(warped.bounds)
            except RasterioError as error:
                raise TerrainUnreadable(f"{self.path.name}: {error}") from None


@dataclass(frozen=True)
class Terrain:
    """The elevation of a city: rasters, the finest first; where one has no value the next one is asked."""

    rasters: tuple[Raster, ...]

    def __bool__(self) -> bool:
        return bool(self.rasters)

    @cached_property
    def readable(self) -> tuple[Raster, ...]:
        """The rasters whose files are there and sound; looks into them. Raises TerrainUnreadable if none is."""
        found, faults = [], []
        for raster in self.rasters:
            try:
                _ = raster.web_box
                found.append(raster)
            except TerrainUnreadable as error:
                faults.append(error)
        if faults and not found:
            raise faults[0]
        for fault in faults:
            _report(str(fault))
        return tuple(found)

    @cached_property
    def box(self) -> Box:
        """Where there is data: west, south, east, north in EPSG:3857."""
        boxes = np.array([raster.web_box for raster in self.readable])
        west, south = boxes[:, :2].min(axis=0)
        east, north = boxes[:, 2:].max(axis=0)
        return float(west), float(south), float(east), float(north)

    @cached_property
    def apron_box(self) -> Box:
        """The box with half its longer side added all round, within the web's square; beyond it everything is zero."""
        west, south, east, north = self.box
        margin = max(east - west, north - south) / 2
        return (
            max(west - margin, -HALF_WORLD),
            max(south - margin, -HALF_WORLD),
            min(east + margin, HALF_WORLD),
            min(north + margin, HALF_WORLD),
        )

    @cached_property
    def max_zoom(self) -> int:
        """The first zoom whose pixels are as fine as the finest raster."""
        _, south, _, north = self.box
        stretch = math.cosh((south + north) / 2 / (HALF_WORLD / math.pi))
        wanted = 2 * HALF_WORLD / SIZE / (self.readable[0].resolution * stretch)
        return max(0, min(MAX_ZOOM, math.ceil(math.log2(wanted))))

    @cached_property
    def _identity(self) -> str:
        # Files are named by their content, so their names say all that a tile depends on.
        names = "|".join(str(raster.path) for raster in self.rasters)
        return hashlib.sha256(names.encode()).hexdigest()[:16]

    def etag(self, kind: str, tile: Tile) -> str:
        """What a tile's bytes depend on."""
        return f'"{self._identity}-{kind}-{tile.z}-{tile.x}-{tile.y}"'

    def elevation(self, box: Box, width: int, height: int, crs: str = WEB) -> Heights:
        """Heights in metres above the rasters' datum on a grid of `height` x `width` cells over `box` in `crs`.

        box: west, south, east, north (x east first). NaN where no raster has a value. Bilinear; coarser than the
        raster it reads the overviews of the COG. A raster that cannot be read is left out, and the log says so.
        Raises TerrainUnreadable if none can.
        """
        heights = np.full((height, width), np.nan, np.float32)
        transform = from_bounds(*box, width, height)
        grid = {"crs": crs, "transform": transform, "width": width, "height": height}
        for raster in self.readable:
            missing = np.isnan(heights)
            if not missing.any():
                break
            try:
                read = _read(raster, grid)
            except TerrainUnreadable as error:
                # Sound at its head, damaged where it is read.
                _report(str(error))
                continue
            heights[missing] = read[missing]
        return heights

    def terrain_rgb(self, tile: Tile) -> bytes | None:
        """A PNG of 256 x 256 pixels in Mapbox Terrain-RGB, None beyond the apron."""
        if not _overlap(tile.box(), self.apron_box):
            return None
        heights, _ = self._with_apron(tile.box(), SIZE)
        steps = np.clip(np.rint((heights - RGB_BASE) / RGB_STEP), 0, 2**24 - 1).astype(np.uint32)
        return _png(np.stack([steps >> 16, steps >> 8, steps]).astype(np.uint8))

    def hillshade(self, tile: Tile) -> bytes | None:
        """A PNG of 256 x 256 pixels to lay over any map: black where it is in shade, white in light, clear where flat.

        None outside the rasters.
        """
        if not _overlap(tile.box(), self.box):
            return None
        pixel = tile.side / SIZE
        # One pixel more on each side, so that slopes go on across tiles.
        heights, known = self._with_apron(tile.box(1 / SIZE), SIZE + 2)
        _, south, _, north = tile.box()
        ground = pixel / math.cosh((south + north) / 2 / (HALF_WORLD / math.pi))
        shade = _horn(heights * HILLSHADE_EXAGGERATION, ground)
        difference = shade - math.sin(SUN_ALTITUDE)
        alpha = np.where(known[1:-1, 1:-1], np.clip(np.abs(difference) * 255, 0, 255), 0).astype(np.uint8)
        tone = np.where(difference > 0, 255, 0).astype(np.uint8)
        return _png(np.stack([tone, tone, tone, alpha]))

    def _with_apron(self, box: Box, size: int) -> tuple[Heights, npt.NDArray[np.bool_]]:
        """Heights without gaps, and where they are known."""
        heights = np.full((size, size), np.nan, np.float32)
        if _overlap(box, self.box):
            heights = self.elevation(box, size, size)
        known = ~np.isnan(heights)
        if not known.all():
            heights = np.where(known, heights, self._apron_at(box, size)).astype(np.float32)
        return heights, known

    def _apron_at(self, box: Box, size: int) -> npt.NDArray[np.float64]:
        """The apron on a grid over `box`, bilinear between its cells, zero beyond them."""
        west, south, east, north = box
        left, bottom, right, top = self.apron_box
        rows_, columns = self._apron.shape
        x = ((np.arange(size) + 0.5) / size * (east - west) + west - left) / (right - left) * columns - 0.5
        y = (top - north + (np.arange(size) + 0.5) / size * (north - south)) / (top - bottom) * rows_ - 0.5
        padded = np.pad(self._apron, 1)
        x, y = np.clip(x + 1, 0, columns + 0.999), np.clip(y + 1, 0, rows_ + 0.999)
        column, row = x.astype(int), y.astype(int)
        fx, fy = (x - column)[None, :], (y - row)[:, None]
        upper = padded[np.ix_(row, column)] * (1 - fx) + padded[np.ix_(row, column + 1)] * fx
        lower = padded[np.ix_(row + 1, column)] * (1 - fx) + padded[np.ix_(row + 1, column + 1)] * fx
        return np.asarray(upper * (1 - fy) + lower * fy)

    @cached_property
    def _apron(self) -> npt.NDArray[np.float64]:
        """A coarse grid over `apron_box`: the rasters, their edge carried on, sinking to zero at its border."""
        left, bottom, right, top = self.apron_box
        scale = APRON_CELLS / max(right - left, top - bottom)
        columns, rows_ = max(2, round((right - left) * scale)), max(2, round((top - bottom) * scale))
        coarse = self.elevation(self.apron_box, columns, rows_)
        known = ~np.isnan(coarse)
        filled = fillnodata(np.where(known, coarse, 0).astype(np.float32), known.astype(np.uint8), APRON_CELLS)
        west, south, east, north = self.box
        x = left + (np.arange(columns) + 0.5) / columns * (right - left)
        y = top - (np.arange(rows_) + 0.5) / rows_ * (top - bottom)
        away_x = np.maximum(0, np.maximum(west - x, x - east))[None, :]
        away_y = np.maximum(0, np.maximum(south - y, y - north))[:, None]
        share = np.clip(np.hypot(away_x, away_y) / (max(east - west, north - south) / 2), 0, 1)
        # Smoothstep: level at both ends, so that neither edge shows as a crease.
        return np.asarray(filled * (1 - share**2 * (3 - 2 * share)), np.float64)


async def read_terrain(
    connection: Connection, catalog: Catalog, principal: Principal, folder: Path, view: View = NOW
) -> Terrain:
    """The elevation rasters that `principal` may see, finest first and of those the newest.

    folder: the city's data directory. Raises LayerNotFound if the terrain layer is hidden.
    """
    layer = catalog.layer("terrain", principal)
    table = objects(layer, catalog)
    wanted = (
        rows(Selection(layer, view), catalog, principal)
        .add_columns(table.c.path, table.c.resolution)
        .where(table.c.kind.in_(ELEVATION_KINDS), table.c.path.is_not(None))
        .order_by(table.c.resolution, table.c.valid_from.desc().nulls_last(), table.c.object_id.desc())
    )
    statement = compiled(wanted)
    found = await connection.fetch(statement.sql, *statement.arguments)
    return Terrain(tuple(_rasters(folder, [(row["path"], row["resolution"]) for row in found])))


def _rasters(folder: Path, found: Sequence[tuple[str, float]]) -> Iterator[Raster]:
    """Whoever wrote a row, no file but the city's own is opened."""
    home = folder.resolve()
    for path, resolution in found:
        file = (home / path).resolve()
        if file.is_relative_to(home):
            yield Raster(file, resolution)


@lru_cache(maxsize=256)
def _report(fault: str) -> None:
    """Once a process: whoever looks at the ground would say it again with every tile."""
    logger.error("terrain: left out: %s", fault)


def _read(raster: Raster, grid: Mapping[str, Any]) -> Heights:
    """A raster warped onto a grid, NaN where it has no value. Raises TerrainUnreadable."""
    # Without a no-data value of its own, GDAL would give nought for what the raster does not cover.
    unknown = {"nodata": math.nan, "dtype": "float32"}
    with _opened(raster.path) as dataset:
        try:
            with WarpedVRT(dataset, resampling=Resampling.bilinear, **grid, **unknown) as warped:
                heights: Heights = warped.read(1)
                return heights
        except RasterioError as error:
            raise TerrainUnreadable(f"{raster.path.name}: {error}") from None


def _opened(path: Path) -> rasterio.DatasetReader:
    try:
        # Named, so that no other driver of GDAL takes the path for an address or a recipe.
        return rasterio.open(path, driver="GTiff")
    except RasterioError:
        raise TerrainUnreadable(
            f"{path.name}: the catalogue names this raster, but it cannot be read; load it again"
        ) from None


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and one[2] > other[0] and one[1] < other[3] and one[3] > other[1]


def _horn(heights: Heights, pixel: float) -> npt.NDArray[np.float64]:
    """Illumination 0 to 1 of the inner cells (Horn 1981, Hill shading and the reflectance map)."""
    h = heights.astype(np.float64)
    east = (h[:-2, 2:] + 2 * h[1:-1, 2:] + h[2:, 2:] - h[:-2, :-2] - 2 * h[1:-1, :-2] - h[2:, :-2]) / (8 * pixel)
    north = (h[:-2, :-2] + 2 * h[:-2, 1:-1] + h[:-2, 2:] - h[2:, :-2] - 2 * h[2:, 1:-1] - h[2:, 2:]) / (8 * pixel)
    light_east = math.cos(SUN_ALTITUDE) * math.sin(SUN_AZIMUTH)
    light_north = math.cos(SUN_ALTITUDE) * math.cos(SUN_AZIMUTH)
    lit = (math.sin(SUN_ALTITUDE) - east * light_east - north * light_north) / np.sqrt(1 + east**2 + north**2)
    return np.asarray(np.clip(lit, 0, 1))


def _png(bands: npt.NDArray[np.uint8]) -> bytes:
    count, height, width = bands.shape
    # GDAL warns of a picture that lies nowhere; a PNG forgets where it lay.
    anywhere = from_bounds(0, 0, 1, 1, width, height)
    shape = {"width": width, "height": height, "count": count, "dtype": "uint8", "transform": anywhere}
    with MemoryFile() as memory:
        with memory.open(driver="PNG", ZLEVEL=4, **shape) as image:
            image.write(bands)
        return bytes(memory.read())
