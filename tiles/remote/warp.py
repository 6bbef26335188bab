"""A map in any CRS drawn anew as a tile of the web's grid."""

import math
import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.enums import Resampling
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.io import MemoryFile
from rasterio.transform import from_bounds
from rasterio.warp import reproject

from layers.crs import Crs, OutsideCrs, parse_crs, transform_box, transform_points
from tiles.matrix import Box, Tile
from tiles.remote import RemoteFailed

SIZE = 256
WEB = parse_crs("EPSG:3857")
# A picture larger than any service draws for one tile; said in its header, so that nothing is unpacked before.
LARGEST = 4_096
KINDS = {b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG", b"GIF8": "GIF", b"RIFF": "WEBP"}
# Pictures of other services lie nowhere until they are laid down here; that is no cause for a warning with each.
warnings.filterwarnings("ignore", category=NotGeoreferencedWarning, module="rasterio.io")
# Pixels beyond the tile's edge, for the filter that reads between pixels.
APRON = 2

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Window:
    """What of a map in its own CRS a tile shows. box: x (east), y (north); across, up: sides of a pixel."""

    box: Box
    across: float
    up: float

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        west, south, east, north = self.box
        return max(1, math.ceil((east - west) / self.across)), max(1, math.ceil((north - south) / self.up))


def window(tile: Tile, crs: Crs) -> Window | None:
    """What of a map in `crs` lies under a tile; None where the CRS has no values or is not used."""
    west, south, east, north = tile.box()
    pixel = (east - west) / SIZE
    middle_x, middle_y = (west + east) / 2, (south + north) / 2
    x, y = transform_points(
        np.array([middle_x, middle_x + pixel, middle_x]), np.array([middle_y, middle_y, middle_y + pixel]), WEB, crs
    )
    across, up = math.hypot(x[1] - x[0], x[2] - x[0]), math.hypot(y[1] - y[0], y[2] - y[0])
    try:
        box = transform_box(tile.box(APRON / SIZE), WEB, crs)
    except OutsideCrs:
        return None
    if not (math.isfinite(across) and math.isfinite(up) and across > 0 and up > 0):
        return None
    found = Window(box, across, up)
    # Where a CRS is far from its home a tile bends without measure.
    return found if max(found.size) <= LARGEST else None


def decoded(body: bytes) -> Picture:
    """Red, green, blue and alpha of a PNG, JPEG, GIF or WebP. Raises RemoteFailed."""
    kind = next((kind for start, kind in KINDS.items() if body.startswith(start)), None)
    if kind is None:
        raise RemoteFailed(f"the service sends no picture: {_excerpt(body)}")
    try:
        with rasterio.Env(), MemoryFile(body) as memory, memory.open(driver=kind) as image:
            if max(image.width, image.height) > LARGEST:
                raise RemoteFailed(f"the service sends a picture of {image.width} x {image.height} pixels")
            return _rgba(image)
    except RasterioError as error:
        raise RemoteFailed(f"the service sends a broken picture: {error}") from None


def _rgba(image: rasterio.DatasetReader) -> Picture:
    bands = image.read()
    if bands.dtype != np.uint8:
        # 16 bits a channel, as PNG has them.
        bands = (bands >> 8).astype(np.uint8)
    if image.count == 1 and image.colorinterp[0] == rasterio.enums.ColorInterp.palette:
        palette = np.array([image.colormap(1).get(index, (0, 0, 0, 0)) for index in range(256)], np.uint8)
        return np.ascontiguousarray(palette[bands[0]].transpose(2, 0, 1))
    solid = np.full(bands.shape[1:], 255, np.uint8)
    if image.count < 3:
        return np.stack([bands[0]] * 3 + [bands[1] if image.count == 2 else solid])
    return bands if image.count == 4 else np.stack([*bands[:3], solid])


def warped(picture: Picture, box: Box, crs: Crs, tile: Tile) -> Picture:
    """The tile, 256 x 256 pixels, of a picture that fills `box` (x, y) in `crs`."""
    height, width = picture.shape[1:]
    # What is clear has some colour too, which must not bleed into its neighbours.
    alpha = picture[3] / np.float32(255)
    source = np.concatenate([picture[:3] * alpha, picture[3:]]).astype(np.float32)
    found = np.zeros((4, SIZE, SIZE), np.float32)
    reproject(
        source,
        found,
        src_transform=from_bounds(*box, width, height),
        src_crs=crs.code,
        dst_transform=from_bounds(*tile.box(), SIZE, SIZE),
        dst_crs=WEB.code,
        resampling=Resampling.bilinear,
        tolerance=0.05,
    )
    clear = np.maximum(found[3:], 1e-3) / 255
    found[:3] /= clear
    return np.clip(np.rint(found), 0, 255).astype(np.uint8)


def encoded(picture: Picture) -> bytes:
    """A PNG; empty for a picture that is clear all over."""
    if not picture[3].any():
        return b""
    count, height, width = picture.shape
    # GDAL warns of a picture that lies nowhere; a PNG forgets where it lay.
    anywhere = from_bounds(0, 0, 1, 1, width, height)
    shape = {"width": width, "height": height, "count": count, "dtype": "uint8", "transform": anywhere}
    with MemoryFile() as memory:
        with memory.open(driver="PNG", ZLEVEL=4, **shape) as image:
            image.write(picture)
        return bytes(memory.read())


def _excerpt(body: bytes) -> str:
    return " ".join(body[:400].decode("utf-8", "replace").split())[:200] or "nothing"
