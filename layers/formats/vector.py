"""GeoPackage, FlatGeobuf, Shapefile, GeoJSON and GeoJSON text sequences, streamed by GDAL as Arrow."""

import re
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from layers.formats.source import GEOMETRY, KEY, Format, FormatError, Source

RECORD_SEPARATOR = b"\x1e"
# A count that the file itself keeps: fewer features than that, and the file has lost some.
COUNT_IS_PROMISED = ("FlatGeobuf", "GPKG")


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

    def read(self, rows: int = 10_000) -> Iterator[pa.RecordBatch]:
        features = 0
        try:
            with _opened(self.path, self.layer, rows, self.with_fid) as (_, reader):
                while (batch := _next(reader)) is not None:
                    features += batch.num_rows
                    yield self._renamed(batch)
        except (DataSourceError, DataLayerError, OSError, pa.ArrowException) as error:
            raise _broken(self.path, self.layer, f"after {features} features: {error}") from None
        self._check_whole(features)

    def _renamed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        return pa.RecordBatch.from_arrays([plain(column) for column in batch.columns], schema=self.schema)

    def _check_whole(self, features: int) -> None:
        if self.driver in COUNT_IS_PROMISED and self.count is not None and features < self.count:
            raise _broken(self.path, self.layer, f"it should hold {self.count} features, {features} could be read")
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
    path: Path, layer: str, rows: int, with_fid: bool
) -> AbstractContextManager[tuple[dict[str, Any], pa.RecordBatchReader]]:
    opened: AbstractContextManager[tuple[dict[str, Any], pa.RecordBatchReader]] = pyogrio.open_arrow(
        path, layer=layer, batch_size=rows, use_pyarrow=True, return_fids=with_fid
    )
    return opened


def open_vector(path: Path, crs: str | None, layer: str | None) -> list[Source]:
    """The layers with geometry in a file. Raises FormatError for a broken file or a layer that is not there."""
    _check_shapefile(path)
    try:
        with _quiet():
            layers = [str(name) for name, geometry in pyogrio.list_layers(path) if geometry is not None]
            _check_layer(path, layers, layer)
            return [_open_layer(path, name, crs) for name in layers if layer in (None, name)]
    except UnicodeDecodeError as error:
        raise _broken(path, layer, f"a name that is not UTF-8: {error.object!r}") from None
    except (DataSourceError, DataLayerError, OSError, pa.ArrowException) as error:
        raise _broken(path, layer, str(error)) from None


def _check_layer(path: Path, layers: list[str], layer: str | None) -> None:
    if not layers:
        raise FormatError(f"{path.name}: no layer with geometry in it")
    if layer is not None and layer not in layers:
        raise FormatError(f"{path.name}: no layer {layer!r} with geometry; it has {', '.join(layers)}")


def _open_layer(path: Path, layer: str, crs: str | None) -> VectorSource:
    info = pyogrio.read_info(path, layer=layer)
    # Only a GeoPackage keeps its own feature id; elsewhere it is a line number that the next edition moves.
    with_fid = info["driver"] == "GPKG"
    with _opened(path, layer, 1, with_fid) as (meta, reader):
        geometry_field = meta["geometry_name"] or "wkb_geometry"
        fields = [_field(field, geometry_field, info["fid_column"]) for field in reader.schema]
    count = int(info["features"])
    return VectorSource(
        path=path,
        layer=layer,
        name=layer,
        crs=crs or info["crs"],
        schema=pa.schema(fields),
        count=count if count >= 0 else None,
        driver=info["driver"],
        geometry_field=geometry_field,
        with_fid=with_fid,
    )


def _field(field: pa.Field, geometry_field: str, key: str) -> pa.Field:
    if field.name == geometry_field:
        return pa.field(GEOMETRY, pa.binary())
    # A field of its own by the name that the protocol gives to the geometry.
    name = f"{field.name}_field" if field.name == GEOMETRY else field.name
    return pa.field(name, _plain_type(field.type), metadata=KEY if field.name == key else None)


def _check_shapefile(path: Path) -> None:
    """A Shapefile states its length (16-bit words, big endian, at byte 24); GDAL reads a cut one without a word."""
    if path.suffix.lower() != ".shp":
        return
    with path.open("rb") as file:
        stated = 2 * int.from_bytes(file.read(28)[24:], "big")
    if path.stat().st_size < stated:
        raise _broken(path, None, f"{path.stat().st_size} bytes of {stated}")


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
        raise _broken(path, None, f"text {number} of {texts} is no JSON object")
    raise _broken(path, None, f"{texts} texts in the file, {features} could be read as features")


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


def _broken(path: Path, layer: str | None, what: str) -> FormatError:
    # GDAL's hints on its own drivers and options mean nothing to who loads a file.
    what = re.split(r"; It might help|\. It might help", what)[0].replace(str(path), path.name)
    where = f"{path.name}, layer {layer}" if layer else path.name
    if "not recognized as" in what or "root type" in what:
        return FormatError(f"{where}: no features in it that can be read; it is broken, or JSON of another kind")
    return FormatError(f"{where}: cannot be read ({what}); the file is broken or cut off, fetch or export it again")


def _is_geojson(head: bytes) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"{", RECORD_SEPARATOR))


def _is_shapefile(head: bytes) -> bool:
    # The index beside it (.shx) begins alike, but its first entry is the offset of the first record, 50 words.
    return head.startswith(b"\x00\x00\x27\x0a") and head[100:104] != b"\x00\x00\x00\x32"


FORMATS: tuple[Format, ...] = (
    Format("GeoPackage", (".gpkg",), lambda head: head.startswith(b"SQLite format 3\0"), open_vector),
    Format("FlatGeobuf", (".fgb",), lambda head: head.startswith(b"fgb\x03"), open_vector),
    Format("Shapefile", (".shp",), _is_shapefile, open_vector),
    Format(
        "GeoJSON", (".geojson", ".json", ".geojsonl", ".geojsons", ".geojsonseq", ".ndjson"), _is_geojson, open_vector
    ),
)
