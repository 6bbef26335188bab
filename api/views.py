"""Which city is looked at: the parameters of time, plan, place and condition that every reader shares."""

import math
from typing import Any

from api.crs import offered_crs
from api.errors import BadRequest
from api.parameters import Parameter, Query, one_of, whole_number
from layers.catalog import Catalog
from layers.filter_shapes import in_degrees
from layers.filters import MAX_LENGTH, Filter, Language, parse_filter
from layers.view import View, parse_interval, parse_moment


def parse_bbox(text: str) -> tuple[float, ...]:
    """Four numbers, or six of which the heights are passed over; raises ValueError."""
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) not in (4, 6) or not all(map(math.isfinite, numbers)):
        raise ValueError("four numbers are wanted: west,south,east,north (six with heights)")
    return numbers


def as_text(text: str) -> str:
    return text


BBOX = Parameter[tuple[float, ...] | None](
    "bbox",
    "Only what touches this box: west,south,east,north in degrees, or as bbox-crs says. West > east crosses the"
    " antimeridian.",
    parse_bbox,
    None,
    {
        "type": "array",
        "items": {"type": "number"},
        "minItems": 4,
        "maxItems": 6,
        "example": [120.97, 28.11, 120.98, 28.12],
    },
)
DATETIME = Parameter[str | None](
    "datetime",
    "When it is true in the world: a moment, a date (in the city's time zone), or an interval start/end, .. for open.",
    as_text,
    None,
    {"type": "string", "example": "2015-06-01"},
    max_length=100,
)
RECORDED = Parameter[str | None](
    "recorded",
    "As the model knew it at that moment, or at the end of that date.",
    as_text,
    None,
    {"type": "string", "example": "2026-01-01"},
    max_length=50,
)
PLAN = Parameter[int | None](
    "plan",
    "With this plan's changes, by its id.",
    whole_number(1, 2**31 - 1),
    None,
    {"type": "integer", "minimum": 1, "maximum": 2**31 - 1},
)
FILTER = Parameter[str | None](
    "filter",
    "A CQL2 condition on the layer's queryables, e.g. height > 10.",
    as_text,
    None,
    {"type": "string", "example": "height > 20 AND function = 'residential'"},
    max_length=MAX_LENGTH,
)
LANGUAGES = ("cql2-text", "cql2-json")
FILTER_LANG = Parameter[str | None](
    "filter-lang", "Language of the filter.", one_of(*LANGUAGES), None, {"type": "string", "enum": list(LANGUAGES)}
)
FILTER_CRS = Parameter[str | None](
    "filter-crs",
    "CRS of the geometries in the filter, with its axes in their own order; CRS84 by default.",
    as_text,
    None,
    {"type": "string", "format": "uri"},
    max_length=200,
)
VIEW_PARAMETERS: tuple[Parameter[Any], ...] = (DATETIME, RECORDED, PLAN)
FILTER_PARAMETERS: tuple[Parameter[Any], ...] = (FILTER, FILTER_LANG, FILTER_CRS)


def take_view(query: Query, catalog: Catalog) -> View:
    """The view that a query asks for. Raises DatetimeError, BadRequest."""
    datetime, recorded, plan = query.take(DATETIME), query.take(RECORDED), query.take(PLAN)
    if plan is not None and plan not in catalog.plans:
        raise BadRequest(f"plan={plan}: the city has no such plan")
    return View(
        None if datetime is None else parse_interval(datetime, catalog.zone),
        None if recorded is None else parse_moment(recorded, catalog.zone),
        plan,
    )


def take_filter(query: Query, catalog: Catalog) -> Filter | None:
    """The CQL2 filter of a query. Raises FilterError, BadRequest, NoWay."""
    source, language = query.take(FILTER), query.take(FILTER_LANG)
    crs = offered_crs(query.take(FILTER_CRS), FILTER_CRS, catalog)
    if source is None:
        return None
    # A client that names no language means text, unless it plainly wrote JSON (OGC API Features Part 3, 7.4).
    guessed: Language = "cql2-json" if source.lstrip().startswith("{") else "cql2-text"
    wanted = parse_filter(
        source, "cql2-json" if language == "cql2-json" else guessed if language is None else "cql2-text"
    )
    return in_degrees(wanted, crs)
