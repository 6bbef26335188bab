"""`twin sensors`: made-up readings for a city that has no real ones."""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from twin import TwinError
from twin.commands.console import out, step

if TYPE_CHECKING:
    from twin.directory import CityPlace

sensors = typer.Typer(no_args_is_help=True, help="Sensors: made-up readings for a city that has no real ones.")


class NoSensors(TwinError):
    """There is nothing that could be simulated."""


@sensors.callback()
def _group() -> None:
    """Keeps `simulate` a verb of its own while it is the only one."""


@sensors.command()
def simulate(
    *,
    city: Annotated[str | None, typer.Option(help="Name of the city. (default: the default city)")] = None,
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
    from twin.local import local_twin

    twin = local_twin(Path.cwd(), os.environ)
    with twin.database():
        place = next((each for each in twin.directory.cities() if city in (None, each.name)), None)
        if place is None:
            raise NoSensors(f"no city {city or ''} here; `twin status` lists them, `twin demo` makes one")
        asyncio.run(_simulate(place, hours, speed, typhoon=typhoon))


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
