"""The coordinate text of Chinese land surveys (勘测定界界址点坐标): [属性描述], then parcels under [地块坐标].

A parcel is a line that ends in @, followed by its boundary points: number, ring, X to the north, Y to the east (部令
《建设用地审查报批管理办法》附件, 国土资源部 2010 电子报盘格式 1.01).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import shapely

from layers.formats import encoding
from layers.formats.source import GEOMETRY, Format, FormatError, Reading, Source

ATTRIBUTES, PARCELS = "[属性描述]", "[地块坐标]"
HEADINGS = ("界址点数", "地块面积", "地块编号", "地块名称", "图形属性", "图幅号", "地块用途", "地类编码")
LARGEST = 256 << 20
# EPSG codes of the first belt: by width in degrees, with the belt's number before the easting, and without.
# First belts: 3 degrees from 25 (75 E), 6 degrees from 13 (75 E).
BELTS = {
    ("2000", 3): (4513, 4534), ("2000", 6): (4491, 4502),
    ("80", 3): (2349, 2370), ("80", 6): (2327, 2338),
    ("54", 3): (2401, 2422), ("54", 6): (21413, 21453),
}  # fmt: skip
FIRST_BELT = {3: 25, 6: 13}
BELT = 1_000_000.0
DATUMS = (("2000", r"2000|CGCS"), ("80", r"80|西安"), ("54", r"54|北京"))
SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in HEADINGS[2:]),
        ("地块面积", pa.float64()),
        (GEOMETRY, pa.binary()),
    ]
)


@dataclass(frozen=True)
class Survey:
    """The parcels of a survey, x east."""

    name: str
    crs: str | None
    rows: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]
    schema: pa.Schema = SCHEMA

    @property
    def count(self) -> int:
        return len(self.rows)

    def read(self, rows: int = 10_000) -> Iterator[pa.RecordBatch]:
        for start in range(0, len(self.rows), rows):
            yield pa.RecordBatch.from_pylist(list(self.rows[start : start + rows]), schema=self.schema)


def open_survey(path: Path, reading: Reading) -> list[Source]:
    """The parcels in a survey's text. Raises FormatError with the line that cannot be read."""
    if path.stat().st_size > LARGEST:
        raise FormatError(f"{path.name}: {path.stat().st_size >> 20} MB, {LARGEST >> 20} at most; cut it into parts")
    choice = encoding.choose(path.name, encoding.whole(path), [], reading.encoding)
    lines = path.read_bytes().decode(choice.encoding).removeprefix("\ufeff").splitlines()
    stated = _stated(lines)
    parcels = tuple(_parcels(path, lines))
    if not parcels:
        raise FormatError(f"{path.name}: no parcel under {PARCELS}")
    crs = reading.crs or _crs(path, stated, max(east for east, _ in _first_points(parcels)))
    notes = (*encoding.note(choice), "X read as north and Y as east, as land surveys write them")
    return [Survey(path.stem, crs, parcels, notes)]


def _stated(lines: list[str]) -> dict[str, str]:
    begin = next(number for number, line in enumerate(lines) if line.strip() == ATTRIBUTES)
    found = {}
    for line in lines[begin + 1 :]:
        if line.strip().startswith("["):
            break
        name, _, value = line.partition("=")
        found[name.strip()] = value.strip()
    return found


