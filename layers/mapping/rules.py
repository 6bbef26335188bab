"""What feeds each column of a theme for one source: the recipe's rules, and the source's own columns where it is in the
model's terms. Made once for a source, before its first row is read."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cim_models.base import INTERNAL
from cim_models.theme import SHARED, Attribute, Theme
from cim_models.themes import THEMES
from cim_models.vocabulary import land_use_schemes
from layers.automatic import maps_itself
from layers.formats import GEOMETRY, Source, is_key, is_made
from layers.mapping.values import property_type
from layers.recipe import ClassRule, FieldRule, KeepRule, Part, PropertyType, RecipeError, UidRule, mappable

ATTRIBUTES = "attributes"
GENERIC_CLASS = ClassRule(value="GenericObject")
# Of each object's own geometry, in metres of the source's vertical datum; a field of a recipe like any other.
DERIVED = ("geometry.zmin", "geometry.zmax", "geometry.height")
CLASS = Attribute("class", "text", "类别", "Class")
# Fields of a table of no known class that name its objects as they would anywhere else.
NAMES = ("name", "name_en")
# `id` may stay: beside the object's own it is a property like any other.
RESERVED = frozenset((*INTERNAL, *(attribute.name for attribute in SHARED), "geometry")) - {"id"}
LONGEST_NAME = 63


@dataclass(frozen=True)
class Property:
    """A further field that goes into `attributes`, by its name there."""

    name: str
    field: str
    type: PropertyType


@dataclass(frozen=True)
class Rules:
    """How the rows of a source become rows of a theme.

    columns: the rule of each attribute that has one. written: whether the source brings `attributes` as JSON itself.
    """

    theme: Theme
    uid: UidRule
    class_: ClassRule
    columns: dict[str, FieldRule]
    properties: tuple[Property, ...]
    written: bool


def rules(source: Source, part: Part) -> Rules:
    """The rules for a source. Raises RecipeError where the recipe names a field that the source has not."""
    own = maps_itself(source) and part.theme in (None, source.name)
    theme = THEMES[source.name if own else part.theme or "generic_object"]
    fields = dict(part.fields)
    if own:
        for name in mappable(theme):
            if name in source.schema.names:
                fields.setdefault(name, FieldRule(field=name))
    if theme.table == "generic_object":
        for name in NAMES:
            if name in source.schema.names:
                fields.setdefault(name, FieldRule(field=name))
    class_ = part.class_ or (ClassRule(field="class") if own else None)
    if class_ is None:
        if theme.table != "generic_object":
            raise RecipeError(f"{source.name}: no class for its {theme.layer}; say it, e.g. class: {{value: ...}}")
        class_ = GENERIC_CLASS
    if theme.table == "land" and "code" in fields and "scheme" not in fields:
        raise RecipeError(
            f"{source.name}: land use codes of no scheme; say it, e.g. scheme: {{value: GB/T 21010}}, edition: {{value:"
            ' "2017"}; there are ' + ", ".join(land_use_schemes())
        )
    uid = part.uid or (UidRule(fields=("uid",)) if own else _own_key(source) or UidRule(hash="all"))
    written = own and ATTRIBUTES in source.schema.names
    _check_fields(source, part, [class_, *fields.values()], uid)
    used = set(_used(class_, fields, uid)) | ({ATTRIBUTES} if written else set())
    return Rules(theme, uid, class_, fields, tuple(_properties(source, part, used)), written)


def _own_key(source: Source) -> UidRule | None:
    keys = tuple(field.name for field in source.schema if is_key(field))
    return UidRule(fields=keys) if keys else None


def properties(source: Source, part: Part) -> tuple[Property, ...]:
    """The typed schema of `attributes`, for the catalogue. Raises RecipeError as `rules` does."""
    return rules(source, part).properties


def _used(class_: ClassRule, fields: dict[str, FieldRule], uid: UidRule) -> Iterator[str]:
    """Fields whose whole value stands in a column already; mapped and converted ones keep their own in attributes."""
    for rule in (class_, *fields.values()):
        if rule.field and rule.map is None:
            yield rule.field
    yield from uid.fields or ()


def _properties(source: Source, part: Part, used: set[str]) -> Iterator[Property]:
    kinds = {field.name: property_type(field.type) for field in source.schema if field.name != GEOMETRY}
    used |= {field.name for field in source.schema if is_key(field)}
    if part.keep == "all":
        for name, kind in kinds.items():
            if kind is not None and name not in used and name not in part.drop:
                yield Property(property_name(name), name, kind)
        return
    # What was found out stays with the object: the next who looks an address up must not take it for evidence.
    made = {
        field.name: KeepRule(field=field.name) for field in source.schema if is_made(field) and field.name != GEOMETRY
    }
    for name, rule in (made | part.keep).items():
        kind = rule.type or kinds[rule.field]
        if kind is None:
            raise RecipeError(f"{source.name}: field {rule.field} holds raw bytes, which attributes cannot keep")
        if rule.field not in part.drop:
            yield Property(name, rule.field, kind)


def property_name(field: str) -> str:
    """What a field of a source is called in `attributes`: its own name, unless the model means something else by it.

    PostgreSQL cuts names after 63 bytes, 21 Chinese characters; two that begin alike would become one.
    """
    name = f"source_{field}" if field.lower() in RESERVED or field.startswith("@") else field
    if len(name.encode()) <= LONGEST_NAME:
        return name
    begin = name.encode()[: LONGEST_NAME - 9].decode(errors="ignore")
    return f"{begin}_{hashlib.blake2b(name.encode(), digest_size=4).hexdigest()}"


def _check_fields(source: Source, part: Part, mapped: list[FieldRule], uid: UidRule) -> None:
    known = {field.name for field in source.schema}
    kept = [rule.field for rule in part.keep.values()] if isinstance(part.keep, dict) else []
    hashed = uid.hash if isinstance(uid.hash, tuple) else ()
    named = [rule.field for rule in mapped if rule.field and rule.field not in DERIVED]
    for field in (*named, *kept, *part.drop, *part.where, *(uid.fields or ()), *hashed):
        if field not in known:
            there = ", ".join(sorted(known - {GEOMETRY}))
            raise RecipeError(f"{source.name}: the recipe names a field {field!r}, the source has {there or 'none'}")


def with_derived(batch: pa.RecordBatch, z_range: NDArray[np.float64], used: dict[str, FieldRule]) -> pa.RecordBatch:
    """The batch with those fields of its geometry that the rules ask for."""
    low, high = z_range
    columns = dict(zip(DERIVED, (low, high, high - low), strict=True))
    for name in {rule.field for rule in used.values()} & set(DERIVED):
        batch = batch.append_column(name, pa.array(columns[str(name)], pa.float64(), from_pandas=True))
    return batch
