"""What a backup says of itself: what was saved, when, by which versions, and the checksum of every part."""

from datetime import datetime
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from twin.directory import NAME

TOKEN = "home/token"


def _inside(name: str) -> str:
    """A path that stays in the folder it is put into."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or str(path) != name or "\0" in name:
        raise ValueError(f"{name!r} leads out of its folder")
    return name


Inside = Annotated[str, AfterValidator(_inside)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Part(Strict):
    """One file in the backup. size: bytes."""

    size: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class SavedCity(Strict):
    """One city. taken_at: the moment that its database is saved as of. rows: of each table, by "schema.table"."""

    name: str = Field(pattern=NAME.pattern.replace(r"\Z", "$"))
    taken_at: datetime
    schema_version: str
    extensions: tuple[str, ...]
    rows: dict[str, int]

    @property
    def dump(self) -> str:
        """Where its database stands in the backup, as pg_dump's custom format."""
        return f"cities/{self.name}/database.dump"

    @property
    def folder(self) -> str:
        """Where its files stand in the backup."""
        return f"cities/{self.name}/files/"


class Manifest(Strict):
    """The whole backup. postgres: major version of the server that was saved. settings: TWIN_* as they were set."""

    product: Literal["citytwin"] = "citytwin"
    format: Literal[1] = 1
    version: str
    made_at: datetime
    postgres: int
    cities: tuple[SavedCity, ...]
    settings: dict[str, str]
    parts: dict[Inside, Part]

    def files(self, city: SavedCity) -> list[str]:
        """The city's files, as paths in its folder."""
        return [name.removeprefix(city.folder) for name in self.parts if name.startswith(city.folder)]
