"""A result's table of objects as rows for COPY: geometry in degrees, properties typed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from cim_models.database import City
from layers import LayerError
from layers.boxes import Bbox
from layers.crs import parse_crs, transform_points
from layers.mapping.rules import LONGEST_NAME, RESERVED
from layers.mapping.values import property_type
from layers.registration import SCHEMA_TYPES

GEOMETRY, UID = "geometry", "uid"
MOMENTS = ("valid_from", "valid_to")
# What every object may have, in columns of the same name.
OWN = ("class", "name", "name_en", "village_code")
# More moments than these are no steps of a clock.
MOST_TIMES = 2_000
MOST_PROPERTIES = 200


class TableError(LayerError):
    """A table that cannot be a layer's objects."""


@dataclass(frozen=True)
class Rows:
    """columns: SQL types by name, as each of `records` has them. schema: of the properties, for the catalogue.

    times: at which the objects change, in order; none where they are too many.
    """

    columns: dict[str, str]
    records: Iterator[tuple[Any, ...]]
    schema: dict[str, Any]
    extent: Bbox
    times: list[datetime]


def rows_of(table: pa.Table, city: City) -> Rows:
    """Check a table and turn it into rows. Raises TableError."""
    for needed in (GEOMETRY, UID):
        if needed not in table.column_names:
            raise TableError(f"the table has no column {needed!r}; there are {', '.join(table.column_names)}")
    if not table.num_rows:
        raise TableError("the table has no rows; leave such a layer out")
    if table.column(UID).null_count:
        raise TableError("column 'uid': every row has one")
    moments = [_moments(table, name) for name in MOMENTS]
    geometry = _geometry(table.column(GEOMETRY), city)
    properties = _properties(table)
    own = [pc.cast(table.column(n), pa.string()).to_pylist() if n in table.column_names else None for n in OWN]
    nothing: Sequence[Any] = [None] * table.num_rows
    west, south = shapely.bounds(geometry)[:, :2].min(axis=0).tolist()
    east, north = shapely.bounds(geometry)[:, 2:].max(axis=0).tolist()
    return Rows(
        columns={"uid": "text", "geom": "bytea", **dict.fromkeys(OWN, "text"), "attributes": "text"}
        | dict.fromkeys(MOMENTS, "timestamptz"),
        records=zip(
            pc.cast(table.column(UID), pa.string()).to_pylist(),
            shapely.to_wkb(geometry, include_srid=True),
            *(column or nothing for column in own),
            _attributes(table, list(properties)),
            *(column or nothing for column in moments),
            strict=True,
        ),
        schema=properties,
        extent=(west, south, east, north),
        times=_times(moments),
    )


def _geometry(column: pa.ChunkedArray, city: City) -> npt.NDArray[np.object_]:
    """Geometry as the city stores it, mended where it is not valid. Raises TableError."""
    try:
        found = shapely.force_2d(shapely.from_wkb(column.to_numpy(zero_copy_only=False)))
    except (shapely.errors.GEOSException, TypeError) as error:
        raise TableError(f"column 'geometry': is no WKB: {error}") from None
    empty = shapely.is_empty(found) | shapely.is_missing(found)
    if empty.any():
        raise TableError(f"row {int(np.argmax(empty))}: has no geometry")
    invalid = ~shapely.is_valid(found)
    found[invalid] = shapely.make_valid(found[invalid])
    source, target = parse_crs(f"EPSG:{city.metric_srid}"), parse_crs(f"EPSG:{city.srid}")

    def stored(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.column_stack(transform_points(points[:, 0], points[:, 1], source, target))

    degrees = shapely.transform(found, stored)
    bounds = shapely.bounds(degrees)
    outside = ~(np.isfinite(bounds).all(axis=1) & (np.abs(bounds) <= (180, 90, 180, 90)).all(axis=1))
    if outside.any():
        raise TableError(f"row {int(np.argmax(outside))}: its coordinates are none of {source.code} ({source.name})")
    return np.asarray(shapely.set_srid(degrees, city.srid))


def _properties(table: pa.Table) -> dict[str, Any]:
    """The catalogue's schema of the columns that are properties. Raises TableError."""
    found: dict[str, Any] = {}
    for field in table.schema:
        if field.name in (GEOMETRY, UID, *MOMENTS, *OWN):
            continue
        kind = property_type(field.type)
        if kind is None or kind == "json":
            raise TableError(f"column {field.name!r}: {field.type} is no property; numbers, texts and truths are")
        if field.name in RESERVED or not 0 < len(field.name.encode()) <= LONGEST_NAME:
            raise TableError(
                f"column {field.name[:70]!r}: too long a name, or one that objects have for something else"
            )
        told = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
        said = {key: told[key] for key in ("zh", "en", "unit") if key in told}
        found[field.name] = {"type": SCHEMA_TYPES.get(kind, "text"), **said} if said else SCHEMA_TYPES.get(kind, "text")
    if len(found) > MOST_PROPERTIES:
        raise TableError(f"{len(found)} properties; an object has at most {MOST_PROPERTIES}")
    return found


def _attributes(table: pa.Table, names: Sequence[str]) -> Iterator[str]:
    """Each row's properties as JSON, without those it lacks; a number that is none is lacking too."""
    columns = []
    for name in names:
        column = table.column(name)
        if pa.types.is_floating(column.type):
            column = pc.if_else(pc.is_finite(column), column, pa.scalar(None, column.type))
        elif not (pa.types.is_integer(column.type) or pa.types.is_boolean(column.type)):
            column = pc.cast(column, pa.string())
        columns.append(column.to_pylist())
    if not columns:
        yield from ["{}"] * table.num_rows
    for values in zip(*columns, strict=True):
        yield orjson.dumps({n: v for n, v in zip(names, values, strict=True) if v is not None}).decode()


def _moments(table: pa.Table, name: str) -> list[datetime | None] | None:
    """A column of moments, None where there is none. Raises TableError."""
    if name not in table.column_names:
        return None
    column = table.column(name)
    if not pa.types.is_timestamp(column.type) or column.type.tz is None:
        raise TableError(f"column {name!r}: {column.type}; moments with a time zone are wanted, timestamp[us, UTC]")
    return list(pc.cast(column, pa.timestamp("us", "UTC")).to_pylist())


def _times(moments: Sequence[Sequence[datetime | None] | None]) -> list[datetime]:
    starts = sorted({moment for moment in moments[0] or () if moment is not None})
    return starts if len(starts) <= MOST_TIMES else []
