"""Tables with places: which columns hold them, and rows with their points, lines and areas."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from layers.formats.source import GEOMETRY, Columns, FormatError, Source

# Headings of x and y, east first, as tables of offices name them; 横坐标 is the easting, 纵坐标 the northing.
EAST_NORTH = (
    ("lon", "lat"), ("lng", "lat"), ("long", "lat"), ("longitude", "latitude"), ("经度", "纬度"), ("东经", "北纬"),
    ("横坐标", "纵坐标"), ("east", "north"), ("easting", "northing"), ("东坐标", "北坐标"), ("x", "y"),
    ("x坐标", "y坐标"), ("坐标x", "坐标y"), ("xcoord", "ycoord"), ("coordx", "coordy"), ("pointx", "pointy"),
)  # fmt: skip
WKT = ("wkt", "geom", "geometry", "thegeom", "shape", "几何")
ADDRESS = ("地址", "详细地址", "住址", "门牌地址", "address", "addr")
DECIMAL = r"^[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?$"
SEXAGESIMAL = re.compile(
    r"""\s*([NSEW东西南北])?\s*(-?\d{1,3})\s*[°度]\s*(\d{1,2}(?:\.\d+)?)\s*['′’分]\s*"""
    r"""(?:(\d{1,2}(?:\.\d+)?)\s*(?:["″”秒]|''))?\s*([NSEW东西南北])?\s*\Z""",
    re.IGNORECASE,
)

Read = Callable[[int], Iterator[pa.RecordBatch]]


class Placing(Protocol):
    """Makes shapes of the columns of a table. columns: those it uses up."""

    @property
    def columns(self) -> tuple[str, ...]: ...

    def shapes(self, batch: pa.RecordBatch) -> pa.Array:
        """WKB for each row, null where there is none."""
        ...


@dataclass(frozen=True)
class ByCoordinates:
    """Points from two columns of numbers, or of degrees, minutes and seconds."""

    x: str
    y: str

    @property
    def columns(self) -> tuple[str, ...]:
        return self.x, self.y

    def shapes(self, batch: pa.RecordBatch) -> pa.Array:
        x, y = numbers(batch.column(self.x)), numbers(batch.column(self.y))
        there = np.isfinite(x) & np.isfinite(y)
        found = np.full(batch.num_rows, None, dtype=object)
        found[there] = shapely.to_wkb(shapely.points(x[there], y[there]))
        return pa.array(found, pa.binary())


@dataclass(frozen=True)
class ByText:
    """Shapes from well-known text, with or without an SRID before it."""

    wkt: str

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.wkt,)

    def shapes(self, batch: pa.RecordBatch) -> pa.Array:
        plain = pc.replace_substring_regex(batch.column(self.wkt).cast(pa.string()), r"(?i)^\s*SRID=\d+;", "")
        texts = plain.to_numpy(zero_copy_only=False)
        try:
            shapes = shapely.from_wkt(texts, on_invalid="ignore")
        except NotImplementedError:
            # Arcs, which GEOS reads from no text: their rows are told one by one.
            shapes = np.array([_parsed(text) for text in texts], dtype=object)
        return pa.array(shapely.to_wkb(shapes), pa.binary())


def _parsed(text: str | None) -> BaseGeometry | None:
    try:
        return shapely.from_wkt(text, on_invalid="ignore")
    except NotImplementedError:
        return None


@dataclass(frozen=True)
class ByAddress:
    """Places that a city must be asked for, as `layers.addressed` does: none yet."""

    columns: tuple[str, ...]

    def shapes(self, batch: pa.RecordBatch) -> pa.Array:
        return pa.nulls(batch.num_rows, pa.binary())


@dataclass(frozen=True)
class Table:
    """A table as a source: its rows, with their places found.

    rows: reads them, so many at a time. fields: of those rows.
    """

    name: str
    fields: pa.Schema
    rows: Read
    placing: Placing
    crs: str | None
    count: int | None
    notes: tuple[str, ...] = ()

    @property
    def schema(self) -> pa.Schema:
        own = [field for field in self.fields if field.name not in self.placing.columns]
        renamed = [field.with_name(f"{GEOMETRY}_field") if field.name == GEOMETRY else field for field in own]
        return pa.schema([*renamed, pa.field(GEOMETRY, pa.binary())])

    def read(self, rows: int = 10_000) -> Iterator[pa.RecordBatch]:
        for batch in self.rows(rows):
            own = [batch.column(name) for name in batch.schema.names if name not in self.placing.columns]
            yield pa.RecordBatch.from_arrays([*own, self.placing.shapes(batch)], schema=self.schema)


