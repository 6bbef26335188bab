"""The city itself, and the cities of this server."""

import math
import warnings
from collections.abc import Iterable
from functools import cache
from typing import Any

import structlog
from fastapi import Request, Response
from pyproj import CRS

from api.answers import both, json_answer
from api.cities import Cities, ServedCity
from api.documentation import described
from api.exchange import city, exchange
from api.pages import city_title
from api.parameters import Query
from api.routing import PartRouter
from cim_models.base import CityModelError
from layers.access import PUBLIC, Principal
from layers.catalog import Catalog, Layer

Box = tuple[float, float, float, float]
# A city of which nothing is known yet is shown from this far, and none from nearer than a street.
WIDEST_ZOOM, NEAREST_ZOOM = 9.0, 17.0
# A viewer's window in pixels of 512-pixel tiles, for the zoom that shows a whole city.
WINDOW = 1000
LOG = structlog.get_logger()

router = PartRouter(tags=["Service"])


@router.get("/city", **described("getCity"))
async def get_city(request: Request) -> Response:
    """Name, reference systems, where to look first, and about how many objects there are."""
    Query(request).finish()
    served, met = city(request), exchange(request)
    catalog = await served.catalog()
    stored = catalog.city
    box = extent(catalog, met.principal)
    return json_answer(
        {
            "name": served.name,
            "title": both(city_title(catalog)),
            "srid": stored.srid,
            "metric_crs": f"EPSG:{stored.metric_srid}",
            "metric_crs_proj4": proj4(stored.metric_srid),
            "vertical_datum": stored.vertical_datum,
            "time_zone": stored.time_zone,
            "made_up": stored.made_up,
            "bbox": box,
            "view": view(catalog, box),
            "terrain": await _terrain(request),
            "counts": await served.counts(met.principal),
        }
    )


async def _terrain(request: Request) -> dict[str, str] | None:
    """Where the elevation is, None for a city without."""
    served, met = city(request), exchange(request)
    if not await served.terrain.of(met.principal):
        return None
    datum = served.database.city.vertical_datum
    return {"tilejson": f"{met.base}/terrain/tilejson.json", "vertical_datum": datum}


@router.get("/cities", **described("getCities"))
async def get_cities(request: Request) -> Response:
    """The cities of this server, the default first."""
    Query(request).finish()
    cities: Cities = request.app.state.cities
    found = []
    for place in await cities.places():
        try:
            found.append(await _entry(await cities.city(place.name), exchange(request).root))
        except (CityModelError, OSError, TimeoutError) as error:
            # One city that does not answer takes none of the others away.
            LOG.warning("city left out", city=place.name, reason=str(error))
    return json_answer({"cities": found})


async def _entry(served: ServedCity, root: str) -> dict[str, Any]:
    catalog = await served.catalog()
    return {
        "name": served.name,
        "title": both(city_title(catalog)),
        "url": root + served.path,
        "default": not served.path,
        "bbox": extent(catalog, PUBLIC),
        "made_up": catalog.city.made_up,
    }


def extent(catalog: Catalog, principal: Principal) -> Box | None:
    """The box around everything that the principal may read, in degrees; None while nothing is loaded."""
    return around(catalog.layers(principal))


def around(layers: Iterable[Layer]) -> Box | None:
    """The box around some layers, in degrees; None while nothing is in them."""
    boxes = [layer.extent for layer in layers if layer.extent is not None]
    if not boxes:
        return None
    west, south, east, north = zip(*boxes, strict=True)
    return min(west), min(south), max(east), max(north)


def view(catalog: Catalog, box: Box | None) -> dict[str, Any]:
    """Where a viewer starts: as the city's row says, else over everything there is, else over its metric CRS's area."""
    if catalog.city.view:
        return catalog.city.view
    west, south, east, north = box or area_of_use(catalog.city.metric_srid)
    # Web Mercator (EPSG:3857): the world is 512 * 2^zoom pixels wide.
    degrees = max(east - west, (north - south) / math.cos(math.radians((south + north) / 2)), 1e-4)
    zoom = math.log2(360 / degrees * WINDOW / 512)
    return {
        "center": [round((west + east) / 2, 6), round((south + north) / 2, 6)],
        "zoom": round(min(max(zoom, WIDEST_ZOOM if box is None else 0), NEAREST_ZOOM), 2),
        "pitch": 45,
        "bearing": 0,
    }


@cache
def area_of_use(srid: int) -> Box:
    area = CRS.from_epsg(srid).area_of_use
    return area.bounds if area else (-180.0, -85.0, 180.0, 85.0)


@cache
def proj4(srid: int) -> str:
    """The metric CRS for a viewer that shows coordinates in it; PROJ warns that datums may be lost, these are not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return CRS.from_epsg(srid).to_proj4()
