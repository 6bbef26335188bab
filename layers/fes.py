"""Filters in XML, as WFS clients write them, put into the tree of CQL2: FES 2.0 (OGC 09-026r2) and FE 1.1 (04-095).

Both versions call most things alike; where they do not (ValueReference and PropertyName, Literal's arithmetic, ids),
either name is read. XML knows only text: a literal is of the type of what it is compared with.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from layers.fields import GEOMETRY, ID, Fields
from layers.filter_functions import FUNCTIONS, Kind
from layers.filters import Filter, FilterError, check_depth
from layers.gml_shapes import is_shape_element, read_shape
from layers.srs_name import SrsName
from layers.xml import Element, children, local, read_xml, words

Node = Any
MOST_CONDITIONS = 2_000
REFERENCES = ("ValueReference", "PropertyName")
COMPARISONS = {
    "PropertyIsEqualTo": "=",
    "PropertyIsNotEqualTo": "<>",
    "PropertyIsLessThan": "<",
    "PropertyIsGreaterThan": ">",
    "PropertyIsLessThanOrEqualTo": "<=",
    "PropertyIsGreaterThanOrEqualTo": ">=",
}
SPATIAL = {
    "Equals": "s_equals",
    "Disjoint": "s_disjoint",
    "Touches": "s_touches",
    "Within": "s_within",
    "Overlaps": "s_overlaps",
    "Crosses": "s_crosses",
    "Intersects": "s_intersects",
    "Contains": "s_contains",
}
TEMPORAL = {
    "After": "t_after",
    "Before": "t_before",
    "Begins": "t_starts",
    "BegunBy": "t_startedby",
    "TContains": "t_contains",
    "During": "t_during",
    "EndedBy": "t_finishedby",
    "Ends": "t_finishes",
    "TEquals": "t_equals",
    "Meets": "t_meets",
    "MetBy": "t_metby",
    "TOverlaps": "t_overlaps",
    "OverlappedBy": "t_overlappedby",
    "AnyInteracts": "t_intersects",
}
ARITHMETIC = {"Add": "+", "Sub": "-", "Mul": "*", "Div": "/"}
IDENTIFIERS = {"ResourceId": "rid", "FeatureId": "fid", "GmlObjectId": "id"}
# What one unit is in metres, by its symbol, name, or code in the EPSG registry.
METRES = {
    **dict.fromkeys(("m", "metre", "metres", "meter", "meters", "9001"), 1.0),
    **dict.fromkeys(("km", "kilometre", "kilometres", "kilometer", "kilometers", "9036"), 1000.0),
    **dict.fromkeys(("ft", "foot", "feet", "[ft_i]", "9002"), 0.3048),
    **dict.fromkeys(("mi", "mile", "miles", "[mi_i]", "9093"), 1609.344),
    **dict.fromkeys(("nmi", "[nmi_i]", "9030"), 1852.0),
}
TRUTHS = {"true": True, "1": True, "false": False, "0": False}


class NoOrder(FilterError):
    """A geometry where a comparison wants a number, a text or a time."""


class OtherLayer(FilterError):
    """Ids in a filter, all of them of other layers than the one that is asked."""


def parse_fes(source: bytes, fields: Fields, srs: SrsName) -> Filter:
    """The filter that a Filter element means. srs: of geometries that name no CRS.

    Raises XmlError for what is no XML; FilterError, UnknownCrs, NoWay for what is no filter of the layer.
    """
    root = read_xml(source)
    if local(root) != "Filter":
        raise FilterError(f"filter: {local(root)[:60]} stands where a Filter element is wanted")
    tree = _Reader(fields, srs).filter(root)
    check_depth(tree)
    return Filter(tree)


def object_of(identifier: str, layer_id: str) -> int | None:
    """The object that a feature's id, such as buildings.7, names in a layer; None if it is of another."""
    layer, _, number = identifier.strip().rpartition(".")
    is_number = number.isascii() and number.isdigit() and len(number) < 19
    return int(number) if layer == layer_id and is_number else None


def objects_of(identifiers: Iterable[str], layer_id: str) -> list[int]:
    """The objects of a layer that some ids name. Raises OtherLayer where all are of others: none could be found."""
    numbers, others = [], []
    for each in identifiers:
        number, other = object_of(each, layer_id), each.strip().rpartition(".")[0]
        numbers += [] if number is None else [number]
        others += [each] if number is None and object_of(each, other) is not None else []
    if others and not numbers:
        raise OtherLayer(f"filter: {others[0][:60]} is no object of {layer_id}")
    return numbers


