"""What a GetFeature asks for: feature types, conditions, order, properties and CRS (OGC 09-025r2, 7.9; 04-094, 9)."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from api.crs import offered
from api.ows.fault import INVALID, MISSING, Fault
from api.views import PLAN
from api.wfs.call import Call
from api.wfs.faults import NO_OPTION
from layers.catalog import Catalog, Layer, LayerNotFound
from layers.crs import UnknownCrs, storage_crs
from layers.ecql import parse_ecql, split_filters
from layers.features import MOST_SORTS, Sort, SortError, Telling, sortables
from layers.fes import objects_of, parse_fes
from layers.fields import GEOMETRY, ID, fields_of
from layers.filter_shapes import in_degrees
from layers.filters import Filter, FilterError, all_of
from layers.query import Bbox, Selection
from layers.srs_name import SrsName, official_name, parse_srs_name
from layers.view import View, parse_interval, parse_moment
from layers.xml import MAX_BYTES

MOST_QUERIES = 64
# Between the filters of several queries: no text in XML holds an unescaped < after a bracket.
BETWEEN = re.compile(r"\)\s*\((?=\s*(?:<|\)|\Z))")
GROUPS = re.compile(r"\(([^()]*)\)")


@dataclass(frozen=True)
class Query:
    """What is asked of one feature type. bbox: degrees, x (east) first. telling: its geometry stands in `srs`."""

    layer: Layer
    bbox: Bbox | None
    filter: Filter | None
    sorts: tuple[Sort, ...]
    telling: Telling
    srs: SrsName

    def selection(self, view: View) -> Selection:
        return Selection(self.layer, view, self.filter, self.bbox)


def take_queries(call: Call) -> list[Query]:
    """The queries of a request; none where it names ids alone and no layer has them.

    Raises Fault, FilterError, XmlError, UnknownCrs, NoWay, SortError.
    """
    if call.kvp.get("JOIN") is not None:
        raise Fault(NO_OPTION, "joins are not offered", "typeNames")
    names, ids = _type_names(call), _identifiers(call)
    if not names and ids is None:
        raise Fault(MISSING, "typeNames is missing; GetCapabilities lists the feature types", "typeNames")
    if not names:
        names = list(dict.fromkeys(each.rpartition(".")[0] for each in ids or ()))
        layers = [layer for name in names if (layer := _layer_or_none(name, call)) is not None]
    else:
        layers = [layer_named(name, call) for name in names]
    count = len(layers)
    bbox, inside = _box(call)
    filters = _filters(call, layers, ids, inside)
    srs_names = [take_srs(text, call) for text in _each(call, "SRSNAME", count)]
    properties, sorts = _each(call, "PROPERTYNAME", count), _each(call, "SORTBY", count)
    return [
        Query(layer, bbox, wanted, _sorts(layer, sort), _telling(layer, text, srs), srs)
        for layer, wanted, sort, text, srs in zip(layers, filters, sorts, properties, srs_names, strict=True)
    ]


def check_resolve(call: Call) -> None:
    """Whether references are to be followed (09-025r2, 7.6.4): within the city there are none. Raises Fault."""
    asked = call.kvp.get("RESOLVE")
    if not call.dialect.is_newest or asked is None or asked in ("none", "local"):
        return
    if asked in ("remote", "all"):
        raise Fault(NO_OPTION, f"resolve={asked}: what lies on other servers is not fetched", "resolve")
    raise Fault(INVALID, f"resolve={asked[:40]!r}: none or local", "resolve")


def take_view(call: Call) -> View:
    """The vendor parameters DATETIME, RECORDED and PLAN. Raises DatetimeError, Fault, BadRequest."""
    valid, recorded, plan = (call.kvp.get(name) for name in ("DATETIME", "RECORDED", "PLAN"))
    number = None if plan is None else PLAN.read(plan)
    if number is not None and number not in call.catalog.plans:
        raise Fault(INVALID, f"plan={number}: the city has no such plan", "plan")
    zone = call.catalog.zone
    return View(
        None if valid is None else parse_interval(valid, zone),
        None if recorded is None else parse_moment(recorded, zone),
        number,
    )


def type_names(call: Call) -> list[Layer]:
    """The feature types that TYPENAMES names, each once. Raises Fault."""
    named = (layer_named(name, call) for name in _type_names(call))
    return list({layer.id: layer for layer in named}.values())


def layer_named(name: str, call: Call) -> Layer:
    """The feature type of a name, whatever prefix it stands under. Raises Fault."""
    plain = name.strip().rpartition(":")[2]
    try:
        return call.catalog.layer(plain, call.principal)
    except LayerNotFound:
        detail = f"no feature type {name[:80]!r}; GetCapabilities lists those there are"
        raise Fault(INVALID, detail, "typeNames") from None


def default_srs(catalog: Catalog) -> SrsName:
    """The CRS in which features come unless another is asked for: the city's own."""
    return official_name(storage_crs(catalog))


