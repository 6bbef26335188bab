"""What a script hands in: geometries and tables as GeoJSON, in longitude and latitude."""

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, Union

from twin.sdk.errors import WrongRequest

if TYPE_CHECKING:
    import geopandas


class Shape(Protocol):
    """What shapely, geopandas and others give as GeoJSON."""

    @property
    def __geo_interface__(self) -> Mapping[str, Any]: ...


Features: TypeAlias = Union["geopandas.GeoDataFrame", Mapping[str, Any], Iterable[Mapping[str, Any]]]


def geojson(shape: Shape | Mapping[str, Any]) -> dict[str, Any]:
    """A geometry, Feature or FeatureCollection as GeoJSON; a table with a CRS is brought to degrees first."""
    if hasattr(shape, "to_crs"):
        return _table(shape)
    found = shape if isinstance(shape, Mapping) else shape.__geo_interface__
    return dict(found)


def collection(features: Features) -> dict[str, Any]:
    """Features as one FeatureCollection. Raises WrongRequest for what is none."""
    if hasattr(features, "to_crs"):
        return _table(features)
    if isinstance(features, Mapping):
        features = features["features"] if features.get("type") == "FeatureCollection" else [features]
    found = [dict(feature) for feature in features]
    if not found or any(feature.get("type") != "Feature" for feature in found):
        raise WrongRequest("give a GeoDataFrame, a GeoJSON Feature, or a list of Features")
    return {"type": "FeatureCollection", "features": found}


def _table(frame: Any) -> dict[str, Any]:
    """A GeoDataFrame as a FeatureCollection; what is missing in it is left out, and the index is no property."""
    if frame.crs is None:
        raise WrongRequest("the table has no CRS; say which with frame.set_crs(...)")
    text = frame.to_crs("EPSG:4326").to_json(na="drop", drop_id=True)
    found: dict[str, Any] = json.loads(text)
    return {"type": "FeatureCollection", "features": found["features"]}
