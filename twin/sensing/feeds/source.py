"""Other databases and services polled for readings, by a mapping file that says where they are and what is what.

A database (any that SQLAlchemy has a driver for), asked for what came after the last place:

    url: postgresql+psycopg://reader@bureau/hydro      # ${NAME} is taken from the environment
    query: select id, stcd, tm, z from st_river_r where id > :place order by id limit 5000
    place: id            # the column by whose greatest value it goes on
    start: 0             # the first place
    key: "gauge-{stcd}"
    time: tm
    value: z
    zone: Asia/Shanghai  # of times that name none
    every: PT1M
    again: select id, stcd, tm, z from st_river_r where tm > now() - interval '1 day'   # late and corrected rows

A service that tells JSON:

    url: https://example.org/api/gauges
    list: data.rows      # where the rows are
    key: "gauge-{code}"
    time: at
    value: level
"""

import asyncio
import os
import re
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import httpx
import structlog
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from cim_models.database import Database
from twin.sensing import BadEntity
from twin.sensing.feeds import FeedError
from twin.sensing.feeds.rows import Row, Taken, read_row, take_rows
from twin.sensing.ingest import Ingest

SECRET = re.compile(r"\$\{(\w+)\}")
MAX_ANSWER = 20_000_000
PLACE = "select place -> 'at' from sensing.feed where name = $1"
KEEP = """
    insert into sensing.feed (name, place) values ($1, $2)
    on conflict (name) do update set place = excluded.place, updated_at = now()
"""
LOG = structlog.get_logger()


class _Source(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    key: str
    time: str
    value: str
    zone: str = "UTC"
    every: timedelta = Field(default=timedelta(minutes=1), ge=timedelta(seconds=1))


class SqlSource(_Source):
    """A database."""

    query: str
    place: str
    start: int | str = 0
    again: str | None = None


class HttpSource(_Source):
    """A service that tells JSON. list: path to the rows; headers: sent with each request."""

    list: str = ""
    headers: dict[str, str] = Field(default={})


def read_source(path: Path, model: type[SqlSource] | type[HttpSource]) -> Any:
    """A mapping file. Raises FeedError."""
    try:
        words = SECRET.sub(lambda found: os.environ[found[1]], path.read_text(encoding="utf-8"))
        source = model.model_validate(yaml.safe_load(words))
        ZoneInfo(source.zone)
    except KeyError as error:
        raise FeedError(f"{path}: the environment has no {error}") from None
    except (OSError, yaml.YAMLError, ValidationError, ZoneInfoNotFoundError, ValueError) as error:
        raise FeedError(f"{path}: {error}") from None
    return source


async def follow_sql(database: Database, name: str, source: SqlSource, *, once: bool = False) -> Taken:
    """Take what a database has, again and again, from where this feed left off; once: until there is no more.

    name: by which its place is kept. Raises FeedError for a query that cannot be asked.
    """
    engine = create_engine(source.url, pool_pre_ping=True)
    ingest = Ingest(database, via="feed")
    taken = Taken()
    try:
        while True:
            try:
                while (step := await _step(database, ingest, name, source, engine)) is not None:
                    taken = Taken(*(a + b for a, b in zip(_counts(taken), _counts(step), strict=True)))
                if source.again is not None:
                    rows = await asyncio.to_thread(_asked, engine, source.again, None)
                    step = await take_rows(database, ingest, _rows(rows, source), correcting=True)
                    taken = Taken(taken.written, taken.corrected + step.corrected, taken.refused)
            except SQLAlchemyError as error:
                if once:
                    raise FeedError(f"{name}: {str(error).splitlines()[0]}") from None
                # The other database may be away for a while; its place is kept.
                LOG.warning("feed waits", feed=name, reason=str(error).splitlines()[0])
            if once:
                return taken
            await asyncio.sleep(source.every.total_seconds())
    finally:
        engine.dispose()


async def _step(database: Database, ingest: Ingest, name: str, source: SqlSource, engine: Engine) -> Taken | None:
    """Take the next rows, and keep the place when they are committed; None where there are none."""
    async with database.reading() as connection:
        place = await connection.fetchval(PLACE, name)
    rows = await asyncio.to_thread(_asked, engine, source.query, source.start if place is None else place)
    if not rows:
        return None
    if source.place not in rows[0]:
        raise FeedError(f"{name}: the query has no column {source.place!r}, by which it goes on")
    taken = await take_rows(database, ingest, _rows(rows, source))
    last = rows[-1][source.place]
    async with database.writing() as connection:
        # What was read and not kept is read again, and counts once.
        await connection.execute(KEEP, name, {"at": last.isoformat() if isinstance(last, datetime) else last})
    return taken if last != place else None


def _asked(engine: Engine, query: str, place: Any) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        found = connection.execute(text(query), {} if place is None else {"place": place})
        return [dict(row) for row in found.mappings()]


async def follow_http(database: Database, source: HttpSource, *, once: bool = False) -> Taken:
    """Take what a service tells, again and again; what it tells again counts once. Raises FeedError where `once`."""
    ingest = Ingest(database, via="feed")
    async with httpx.AsyncClient(timeout=30, headers=source.headers) as client:
        while True:
            try:
                answer = (await client.get(source.url)).raise_for_status()
                if len(answer.content) > MAX_ANSWER:
                    raise FeedError(f"{source.url}: the answer has more than {MAX_ANSWER:,} bytes")
                taken = await take_rows(database, ingest, _rows(_listed(answer.json(), source), source))
                if once:
                    return taken
            except (httpx.HTTPError, FeedError, ValueError) as error:
                if once:
                    raise FeedError(f"{source.url}: {error}") from None
                LOG.warning("feed waits", feed=source.url, reason=str(error))
            await asyncio.sleep(source.every.total_seconds())


def _listed(document: Any, source: HttpSource) -> list[Mapping[str, Any]]:
    for step in filter(None, source.list.split(".")):
        document = document.get(step) if isinstance(document, dict) else None
    if not isinstance(document, list) or not all(isinstance(row, dict) for row in document):
        raise FeedError(f"there is no list of objects at {source.list!r}")
    return document


def _rows(rows: list[Any], source: _Source) -> list[Row]:
    zone: tzinfo = ZoneInfo(source.zone)
    found = []
    for row in rows:
        try:
            found.append(read_row(source.key.format(**row), row[source.time], row[source.value], zone))
        except KeyError as error:
            raise FeedError(f"there is no column {error}; there are {', '.join(map(str, row))}") from None
        except BadEntity as error:
            LOG.warning("row refused", reason=str(error))
    return found


def _counts(taken: Taken) -> tuple[int, int, int]:
    return taken.written, taken.corrected, taken.refused
