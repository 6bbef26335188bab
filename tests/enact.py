"""Doing what a case of `tests.cases` says, by the same calls that users make."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import shapely

from cim_models.database import Database
from cim_models.themes import THEMES
from layers.access import Principal
from layers.catalog import Catalog, load_catalog
from layers.edit import Correct, Delete, Edit, Erase, Insert, Remove, Supersede, apply
from layers.load import Delivery, load
from layers.recipe import Dataset
from layers.timeline import Span
from layers.view import View, parse_interval, parse_moment
from tests.cases import Act, Case, Edition, Look

EDITOR = Principal("an editor", "editor")
PLACE = (120.95, 28.10)
SIDE = 0.0004


@dataclass
class Enacted:
    """A case that was done: when each act was known, and the id of its plan."""

    catalog: Catalog
    plan: int
    moments: list[str] = field(default_factory=list)

    def parameters(self, look: Look) -> dict[str, str]:
        """The look as the parameters datetime, recorded and plan of a request."""
        found = {"datetime": look.datetime, "recorded": None if look.recorded is None else self.moments[look.recorded]}
        return {k: v for k, v in (found | {"plan": str(self.plan) if look.plan else None}).items() if v is not None}

    def view(self, look: Look) -> View:
        zone = self.catalog.zone
        given = self.parameters(look)
        return View(
            parse_interval(given["datetime"], zone) if "datetime" in given else None,
            parse_moment(given["recorded"], zone) if "recorded" in given else None,
            self.plan if look.plan else None,
        )


async def enact(database: Database, case: Case) -> Enacted:
    """Do what the case says in an empty city."""
    async with database.writing() as connection:
        plan = await connection.fetchval(
            "insert into plan (name, title_zh, title_en, who) values ('tower', '塔楼', 'Tower', 'test') returning id"
        )
        done = Enacted(await load_catalog(connection, database.city), plan)
    done.moments.append(await _moment(database))
    building: dict[bool, int] = {}
    for act in case.acts:
        if isinstance(act, Edition):
            load(database.url, [delivery(act)], who="test", home=Path("/nonexistent"))
            building = {False: await _object_of(database, "a")}
        else:
            edit = _edit(act, building.get(act.plan, building.get(False, 0)), plan, done.catalog)
            building[act.plan], *_ = await apply(database, done.catalog, EDITOR, [edit])
        done.moments.append(await _moment(database))
    return done


async def clear(database: Database) -> None:
    """Empty the city of buildings, data sets and plans: quicker than laying another one down."""
    async with database.writing() as connection:
        for (partition,) in await connection.fetch(
            "select inhrelid::regclass::text from pg_inherits where inhparent = 'generic_object'::regclass"
        ):
            await connection.execute(f"drop table {partition}")
        await connection.execute(
            f"truncate {', '.join(sorted(THEMES))}, solid, import_run, change, change_consumer;"
            " delete from layer where dataset_id is not null; delete from dataset; delete from plan"
        )


async def _moment(database: Database) -> str:
    async with database.reading() as connection:
        moment = await connection.fetchval("select clock_timestamp()")
    return str(moment.isoformat())


async def _object_of(database: Database, uid: str) -> int:
    async with database.reading() as connection:
        found: int = await connection.fetchval("select object_id from building where uid = $1 limit 1", uid)
    return found


def _edit(act: Act, object_id: int, plan_id: int, catalog: Catalog) -> Edit:
    plan = plan_id if act.plan else None
    day, until = (None if d is None else midnight(d, catalog) for d in (act.day, act.until))
    same: dict[str, Any] = {"layer": "buildings", "object_id": object_id, "plan": plan}
    content = {"height": act.height}
    match act.kind:
        case "insert":
            properties = {"class": "Building", **content}
            return Insert(
                layer="buildings", properties=properties, geometry=footprint(0), span=Span(day, until), plan=plan
            )
        case "correct":
            return Correct(**same, properties=content, span=Span(day, until) if act.day or act.until else None)
        case "correct before":
            return Correct(**same, properties=content, at=day)
        case "supersede":
            assert day is not None
            return Supersede(**same, properties=content, as_of=day)
        case "delete":
            assert day is not None
            return Delete(**same, as_of=day)
        case "remove":
            return Remove(**same)
    return Erase(**same)


def midnight(day: str, catalog: Catalog) -> datetime | None:
    return parse_interval(day, catalog.zone).start


def footprint(number: int) -> shapely.Polygon:
    """A square in the city, each number another."""
    west, south = PLACE[0] + number % 100 * 2 * SIDE, PLACE[1] + number // 100 * 2 * SIDE
    return shapely.box(west, south, west + SIDE, south + SIDE)


@dataclass(frozen=True)
class Rows:
    """A source in the model's terms that lies in memory: buildings by uid with their heights."""

    heights: Mapping[str, float]
    name: str = "building"
    crs: str | None = "EPSG:4490"

    @property
    def count(self) -> int | None:
        return len(self.heights)

    @property
    def schema(self) -> pa.Schema:
        texts = [(name, pa.string()) for name in ("uid", "class")]
        return pa.schema([*texts, ("height", pa.float64()), ("geometry", pa.binary())])

    def read(self, rows: int = 10_000) -> Iterator[pa.RecordBatch]:
        yield pa.RecordBatch.from_pylist(
            [
                {
                    "uid": uid,
                    "class": "Building",
                    "height": height,
                    "geometry": shapely.to_wkb(footprint(sum(uid.encode()) % 10_000)),
                }
                for uid, height in self.heights.items()
            ],
            schema=self.schema,
        )


def delivery(edition: Edition, name: str = "surveyed") -> Delivery:
    """An edition of the data set as the importer takes it."""
    dataset = Dataset.model_validate(
        {
            "name": name,
            "title": {"zh": "测绘", "en": "Surveyed"},
            "edition": edition.day,
            "edition_date": edition.day and date.fromisoformat(edition.day),
            "file": "memory",
        }
    )
    return Delivery(dataset, [(dataset.parts[0], Rows(edition.heights))])