def _layer_or_none(name: str, call: Call) -> Layer | None:
    return next((layer for layer in call.layers() if layer.id == name), None)


def _type_names(call: Call) -> list[str]:
    """TYPENAMES: one name, several with commas between them, or lists of lists in brackets. Raises Fault."""
    text = call.kvp.first("TYPENAMES", "TYPENAME")
    if text is None:
        return []
    groups = GROUPS.findall(text) if text.startswith("(") else [text]
    names = [name.strip() for group in groups for name in group.split(",") if name.strip()]
    if len(names) > MOST_QUERIES:
        raise Fault(INVALID, f"{len(names)} feature types; at most {MOST_QUERIES} are read at once", "typeNames")
    return names


def _identifiers(call: Call) -> list[str] | None:
    text = call.kvp.first("RESOURCEID", "FEATUREID", "GMLOBJECTID")
    return None if text is None else [each.strip(" ()") for each in text.split(",")]


def _each(call: Call, name: str, count: int) -> list[str | None]:
    """A parameter's value for each query: one for all, or as many in brackets as there are queries. Raises Fault."""
    text = call.kvp.get(name)
    if text is None or not text.startswith("("):
        return [text] * count
    values = [group.strip() or None for group in GROUPS.findall(text)]
    if len(values) == 1:
        values *= count
    if len(values) != count:
        raise Fault(INVALID, f"{name}: {len(values)} lists for {count} feature types; one for each", name)
    return values


def _filters(call: Call, layers: Sequence[Layer], ids: list[str] | None, inside: Filter | None) -> list[Filter | None]:
    """Conditions. BBOX, FILTER and RESOURCEID exclude each other (09-025r2, table 10). Raises Fault, FilterError."""
    given = [name for name in ("FILTER", "BBOX", "RESOURCEID", "FEATUREID") if call.kvp.get(name) is not None]
    if len(given) > 1:
        raise Fault(INVALID, f"{' and '.join(given)} exclude each other; put all into the filter", given[-1])
    found = zip(_in_xml(call, layers), _in_text(call, len(layers)), strict=True)
    return [
        all_of(xml, text, inside, None if ids is None else _identified(ids, layer))
        for (xml, text), layer in zip(found, layers, strict=True)
    ]


def _in_xml(call: Call, layers: Sequence[Layer]) -> list[Filter | None]:
    source = call.kvp.get("FILTER")
    if source is None:
        return [None] * len(layers)
    texts = BETWEEN.split(source.strip()[1:-1]) if source.lstrip().startswith("(") else [source]
    if len(texts) == 1:
        texts *= len(layers)
    if len(texts) != len(layers):
        raise Fault(INVALID, f"{len(texts)} filters for {len(layers)} feature types; one for each", "filter")
    if (size := sum(map(len, texts))) > MAX_BYTES:
        raise Fault(INVALID, f"filters of {size} characters for {len(layers)} feature types; ask for fewer", "filter")
    srs = default_srs(call.catalog)
    return [
        parse_fes(text.encode(), fields_of(layer), srs) if text.strip() else None
        for text, layer in zip(texts, layers, strict=True)
    ]


