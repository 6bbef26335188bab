"""Drawing tiles in tests and reading them with mapbox_vector_tile, which is not ours."""

from dataclasses import dataclass
from typing import Any

import mapbox_vector_tile
import morecantile
import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from cim_models.database import Database
from layers.access import PUBLIC, Principal
from layers.catalog import Catalog, load_catalog
from layers.filters import Filter
from layers.view import NOW, View
from tiles.draw import draw
from tiles.drawn import Raw
from tiles.matrix import EXTENT, Tile, tile_at
from tiles.statements import Statements
from tiles.vector import Request

GRID = morecantile.tms.get("WebMercatorQuad")


@dataclass(frozen=True)
class Feature:
    """A feature as it stands in a tile; geometry in EPSG:3857."""

    id: int | None
    properties: dict[str, Any]
    geometry: BaseGeometry


def tile_over(longitude: float, latitude: float, zoom: int) -> Tile:
    """The tile over a point, by morecantile."""
    found = GRID.tile(longitude, latitude, zoom)
    return tile_at(found.z, found.x, found.y)


def features(body: bytes, layer: str, tile: Tile) -> list[Feature]:
    """What a decoder finds in a layer of a tile."""
    decoded = mapbox_vector_tile.decode(body, default_options={"y_coord_down": True}) if body else {}
    if layer not in decoded:
        return []
    west, _, _, north = tile.box()
    unit = tile.side / EXTENT
    return [
        Feature(
            # The decoder says 0 for none.
            f["id"] or None,
            f["properties"],
            shapely.transform(shape(f["geometry"]), lambda xy: xy * [unit, -unit] + [west, north]),
        )
        for f in decoded[layer]["features"]
    ]


async def catalog_of(database: Database) -> Catalog:
    async with database.reading() as connection:
        return await load_catalog(connection, database.city)


async def drawn(
    database: Database,
    tile: Tile,
    *,
    layer: str = "buildings",
    view: View = NOW,
    wanted: Filter | None = None,
    principal: Principal = PUBLIC,
    catalog: Catalog | None = None,
) -> Raw:
    """A layer's tile as it comes from the database."""
    catalog = catalog or await catalog_of(database)
    request = Request(catalog, catalog.layer(layer, principal), tile, view, wanted, principal)
    async with database.reading() as connection:
        return await draw(connection, request, Statements())
