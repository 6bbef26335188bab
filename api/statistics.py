"""Statistics of a layer for dashboards and scripts, and the table of areas in a boundary."""

import csv
import io
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import orjson
from fastapi import Request, Response
from shapely.geometry.base import BaseGeometry

from api.answers import LIVE, both, json_answer, preferred
from api.bodies import read_boundary
from api.collections import codes_of
from api.documentation import described
from api.errors import BadRequest
from api.exchange import city, exchange
from api.files import place_to_write
from api.links import JSON, link, same_query
from api.parameters import Parameter, Query, one_of, whole_number
from api.routing import PartRouter
from api.selections import SELECTION_PARAMETERS, take_selection
from api.views import as_text
from layers.aggregate import GRID, LEVELS, Answer, Numbers, Question, aggregate, unit_of
from layers.area_table import AreaTable, area_table, boundary_of, checked_boundary, default_by
from layers.catalog import Catalog, Layer
from layers.measure import AREA_UNITS, LENGTH_UNITS, UNITS

CSV = "text/csv"
FORMS = {"json": (JSON, "*/*"), "csv": (CSV,)}
UNIT_NAMES = (*AREA_UNITS, *LENGTH_UNITS)
STATISTICS = ("count", "sum", "mean", "min", "max", "histogram")
PROPERTY = Parameter[str | None](
    "property", "The number property to sum up; without it and without measure, objects are counted.", as_text, None,
    {"type": "string", "example": "height"}, max_length=200,
)  # fmt: skip
MEASURE = Parameter[str | None](
    "measure",
    "What of the geometry to sum up, on the ellipsoid.",
    one_of("area", "length"),
    None,
    {"type": "string", "enum": ["area", "length"]},
)
UNIT = Parameter[str | None](
    "unit",
    "Unit of the measure: m2, ha, mu (亩, 2000/3 m2), km2; m, km.",
    one_of(*UNIT_NAMES),
    None,
    {"type": "string", "enum": list(UNIT_NAMES)},
)
BY = Parameter[str | None](
    "by",
    f"What to group by: a property, an administrative level ({', '.join(LEVELS)}), or {GRID}.",
    as_text,
    None,
    {"type": "string", "example": "class"},
    max_length=200,
)
CELL = Parameter[int](
    "cell", "Side of the grid's cells in metres of the city's metric CRS.", whole_number(10, 100_000), 500,
    {"type": "integer", "minimum": 10, "maximum": 100_000, "default": 500},
)  # fmt: skip


def functions_of(text: str) -> frozenset[str]:
    """Reads a list of statistics; raises ValueError."""
    found = frozenset(part.strip() for part in text.split(","))
    if not found <= set(STATISTICS):
        raise ValueError(f"some of {', '.join(STATISTICS)} are wanted")
    return found


FUNCTIONS = Parameter[frozenset[str]](
    "functions",
    "Which statistics; all but the histogram by default.",
    functions_of,
    frozenset(STATISTICS[:-1]),
    {"type": "array", "items": {"type": "string", "enum": list(STATISTICS)}, "example": ["count", "sum"]},
)
BINS = Parameter[int](
    "bins", "Bins of the histogram.", whole_number(1, 200), 10,
    {"type": "integer", "minimum": 1, "maximum": 200, "default": 10},
)  # fmt: skip
AREA = Parameter[int | None](
    "area", "Id of the administrative area that is the boundary.", whole_number(0, 2**63 - 1), None,
    {"type": "integer", "minimum": 0},
)  # fmt: skip
FORMAT = Parameter[str | None](
    "f", "Format of the answer.", one_of(*FORMS), None, {"type": "string", "enum": list(FORMS)}
)
AGGREGATE: tuple[Parameter[Any], ...] = (
    PROPERTY,
    MEASURE,
    UNIT,
    BY,
    CELL,
    FUNCTIONS,
    BINS,
    *SELECTION_PARAMETERS,
    FORMAT,
)
TABLE: tuple[Parameter[Any], ...] = (BY, UNIT, *SELECTION_PARAMETERS, FORMAT)
RESERVED = frozenset(parameter.name for parameter in (*AGGREGATE, AREA))
BOUNDARY = {
    "required": True,
    "description": "The boundary: a GeoJSON Polygon or MultiPolygon, alone, in a Feature or in a FeatureCollection.",
    "content": {
        "application/geo+json": {
            "schema": {"type": "object", "required": ["type"], "properties": {"type": {"type": "string"}}},
            "example": {
                "type": "Polygon",
                "coordinates": [[[120.95, 28.1], [120.96, 28.1], [120.96, 28.104], [120.95, 28.104], [120.95, 28.1]]],
            },
        }
    },
}
AGGREGATED = {
    "layer": "buildings",
    "property": "height",
    "measure": None,
    "unit": "m",
    "by": "function",
    "total": {"count": 39, "valued": 39, "sum": 781.0, "mean": 20.03, "min": 1.0, "max": 40.0},
    "groups": [
        {"value": "residential", "count": 20, "valued": 20, "sum": 420.0, "mean": 21.0, "min": 2.0, "max": 40.0},
        {"value": "commercial", "count": 19, "valued": 19, "sum": 361.0, "mean": 19.0, "min": 1.0, "max": 37.0},
    ],
}
TABULATED = {
    "layer": "land",
    "by": "code",
    "unit": "ha",
    "rows": [{"value": "0101", "count": 12, "area": 30.5, "share": 0.61}],
    "uncovered": 19.6,
    "overlap": 0.1,
    "boundary": 50.0,
    "residual_m2": 0.0,
}
PATH = "/collections/{layer_id}/area-table"

