"""GeoJSON features as a GeoDataFrame, with the columns and types that the layer's schema says."""

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import geopandas
import pandas as pd
import shapely

if TYPE_CHECKING:
    from twin.sdk.layer import Property

# Nullable types: a missing storey count does not turn the others into floats.
TYPES = {"text": "string", "integer": "Int64", "number": "Float64", "boolean": "boolean"}


def to_frame(
    features: Iterable[dict[str, Any]], schema: "Sequence[Property]", columns: Sequence[str] | None
) -> geopandas.GeoDataFrame:
    """Features as a GeoDataFrame in EPSG:4326, indexed by object_id; an empty one has its columns too."""
    wanted = [property for property in schema if columns is None or property.name in columns]
    values: dict[str, list[Any]] = {property.name: [] for property in wanted}
    ids: list[int] = []
    geometries: list[str] = []
    for feature in features:
        ids.append(feature["id"])
        geometries.append(json.dumps(feature["geometry"]))
        properties = feature["properties"]
        for name, column in values.items():
            column.append(properties.get(name))
    index = pd.Index(ids, name="object_id", dtype="int64")
    frame = pd.DataFrame(
        {
            property.name: pd.array(values[property.name], dtype=TYPES[property.type])  # type: ignore[call-overload]
            for property in wanted
        },
        index=index,
    )
    return geopandas.GeoDataFrame(frame, geometry=shapely.from_geojson(geometries), crs="EPSG:4326")
