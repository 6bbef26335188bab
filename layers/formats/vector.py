"""GeoPackage, FlatGeobuf, GeoJSON and GeoJSON text sequences, streamed by GDAL as Arrow; other formats build on it."""

import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from layers import ogr
from layers.formats.source import GEOMETRY, KEY, Format, FormatError, Reading, Source

RECORD_SEPARATOR = b"\x1e"
# A count that the file itself keeps: fewer features than that, and the file has lost some.
COUNT_IS_PROMISED = ("FlatGeobuf", "GPKG")
# A table has a few hundred; what brings more is a mistake, or made to fill the memory.
MOST_FIELDS = 2000


@dataclass(frozen=True)
class Gdal:
    """How a format is opened. options: GDAL's open options. encoding: of a Shapefile. leave_out: fields that are how
    the format draws. key: a field by which it tells its features apart. config: GDAL's, while the file is open."""

    options: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    leave_out: tuple[str, ...] = ()
    key: str | None = None
    config: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


PLAIN = Gdal()


@dataclass(frozen=True)
class VectorSource:
    """One layer of a file that GDAL reads."""

    path: Path
    layer: str
    name: str
    crs: str | None
    schema: pa.Schema
    count: int | None
    driver: str
    geometry_field: str
    with_fid: bool
    gdal: Gdal = PLAIN

    @property
    def notes(self) -> tuple[str, ...]:
        return self.gdal.notes

    def read(self, rows: int = 10_000) -> Iterator[pa.RecordBatch]:
        features = 0
        try:
            with _configured(self.gdal), _opened(self.path, self.layer, rows, self.with_fid, self.gdal) as (_, reader):
                while (batch := _next(reader)) is not None:
                    features += batch.num_rows
                    yield self._renamed(batch)
        except UnicodeDecodeError as error:
            raise _not_utf8(self.path, self.layer, error) from None
        except (ogr.DataSourceError, ogr.DataLayerError, OSError, pa.ArrowException) as error:
            raise broken(self.path, self.layer, f"after {features} features: {error}") from None
        self._check_whole(features)

    def _renamed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        kept = [
            plain(column)
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
            if name not in self.gdal.leave_out
        ]
        return pa.RecordBatch.from_arrays(kept, schema=self.schema)

    def _check_whole(self, features: int) -> None:
        if self.driver in COUNT_IS_PROMISED and self.count is not None and features < self.count:
            raise broken(self.path, self.layer, f"it should hold {self.count} features, {features} could be read")
        if self.driver == "GeoJSONSeq":
            _check_text_sequence(self.path, features)


def _next(batches: Iterator[pa.RecordBatch]) -> pa.RecordBatch | None:
    with _quiet():
        return next(batches, None)


