"""A run's inputs in words: what is not as it comes, with the titles, choices and units of the form."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

import pyproj
from pydantic import BaseModel
from shapely.geometry import shape

GEOD = pyproj.Geod(ellps="WGS84")


@dataclass(frozen=True)
class Reader:
    """For whom inputs are told. word: yes, no, line, area, values, each in the reader's language."""

    lang: str
    zone: tzinfo | None
    word: Mapping[str, str]


def inputs_told(inputs: BaseModel, reader: Reader) -> list[tuple[str, str]]:
    """Title and value of each input that differs from what stands without it."""
    return [(title, told) for title, told, usual in _fields(inputs, reader) if not usual]


def _fields(inputs: BaseModel, reader: Reader) -> Iterator[tuple[str, str, bool]]:
    """Title, value, and whether it is as it comes."""
    lang = reader.lang
    for name, info in type(inputs).model_fields.items():
        value, extra = getattr(inputs, name), info.json_schema_extra
        assert isinstance(extra, dict)
        words: Any = extra
        unit = _unit(words.get("x-unit", ""))
        told = words.get("x-choices", {}).get(value, {}).get(lang) if isinstance(value, str) else None
        usual = not info.is_required() and value == info.get_default(call_default_factory=True)
        yield words["x-title"][lang], told or _told(value, unit, reader), usual


def _told(value: Any, unit: str, reader: Reader) -> str:
    word = reader.word
    match value:
        case bool():
            return word["yes" if value else "no"]
        case int() | float():
            return f"{value:g} {unit}".strip()
        case datetime():
            return f"{value.astimezone(reader.zone):%Y-%m-%d %H:%M}"
        case BaseModel():
            return ", ".join(f"{title} {told}" for title, told in inputs_told(value, reader))
        case {"type": _, "coordinates": _}:
            return _shape(value, word)
        case [(float(), float()), *_]:
            most = max(row[1] for row in value)
            return word["values"].format(count=len(value), most=f"{most:g} {unit}".strip())
        case list() | tuple():
            return "; ".join(_told(each, unit, reader) for each in value)
        case _:
            return str(value)


def _shape(geometry: dict[str, Any], word: Mapping[str, str]) -> str:
    """Where a point is; how long a line, how large an area is."""
    found: Any = shape(geometry)
    if found.geom_type == "Point":
        return f"{found.x:.5f}, {found.y:.5f}"
    if found.geom_type == "LineString":
        return word["line"].format(metres=f"{GEOD.geometry_length(found):,.0f}")
    return word["area"].format(km2=f"{abs(GEOD.geometry_area_perimeter(found)[0]) / 1e6:.2f}")


def _unit(ucum: str) -> str:
    return "" if ucum == "1" else ucum.replace("km2", "km²").replace("m3", "m³")
