"""What an object is found by: its names, address and division code, and how much each of them matters."""

from dataclasses import dataclass
from typing import Any

from layers.addresses import parse_address
from layers.catalog import Layer
from layers.search.folding import fold, grams, latin

AREAS = "administrative_area"
ROADS = "road"
# What sources call an address; the first that an object has is its own.
ADDRESSES = ("address", "addr:full", "addr_full", "地址", "详细地址", "门牌地址", "住址")
NUMBERED = ("addr:street", "addr:housenumber")
# The attribute of an object whose place was looked up by its address, as `layers.addressed` writes it.
LOOKED_UP = "match_level"
# At a weight of so much, an object is looked for before the many others.
PLACE = 0.5
WEIGHTS = {
    AREAS: 0.7,
    "facility": 0.6,
    "water": 0.55,
    "railway": 0.5,
    ROADS: 0.5,
    "construction": 0.5,
    "building": 0.4,
    "generic_object": 0.35,
}
ORDINARY = 0.3
ADDRESSED = 0.2
# A shorter division code is a larger area: province, city, county, township, village.
BY_CODE = {2: 1.0, 4: 0.95, 6: 0.9, 9: 0.8}


@dataclass(frozen=True)
class Field:
    """Something of an object that is searched. sql: an expression on a row of its theme."""

    name: str
    sql: str

    def is_shown(self, layer: Layer) -> bool:
        """Whether a layer tells it, and so may be searched by it."""
        if self.name == "address" and layer.theme.table != "facility":
            return layer.whole
        return layer.property(self.name) is not None


def fields(table: str) -> tuple[Field, ...]:
    """What the objects of a theme are found by."""
    found = [Field("name", "object.name"), Field("name_en", "object.name_en")]
    if table == AREAS:
        found.append(Field("code", "object.code"))
    elif table == "facility":
        found.append(Field("address", "object.address"))
    elif table in ("building", "generic_object"):
        given = ", ".join(f"object.attributes ->> '{key}'" for key in ADDRESSES)
        street, number = (f"object.attributes ->> '{key}'" for key in NUMBERED)
        found.append(Field("address", f"coalesce({given}, {street} || ' ' || ({number}))"))
    return tuple(found)


def searched(layer: Layer) -> tuple[Field, ...]:
    """What objects are found by in a layer; nothing that it does not show."""
    return tuple(field for field in fields(layer.theme.table) if field.is_shown(layer))


def entry(row: Any) -> tuple[Any, ...] | None:
    """A row of search_entry, its grams parted by blanks, of an object's row: table, object_id, dataset_id, field, text,
    code, area, point.

    None for a text of which nothing can be asked, such as a dash.
    """
    table, field, text = row["table"], row["field"], " ".join(row["text"].split())
    folded = fold(text)
    if not folded:
        return None
    key = folded
    if field == "address":
        key = parse_address(text).key or folded
    return (
        table,
        row["object_id"],
        row["dataset_id"],
        field,
        row["text"],
        key,
        None if (pairs := grams(folded)) is None else " ".join(pairs),
        latin(folded),
        _weight(table, field, row["code"]),
        row["area"],
        row["point"],
    )


def _weight(table: str, field: str, code: str | None) -> float:
    if field == "address":
        return ADDRESSED
    if table == AREAS:
        return BY_CODE.get(len(code or ""), WEIGHTS[AREAS])
    return WEIGHTS.get(table, ORDINARY)