@dataclass
class _Reader:
    fields: Fields
    srs: SrsName
    conditions: int = 0

    def filter(self, root: Element) -> Node:
        given = list(root)
        if given and all(local(each) in IDENTIFIERS for each in given):
            return self.identified(given)
        if len(given) != 1:
            raise FilterError(f"filter: {len(given)} conditions; put And or Or around them")
        return self.condition(given[0])

    # --- conditions

    def condition(self, element: Element) -> Node:
        self.conditions += 1
        if self.conditions > MOST_CONDITIONS:
            raise FilterError(f"filter: more than {MOST_CONDITIONS} conditions")
        name = local(element)
        if name in ("And", "Or"):
            if len(element) < 2:
                raise FilterError(f"filter: {name} takes two conditions or more")
            return {"op": name.lower(), "args": [self.condition(child) for child in element]}
        if name == "Not":
            (inner,) = _exactly(1, element)
            return {"op": "not", "args": [self.condition(inner)]}
        if name in COMPARISONS:
            return self.comparison(COMPARISONS[name], element)
        if name in SPATIAL:
            one, two = _exactly(2, element)
            return {"op": SPATIAL[name], "args": [self.place(one), self.place(two)]}
        if name in TEMPORAL:
            one, two = _exactly(2, element)
            return {"op": TEMPORAL[name], "args": [self.time(one), self.time(two)]}
        if name in IDENTIFIERS:
            return self.identified([element])
        if name == "Function":
            return self.function(element)
        reader = PREDICATES.get(name)
        if reader is None:
            raise FilterError(f"filter: {name[:60]} is not supported")
        return reader(self, element)

    def identified(self, elements: list[Element]) -> Node:
        """The objects of these ids."""
        named = []
        for element in elements:
            wanted = IDENTIFIERS[local(element)]
            given = next((value for key, value in element.items() if key.rpartition("}")[2] == wanted), None)
            if given is None:
                raise FilterError(f"filter: {local(element)} without {wanted}")
            named.append(given)
        return {"op": "in", "args": [{"property": ID}, objects_of(named, self.fields.layer_id)]}

    def comparison(self, operator: str, element: Element) -> Node:
        one, two = _exactly(2, element)
        wanted = self.kind(one) or self.kind(two) or ("number" if _both_numbers(one, two) else "text")
        if wanted == "geometry":
            raise NoOrder(f"filter: {local(element)} compares no geometries; {', '.join(SPATIAL)} do")
        arguments = [self.value(one, wanted), self.value(two, wanted)]
        if wanted == "text" and element.get("matchCase", "true").strip() in ("false", "0"):
            arguments = [{"op": "casei", "args": [argument]} for argument in arguments]
        return {"op": operator, "args": arguments}

    def like(self, element: Element) -> Node:
        subject, pattern = _exactly(2, element)
        escape = element.get("escapeChar") or element.get("escape") or "\\"
        translated = _pattern(words(pattern), element.get("wildCard", "%"), element.get("singleChar", "_"), escape)
        arguments = [self.value(subject, "text"), translated]
        if element.get("matchCase", "true").strip() in ("false", "0"):
            arguments = [{"op": "casei", "args": [argument]} for argument in arguments]
        return {"op": "like", "args": arguments}

    def is_null(self, element: Element) -> Node:
        (subject,) = _exactly(1, element)
        return {"op": "isNull", "args": [self.value(subject, "text")]}

    def between(self, element: Element) -> Node:
        subject, lower, upper = _exactly(3, element)
        if (local(lower), local(upper)) != ("LowerBoundary", "UpperBoundary"):
            raise FilterError("filter: PropertyIsBetween takes a value, a LowerBoundary and an UpperBoundary")
        (low,), (high,) = _exactly(1, lower), _exactly(1, upper)
        wanted = self.kind(subject) or self.kind(low) or self.kind(high) or "number"
        return {"op": "between", "args": [self.value(each, wanted) for each in (subject, low, high)]}

    def bbox(self, element: Element) -> Node:
        """A box without a property is about the geometry (09-026r2, 7.8.3.2)."""
        given = list(element)
        if len(given) == 1:
            return {"op": "s_intersects", "args": [{"property": GEOMETRY}, self.place(given[0])]}
        one, two = _exactly(2, element)
        return {"op": "s_intersects", "args": [self.place(one), self.place(two)]}

    def within_distance(self, element: Element) -> Node:
        *operands, distance = _exactly(3, element)
        if local(distance) != "Distance":
            raise FilterError(f"filter: {local(element)} takes two geometries and a Distance")
        one, two = (self.place(each) for each in operands)
        if "property" not in one:
            one, two = two, one
        return {"op": "near", "args": [one, two, _metres(distance)]}

    def beyond(self, element: Element) -> Node:
        return {"op": "not", "args": [self.within_distance(element)]}

    # --- values

    def kind(self, element: Element) -> Kind | None:
        """What kind of value an expression has; None for a literal."""
        name = local(element)
        if name in REFERENCES:
            return self.fields.kinds.get(self.fields.meant(words(element)), "text")
        if name in ARITHMETIC:
            return "number"
        if name == "Function":
            return FUNCTIONS[_function_name(element)].returns
        return None

    def value(self, element: Element, wanted: Kind) -> Node:
        """A value; wanted: the kind that a literal is read as."""
        name = local(element)
        if name in REFERENCES:
            return {"property": self.fields.meant(words(element))}
        if name in ARITHMETIC:
            one, two = _exactly(2, element)
            return {"op": ARITHMETIC[name], "args": [self.value(one, "number"), self.value(two, "number")]}
        if name == "Function":
            return self.function(element)
        if name == "Literal":
            return self.literal(element, wanted)
        raise FilterError(f"filter: {name[:60]} is no value; give a ValueReference, Literal or Function")

    def literal(self, element: Element, wanted: Kind) -> Node:
        if wanted == "geometry":
            return self.place(element)
        if wanted == "time":
            return self.time(element)
        text = words(element)
        if wanted == "boolean":
            if text.lower() not in TRUTHS:
                raise FilterError(f"filter: {text[:60]!r} is neither true nor false")
            return TRUTHS[text.lower()]
        if wanted == "number":
            return self.number(text)
        return "".join(element.itertext())

    def number(self, text: str) -> float:
        """A number; where an object's id is wanted it may also be written as GML has it."""
        number = object_of(text, self.fields.layer_id)
        try:
            return float(text) if number is None else number
        except ValueError:
            raise FilterError(f"filter: {text[:60]!r} is no number") from None

    def function(self, element: Element) -> Node:
        name = _function_name(element)
        function = FUNCTIONS[name]
        given = _exactly(len(function.arguments), element)
        return {
            "op": name,
            "args": [
                self.place(each) if wanted == "geometry" else self.value(each, wanted)
                for each, (_, wanted) in zip(given, function.arguments, strict=True)
            ],
        }

    def place(self, element: Element) -> Node:
        """A geometry, or the property that is one."""
        if local(element) in REFERENCES:
            return {"property": self.fields.meant(words(element))}
        if local(element) == "Literal":
            (element,) = _exactly(1, element)
        if not is_shape_element(element):
            raise FilterError(f"filter: {local(element)[:60]} is no geometry")
        return read_shape(element, self.srs)

    def time(self, element: Element) -> Node:
        """A moment, a period, or the property that is one."""
        name = local(element)
        if name in REFERENCES:
            return {"property": self.fields.meant(words(element))}
        if name == "Literal":
            return self.time(element[0]) if len(element) == 1 else _moment(words(element))
        if name == "TimeInstant":
            return _moment(words(element))
        if name == "TimePeriod":
            ends = [_end(each) for each in element if local(each) in PERIOD_ENDS]
            if len(ends) == 2:
                return {"interval": ends}
        raise FilterError(f"filter: {name[:60]} is no time; give a gml:TimeInstant or a gml:TimePeriod")