def _crs(path: Path, stated: dict[str, str], east: float) -> str:
    """The CRS that the survey states by datum, width and number of its belt."""
    system = stated.get("坐标系", "")
    datum = next((name for name, spelt in DATUMS if re.search(spelt, system, re.IGNORECASE)), None)
    width, belt = stated.get("几度分带", ""), stated.get("带号", "")
    if datum is None or width not in ("3", "6") or not belt.isdigit():
        raise FormatError(
            f"{path.name}: states 坐标系={system}, 几度分带={width}, 带号={belt}, which is no belt of a known datum;"
            " name its CRS with --crs"
        )
    number = int(belt) - FIRST_BELT[int(width)]
    if not 0 <= number <= (20 if width == "3" else 10):
        raise FormatError(f"{path.name}: 带号={belt} is no {width}-degree belt of China; name its CRS with --crs")
    if east >= BELT and int(east // BELT) != int(belt):
        raise FormatError(
            f"{path.name}: states 带号={belt}, but its eastings ({east:.2f}) begin with {int(east // BELT)}; ask who"
            " surveyed it, then name the CRS with --crs"
        )
    return f"EPSG:{BELTS[datum, int(width)][0 if east >= BELT else 1] + number}"


def _parcels(path: Path, lines: list[str]) -> Iterator[dict[str, Any]]:
    begin = next((number for number, line in enumerate(lines) if line.strip() == PARCELS), len(lines))
    heading: list[str] | None = None
    points: list[tuple[str, float, float]] = []
    for number, line in enumerate(lines[begin + 1 :], start=begin + 2):
        parts = [part.strip() for part in line.replace("，", ",").split(",")]
        if parts == [""]:
            continue
        if parts[-1].endswith("@"):
            if heading is not None:
                yield _parcel(path, heading, points)
            heading, points = [*parts[:-1], parts[-1].removesuffix("@")], []
            continue
        points.append(_point(path, number, parts, known=heading is not None))
    if heading is not None:
        yield _parcel(path, heading, points)


def _point(path: Path, number: int, parts: list[str], *, known: bool) -> tuple[str, float, float]:
    try:
        _, ring, north, east = parts[:4]
        point = ring, float(east), float(north)
    except ValueError:
        point = None
    if point is None or not known:
        raise FormatError(
            f"{path.name}, line {number}: {','.join(parts)[:60]!r} is no boundary point (number, ring, X, Y)"
            + ("" if known else " of a parcel, whose line ends in @")
        )
    return point


def _parcel(path: Path, heading: list[str], points: list[tuple[str, float, float]]) -> dict[str, Any]:
    values: dict[str, Any] = {name: value or None for name, value in zip(HEADINGS, heading, strict=False)}
    values.pop("界址点数")
    values["地块面积"] = _number(str(values.get("地块面积") or ""))
    rings: dict[str, list[tuple[float, float]]] = {}
    for ring, east, north in points:
        rings.setdefault(ring, []).append((east, north))
    named = f"{path.name}: parcel {values.get('地块编号') or values.get('地块名称') or '?'}"
    if not rings:
        raise FormatError(f"{named} has no boundary points")
    kind = str(values.get("图形属性") or "面")
    values[GEOMETRY] = shapely.to_wkb(_shape(named, kind, list(rings.values())))
    return values


def _shape(named: str, kind: str, rings: list[list[tuple[float, float]]]) -> shapely.Geometry:
    if kind == "点":
        return shapely.MultiPoint([point for ring in rings for point in ring])
    if kind == "线":
        return shapely.MultiLineString([ring for ring in rings if len(ring) > 1])
    if any(len(set(ring)) < 3 for ring in rings):
        raise FormatError(f"{named}: a ring of fewer than three points")
    outer, *others = [shapely.Polygon(ring) for ring in rings]
    # The rings after the first are holes where they lie in it, else further areas of the same parcel.
    holes = [other for other in others if outer.is_valid and outer.contains(other.representative_point())]
    apart = [other for other in others if other not in holes]
    whole = shapely.Polygon(outer.exterior, [hole.exterior for hole in holes])
    return shapely.MultiPolygon([whole, *apart])


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _first_points(parcels: tuple[dict[str, Any], ...]) -> Iterator[tuple[float, float]]:
    for parcel in parcels:
        yield shapely.get_coordinates(shapely.from_wkb(parcel[GEOMETRY]))[0]


def _is_survey(head: bytes) -> bool:
    return any(ATTRIBUTES.encode(codec) in head for codec in ("utf-8", "gb18030"))


FORMAT = Format("survey coordinates", (".txt",), _is_survey, open_survey)