router = PartRouter(tags=["Statistics"])


@router.get(
    "/collections/{layer_id}/aggregate", **described("getAggregate", *AGGREGATE, kinds=(JSON, CSV), example=AGGREGATED)
)
async def get_aggregate(request: Request, layer_id: str) -> Response:
    """How many objects, how much of what, how spread: in all and by group. Each queryable is a parameter too."""
    met, query = exchange(request), Query(request)
    catalog = await city(request).catalog()
    layer = catalog.layer(layer_id, met.principal)
    form, functions, bins = query.take(FORMAT), query.take(FUNCTIONS), query.take(BINS)
    question = Question(
        query.take(PROPERTY),
        query.take(MEASURE),  # type: ignore[arg-type]
        query.take(UNIT),
        query.take(BY),
        float(query.take(CELL)),
        bins if "histogram" in functions else 0,
    )
    selection = take_selection(query, layer, catalog, RESERVED)
    query.finish()
    async with city(request).reading() as connection:
        answer = await aggregate(connection, selection, catalog, met.principal, question)
    groups = [_key(name, layer, catalog, question, answer) | _told(numbers, functions, question)
              for name, numbers in answer.groups.items()]  # fmt: skip
    if (form or preferred(request, FORMS, "json")) == "csv":
        return _csv(layer, "aggregate", groups or [_told(answer.whole, functions, question)])
    document: dict[str, Any] = {
        "layer": layer.id,
        "property": question.value,
        "measure": question.measure,
        "unit": unit_of(layer, question),
        "by": question.by,
        "total": _told(answer.whole, functions, question),
        "groups": groups,
    }
    if question.bins:
        document["edges"] = answer.edges
    if question.by == GRID:
        document["grid"] = {"crs": f"EPSG:{catalog.city.metric_srid}", "cell_m": question.cell}
    return json_answer(document | {"links": _links(request, layer, "aggregate")})


@router.get(PATH, **described("getAreaTable", AREA, *TABLE, kinds=(JSON, CSV), example=TABULATED))
async def get_area_table(request: Request, layer_id: str) -> Response:
    """Areas by class within an administrative area, closing to its own; as the POST of a boundary."""
    query = Query(request)
    object_id = query.take(AREA)
    if object_id is None:
        raise BadRequest("area: the id of an administrative area is wanted; or POST a boundary")
    catalog = await city(request).catalog()
    async with city(request).reading() as connection:
        boundary = await boundary_of(connection, catalog, exchange(request).principal, object_id)
    return await _tabulated(request, layer_id, query, boundary)


@router.post(PATH, **described("postAreaTable", *TABLE, kinds=(JSON, CSV), body=BOUNDARY, example=TABULATED))
async def post_area_table(request: Request, layer_id: str) -> Response:
    """Areas by class within a boundary: with what nothing covers and what lies over another, they close to its own."""
    query = Query(request)
    boundary = await read_boundary(request, await city(request).catalog())
    return await _tabulated(request, layer_id, query, boundary)


