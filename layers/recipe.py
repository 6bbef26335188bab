"""Recipes: a small YAML that says which source field feeds which attribute of which class of a city.

A recipe has a `city` block (what `twin init` needs) and `datasets`. A data set has one part, written straight into it,
or several under `parts`, where one source feeds several themes (lands and waters) or one network needs several layers
(roads and their nodes). Every key and its meaning stand on the models below; all texts are read as written.
"""

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails
from pyproj import CRS
from pyproj.exceptions import CRSError

from cim_models.database import CitySpec
from cim_models.theme import SHARED, Attribute, Theme
from cim_models.themes import THEMES
from layers import LayerError, strict_yaml, units
from layers.formats import Source, open_sources

LARGEST_RECIPE = 1 << 20
# Metres a storey where a height is missing, floor to floor.
STOREY_HEIGHT = 3.0

PropertyType = Literal["text", "integer", "number", "boolean", "date", "datetime", "json"]
MAPPABLE_SHARED = ("name", "name_en", "cim_level")


class RecipeError(LayerError):
    """A recipe that cannot be followed; the message names file and key and says what was expected."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


def _known_crs(value: str) -> str:
    try:
        CRS.from_user_input(value)
    except CRSError:
        raise ValueError(f"{value!r} is no CRS that PROJ knows; write it as EPSG:4549") from None
    return value


def _metric_crs(value: str) -> str:
    code = re.fullmatch(r"EPSG:(\d+)", value)
    crs = CRS.from_user_input(_known_crs(value)) if code else None
    if crs is None or not crs.is_projected or crs.axis_info[0].unit_conversion_factor != 1.0:
        raise ValueError(f"{value!r} is no projected CRS in metres by EPSG code, such as EPSG:4549")
    return value


def _time_zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError(f"{value!r} is no time zone, such as Asia/Shanghai")
    return value


def _inside(value: str) -> str:
    path = Path(value)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError("a path inside the data folder, without '..'")
    return value


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
Text = Annotated[str, Field(min_length=1)]
Crs = Annotated[str, AfterValidator(_known_crs)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_listed), Field(min_length=1)]
Degrees = Annotated[float, Field(ge=-180, le=180)]


class Title(_Strict):
    """A title in both languages."""

    zh: Text
    en: Text


class View(_Strict):
    """Where a viewer starts. center: lon, lat in degrees. pitch and bearing in degrees."""

    center: tuple[Degrees, Annotated[float, Field(ge=-90, le=90)]]
    zoom: Annotated[float, Field(ge=0, le=24)] = 13
    pitch: Annotated[float, Field(ge=0, le=85)] = 0
    bearing: Annotated[float, Field(ge=-360, le=360)] = 0


class City(_Strict):
    """What a city is laid down with, once.

    srid: storage CRS. metric_crs: projected CRS in metres whose area of use holds the city. vertical_datum: of its
    heights, "unknown" if so.
    """

    name: Name
    title: Title
    srid: Literal["4326", "4490"]
    metric_crs: Annotated[str, AfterValidator(_metric_crs)]
    vertical_datum: Text = "unknown"
    time_zone: Annotated[str, AfterValidator(_time_zone)]
    made_up: bool = False
    view: View | None = None

    def spec(self) -> CitySpec:
        """The city as `cim_models.database.migrate` takes it."""
        return CitySpec(
            name=self.name,
            title_zh=self.title.zh,
            title_en=self.title.en,
            srid=int(self.srid),
            metric_srid=int(self.metric_crs.removeprefix("EPSG:")),
            vertical_datum=self.vertical_datum,
            time_zone=self.time_zone,
            made_up=self.made_up,
            view=self.view.model_dump(mode="json") if self.view else None,
        )


class FieldRule(_Strict):
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


class UidRule(_Strict):
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


class KeepRule(_Strict):
    """A further source field in `attributes`; `type: json` reads the JSON in a text field."""

    field: Text
    type: PropertyType | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, given: Any) -> Any:
        return {"field": given} if isinstance(given, str) else given


class HeightGuess(_Strict):
    """What stands in for a building's missing height, marked in height_source.

    per_storey: metres for each storey above ground, marked "storeys". default: metres where storeys are missing too,
    marked "default"; without it the height stays empty.
    """

    per_storey: Annotated[float, Field(gt=0, le=20)] = STOREY_HEIGHT
    default: Annotated[float, Field(gt=0, le=1000)] | None = None


class Part(_Strict):
    """One layer of a file, and the theme that it feeds.

    file: under the data folder. layer: in the file. crs: instead of what the file says. theme: table of the model.
    A source in the model's terms (OpenStreetMap, GeoTIFF) needs no theme and no rule: its columns are what they say,
    unless `fields` says otherwise. Any other source without a theme becomes generic objects.
    keep: further fields for `attributes`: "all" but those used above, a list, or new name to field. drop: fields left
    out of them. where: only rows whose fields have these values. solid: level of detail of 3D surfaces, whose
    projection becomes the footprint. missing_height: of buildings.
    """

    file: Annotated[Text, AfterValidator(_inside)]
    layer: Text | None = None
    crs: Crs | None = None
    theme: Text | None = None
    class_: Annotated[ClassRule | None, Field(alias="class")] = None
    uid: UidRule | None = None
    fields: dict[str, FieldRule] = {}
    keep: Literal["all"] | dict[str, KeepRule] = "all"
    drop: Annotated[tuple[Text, ...], BeforeValidator(_listed)] = ()
    where: dict[str, Texts] = {}
    solid: Annotated[str, Field(pattern=r"^[0-4](\.[0-3])?$")] | None = None
    missing_height: HeightGuess = HeightGuess()

    @field_validator("theme")
    @classmethod
    def _known_theme(cls, theme: str | None) -> str | None:
        if theme is not None and theme not in THEMES:
            raise ValueError(f"no theme {theme!r}; there are {', '.join(sorted(THEMES))}")
        return theme

    @field_validator("keep", mode="before")
    @classmethod
    def _keep_by_name(cls, given: Any) -> Any:
        if isinstance(given, list) and all(isinstance(name, str) for name in given):
            return {name: {"field": name} for name in given}
        return given

    @field_validator("fields")
    @classmethod
    def _known_attributes(cls, fields: dict[str, FieldRule], info: ValidationInfo) -> dict[str, FieldRule]:
        theme = THEMES.get(info.data.get("theme") or "")
        for name, rule in fields.items():
            _check_rule(theme, name, rule)
        return fields

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.theme is None and (self.fields or self.class_):
            raise ValueError("fields and class need a theme")
        return self


def _check_rule(theme: Theme | None, name: str, rule: FieldRule) -> None:
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


INHERITED = ("file", "layer", "crs", "missing_height")
PART_KEYS = tuple(field.alias or name for name, field in Part.model_fields.items())


class Dataset(_Strict):
    """A source of objects with its edition, licence and lineage; loading it touches nothing else.

    sharing: who may have the data, "open" if anybody. vertical_datum: of its heights. edition_date: the day from
    which it holds. made_up: no real city's data.
    """

    name: Name
    title: Title
    edition: Text | None = None
    edition_date: date | None = None
    licence: Text | None = None
    attribution: Text | None = None
    source: Text | None = None
    lineage: Text | None = None
    sharing: Text = "open"
    vertical_datum: Text = "unknown"
    made_up: bool = False
    parts: Annotated[tuple[Part, ...], Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _single_part(cls, given: Any) -> Any:
        """A data set with one part has that part's keys itself; with several, they share what it says of the file."""
        if not isinstance(given, dict):
            return given
        own = {key: value for key, value in given.items() if key in PART_KEYS}
        rest = {key: value for key, value in given.items() if key not in PART_KEYS}
        parts = rest.get("parts")
        if parts is None:
            return {**rest, "parts": [own]}
        if misplaced := [key for key in own if key not in INHERITED]:
            raise ValueError(f"{', '.join(misplaced)} must stand in the parts")
        if isinstance(parts, list):
            rest["parts"] = [{**own, **part} if isinstance(part, dict) else part for part in parts]
        return rest

    def sources(self, folder: Path) -> list[tuple[Part, Source]]:
        """The sources of all parts, from the data folder, opened but not read. Raises FormatError."""
        return [
            (part, source)
            for part in self.parts
            for source in open_sources(folder / part.file, crs=part.crs, layer=part.layer)
        ]


