"""What a Datastream's properties declare: reference levels and cameras, checked as they are written."""

from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from twin.sensing import BadEntity

MAX_URL = 2_000
Number = Annotated[float, Field(allow_inf_nan=False, strict=True)]
# Of another host, without a name and password that everybody would read; or a path of this service.
URL = r"^(https?://[^\s\"<>\\@/?#]+([/?#][^\s\"<>\\]*)?|/[^\s\"<>\\/][^\s\"<>\\]*)$"
Url = Annotated[str, Field(pattern=URL, max_length=MAX_URL)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Dated(_Part):
    """A level with the days that it is valid from and to, the last one not among them."""

    value: Number
    from_: Annotated[date | None, Field(alias="from", strict=False)] = None
    to: Annotated[date | None, Field(strict=False)] = None

    @model_validator(mode="after")
    def _in_order(self) -> "Dated":
        if self.from_ is not None and self.to is not None and self.to <= self.from_:
            raise ValueError("it ends before it begins")
        return self


class Camera(_Part):
    """A camera: where it looks, in degrees clockwise from north, and where its picture or its HLS stream is.

    field_of_view: the angle that it sees, in degrees.
    """

    direction: Annotated[float | None, Field(ge=0, lt=360)] = None
    field_of_view: Annotated[float | None, Field(gt=0, le=360)] = None
    snapshot: Url | None = None
    hls: Url | None = None

    @model_validator(mode="after")
    def _shows_something(self) -> "Camera":
        if self.snapshot is None and self.hls is None:
            raise ValueError("a snapshot or an hls address is wanted")
        return self


LEVEL: TypeAdapter[Any] = TypeAdapter(Number | Annotated[list[Dated], Field(min_length=1, max_length=100)])
CAMERA = TypeAdapter(Camera)
CAMERA_KIND = "camera"


def check_declared(properties: dict[str, Any]) -> None:
    """Raises BadEntity where `levels` or `camera` are not as docs/sensors.md has them."""
    levels = properties.get("levels")
    if levels is not None:
        if not isinstance(levels, dict):
            raise BadEntity("properties.levels: an object of levels by their names is wanted")
        for name, given in levels.items():
            if name != "datum":
                _check(LEVEL, given, f"levels.{name[:60]}")
            elif not isinstance(given, str):
                raise BadEntity("properties.levels.datum: the name of a vertical datum is wanted")
    if "camera" in properties or properties.get("kind") == CAMERA_KIND:
        _check(CAMERA, properties.get("camera"), "camera")


def _check(adapter: TypeAdapter[Any], given: Any, name: str) -> None:
    try:
        adapter.validate_python(given)
    except ValidationError as error:
        first = error.errors()[-1]
        raise BadEntity(f"properties.{name}: {first['msg']}") from None
