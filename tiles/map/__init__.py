"""Maps: pictures of layers in any CRS, drawn by Mapnik straight from PostGIS, by the styles that the viewer shows."""

from tiles.map.request import BadMap, MapLayer, MapRequest
from tiles.map.service import MapService

__all__ = ["BadMap", "MapLayer", "MapRequest", "MapService"]