@contextmanager
def _quiet() -> Iterator[None]:
    """What GDAL remarks on versions, measures and single rings is no concern of who loads a city: what comes of it is
    checked here, and told by row."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        warnings.simplefilter("ignore", UserWarning)
        yield


def plain(column: pa.Array) -> pa.Array:
    """The column without an extension type or 64-bit offsets, which no later step needs to know of."""
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    return column.cast(_plain_type(column.type))


def _plain_type(kind: pa.DataType) -> pa.DataType:
    if isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    if pa.types.is_large_binary(kind):
        return pa.binary()
    return pa.string() if pa.types.is_large_string(kind) else kind


def _opened(
    path: Path, layer: str, rows: int, with_fid: bool, gdal: Gdal
) -> AbstractContextManager[tuple[dict[str, Any], pa.RecordBatchReader]]:
    opened: AbstractContextManager[tuple[dict[str, Any], pa.RecordBatchReader]] = ogr.open_arrow(
        path,
        layer=layer,
        batch_size=rows,
        use_pyarrow=True,
        return_fids=with_fid,
        encoding=gdal.encoding,
        **gdal.options,
    )
    return opened


@contextmanager
def _configured(gdal: Gdal) -> Iterator[None]:
    before = {name: ogr.get_gdal_config_option(name) for name in gdal.config}
    ogr.set_gdal_config_options(dict(gdal.config))
    try:
        yield
    finally:
        ogr.set_gdal_config_options(before)


def open_vector(path: Path, reading: Reading, gdal: Gdal = PLAIN) -> list[Source]:
    """The layers with geometry in a file. Raises FormatError for a broken file or a layer that is not there."""
    try:
        with _quiet(), _configured(gdal):
            layers = [str(name) for name, geometry in ogr.list_layers(path) if geometry is not None]
            _check_layer(path, layers, reading.layer)
            return [_open_layer(path, name, reading, gdal) for name in layers if reading.layer in (None, name)]
    except UnicodeDecodeError as error:
        raise _not_utf8(path, reading.layer, error) from None
    except (ogr.DataSourceError, ogr.DataLayerError, OSError, pa.ArrowException) as error:
        raise broken(path, reading.layer, str(error)) from None


def _check_layer(path: Path, layers: list[str], layer: str | None) -> None:
    if not layers:
        raise FormatError(f"{path.name}: no layer with geometry in it")
    if layer is not None and layer not in layers:
        raise FormatError(f"{path.name}: no layer {layer!r} with geometry; it has {', '.join(layers)}")


def _open_layer(path: Path, layer: str, reading: Reading, gdal: Gdal) -> VectorSource:
    info = ogr.read_info(path, layer=layer, encoding=gdal.encoding, **gdal.options)
    if len(info["fields"]) > MOST_FIELDS:
        raise FormatError(
            f"{path.name}: {len(info['fields']):,} fields, {MOST_FIELDS:,} at most; leave out those that nobody needs"
        )
    # Only a GeoPackage keeps its own feature id; elsewhere it is a line number that the next edition moves.
    with_fid = info["driver"] == "GPKG"
    with _opened(path, layer, 1, with_fid, gdal) as (meta, reader):
        geometry_field = meta["geometry_name"] or "wkb_geometry"
        keys = (info["fid_column"] if with_fid else None, gdal.key)
        fields = [_field(field, geometry_field, keys) for field in reader.schema if field.name not in gdal.leave_out]
    count = int(info["features"])
    return VectorSource(
        path=path,
        layer=layer,
        name=layer,
        crs=reading.crs or info["crs"],
        schema=pa.schema(fields),
        count=count if count >= 0 else None,
        driver=info["driver"],
        geometry_field=geometry_field,
        with_fid=with_fid,
        gdal=gdal,
    )


def _field(field: pa.Field, geometry_field: str, keys: tuple[str | None, ...]) -> pa.Field:
    if field.name == geometry_field:
        return pa.field(GEOMETRY, pa.binary())
    # A field of its own by the name that the protocol gives to the geometry.
    name = f"{field.name}_field" if field.name == GEOMETRY else field.name
    return pa.field(name, _plain_type(field.type), metadata=KEY if field.name in keys else None)


def _check_text_sequence(path: Path, features: int) -> None:
    """GDAL leaves out a text that it cannot parse; here each must count."""
    texts = 0
    for texts, text in enumerate(_texts(path), start=1):  # noqa: B007  # the last number is the count
        pass
    if texts == features:
        return
    for number, text in enumerate(_texts(path), start=1):
        try:
            if isinstance(orjson.loads(text), dict):
                continue
        except orjson.JSONDecodeError:
            pass
        raise broken(path, None, f"text {number} of {texts} is no JSON object")
    raise broken(path, None, f"{texts} texts in the file, {features} could be read as features")


def _texts(path: Path) -> Iterator[bytes]:
    """The JSON texts of a sequence: by record separator (RFC 8142) if it has any, else one a line."""
    with path.open("rb") as file:
        separated = file.read(1) == RECORD_SEPARATOR
        file.seek(0)
        if not separated:
            yield from (line for line in file if line.strip())
            return
        pending = b""
        while chunk := file.read(1 << 20):
            *whole, pending = (pending + chunk).split(RECORD_SEPARATOR)
            yield from (text for text in whole if text.strip())
        if pending.strip():
            yield pending


def broken(path: Path, layer: str | None, what: str) -> FormatError:
    # GDAL's hints on its own drivers and options mean nothing to who loads a file.
    what = re.split(r"; It might help|\. It might help", what)[0].replace(str(path), path.name)
    where = f"{path.name}, layer {layer}" if layer else path.name
    if "not recognized as" in what or "root type" in what:
        return FormatError(f"{where}: no features in it that can be read; it is broken, or JSON of another kind")
    return FormatError(f"{where}: cannot be read ({what}); the file is broken or cut off, fetch or export it again")


def _not_utf8(path: Path, layer: str | None, error: UnicodeDecodeError) -> FormatError:
    return broken(path, layer, f"a name that is not UTF-8: {error.object!r}")


def _is_geojson(head: bytes) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"{", RECORD_SEPARATOR))


FORMATS: tuple[Format, ...] = (
    Format("GeoPackage", (".gpkg",), lambda head: head.startswith(b"SQLite format 3\0"), open_vector),
    Format("FlatGeobuf", (".fgb",), lambda head: head.startswith(b"fgb\x03"), open_vector),
    Format(
        "GeoJSON", (".geojson", ".json", ".geojsonl", ".geojsons", ".geojsonseq", ".ndjson"), _is_geojson, open_vector
    ),
)