def _in_text(call: Call, count: int) -> list[Filter | None]:
    """CQL_FILTER as GeoServer's users know it, semicolons between those of several types."""
    source = call.kvp.get("CQL_FILTER")
    if source is None:
        return [None] * count
    texts = [text.strip() for text in split_filters(source)]
    if len(texts) == 1:
        texts *= count
    if len(texts) != count:
        raise FilterError(f"CQL_FILTER: {len(texts)} filters for {count} feature types; one for each, ; between them")
    return [parse_ecql(text) if text else None for text in texts]


def _box(call: Call) -> tuple[Bbox | None, Filter | None]:
    """BBOX: two corners, and the CRS whose order of axes they follow, by default the feature types' own.

    A box in degrees, or where its sides bend in degrees the filter that says the same. Raises Fault, NoWay.
    """
    text = call.kvp.get("BBOX")
    if text is None:
        return None, None
    parts = text.strip("()").split(",")
    is_named = len(parts) in (5, 7)
    try:
        srs = parse_srs_name(parts.pop()) if is_named else default_srs(call.catalog)
    except UnknownCrs as error:
        raise Fault(INVALID, f"bbox={text[:80]!r}: {error}", "bbox") from None
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) not in (4, 6) or not all(map(math.isfinite, numbers)):
        raise Fault(INVALID, f"bbox={text[:80]!r}: four numbers are wanted, and a CRS if another than the own", "bbox")
    one, two, three, four = numbers if len(numbers) == 4 else (*numbers[:2], *numbers[3:5])
    official = srs.to_official((one, two, three, four))
    west, south, east, north = srs.crs.to_xy(official)
    if srs.crs.is_geographic and max(abs(west), abs(east)) <= 180 and -90 <= south <= north <= 90:
        return (west, south, east, north), None
    inside = {"op": "s_intersects", "args": [{"property": GEOMETRY}, {"bbox": list(official)}]}
    try:
        return None, in_degrees(Filter(inside), srs.crs)
    except FilterError as error:
        raise Fault(INVALID, f"bbox={text[:80]!r}: {error}", "bbox") from None


def _identified(ids: list[str], layer: Layer) -> Filter:
    return Filter({"op": "in", "args": [{"property": ID}, objects_of(ids, layer.id)]})


def take_srs(text: str | None, call: Call) -> SrsName:
    """The CRS of the answer, one that the capabilities list. Raises Fault, UnknownCrs."""
    if text is None:
        return default_srs(call.catalog)
    srs = parse_srs_name(text)
    if srs.crs not in offered(call.catalog):
        raise Fault(INVALID, f"srsName={text[:80]!r}: not offered; GetCapabilities lists those that are", "srsName")
    return srs


def _telling(layer: Layer, text: str | None, srs: SrsName) -> Telling:
    """PROPERTYNAME. Raises Fault."""
    east_first = not srs.north_first
    if text is None or text.strip() == "*":
        return Telling(crs=srs.crs, east_first=east_first)
    fields, wanted = fields_of(layer), set()
    for name in text.split(","):
        try:
            wanted.add(fields.meant(name))
        except FilterError as error:
            raise Fault(INVALID, f"propertyName: {error}", "propertyName") from None
    return Telling(frozenset(wanted), GEOMETRY in wanted, srs.crs, east_first)


def _sorts(layer: Layer, text: str | None) -> tuple[Sort, ...]:
    """SORTBY: names, each with ASC or DESC behind it, or A or D as 1.1 has it. Raises SortError."""
    if text is None:
        return ()
    fields, known, found = fields_of(layer), sortables(layer), []
    for part in text.split(","):
        name, _, order = part.strip().partition(" ")
        direction = order.strip().upper() or "ASC"
        try:
            meant = fields.meant(name)
        except FilterError as error:
            raise SortError(f"sortBy: {error}") from None
        if direction not in ("ASC", "DESC", "A", "D") or meant not in known:
            raise SortError(f"sortBy={part[:60]!r}: a property with ASC or DESC, which is no geometry")
        found.append(Sort(known[meant], direction.startswith("D")))
    if len(found) > MOST_SORTS:
        raise SortError(f"sortBy: {len(found)} properties; at most {MOST_SORTS} are read")
    return tuple(found)
