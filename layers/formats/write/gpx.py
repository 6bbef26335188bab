"""GPX 1.1 for recorders: points as waypoints, lines and outlines as tracks, with names and properties as a note."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import shapely

from layers.formats.write.degrees import in_degrees
from layers.formats.write.spool import GEOMETRY, Spool

# What XML 1.0 has no way to write.
NO_CHARACTER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
BEGIN = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<gpx version="1.1" creator="CityTwin" xmlns="http://www.topografix.com/GPX/1/1">\n'
)


def write_gpx(spool: Spool, target: Path) -> None:
    """Longitude and latitude, whatever was asked for. Raises ShapesMissing."""
    # The schema wants waypoints before tracks.
    spool.check_shapes()
    with target.open("w", encoding="utf-8") as file:
        file.write(BEGIN)
        for dimension, told in ((0, _waypoint), (1, _track)):
            for batch, shapes in in_degrees(spool):
                for row, shape in zip(batch.drop_columns([GEOMETRY]).to_pylist(), shapes, strict=True):
                    if shape is not None and (shapely.get_dimensions(shape) > 0) == dimension:
                        file.writelines(told(row, shape))
        file.write("</gpx>\n")


def _waypoint(row: dict[str, Any], shape: shapely.Geometry) -> Iterator[str]:
    for point in shapely.get_parts(shape):
        yield f"<wpt {_place(point.x, point.y)}>{_words(row)}</wpt>\n"


def _track(row: dict[str, Any], shape: shapely.Geometry) -> Iterator[str]:
    yield f"<trk>{_words(row)}"
    parts = shapely.get_parts(shape)
    lines = shapely.get_rings(parts) if shapely.get_dimensions(shape) == 2 else parts
    for line in lines:
        points = "".join(f"<trkpt {_place(x, y)}/>" for x, y in shapely.get_coordinates(line).tolist())
        yield f"<trkseg>{points}</trkseg>"
    yield "</trk>\n"


def _place(lon: float, lat: float) -> str:
    return f"lat={quoteattr(f'{lat:.9f}')} lon={quoteattr(f'{lon:.9f}')}"


def _words(row: dict[str, Any]) -> str:
    name = row.get("name") or row.get("object_id")
    told = "; ".join(f"{key}: {value}" for key, value in row.items() if value is not None and key != "name")
    return f"<name>{_written(str(name))}</name><desc>{_written(told)}</desc>"


def _written(text: str) -> str:
    return escape(NO_CHARACTER.sub("", text))