class Recipe(_Strict):
    """A city and what it is made of. Names of data sets are unique."""

    city: City
    datasets: tuple[Dataset, ...] = ()

    @field_validator("datasets")
    @classmethod
    def _unique(cls, datasets: tuple[Dataset, ...]) -> tuple[Dataset, ...]:
        names = [dataset.name for dataset in datasets]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)} stands here twice")
        return datasets


def read_recipe(path: Path) -> Recipe:
    """The recipe in a file. Raises RecipeError."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_RECIPE + 1)
    except OSError as error:
        raise RecipeError(f"{path}: cannot be opened ({error.strerror})") from None
    if len(content) > LARGEST_RECIPE:
        raise RecipeError(f"{path.name}: over {LARGEST_RECIPE >> 20} MB; a recipe is a small YAML")
    try:
        return parse_recipe(content.decode("utf-8"), path.name)
    except UnicodeDecodeError as error:
        raise RecipeError(f"{path.name}: byte {error.start} is no UTF-8; save the recipe as UTF-8") from None


def parse_recipe(text: str, name: str = "recipe") -> Recipe:
    """The recipe in a text; `name` stands for it in messages. Raises RecipeError."""
    try:
        return Recipe.model_validate(strict_yaml.load(text) or {})
    except strict_yaml.StrictYamlError as error:
        raise RecipeError(f"{name}: {error}") from None
    except ValidationError as error:
        lines = [_line(detail) for detail in error.errors(include_url=False, include_context=False)]
        raise RecipeError("\n".join(f"{name}: {line}" for line in lines)) from None


def _line(detail: ErrorDetails) -> str:
    key = ""
    for step in detail["loc"]:
        key += f"[{step}]" if isinstance(step, int) else f".{step}" if key else str(step)
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden":
        message = "no such key here"
    given = detail["input"]
    told = f" (not {given!r})" if isinstance(given, str) and given not in message else ""
    return f"{key or 'the recipe'}: {message}{told}"


def _list(known: Mapping[str, Attribute]) -> str:
    return "there are " + ", ".join(sorted(known))
