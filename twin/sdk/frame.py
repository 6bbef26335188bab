"""GeoJSON features as a GeoDataFrame, with the columns and types that the layer's schema says."""

import json
from collections.abc import Iterable, Mapping, Sequence
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


def to_groups(answer: Mapping[str, Any], by: str | None) -> pd.DataFrame:
    """An aggregate as a DataFrame indexed by group; titles in columns of their own, where groups have them."""
    if by is None:
        return pd.DataFrame([answer["total"]])
    rows = [_flat(group) for group in answer["groups"]]
    frame = pd.DataFrame(rows, columns=None if rows else ["value", "count"])
    frame["value"] = [tuple(value) if isinstance(value, list) else value for value in frame["value"]]
    return frame.set_index("value").rename_axis(by)


def to_table(answer: Mapping[str, Any]) -> pd.DataFrame:
    """An area table as a DataFrame indexed by class; uncovered, overlap (negative) and boundary close it."""
    ends = {"uncovered": answer["uncovered"], "overlap": -answer["overlap"], "boundary": answer["boundary"]}
    rows = [_flat(row) for row in answer["rows"]]
    rows += [{"value": name, "area": area, "share": area / answer["boundary"]} for name, area in ends.items()]
    frame = pd.DataFrame(rows).set_index("value").rename_axis(answer["by"])
    return frame.astype({"count": "Int64"}) if "count" in frame else frame


def _flat(group: Mapping[str, Any]) -> dict[str, Any]:
    titles = {f"title_{language}": text for language, text in (group.get("title") or {}).items()}
    return {"value": group["value"], **titles, **{k: v for k, v in group.items() if k not in ("value", "title")}}
