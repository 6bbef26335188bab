"""KML, GML and GPX: XML that GDAL reads, once it is known to define no entities and to fetch nothing."""

import re
from pathlib import Path

from layers.formats.source import Format, FormatError, Reading, Source
from layers.formats.vector import Gdal, open_vector

# As far as a document may go on before its first element.
PROLOGUE = 1 << 16
ELEMENT = re.compile(r"<[A-Za-z_]")
# What a placemark looks like, which the city's own styles decide.
KML_LOOKS = (
    "timestamp", "begin", "end", "altitudeMode", "tessellate", "extrude", "visibility", "drawOrder", "icon",
)  # fmt: skip
KML = Gdal(leave_out=KML_LOOKS, config={"LIBKML_USE_HREF": "NO"})
# Nothing is written beside the file, and nothing is looked up elsewhere.
GML = Gdal(options={"WRITE_GFS": "NO", "DOWNLOAD_SCHEMA": "NO", "EXPOSE_FID": "YES"}, key="fid")
GPX = Gdal()
# The empty ones of a recorder's five are no news.
GPX_LAYERS = ("waypoints", "routes", "tracks")


def check_markup(name: str, head: bytes) -> None:
    """Refuse XML that defines entities: a few lines of them unfold to gigabytes, or read other files.

    head: the document's beginning. Raises FormatError.
    """
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    text = head.decode("utf-16" if wide else "latin-1", "replace")
    first = ELEMENT.search(text)
    if "<!DOCTYPE" in (text[: first.start()] if first else text) or "<!ENTITY" in text:
        raise FormatError(f"{name}: defines entities of its own (<!DOCTYPE ...>), which is refused; export it without")


def open_kml(path: Path, reading: Reading) -> list[Source]:
    """The folders of a KML document, one source each. Raises FormatError."""
    _check(path)
    return open_vector(path, reading, KML)


def open_gml(path: Path, reading: Reading) -> list[Source]:
    """The feature types of a GML document. Raises FormatError."""
    _check(path)
    return open_vector(path, reading, GML)


def open_gpx(path: Path, reading: Reading) -> list[Source]:
    """Waypoints, routes and tracks of a recorder, as far as there are any. Raises FormatError."""
    _check(path)
    found = open_vector(path, reading, GPX)
    return [source for source in found if reading.layer or (source.name in GPX_LAYERS and _filled(source))] or found[:1]


def _filled(source: Source) -> bool:
    return next(iter(source.read(1)), None) is not None


def _check(path: Path) -> None:
    with path.open("rb") as file:
        check_markup(path.name, file.read(PROLOGUE))


def _root(*names: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"<(?:[\w.-]+:)?(?:" + b"|".join(names) + rb")[\s>/]")


_KML, _GPX = _root(b"kml"), _root(b"gpx")


def _is_gml(head: bytes) -> bool:
    return b"opengis.net/gml" in head and not _KML.search(head)


FORMATS = (
    Format("KML", (".kml",), lambda head: _KML.search(head) is not None, open_kml),
    Format("GPX", (".gpx",), lambda head: _GPX.search(head) is not None, open_gpx),
    Format("GML", (".gml", ".xml"), _is_gml, open_gml),
)
