"""Where a map looks: its box with room around it, in the CRS that geometry is stored in."""

from dataclasses import dataclass

import shapely

from layers.catalog import Catalog
from layers.crs import parse_crs, storage_crs
from tiles.map.request import MapRequest
from tiles.map.scale import box_in
from tiles.matrix import Box

WEB_CRS = parse_crs("EPSG:3857")


@dataclass(frozen=True)
class Ground:
    """The ground of a map and its surroundings; `room` is their width in pixels of the style."""

    request: MapRequest
    catalog: Catalog

    def web(self, room: float) -> Box:
        """The box in EPSG:3857."""
        return box_in(self.wider(room), self.request.known_crs, WEB_CRS)

    def geometry(self, room: float, *, web: bool) -> str:
        """The box as hex EWKB, in EPSG:3857 or in the city's degrees."""
        target = WEB_CRS if web else storage_crs(self.catalog)
        assert target.srid is not None
        box = shapely.set_srid(shapely.box(*box_in(self.wider(room), self.request.known_crs, target)), target.srid)
        return str(shapely.to_wkb(box, hex=True, include_srid=True))

    def wider(self, room: float) -> Box:
        """The box in the map's CRS."""
        west, south, east, north = self.request.box
        pixels = room * self.request.scale_factor
        across = (east - west) / self.request.width * pixels
        down = (north - south) / self.request.height * pixels
        return west - across, south - down, east + across, north + down