PREDICATES: dict[str, Callable[[_Reader, Element], Node]] = {
    "PropertyIsLike": _Reader.like,
    "PropertyIsNull": _Reader.is_null,
    "PropertyIsNil": _Reader.is_null,
    "PropertyIsBetween": _Reader.between,
    "BBOX": _Reader.bbox,
    "DWithin": _Reader.within_distance,
    "Beyond": _Reader.beyond,
}
PERIOD_ENDS = ("beginPosition", "endPosition", "begin", "end")


def _exactly(count: int, element: Element) -> list[Element]:
    given = children(element)
    if len(given) != count:
        raise FilterError(f"filter: {local(element)[:60]} takes {count} elements, not {len(given)}")
    return given


def _function_name(element: Element) -> str:
    name = element.get("name", "").lower()
    if name not in FUNCTIONS:
        raise FilterError(f"filter: no function {name[:60]!r}; there are {', '.join(FUNCTIONS)}")
    return name


def _both_numbers(one: Element, two: Element) -> bool:
    try:
        float(words(one)), float(words(two))
    except ValueError:
        return False
    return True


def _pattern(text: str, wildcard: str, single: str, escape: str) -> str:
    """A pattern as CQL2 writes it: % for any characters, _ for one, a backslash before either to mean itself."""
    found, place = [], 0
    while place < len(text):
        rest = text[place:]
        if escape and rest.startswith(escape) and len(rest) > len(escape):
            place += len(escape)
            found.append(_itself(text[place]))
            place += 1
        elif wildcard and rest.startswith(wildcard):
            found.append("%")
            place += len(wildcard)
        elif single and rest.startswith(single):
            found.append("_")
            place += len(single)
        else:
            found.append(_itself(text[place]))
            place += 1
    return "".join(found)


def _itself(character: str) -> str:
    return f"\\{character}" if character in "%_\\" else character


def _metres(distance: Element) -> float:
    unit = (distance.get("uom") or distance.get("units") or "m").strip()
    short = unit.rpartition("#")[2].rpartition(":")[2].rpartition("/")[2].lower()
    if short not in METRES:
        raise FilterError(f"filter: {unit[:60]!r} is no unit of distance; there are {', '.join(METRES)}")
    try:
        return float(words(distance)) * METRES[short]
    except ValueError:
        raise FilterError(f"filter: {words(distance)[:60]!r} is no distance") from None


def _moment(text: str) -> Node:
    return {"timestamp": _zoned(text)}


def _zoned(text: str) -> str:
    """A moment that names no zone is in UTC; a bare date stays the day that it is in the city."""
    has_time = "T" in text
    return text if not has_time or text.endswith("Z") or "+" in text[10:] or "-" in text[10:] else f"{text}Z"


def _end(element: Element) -> str:
    text = words(element)
    # An end that is unknown or lies before or after all is open (OGC 07-036, 14.2.2.7).
    return _zoned(text) if text else ".."
