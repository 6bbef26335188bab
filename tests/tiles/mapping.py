"""Drawing maps in tests, and looking at their pixels with Pillow, which is not ours."""

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from cim_models.database import Database
from layers.access import PUBLIC, Principal
from tests.tiles.reading import catalog_of
from tiles.map import MapLayer, MapRequest, MapService

Pixels = npt.NDArray[np.int64]
FILES = Path("nowhere")


@asynccontextmanager
async def map_service(
    database: Database, *, drawing: int = 2, waiting: int = 20, limit_s: float = 20.0, files: Path = FILES
) -> AsyncIterator[MapService]:
    """A service of the city's maps, closed afterwards."""
    service = MapService(database, database.url, files, drawing=drawing, waiting=waiting, limit_s=limit_s)
    await service.start()
    yield service
    await service.close()


async def picture(
    database: Database,
    *layers: str,
    box: tuple[float, float, float, float],
    crs: str = "EPSG:3857",
    size: tuple[int, int] = (256, 256),
    principal: Principal = PUBLIC,
    shown: dict[str, Any] | None = None,
    **more: Any,
) -> bytes:
    """A map of layers. shown: of each layer, its view or filter."""
    catalog = await catalog_of(database)
    chosen = tuple(MapLayer(catalog.layer(name, principal), **(shown or {})) for name in layers)
    request = MapRequest(chosen, box, crs, *size, **more)
    async with map_service(database) as service:
        return await service.draw(request, catalog, principal)


def pixels(picture: bytes) -> Pixels:
    """Rows of pixels, red, green, blue and opacity, 0 to 255."""
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGBA")).astype(np.int64)


def rgb(color: str) -> list[int]:
    """Red, green and blue of #rrggbb."""
    return [int(color[i : i + 2], 16) for i in (1, 3, 5)]


def has(found: Pixels, color: str, within: int = 3) -> npt.NDArray[np.bool_]:
    """Where pixels are of a colour."""
    return np.asarray((np.abs(found[..., :3] - rgb(color)) <= within).all(axis=-1))