async def _tabulated(request: Request, layer_id: str, query: Query, boundary: BaseGeometry) -> Response:
    principal = exchange(request).principal
    catalog = await city(request).catalog()
    layer = catalog.layer(layer_id, principal)
    form, by, unit = query.take(FORMAT), query.take(BY) or default_by(layer), query.take(UNIT) or "m2"
    if unit not in AREA_UNITS:
        raise BadRequest(f"unit={unit}: one of {', '.join(AREA_UNITS)} is wanted")
    selection = take_selection(query, layer, catalog, RESERVED)
    query.finish()
    outline = checked_boundary(boundary)
    async with place_to_write(request), city(request).reading() as connection:
        table = await area_table(connection, selection, catalog, principal, outline, by=by)
    lines = _lines(table, unit, by, layer, catalog)
    if (form or preferred(request, FORMS, "json")) == "csv":
        return _csv(layer, "area-table", lines)
    ends = {"uncovered": table.uncovered_m2, "overlap": table.overlap_m2, "boundary": table.boundary_m2}
    return json_answer(
        {
            "layer": layer.id,
            "by": by,
            "unit": unit,
            "rows": [line for line in lines if "row" not in line],
            **{name: area / UNITS[unit] for name, area in ends.items()},
            "residual_m2": table.residual_m2,
            "links": _links(request, layer, "area-table"),
        }
    )


def _lines(table: AreaTable, unit: str, by: str, layer: Layer, catalog: Catalog) -> list[dict[str, Any]]:
    """The rows of the table, and under them what closes it, marked by `row`."""
    whole = table.boundary_m2
    found = [
        {**_titled(row.value, by, layer, catalog), "count": row.count, "area": row.area_m2 / UNITS[unit],
         "share": row.area_m2 / whole}
        for row in table.rows
    ]  # fmt: skip
    ends = (("uncovered", table.uncovered_m2), ("overlap", -table.overlap_m2), ("boundary", whole))
    return found + [{"row": name, "area": area / UNITS[unit], "share": area / whole} for name, area in ends]


def _titled(value: Hashable, by: str, layer: Layer, catalog: Catalog) -> dict[str, Any]:
    attribute = layer.property(by)
    code = codes_of(attribute, layer, catalog).get(str(value)) if attribute and value is not None else None
    return {"value": value, **({"title": both(code.title)} if code else {})}


def _key(name: Hashable, layer: Layer, catalog: Catalog, question: Question, answer: Answer) -> dict[str, Any]:
    if isinstance(name, tuple):
        column, row = name
        return {"value": [column, row], "corner": [column * question.cell, row * question.cell]}
    if name in answer.names:
        zh, en = answer.names[str(name)]
        return {"value": name, "title": {"zh": zh or en, "en": en or zh}}
    return _titled(name, question.by or "", layer, catalog)


def _told(numbers: Numbers, functions: Iterable[str], question: Question) -> dict[str, Any]:
    told: dict[str, Any] = {"count": numbers.count}
    if question.value is not None or question.measure is not None:
        told |= {
            "valued": numbers.valued,
            "sum": numbers.total,
            "mean": numbers.mean,
            "min": numbers.least,
            "max": numbers.greatest,
            "histogram": numbers.histogram,
        }
    wanted = {*functions, "valued"}
    return {name: value for name, value in told.items() if name in wanted}


def _csv(layer: Layer, name: str, lines: Sequence[dict[str, Any]]) -> Response:
    """A table for a spreadsheet: UTF-8 with a byte order mark, titles in columns of their own."""
    flat = [_flat(line) for line in lines]
    columns = list(dict.fromkeys(column for line in flat for column in line))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="")
    writer.writeheader()
    writer.writerows(flat)
    headers = {**LIVE, "Content-Disposition": f'attachment; filename="{layer.id}-{name}.csv"'}
    return Response(text.getvalue().encode("utf-8-sig"), 200, headers, f"{CSV}; charset=utf-8")


def _flat(line: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in line.items():
        if isinstance(value, dict):
            found |= {f"{name}_{part}": each for part, each in value.items()}
        elif isinstance(value, list | tuple):
            found[name] = orjson.dumps(value).decode()
        else:
            found[name] = value
    return found


def _links(request: Request, layer: Layer, name: str) -> list[dict[str, Any]]:
    address = f"{exchange(request).base}/collections/{layer.id}"
    return [
        link("self", same_query(request, f"{address}/{name}"), JSON, "This document"),
        link("alternate", same_query(request, f"{address}/{name}", f="csv"), CSV, "For a spreadsheet"),
        link("collection", f"{address}?f=json", JSON, layer.title.en),
    ]
