"""DXF of release 12, which every drawing program reads: a drawing layer for each class, names as texts.

Texts are in GBK, as the header says (ANSI_936); what GBK has no letter for is written as \\U+XXXX, which the programs
read as that letter (AutoCAD DXF Reference, Text).
"""

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import shapely

from layers.formats.write.spool import GEOMETRY, Spool

HEADER = ((0, "SECTION"), (2, "HEADER"), (9, "$ACADVER"), (1, "AC1009"), (9, "$DWGCODEPAGE"), (3, "ANSI_936"),
          (0, "ENDSEC"), (0, "SECTION"), (2, "ENTITIES"))  # fmt: skip
END = ((0, "ENDSEC"), (0, "EOF"))
# Height of the texts in metres; in degrees as much as a metre is.
TEXT_HEIGHT = 2.0
METRES_PER_DEGREE = 111_320.0
CLOSED = 1

Group = tuple[int, object]


def write_dxf(spool: Spool, target: Path) -> None:
    """Outlines and lines as polylines, points as points, x east in the CRS asked for. Raises ShapesMissing."""
    spool.check_shapes()
    codecs.register_error("drawn", _spelt)
    height = TEXT_HEIGHT / METRES_PER_DEGREE if spool.crs.is_geographic else TEXT_HEIGHT
    with target.open("w", encoding="gbk", errors="drawn", newline="\r\n") as file:
        file.writelines(_lines(HEADER))
        for batch in spool.batches():
            shapes = shapely.from_wkb(batch.column(GEOMETRY).to_pylist())
            for row, shape in zip(batch.drop_columns([GEOMETRY]).to_pylist(), shapes, strict=True):
                if shape is not None:
                    file.writelines(_lines(_entities(row, shape, height)))
        file.writelines(_lines(END))


def _entities(row: dict[str, Any], shape: shapely.Geometry, height: float) -> Iterator[Group]:
    layer = _plain(row.get("class") or "0")
    for part in shapely.get_parts(shape):
        if part.geom_type == "Point":
            yield from ((0, "POINT"), (8, layer), (10, part.x), (20, part.y), (30, 0.0))
        else:
            area = part.geom_type == "Polygon"
            for line in shapely.get_rings(part) if area else [part]:
                yield from _polyline(layer, shapely.get_coordinates(line).tolist(), closed=area)
    if name := row.get("name"):
        at = shapely.point_on_surface(shape)
        yield from ((0, "TEXT"), (8, layer), (10, at.x), (20, at.y), (30, 0.0), (40, height), (1, _plain(name)))


def _polyline(layer: str, points: list[list[float]], *, closed: bool) -> Iterator[Group]:
    yield from ((0, "POLYLINE"), (8, layer), (66, 1), (70, CLOSED if closed else 0))
    for x, y in points[:-1] if closed else points:
        yield from ((0, "VERTEX"), (8, layer), (10, x), (20, y), (30, 0.0))
    yield 0, "SEQEND"


def _plain(text: object) -> str:
    """A text of one line: a line break would begin a group of its own."""
    return " ".join(str(text).split())[:250]


def _lines(groups: Iterator[Group] | tuple[Group, ...]) -> Iterator[str]:
    for code, value in groups:
        yield f"{code}\n{value!r}\n" if isinstance(value, float) else f"{code}\n{value}\n"


def _spelt(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    lost = error.object[error.start : error.end]
    return "".join(f"\\U+{ord(letter):04X}" for letter in lost), error.end
