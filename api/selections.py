"""Which objects of a layer are meant, and what is told of them: what items, files and statistics are asked alike."""

from dataclasses import dataclass
from typing import Any

from api.crs import BBOX_CRS, CRS, take_box, take_crs
from api.errors import BadRequest
from api.parameters import Parameter, Query
from api.views import BBOX, FILTER_PARAMETERS, VIEW_PARAMETERS, as_text, take_filter, take_view
from layers.catalog import Catalog, Layer
from layers.features import OBJECT_ID, Sort, Telling, sorts_by, tellable
from layers.filters import Filter, all_of, property_equals
from layers.query import Selection


def truth(text: str) -> bool:
    """Reads true or false; raises ValueError."""
    if text.lower() not in ("true", "false"):
        raise ValueError("true or false is wanted")
    return text.lower() == "true"


SORTBY = Parameter[str | None](
    "sortby",
    "Properties to sort by, each with - before it to descend; by id otherwise.",
    as_text,
    None,
    {"type": "string", "example": "-height,name"},
    max_length=400,
)
PROPERTIES = Parameter[str | None](
    "properties",
    "Only these properties, by comma; all by default, none for an empty value.",
    as_text,
    None,
    {"type": "string", "example": "class,name"},
    max_length=4_000,
)
SKIP_GEOMETRY = Parameter[bool](
    "skipGeometry", "Without geometry.", truth, False, {"type": "boolean", "default": False}
)
SELECTION_PARAMETERS: tuple[Parameter[Any], ...] = (BBOX, BBOX_CRS, *VIEW_PARAMETERS, *FILTER_PARAMETERS)
TELLING_PARAMETERS: tuple[Parameter[Any], ...] = (CRS, PROPERTIES, SKIP_GEOMETRY)


@dataclass(frozen=True)
class Wanted:
    """Objects, their order, and what is told of each."""

    selection: Selection
    sorts: tuple[Sort, ...]
    telling: Telling


def take_selection(query: Query, layer: Layer, catalog: Catalog, taken: frozenset[str]) -> Selection:
    """The objects that a query means. taken: names of the resource's own parameters, which mean no property."""
    view, cql2 = take_view(query, catalog), take_filter(query, catalog)
    bbox, inside = take_box(query, BBOX, catalog)
    return Selection(layer, view, all_of(cql2, inside, *_property_filters(query, layer, taken)), bbox)


def take_wanted(query: Query, layer: Layer, catalog: Catalog, taken: frozenset[str]) -> Wanted:
    """Objects, order and telling that a query means. Raises BadRequest, SortError, FilterError."""
    sortby = query.take(SORTBY)
    telling = take_telling(query, layer, catalog)
    selection = take_selection(query, layer, catalog, taken)
    return Wanted(selection, () if sortby is None else sorts_by(layer, sortby), telling)


def take_telling(query: Query, layer: Layer, catalog: Catalog) -> Telling:
    """What a query wants told. Raises BadRequest."""
    crs, names, bare = take_crs(query, catalog), query.take(PROPERTIES), query.take(SKIP_GEOMETRY)
    if names is None:
        return Telling(None, not bare, crs)
    wanted = frozenset(name.strip() for name in names.split(",") if name.strip())
    if unknown := wanted.difference(tellable(layer)):
        raise BadRequest(
            f"properties: {layer.id} has no {', '.join(sorted(unknown))}; it has {', '.join(tellable(layer))}"
        )
    return Telling(wanted, not bare, crs)


def _property_filters(query: Query, layer: Layer, taken: frozenset[str]) -> list[Filter]:
    """Conditions from parameters that are named like a property (Part 3, queryables as query parameters)."""
    own = {attribute.name: attribute for attribute in (OBJECT_ID, *layer.properties) if attribute.name not in taken}
    return [property_equals(own[name], text) for name, text in query.take_named(own).items()]
