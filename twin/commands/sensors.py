"""`twin sensors`: made-up readings for a city that has no real ones, and how long readings are kept."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from twin import TwinError
from twin.commands.console import out, step

if TYPE_CHECKING:
    from twin.directory import CityPlace

sensors = typer.Typer(no_args_is_help=True, help="Sensors: made-up readings, and how long readings are kept.")


CityName = Annotated[str | None, typer.Option(help="Name of the city. (default: the default city)")]


class NoSensors(TwinError):
    """There is nothing that could be simulated."""


@sensors.command()
def simulate(
    *,
    city: CityName = None,
    hours: Annotated[float, typer.Option(min=0.1, max=24 * 366, help="How much time to play.")] = 24.0,
    typhoon: Annotated[
        bool,
        typer.Option("--typhoon", help="A typhoon comes ashore at 14:00; with --speed, half way through."),
    ] = False,
    speed: Annotated[
        float | None,
        typer.Option(min=0.01, help="From now on, so much faster than the clock. (default: the past, at once)"),
    ] = None,
) -> None:
    """Make the city's sensors known, and play a day of readings; none of them is real."""
    with _place(city) as place:
        asyncio.run(_simulate(place, hours, speed, typhoon=typhoon))


@sensors.command()
def keep(
    kind: Annotated[str | None, typer.Argument(help="A kind of datastreams, as traffic. (default: list all)")] = None,
    months: Annotated[int | None, typer.Argument(min=0, max=1200, help="Full months; 0 is for ever.")] = None,
    *,
    city: CityName = None,
) -> None:
    """Say how long single readings of a kind are kept; their hours and days stay. Without words: list what is so."""
    with _place(city) as place:
        asyncio.run(_keep(place, kind, months))


@contextmanager
def _place(city: str | None) -> Iterator["CityPlace"]:
    from twin.local import local_twin

    twin = local_twin(Path.cwd(), os.environ)
    with twin.database():
        place = next((each for each in twin.directory.cities() if city in (None, each.name)), None)
        if place is None:
            raise NoSensors(f"no city {city or ''} here; `twin status` lists them, `twin demo` makes one")
        yield place


async def _keep(place: "CityPlace", kind: str | None, months: int | None) -> None:
    from cim_models.database import Database
    from twin.sensing.months import keep_months, kept_months

    database = await Database.open(place.url, connections=1)
    try:
        async with database.writing() as connection:
            if kind is not None and months is not None:
                await keep_months(connection, kind, months or None)
            kept = await kept_months(connection, kind)
    finally:
        await database.close()
    for name, number in kept.items():
        out.print(f"  {name:<20}{'for ever' if number is None else f'{number} months'}")


async def _simulate(place: "CityPlace", hours: float, speed: float | None, *, typhoon: bool) -> None:
    from cim_models.database import Database
    from twin.sensing.simulation.play import EVERY, play
    from twin.sensing.simulation.stations import make_stations, simulated_streams

    database = await Database.open(place.url, connections=2, statement_timeout_s=600)
    try:
        with step("stations"):
            await make_stations(database)
            streams = await simulated_streams(database)
        if not streams:
            raise NoSensors(f"{place.name} has no objects in the layer sensors; `twin demo` makes a city that has")
        now = datetime.now(UTC)
        now = datetime.fromtimestamp(now.timestamp() // EVERY.total_seconds() * EVERY.total_seconds(), UTC)
        start = now - timedelta(hours=hours) if speed is None else now
        landfall = None
        if typhoon:
            local = start.astimezone(ZoneInfo(database.city.time_zone))
            # What is played live is watched, at whatever hour it begins.
            landfall = 14.0 if speed is None else local.hour + local.minute / 60 + hours / 2
        with step(f"{len(streams)} sensors, {hours:g} h"):
            number = await play(
                database, streams, start, start + timedelta(hours=hours), landfall=landfall, speed=speed
            )
        out.print(f"  {number:,} readings, none of them real")
    finally:
        await database.close()
