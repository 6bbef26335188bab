"""`twin run NAME` and `twin jobs`: scenarios on a server, here or elsewhere."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from twin import TwinError
from twin.commands.console import out, print_table
from twin.commands.read import City, Url

if TYPE_CHECKING:
    from twin.sdk.run import Run

LOOK_EVERY_S = 1.0

jobs = typer.Typer(invoke_without_command=True, help="Runs of scenarios: list them, dismiss one.")


class WrongInput(TwinError):
    """An input on the command line that cannot be read."""


def run_scenario(
    name: str, *, preset: str | None, given: Sequence[str], file: Path | None, wait: bool, city: str | None
) -> None:
    """Ask for a run, and with `wait` show how it goes to its end."""
    from twin.sdk import connect

    with connect(city=city) as found:
        run = found.run(name, preset=preset, **_inputs(given, file))
        out.print(run.id, markup=False)
        if wait:
            _follow(run)


@jobs.callback()
def list_(context: typer.Context, city: City = None, url: Url = None) -> None:
    """List the runs that the token may see, the newest first."""
    from twin.sdk import connect

    if context.invoked_subcommand is not None:
        return
    with connect(url, city=city) as found:
        rows = []
        for run in found.runs:
            told = run.info
            message = told.get("message") or ""
            rows.append((run.id, told["processID"], told["status"], f"{told['progress']} %", told["created"], message))
    print_table(("id", "scenario", "status", "done", "asked for", ""), rows)


@jobs.command()
def dismiss(job: str, city: City = None, url: Url = None) -> None:
    """End a run; one that is over is removed with its results."""
    from twin.sdk import connect

    with connect(url, city=city) as found:
        found.get_run(job).dismiss()
    out.print(f"{job} is dismissed", markup=False)


def _follow(run: "Run") -> None:
    import time

    from twin.sdk.run import OVER

    with out.status("") as line:
        while (told := run.info)["status"] not in OVER:
            line.update(f"{told['status']} {told['progress']} % {told.get('message') or ''}")
            time.sleep(LOOK_EVERY_S)
    run.wait()
    for key, value in run.indicators.items():
        out.print(f"  {key:<38} {_told(value)}", markup=False, soft_wrap=True)


def _told(indicator: Any) -> str:
    """A number with its unit, anything else as JSON."""
    if isinstance(indicator, dict) and {"value", "unit"} <= indicator.keys():
        unit = "" if indicator["unit"] in (None, "1") else f" {indicator['unit']}"
        return f"{indicator['value']}{unit}"
    return json.dumps(indicator, ensure_ascii=False)


def _inputs(given: Sequence[str], file: Path | None) -> dict[str, Any]:
    """Inputs of a file and of KEY=VALUE, which go before it. Raises WrongInput."""
    try:
        found: Any = {} if file is None else json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise WrongInput(f"{file}: no JSON ({error})") from None
    if not isinstance(found, dict):
        raise WrongInput(f'{file}: an object such as {{"rain_mm": 200}} is wanted')
    for each in given:
        key, equals, value = each.partition("=")
        if not equals:
            raise WrongInput(f"--input {each}: write KEY=VALUE, such as rain_mm=200")
        try:
            found[key] = json.loads(value)
        except ValueError:
            # A word needs no quotes.
            found[key] = value
    return found
