"""Entities as rows: for tables (CSV) and maps (GeoJSON), what they hold named by the way to it."""

import csv
import io
from typing import Any

from twin.sensing.model import BY_NAME, EntityType
from twin.sensing.odata.options import Options
from twin.sensing.read import Page, Raw
from twin.sensing.shape import entity_document

GEOMETRIES = {"location", "feature", "observedArea"}
# What a spreadsheet takes for a formula.
FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def feature_collection(
    entity: EntityType, page: Page, options: Options, following: str | None = None
) -> dict[str, Any]:
    """GeoJSON of a page: a feature an entity, at its own place or at one that was expanded with it.

    following: where the next page is; it and the count are told as in JSON, which GeoJSON allows (RFC 7946, 6.1).
    """
    features = []
    for raw in page.entities:
        document = _document(entity, raw, options)
        flat = {name: value for name, value in _flat(document) if not isinstance(value, dict)}
        features.append({"type": "Feature", "geometry": _place(document), "properties": flat})
    said = {"@iot.count": page.count, "@iot.nextLink": following}
    return {"type": "FeatureCollection", **{name: value for name, value in said.items() if value is not None},
            "features": features}  # fmt: skip


def csv_table(entity: EntityType, page: Page, options: Options) -> str:
    """CSV of a page, its columns in the order in which they were met."""
    rows = [dict(_flat(_document(entity, raw, options))) for raw in page.entities]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)
    return out.getvalue()


def _document(entity: EntityType, raw: Raw, options: Options) -> dict[str, Any]:
    return entity_document(entity, raw, options, "")


def _flat(value: Any, path: str = "") -> list[tuple[str, Any]]:
    """Names and values; geometries and results stay whole."""
    if isinstance(value, dict) and value.get("type") not in ("Feature", *shapes()) and value:
        return [
            pair
            for name, inner in value.items()
            if not name.endswith(("Link", "nextLink"))
            for pair in _flat(inner, f"{path}/{_bare(name)}" if path else _bare(name))
        ]
    if isinstance(value, list) and any(isinstance(each, dict) for each in value):
        return [pair for place, inner in enumerate(value) for pair in _flat(inner, f"{path}/{place}")]
    return [(path, value)]


def shapes() -> tuple[str, ...]:
    """The types that GeoJSON's geometries have."""
    return ("Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection")


def _bare(name: str) -> str:
    return name.removeprefix("@iot.")


def _place(document: dict[str, Any]) -> Any:
    """The first geometry in a document, its own before those of what hangs on it."""
    for name in GEOMETRIES & document.keys():
        value = document[name]
        if isinstance(value, dict):
            return value.get("geometry") if value.get("type") == "Feature" else value
    links = [name for each in BY_NAME.values() for name in (each.name, each.plural)]
    for name in links:
        inner = document.get(name)
        for each in inner if isinstance(inner, list) else [inner]:
            if isinstance(each, dict) and (found := _place(each)) is not None:
                return found
    return None


def _cell(value: Any) -> Any:
    # A spreadsheet runs what begins like a formula.
    if isinstance(value, str) and value.startswith(FORMULAS):
        return f"'{value}"
    return value
