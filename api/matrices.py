"""Tile matrix sets: the grids that tiles are counted in (OGC API Tiles, 7; OGC 17-083r4 2.0, 6 and 7)."""

from typing import Any

from fastapi import Request, Response

from api.answers import json_answer, language, said
from api.documentation import described
from api.errors import NotFound
from api.exchange import city, exchange
from api.links import JSON, Link, link
from api.parameters import Parameter, Query, one_of
from api.routing import PartRouter
from layers.catalog import Catalog
from tiles.matrix import MAP_PIXELS, Grid, grids_of

# Documents of tiles are for programs alone.
JSON_ONLY = Parameter[str | None](
    "f", "Format of the answer.", one_of("json"), None, {"type": "string", "enum": ["json"]}
)

router = PartRouter(tags=["Tiles"])


@router.get("/tileMatrixSets", **described("getTileMatrixSetsList", JSON_ONLY))
async def tile_matrix_sets(request: Request) -> Response:
    """The grids there are."""
    _finish(request)
    base, spoken = exchange(request).base, language(request)
    found = []
    for grid in grids_of((await city(request).catalog()).city).values():
        address = f"{base}/tileMatrixSets/{grid.id}"
        title = said(grid.title, spoken)
        # "item" is how the standard's own tests look for the definition.
        links = [link(rel, address, JSON, title) for rel in ("self", "item")]
        found.append(_named(grid) | {"title": title, "crs": grid.crs.uri, "links": links})
    return json_answer({"tileMatrixSets": found, "links": [link("self", f"{base}/tileMatrixSets", JSON, "Grids")]})


@router.get("/tileMatrixSets/{tile_matrix_set_id}", **described("getTileMatrixSet", JSON_ONLY))
async def tile_matrix_set(request: Request, tile_matrix_set_id: str) -> Response:
    """One grid: its CRS, its corner, and every zoom."""
    _finish(request)
    grid = grid_named(tile_matrix_set_id, await city(request).catalog())
    return json_answer(definition(grid) | {"title": said(grid.title, language(request))})


def _finish(request: Request) -> None:
    query = Query(request)
    query.take(JSON_ONLY)
    query.finish()


def grid_named(name: str, catalog: Catalog) -> Grid:
    """The grid of that name. Raises NotFound."""
    grids = grids_of(catalog.city)
    if name not in grids:
        raise NotFound(f"no tile matrix set {name[:60]!r}; there are {', '.join(grids)}")
    return grids[name]


def definition(grid: Grid) -> dict[str, Any]:
    """The grid as JSON (OGC 17-083r4, 7.1); corners in the order of the CRS's own axes."""
    west, south, east, north = grid.left, grid.top - grid.height, grid.left + grid.width, grid.top
    lower, upper = (grid.crs.to_official((x, y, x, y))[:2] for x, y in ((west, south), (east, north)))
    corner = grid.crs.to_official((west, north, west, north))[:2]
    axes = ordered_axes(grid)
    return _named(grid) | {
        "crs": grid.crs.uri,
        "orderedAxes": axes,
        "boundingBox": {"lowerLeft": lower, "upperRight": upper, "crs": grid.crs.uri, "orderedAxes": axes},
        "tileMatrices": [
            {
                "id": str(zoom),
                "scaleDenominator": grid.scale_denominator(zoom),
                "cellSize": grid.cell_size(zoom),
                "cornerOfOrigin": "topLeft",
                "pointOfOrigin": corner,
                "tileWidth": MAP_PIXELS,
                "tileHeight": MAP_PIXELS,
                "matrixWidth": grid.columns(zoom),
                "matrixHeight": grid.rows(zoom),
            }
            for zoom in range(grid.first, grid.last + 1)
        ],
    }


def ordered_axes(grid: Grid) -> list[str]:
    """What the axes are called, in the CRS's own order."""
    return [axis.abbrev for axis in grid.crs.proj.axis_info]


def address_of(grid: Grid, base: str) -> str:
    """The URI by which others know a grid: the registered one, or where its definition is."""
    return grid.uri or f"{base}/tileMatrixSets/{grid.id}"


def scheme_link(grid: Grid, base: str) -> Link:
    """Where a tile set's grid is defined."""
    address = f"{base}/tileMatrixSets/{grid.id}"
    return link("http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme", address, JSON, "The grid")


def _named(grid: Grid) -> dict[str, Any]:
    return {"id": grid.id} | ({"uri": grid.uri} if grid.uri else {})
