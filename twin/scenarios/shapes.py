"""Shapes as a planner draws them, GeoJSON in CRS84, and the same in the city's metres."""

from typing import Annotated, Any

import numpy as np
import pyproj
import shapely
from pydantic import AfterValidator
from shapely.geometry import shape

MOST_CORNERS = 20_000


def _checked(*kinds: str) -> Any:
    def check(value: dict[str, Any]) -> dict[str, Any]:
        if value.get("type") not in kinds:
            raise ValueError(f"a GeoJSON geometry of type {' or '.join(kinds)} is needed, not {value.get('type')!r}")
        try:
            found = shape(value)
        except Exception as error:
            raise ValueError("no GeoJSON geometry: its coordinates cannot be read") from error
        corners = shapely.get_coordinates(found)
        if found.is_empty or not found.is_valid or len(corners) > MOST_CORNERS:
            raise ValueError(f"empty, crossing itself, or of more than {MOST_CORNERS} corners")
        if (abs(corners[:, 0]) > 180).any() or (abs(corners[:, 1]) > 90).any():
            raise ValueError("longitude and latitude in degrees are needed, longitude first")
        return value

    return check


Point = Annotated[dict[str, Any], AfterValidator(_checked("Point"))]
Line = Annotated[dict[str, Any], AfterValidator(_checked("LineString"))]
Polygon = Annotated[dict[str, Any], AfterValidator(_checked("Polygon", "MultiPolygon"))]


def in_metres(geometry: dict[str, Any], metric_crs: str) -> Any:
    """A drawn shape in the city's metric CRS, x east."""
    project = pyproj.Transformer.from_crs("OGC:CRS84", metric_crs, always_xy=True)
    return shapely.transform(shape(geometry), lambda corners: np.column_stack(project.transform(*corners.T)))
