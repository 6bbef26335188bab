"""Recipes: a small YAML that says which source field feeds which attribute of which class of a city.

A recipe has a `city` block (what `twin init` needs) and `datasets`. A data set has one part, written straight into it,
or several under `parts`, where one source feeds several themes (lands and waters) or one network needs several layers
(roads and their nodes). Every key and its meaning stand on the models below; all texts are read as written.
"""

import re
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BeforeValidator,
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
from cim_models.themes import THEMES
from layers import LayerError, strict_yaml
from layers.formats import Columns, Source, open_sources
from layers.offset import SYSTEMS
from layers.recipe_rules import (
    ClassRule,
    FieldRule,
    HeightGuess,
    KeepRule,
    PropertyType,
    Strict,
    Text,
    Texts,
    UidRule,
    check_rule,
    constant,
    listed,
    mappable,
)

__all__ = [
    "ClassRule",
    "Dataset",
    "FieldRule",
    "HeightGuess",
    "KeepRule",
    "Part",
    "PropertyType",
    "Recipe",
    "RecipeError",
    "UidRule",
    "constant",
    "mappable",
    "parse_recipe",
    "read_recipe",
]

LARGEST_RECIPE = 1 << 20
# A system that PROJ does not know, whose parameters the operator keeps.
LOCAL = re.compile(r"local:[a-z0-9][a-z0-9_-]{0,62}")


class RecipeError(LayerError):
    """A recipe that cannot be followed; the message names file and key and says what was expected."""


def _known_crs(value: str) -> str:
    if value in SYSTEMS or LOCAL.fullmatch(value):
        return value
    try:
        CRS.from_user_input(value)
    except CRSError:
        raise ValueError(
            f"{value!r} is no CRS that PROJ knows; write it as EPSG:4549, {', '.join(SYSTEMS)} or local:name"
        ) from None
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


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
Crs = Annotated[str, AfterValidator(_known_crs)]
Degrees = Annotated[float, Field(ge=-180, le=180)]


class Title(Strict):
    """A title in both languages."""

    zh: Text
    en: Text


class View(Strict):
    """Where a viewer starts. center: lon, lat in degrees. pitch and bearing in degrees."""

    center: tuple[Degrees, Annotated[float, Field(ge=-90, le=90)]]
    zoom: Annotated[float, Field(ge=0, le=24)] = 13
    pitch: Annotated[float, Field(ge=0, le=85)] = 0
    bearing: Annotated[float, Field(ge=-360, le=360)] = 0


class City(Strict):
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


class Places(Strict):
    """Which columns of a table hold its places: x (east) and y (north), or well-known text."""

    x: Text | None = None
    y: Text | None = None
    wkt: Text | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.wkt is None) == (self.x is None) or (self.x is None) != (self.y is None):
            raise ValueError("either x and y, or wkt")
        return self

    def columns(self) -> Columns:
        return Columns(self.x, self.y, self.wkt)


class Part(Strict):
    """One layer of a file, and the theme that it feeds.

    file: under the data folder. layer: in the file. crs: instead of what the file says. axis: yx where the file writes
    north before east. encoding: of its texts. columns: of a table's places. address: columns of a table that has
    addresses, or names of places, instead. closed_lines: areas, where a drawing has its outlines as closed lines.
    theme: table of the model.
    A source in the model's terms (OpenStreetMap, GeoTIFF) needs no theme and no rule: its columns are what they say,
    unless `fields` says otherwise. Any other source without a theme becomes generic objects.
    keep: further fields for `attributes`: "all" but those used above, a list, or new name to field. drop: fields left
    out of them. where: only rows whose fields have these values. solid: level of detail of 3D surfaces, whose
    projection becomes the footprint. missing_height: of buildings.
    """

    file: Annotated[Text, AfterValidator(_inside)]
    layer: Text | None = None
    crs: Crs | None = None
    axis: Literal["xy", "yx"] = "xy"
    encoding: Text | None = None
    columns: Places | None = None
    address: Annotated[tuple[Text, ...], BeforeValidator(listed)] = ()
    closed_lines: Literal["lines", "areas"] = "lines"
    theme: Text | None = None
    class_: Annotated[ClassRule | None, Field(alias="class")] = None
    uid: UidRule | None = None
    fields: dict[str, FieldRule] = Field(default_factory=dict)
    keep: Literal["all"] | dict[str, KeepRule] = "all"
    drop: Annotated[tuple[Text, ...], BeforeValidator(listed)] = ()
    where: dict[str, Texts] = Field(default_factory=dict)
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
            check_rule(theme, name, rule)
        return fields

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.theme is None and (self.fields or self.class_):
            raise ValueError("fields and class need a theme")
        if self.columns is not None and self.address:
            raise ValueError("a table has its places in columns, or an address to look up")
        return self

    def places(self) -> Columns | None:
        """Where a table keeps its places; None where it must be found out."""
        if self.address:
            return Columns(address=self.address)
        return self.columns.columns() if self.columns else None


INHERITED = ("file", "layer", "crs", "axis", "encoding", "columns", "address", "closed_lines",
             "missing_height")  # fmt: skip
PART_KEYS = tuple(field.alias or name for name, field in Part.model_fields.items())


class Dataset(Strict):
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
            for source in open_sources(
                folder / part.file,
                crs=part.crs,
                layer=part.layer,
                encoding=part.encoding,
                columns=part.places(),
            )
        ]


class Recipe(Strict):
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