def addresses_of(source: Source) -> tuple[str, ...]:
    """The columns by which a source's places must be looked up; none where it has them."""
    return source.placing.columns if isinstance(source, Table) and isinstance(source.placing, ByAddress) else ()


def placed(
    name: str,
    fields: pa.Schema,
    rows: Read,
    *,
    columns: Columns | None,
    crs: str | None,
    count: int | None,
    notes: tuple[str, ...] = (),
) -> Table:
    """A table with its places. columns: where they are; found by their headings where nobody says.

    Raises FormatError where no column tells a place.
    """
    placing = _named(name, fields.names, columns) if columns else _found(name, fields, rows)
    said = " and ".join(placing.columns)
    return Table(name, fields, rows, placing, crs, count, (*notes, f"places taken from {said}"))


def _named(name: str, headings: Sequence[str], columns: Columns) -> Placing:
    wanted = [each for each in (columns.x, columns.y, columns.wkt, *columns.address) if each is not None]
    for each in wanted:
        if each not in headings:
            raise FormatError(f"{name}: no column {each!r}; it has {_told(headings)}")
    if columns.address:
        return ByAddress(columns.address)
    if columns.wkt is not None:
        return ByText(columns.wkt)
    if columns.x is None or columns.y is None:
        raise FormatError(f"{name}: columns name x and y, or wkt")
    return ByCoordinates(columns.x, columns.y)


def _found(name: str, fields: pa.Schema, rows: Read) -> Placing:
    spelt = {_plain(heading): heading for heading in reversed(fields.names)}
    for east, north in EAST_NORTH:
        if east in spelt and north in spelt:
            return ByCoordinates(spelt[east], spelt[north])
    for each in WKT:
        if each in spelt and _is_wkt(spelt[each], rows):
            return ByText(spelt[each])
    if address := next((spelt[each] for each in ADDRESS if each in spelt), None):
        raise FormatError(
            f"{name}: no coordinates, only addresses ({address}); have them looked up in the city with --address"
            f" {address}, or with address: {address} in a recipe"
        )
    raise FormatError(
        f"{name}: no column tells a place; name them, e.g. --columns x=经度,y=纬度 or --columns wkt=图形"
        f" (it has {_told(fields.names)})"
    )


def _is_wkt(heading: str, rows: Read) -> bool:
    for batch in rows(100):
        texts = batch.column(heading).drop_null()
        if len(texts):
            return pa.types.is_string(texts.type) and bool(ByText(heading).shapes(batch).drop_null())
    return False


def _plain(heading: str) -> str:
    """A heading without brackets, units, spaces and case, full and half width alike: "Ｘ 坐标(m)" is "x坐标"."""
    folded = unicodedata.normalize("NFKC", heading).lower()
    return re.sub(r"[\s_.\-]|\(.*?\)|\[.*?\]", "", folded)


def _told(headings: Sequence[str]) -> str:
    return ", ".join(headings[:20]) + (", ..." if len(headings) > 20 else "")


def numbers(column: pa.Array) -> NDArray[np.float64]:
    """Coordinates as numbers, NaN where there are none; 120°57′30″E is 120.958333."""
    if not pa.types.is_string(column.type):
        found: NDArray[np.float64] = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        return found
    trimmed = pc.utf8_trim_whitespace(column)
    plain = pc.replace_substring_regex(trimmed, r"^\+", "")
    decimal = pc.if_else(pc.match_substring_regex(plain, DECIMAL), plain, None).cast(pa.float64())
    found = decimal.to_numpy(zero_copy_only=False).copy()
    for index in np.flatnonzero(np.isnan(found)).tolist():
        text = trimmed[index].as_py()
        if text and (match := SEXAGESIMAL.match(text)):
            found[index] = _degrees(match)
    return found


def _degrees(match: re.Match[str]) -> float:
    before, degrees, minutes, seconds, after = match.groups()
    value = abs(float(degrees)) + float(minutes) / 60 + float(seconds or 0) / 3600
    negative = degrees.startswith("-") or (before or after or "").upper() in tuple("SW南西")
    return -value if negative else value
