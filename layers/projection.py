"""Geometries of the city in the CRS that a client asks for, by the database: the SQL of it."""

from functools import lru_cache

from pyproj import Transformer
from pyproj.exceptions import ProjError

from layers.crs import CRS84, Crs, NoWay, parse_crs

# 1e-9 degrees and 1e-4 metres are a tenth of a millimetre.
DECIMALS_OF_DEGREES = 9
DECIMALS_OF_METRES = 4
# CGCS2000 and WGS 84 are one here, as in `layers.crs`; the database must not look for a way between them.
ONE_DATUM = (4326, 4490)


def decimals(crs: Crs) -> int:
    """How many of a coordinate's decimals are told."""
    return DECIMALS_OF_DEGREES if crs.is_geographic else DECIMALS_OF_METRES


def projected(geometry: str, srid: int, crs: Crs) -> str:
    """SQL of a stored geometry in `crs`, x (east) first. srid: the city's. Raises NoWay."""
    source = _source(srid, crs)
    if source is None:
        return geometry
    if crs.srid is None:
        raise NoWay(f"{crs.code}: features are told in a CRS of the EPSG registry")
    known = geometry if source == srid else f"ST_SetSRID({geometry}, {source})"
    return f"ST_Transform({known}, {crs.srid})"


def official(geometry: str, srid: int, crs: Crs) -> str:
    """SQL of a stored geometry in `crs`, in its own order of axes (OGC API Features Part 2, 6.2). Raises NoWay."""
    turned = projected(geometry, srid, crs)
    return f"ST_FlipCoordinates({turned})" if crs.north_first else turned


def stored(geometry: str, crs: Crs, srid: int) -> str:
    """SQL of a geometry given in `crs`, x (east) first, as the city stores it. Raises NoWay."""
    source = _source(srid, crs)
    if source is None:
        return f"ST_SetSRID({geometry}, {srid})"
    if crs.srid is None:
        raise NoWay(f"{crs.code}: features are read in a CRS of the EPSG registry")
    turned = f"ST_Transform(ST_SetSRID({geometry}, {crs.srid}), {source})"
    return turned if source == srid else f"ST_SetSRID({turned}, {srid})"


@lru_cache(maxsize=512)
def _source(srid: int, crs: Crs) -> int | None:
    """The geographic CRS from which PROJ knows an accurate way to `crs`; None where coordinates stay as they are."""
    if crs == CRS84 or crs.srid in ONE_DATUM:
        return None
    for source in (srid, *ONE_DATUM):
        try:
            Transformer.from_crs(parse_crs(f"EPSG:{source}").proj, crs.proj, always_xy=True, allow_ballpark=False)
        except ProjError:
            continue
        return source
    raise NoWay(f"no accurate transformation from EPSG:{srid} to {crs.code} ({crs.name}) is known")
