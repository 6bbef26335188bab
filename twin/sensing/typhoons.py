"""Typhoons as agencies tell them: the track so far, each agency's forecast, the reach of the wind."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, tzinfo
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from cim_models.database import Connection
from twin.sensing import BadEntity, EntityNotFound
from twin.sensing.observations import read_time

# Wind forces of the Beaufort scale whose reach is told: gale, storm, hurricane (GB/T 28591-2012: 7, 10, 12).
FORCES = ("r7", "r10", "r12")
QUADRANTS = ("ne", "se", "sw", "nw")
Force = Literal["r7", "r10", "r12"]
SAVE = """
    insert into sensing.typhoon (id, document, last_at, updated_by) values ($1, $2, $3, $4)
    on conflict (id) do update set document = excluded.document, last_at = excluded.last_at,
                                   updated_by = excluded.updated_by, updated_at = now()
"""
LISTED = """
    select document from sensing.typhoon
    where $1::timestamptz is null or last_at >= $1 order by last_at desc limit 100
"""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Position(_Part):
    """The centre at a moment. wind_ms: largest sustained wind. radii: km that each force reaches, NE, SE, SW, NW."""

    at: AwareDatetime
    lon: float = Field(ge=-180, le=180)
    lat: float = Field(ge=-90, le=90)
    wind_ms: float | None = Field(default=None, ge=0, le=150)
    pressure_hpa: float | None = Field(default=None, ge=800, le=1100)
    grade: str | None = Field(default=None, max_length=40)
    radii: dict[Force, tuple[float, float, float, float]] = Field(default={})

    @field_validator("radii")
    @classmethod
    def _on_earth(cls, radii: dict[Force, tuple[float, ...]]) -> dict[Force, tuple[float, ...]]:
        if not all(0 <= each <= 2_000 for four in radii.values() for each in four):
            raise ValueError("kilometres from 0 to 2,000 are wanted")
        return radii


def _in_order(points: tuple[Position, ...]) -> tuple[Position, ...]:
    if any(later.at <= earlier.at for earlier, later in pairwise(points)):
        raise ValueError("positions must follow each other in time")
    return points


class Forecast(_Part):
    """What an agency expected when it issued this."""

    agency: str = Field(min_length=1, max_length=40)
    issued_at: AwareDatetime
    points: tuple[Position, ...] = Field(min_length=1, max_length=200)

    _order = field_validator("points")(_in_order)


class Typhoon(_Part):
    """A typhoon as far as it is known. id: its number (2411). simulated: none of it is real."""

    id: str = Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z_-]{0,31}$")
    name_zh: str = Field(min_length=1, max_length=60)
    name_en: str = Field(min_length=1, max_length=60)
    simulated: bool = False
    source: str | None = Field(default=None, max_length=500)
    points: tuple[Position, ...] = Field(min_length=1, max_length=2_000)
    forecasts: tuple[Forecast, ...] = Field(default=(), max_length=1_000)

    _order = field_validator("points")(_in_order)

    def until(self, moment: datetime) -> "Typhoon | None":
        """What was known at a moment: positions and forecasts until then; None before the first."""
        points = tuple(each for each in self.points if each.at <= moment)
        if not points:
            return None
        forecasts = tuple(each for each in self.forecasts if each.issued_at <= moment)
        return self.model_copy(update={"points": points, "forecasts": forecasts})

    @property
    def newest_forecasts(self) -> tuple[Forecast, ...]:
        """The last that each agency issued."""
        newest: dict[str, Forecast] = {}
        for each in sorted(self.forecasts, key=lambda forecast: forecast.issued_at):
            newest[each.agency] = each
        return tuple(newest.values())


def read_typhoon(given: Mapping[str, Any]) -> Typhoon:
    """A typhoon from its JSON document. Raises BadEntity."""
    try:
        return Typhoon.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        raise BadEntity(f"typhoon: {'.'.join(str(part) for part in first['loc'])}: {first['msg']}") from None


def read_typhoon_csv(text: str, number: str, zone: tzinfo) -> Typhoon:
    """A typhoon from rows: at, lon, lat and what else is known of each position (docs/sensors.md).

    Rows with an agency are its forecast, the others the track. zone: of times that name none. Raises BadEntity.
    """
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    if not rows or not {"at", "lon", "lat"} <= rows[0].keys():
        raise BadEntity("typhoon: a CSV with the columns at, lon, lat is wanted, and at least one row")
    track: list[dict[str, Any]] = []
    forecasts: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        position = _position(row, zone)
        agency = (row.get("agency") or "").strip()
        if not agency:
            track.append(position)
            continue
        issued = read_time(row.get("issued_at") or "", "issued_at", zone).isoformat()
        forecasts.setdefault((agency, issued), []).append(position)
    names = {name: next(_given(rows, name), number) for name in ("name_zh", "name_en")}
    told = [{"agency": agency, "issued_at": at, "points": points} for (agency, at), points in forecasts.items()]
    source = next(_given(rows, "source"), None)
    return read_typhoon({"id": number, **names, "source": source, "points": track, "forecasts": told})


def read_typhoon_file(path: Path, number: str, zone: tzinfo) -> Typhoon:
    """A typhoon from a file, JSON or CSV. Raises BadEntity."""
    try:
        text = path.read_text(encoding="utf-8")
        return read_typhoon_csv(text, number, zone) if path.suffix == ".csv" else read_typhoon(orjson.loads(text))
    except (OSError, ValueError) as error:
        raise BadEntity(f"{path}: cannot be read ({error})") from None


def _given(rows: Iterable[Mapping[str, str | None]], name: str) -> Iterator[str]:
    return (value.strip() for row in rows if (value := row.get(name)))


def _position(row: Mapping[str, str | None], zone: tzinfo) -> dict[str, Any]:
    position: dict[str, Any] = {"at": read_time(row["at"], "at", zone).isoformat()}
    for name in ("lon", "lat", "wind_ms", "pressure_hpa", "grade"):
        if value := (row.get(name) or "").strip():
            position[name] = value
    radii = {}
    for force in FORCES:
        # One figure is for all four quadrants.
        four = [row.get(f"{force}_{quadrant}") or row.get(force) for quadrant in QUADRANTS]
        if all(four):
            radii[force] = four
    return position | {"radii": radii}


async def save_typhoon(connection: Connection, typhoon: Typhoon, who: str) -> None:
    """Keep a typhoon's document, in place of an earlier one with its number."""
    await connection.execute(SAVE, typhoon.id, typhoon.model_dump(mode="json"), typhoon.points[-1].at, who)


async def load_typhoon(connection: Connection, number: str) -> Typhoon:
    """Raises EntityNotFound."""
    document = await connection.fetchval("select document from sensing.typhoon where id = $1", number)
    if document is None:
        raise EntityNotFound(f"no typhoon {number[:40]!r}; /typhoons lists those there are")
    return Typhoon.model_validate(document)


async def list_typhoons(connection: Connection, since: datetime | None) -> list[Typhoon]:
    """Typhoons that were last told of after a moment, the latest first."""
    return [Typhoon.model_validate(row["document"]) for row in await connection.fetch(LISTED, since)]


async def delete_typhoon(connection: Connection, number: str) -> None:
    """Raises EntityNotFound."""
    if await connection.fetchval("delete from sensing.typhoon where id = $1 returning id", number) is None:
        raise EntityNotFound(f"no typhoon {number[:40]!r}; /typhoons lists those there are")
