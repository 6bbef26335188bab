"""The rules of a recipe: what feeds an attribute, a class, a uid, and what stands in where nothing does."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from cim_models.theme import SHARED, Attribute, Theme
from layers import units

# Metres a storey where a height is missing, floor to floor.
STOREY_HEIGHT = 3.0

PropertyType = Literal["text", "integer", "number", "boolean", "date", "datetime", "json"]
MAPPABLE_SHARED = ("name", "name_en", "cim_level")


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


def listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(listed), Field(min_length=1)]


class FieldRule(Strict):
    """What feeds one attribute; `height: htotale` is short for `height: {field: htotale}`.

    field: the source's. value: the same for every row. map: source value to model value; a value that is not in it
    becomes the default. unit: of the source field, converted to the attribute's own. default: where nothing else is.
    """

    field: Text | None = None
    value: Text | None = None
    map: dict[str, str] | None = None
    unit: Text | None = None
    default: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, given: Any) -> Any:
        return {"field": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.field is None) == (self.value is None):
            raise ValueError("either a field or a value")
        if self.value is not None and (self.map or self.unit or self.default is not None):
            raise ValueError("a value stands alone, without map, unit or default")
        return self


class ClassRule(FieldRule):
    """The class of a row; `class: Building` is short for `class: {value: Building}`."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, given: Any) -> Any:
        return {"value": given} if isinstance(given, str) else given


class UidRule(Strict):
    """What identifies a row; `uid: gid` is short for `uid: {fields: [gid]}`.

    fields: joined with "/". hash: a digest of these fields ("geometry" for the shape), or of all of them for "all";
    a row whose hashed fields change is then another object.
    """

    fields: Texts | None = None
    hash: Texts | Literal["all"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, given: Any) -> Any:
        return {"fields": given} if isinstance(given, str | list) else given

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.fields is None) == (self.hash is None):
            raise ValueError("either fields or hash")
        return self


class KeepRule(Strict):
    """A further source field in `attributes`; `type: json` reads the JSON in a text field."""

    field: Text
    type: PropertyType | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, given: Any) -> Any:
        return {"field": given} if isinstance(given, str) else given


class HeightGuess(Strict):
    """What stands in for a building's missing height, marked in height_source.

    per_storey: metres for each storey above ground, marked "storeys". default: metres where storeys are missing too,
    marked "default"; without it the height stays empty.
    """

    per_storey: Annotated[float, Field(gt=0, le=20)] = STOREY_HEIGHT
    default: Annotated[float, Field(gt=0, le=1000)] | None = None


def check_rule(theme: Theme | None, name: str, rule: FieldRule) -> None:
    known = mappable(theme)
    if name not in known:
        raise ValueError(f"no attribute {name!r} in {theme.table if theme else 'a generic object'}; {_list(known)}")
    attribute = known[name]
    if rule.unit is not None:
        if attribute.unit is None:
            raise ValueError(f"{name} has no unit; leave out unit: {rule.unit}")
        units.factor(rule.unit, attribute.unit)
    for given in (rule.value, rule.default, *(rule.map or {}).values()):
        if given is not None:
            constant(attribute, given)


def mappable(theme: Theme | None) -> dict[str, Attribute]:
    """The attributes that a recipe may feed, by name."""
    shared = [attribute for attribute in SHARED if attribute.name in MAPPABLE_SHARED]
    return {attribute.name: attribute for attribute in (*shared, *(theme.attributes if theme else ()))}


def constant(attribute: Attribute, text: str) -> str | int | float | bool:
    """A value written in a recipe, as the attribute's type. Raises ValueError."""
    if attribute.type == "text":
        return text
    if attribute.type == "boolean":
        if text.lower() not in ("true", "false"):
            raise ValueError(f"{attribute.name} is true or false, not {text!r}")
        return text.lower() == "true"
    try:
        return int(text) if attribute.type == "integer" else _finite(text)
    except ValueError:
        kind = "a whole number" if attribute.type == "integer" else "a number"
        raise ValueError(f"{attribute.name} is {kind}, not {text!r}") from None


def _finite(text: str) -> float:
    number = float(text)
    if number - number != 0:
        raise ValueError("not finite")
    return number


def _list(known: Mapping[str, Attribute]) -> str:
    return "there are " + ", ".join(sorted(known))
