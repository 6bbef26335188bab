"""The command `twin`: its verbs, and how errors and exit codes leave it."""

import sys
from typing import Annotated

import typer

from cim_models import __version__
from twin.commands import (
    check,
    codes,
    doctor,
    feed,
    flood,
    found,
    geocode,
    keeping,
    load,
    publish,
    read,
    run,
    scenario,
    sensors,
    serve,
    token,
    traffic,
)
from twin.commands.console import FAILED, FAULT, INTERRUPTED, is_refusal, say_error

VERBOSE = "--verbose"

commands = typer.Typer(
    name="twin",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for verb in (
    run.run,
    serve.up,
    serve.down,
    serve.status,
    found.init,
    load.load,
    publish.publish,
    check.check,
    codes.codes,
    run.demo,
    read.layers,
    read.export,
    geocode.geocode,
    doctor.doctor,
    keeping.backup,
    keeping.restore,
    keeping.prune,
):
    commands.command()(verb)
commands.add_typer(keeping.archive, name="archive")
commands.add_typer(token.tokens, name="token")
commands.add_typer(sensors.sensors, name="sensors")
commands.add_typer(feed.feed, name="feed")
commands.add_typer(scenario.jobs, name="jobs")
commands.add_typer(flood.flood, name="flood")
commands.add_typer(traffic.traffic, name="traffic")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"CityTwin {__version__}")
        raise typer.Exit


@commands.callback()
def _options(
    verbose: Annotated[bool, typer.Option(VERBOSE, help="Show where an error came from.")] = False,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False,
) -> None:
    """CityTwin: a city as a database, a map and a service."""


def app() -> None:
    """Run the command; an error is one clear line and an honest exit code, a traceback only with --verbose."""
    # Wherever it stands: people add it to the end of the line that failed.
    words = [word for word in sys.argv[1:] if word != VERBOSE]
    try:
        commands(words)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:
        if len(words) < len(sys.argv) - 1:
            raise
        sys.exit(_report(error))


def _report(error: Exception) -> int:
    if is_refusal(error):
        say_error(str(error))
        return FAILED
    if isinstance(error, ModuleNotFoundError) and error.name is not None:
        say_error(f'this needs more than the light install ({error.name} is missing): pip install "citytwin[server]"')
        return FAILED
    if isinstance(error, OSError) and error.filename is not None:
        say_error(f"{error.filename}: {error.strerror}")
        return FAILED
    say_error(f"unexpected {type(error).__name__}: {error}; with --verbose it shows where it came from")
    return FAULT
