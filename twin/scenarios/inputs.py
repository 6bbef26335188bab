"""What a scenario asks for: typed fields with units and words, which are its JSON schema and the viewer's form."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field


class Words(NamedTuple):
    """A text for people, in Chinese and English."""

    zh: str
    en: str


# How a form asks for a value, where its type does not say it. Shapes are GeoJSON geometries in CRS84.
Widget = Literal[
    "point", "line", "polygon", "layer", "datastream", "gauge", "run", "plan", "series", "file", "slider", "photo"
]


class Inputs(BaseModel):
    """Base of a scenario's inputs: unknown names are refused, so that a misspelt one is not passed over."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="strings")


def field(
    default: Any = ...,
    *,
    title: Words,
    help: Words | None = None,
    unit: str | None = None,
    group: Words | None = None,
    widget: Widget | None = None,
    of: str | None = None,
    choices: Mapping[str, Words] | None = None,
    when: Mapping[str, Sequence[Any]] | None = None,
    **limits: Any,
) -> Any:
    """A field of `Inputs`. default: `...` where it must be given. unit: as people write it, "mm", "m3/s".
    of: the scenario whose runs the widget "run" offers, of every scenario where it is left out; the kinds of sensors,
    commas between them, whose datastreams "datastream" offers.
    choices: the values that a form offers, and what each is called. when: the values of other fields with which this
    one matters; a form asks for it only then, and a request may give it at any time.

    limits: those of `pydantic.Field`, such as ge, le, min_length, default_factory. In the JSON schema `title` and
    `description` are the English words; both languages stand under `x-title` and `x-help`, and `x-unit`, `x-group`,
    `x-widget`, `x-of`, `x-choices` and `x-when` are what their names say.
    """
    extra: dict[str, Any] = {"x-title": title._asdict()}
    if help is not None:
        extra["x-help"] = help._asdict()
    if unit is not None:
        extra["x-unit"] = unit
    if group is not None:
        extra["x-group"] = group._asdict()
    if widget is not None:
        extra["x-widget"] = widget
    if of is not None:
        extra["x-of"] = of
    if choices is not None:
        extra["x-choices"] = {value: words._asdict() for value, words in choices.items()}
    if when is not None:
        extra["x-when"] = {name: list(values) for name, values in when.items()}
    if "default_factory" not in limits:
        limits["default"] = default
    return Field(title=title.en, description=help.en if help else None, json_schema_extra=extra, **limits)
