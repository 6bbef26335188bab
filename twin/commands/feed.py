"""`twin feed`: readings from files, from other databases and from services."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from twin import TwinError
from twin.commands.console import out, step

if TYPE_CHECKING:
    from cim_models.database import Database

feed = typer.Typer(no_args_is_help=True, help="Feeds: readings from files, other databases and services.")

City = Annotated[str | None, typer.Option(help="Name of the city. (default: the default city)")]
Once = Annotated[bool, typer.Option("--once", help="Take what is there, and end. (default: for ever)")]
Mapping = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Mapping file (docs/sensors.md).")]


class NoSuchCity(TwinError):
    """There is no city to feed."""


@feed.command()
def replay(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV with the columns key, time, value.")],
    *,
    city: City = None,
    speed: Annotated[
        float | None,
        typer.Option(min=0.01, help="Play from now on, so much faster than it was. (default: into the past, at once)"),
    ] = None,
) -> None:
    """Send a CSV of history as it was, or play it as if it came in now."""

    async def work(database: "Database") -> None:
        from twin.sensing.feeds.replay import read_csv, replay

        rows = read_csv(file, ZoneInfo(database.city.time_zone))
        taken = await replay(database, rows, speed=speed)
        out.print(f"  {taken.written:,} readings, {taken.refused:,} refused")

    _feed(city, work)


@feed.command()
def sql(mapping: Mapping, *, city: City = None, once: Once = False) -> None:
    """Poll another database from where it was left; late and corrected rows are taken too."""

    async def work(database: "Database") -> None:
        from twin.sensing.feeds.source import SqlSource, follow_sql, read_source

        taken = await follow_sql(database, mapping.stem, read_source(mapping, SqlSource), once=once)
        out.print(f"  {taken.written:,} readings, {taken.corrected:,} corrected, {taken.refused:,} refused")

    _feed(city, work)


@feed.command()
def http(mapping: Mapping, *, city: City = None, once: Once = False) -> None:
    """Poll a service that tells JSON."""

    async def work(database: "Database") -> None:
        from twin.sensing.feeds.source import HttpSource, follow_http, read_source

        taken = await follow_http(database, read_source(mapping, HttpSource), once=once)
        out.print(f"  {taken.written:,} readings, {taken.refused:,} refused")

    _feed(city, work)


@feed.command()
def load(
    recipe: Annotated[str, typer.Argument(help="A recipe that ships (beijing, la), or a file with one.")],
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Where the set's files are.")],
    *,
    city: City = None,
) -> None:
    """Make a set of stations known, and load its history."""

    async def work(database: "Database") -> None:
        from twin.sensing.feeds.recipe import load_set, read_recipe

        with step(f"{recipe}: stations and readings"):
            number = await load_set(database, read_recipe(recipe), folder)
        out.print(f"  {number:,} readings")

    _feed(city, work)


@feed.command()
def typhoon(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Its document: JSON or CSV.")],
    *,
    number: Annotated[str | None, typer.Option(help="Its number. (default: the file's name)")] = None,
    city: City = None,
) -> None:
    """Keep what is known of a typhoon."""

    async def work(database: "Database") -> None:
        from layers.access import SYSTEM
        from twin.sensing.typhoons import read_typhoon_file, save_typhoon

        found = read_typhoon_file(file, number or file.stem, ZoneInfo(database.city.time_zone))
        async with database.writing() as connection:
            await save_typhoon(connection, found, SYSTEM.name)
        out.print(f"  {found.name_en}: {len(found.points)} positions, {len(found.forecasts)} forecasts")

    _feed(city, work)


def _feed(city: str | None, work: Callable[["Database"], Awaitable[None]]) -> None:
    from twin.local import local_twin

    twin = local_twin(Path.cwd(), os.environ)
    with twin.database():
        place = next((each for each in twin.directory.cities() if city in (None, each.name)), None)
        if place is None:
            raise NoSuchCity(f"no city {city or ''} here; `twin status` lists them, `twin demo` makes one")
        asyncio.run(_with_database(place.url, work))


async def _with_database(url: str, work: Callable[["Database"], Awaitable[None]]) -> None:
    from cim_models.database import Database

    database = await Database.open(url, connections=2, statement_timeout_s=600)
    try:
        await work(database)
    finally:
        await database.close()
