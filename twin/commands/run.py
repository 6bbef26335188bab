"""`twin demo` and `twin run`: a city to look at, at once."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twin.commands.console import out, step
from twin.commands.load import manner_of_loading
from twin.commands.scenario import run_scenario
from twin.commands.serve import Host, Port, Workers, serve, show_address

if TYPE_CHECKING:
    from twin.local import LocalTwin

NAME, BUILDINGS, SEED = "demo", 20_000, 1

Buildings = Annotated[int, typer.Option(min=500, max=4_000_000, help="How many buildings; the area grows with them.")]


def demo(
    *,
    buildings: Buildings = BUILDINGS,
    seed: Annotated[int, typer.Option(help="Another number is another city.")] = SEED,
    name: Annotated[str, typer.Option(help="Its name.")] = NAME,
) -> None:
    """Make up a coastal city: terrain, water, streets, land, buildings, networks, sensors. Nothing in it is real."""
    from twin.local import local_twin

    twin = local_twin(Path.cwd(), os.environ)
    with twin.database():
        _make_demo(twin, name, buildings, seed)


def run(
    scenario: Annotated[str | None, typer.Argument(help="A scenario to run on the server that is up.")] = None,
    *,
    preset: Annotated[str | None, typer.Option(help="Inputs of the scenario under a name.")] = None,
    given: Annotated[list[str] | None, typer.Option("--input", help="KEY=VALUE, as often as needed.")] = None,
    inputs: Annotated[Path | None, typer.Option(help="JSON file of inputs.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Show how the scenario goes, and what it gives.")] = False,
    city: Annotated[
        str | None,
        typer.Option(help="A recipe to load: its path, or the name of one that ships. For a scenario: the city."),
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the recipe's files.")] = None,
    buildings: Buildings = BUILDINGS,
    port: Port = None,
    host: Host = None,
    workers: Workers = None,
) -> None:
    """Bring a city up from nothing and serve it: the recipe's, or a made-up one if there is none yet.

    With the name of a scenario: run that, on the server that is up.
    """
    if scenario is not None:
        run_scenario(scenario, preset=preset, given=given or (), file=inputs, wait=wait, city=city)
        return
    from twin.loading import LoadError, find_recipe
    from twin.local import local_twin
    from twin.serving import who_serves

    if (city is None) != (data is None):
        raise LoadError("--city and --data go together: a recipe, and the folder of its files")
    recipe = find_recipe(city) if city else None
    twin = local_twin(Path.cwd(), os.environ, port=port, host=host, workers=workers)

    def prepare(twin: "LocalTwin") -> None:
        if recipe is not None and data is not None:
            _load(twin, recipe, data)
        elif not twin.directory.cities():
            _make_demo(twin, NAME, buildings, SEED)

    server = who_serves(twin.home)
    if server is None or not server.url:
        serve(twin, prepare)
    # It goes on where it was started; a city laid down now is found there at once.
    with twin.database():
        prepare(twin)
    show_address(twin, server.url)


def _load(twin: "LocalTwin", recipe: Path, data: Path) -> None:
    from twin.loading import load_recipe
    from twin.own_token import ensure_own_token

    with step(f"{recipe.stem} loaded"), manner_of_loading() as manner:
        place = load_recipe(twin.directory, recipe, data, None, manner)
    ensure_own_token(twin.token_file, [place])


def _make_demo(twin: "LocalTwin", name: str, buildings: int, seed: int) -> None:
    from twin.made_up import make_demo
    from twin.own_token import ensure_own_token

    with manner_of_loading() as manner:
        place, reports = make_demo(twin.directory, name, step, manner, twin.home, buildings=buildings, seed=seed)
    ensure_own_token(twin.token_file, [place])
    objects = sum(report.inserted for report in reports)
    out.print(f"  {name}: {objects:,} objects in {len(reports)} layers, none of them real")
