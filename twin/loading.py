"""What `twin load` is given becomes deliveries to a city: a recipe, a file, or a folder of files."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

from layers import LayerError
from layers.automatic import dataset_name
from layers.formats import files_in
from layers.load import NOTHING, Delivery, Progress, Said, file_deliveries, load, recipe_deliveries
from layers.recipe import Recipe, read_recipe
from layers.report import Report
from twin import TwinError
from twin.directory import CityPlace, Directory, NoSuchCity

RECIPES = (".yaml", ".yml")
# Those of real cities that ship.
OWN_RECIPES = Path(__file__).parent / "recipes"

Told = Callable[[Report], None]


class LoadError(TwinError):
    """What should be loaded cannot be found, or not like this."""


@dataclasses.dataclass(frozen=True)
class Manner:
    """How to load. who: stands in the change feed. anywhere: take in what lies far from the city too.

    progress: called while rows are read. told: called with the report of each data set as it is done.
    """

    who: str
    told: Told
    progress: Progress | None = None
    anywhere: bool = False


def find_recipe(text: str) -> Path:
    """The recipe that a path names, or the name of one that ships. Raises LoadError."""
    path = Path(text)
    if path.is_file():
        return path
    shipped = {recipe.stem: recipe for recipe in sorted(OWN_RECIPES.glob("*.yaml"))}
    if text in shipped:
        return shipped[text]
    raise LoadError(f"{text}: no such file, folder or recipe; recipes that ship: {', '.join(shipped) or 'none here'}")


def load_recipe(directory: Directory, path: Path, data: Path, name: str | None, manner: Manner) -> CityPlace:
    """Load all data sets of a recipe into the city it describes, or into one called `name`.

    data: folder that its files are in. A city that is not there yet is laid down, and seen only when all is loaded.
    """
    recipe = read_recipe(path)
    spec = dataclasses.replace(recipe.city.spec(), name=name or recipe.city.name)
    try:
        place = directory.find(spec.name)
    except NoSuchCity:
        return directory.create(spec, lambda place: _load_recipe(place, recipe, data, manner))
    _load_recipe(place, recipe, data, manner)
    return place


def load_files(place: CityPlace, paths: Sequence[Path], manner: Manner, said: Said = NOTHING) -> list[LayerError]:
    """Load files that come without a recipe, each whole or not at all; gives the refusals, and goes on after one.

    said: what somebody says of all of them.
    """
    refusals = []
    for path in paths:
        try:
            _load(place, file_deliveries(path, said), manner)
        except LayerError as error:
            refusals.append(error)
    return refusals


def load_layer(place: CityPlace, path: Path, manner: Manner, said: Said, *, name: str | None) -> None:
    """Load one file. said: instead of what it says. name: of the data set it becomes."""
    deliveries = file_deliveries(path, said)
    if name is not None:
        if dataset_name(name) != name:
            raise LoadError(f"--dataset {name}: take a-z, 0-9 and dashes, such as {dataset_name(name)}")
        if len(deliveries) > 1:
            found = ", ".join(delivery.dataset.name for delivery in deliveries)
            raise LoadError(f"{path.name}: --dataset names one data set, and this is {found}; choose one with --layer")
        dataset = deliveries[0].dataset.model_copy(update={"name": name})
        deliveries = [dataclasses.replace(deliveries[0], dataset=dataset)]
    _load(place, deliveries, manner)


def files_of(folder: Path) -> list[Path]:
    """What can be loaded from a folder. Raises LoadError where there is nothing."""
    files = files_in(folder)
    if not files:
        raise LoadError(f"{folder}: no file of a known format in it; `twin load --help` lists them")
    return files


def _load_recipe(place: CityPlace, recipe: Recipe, data: Path, manner: Manner) -> None:
    for deliveries in recipe_deliveries(recipe, data):
        _load(place, deliveries, manner)


def _load(place: CityPlace, deliveries: Sequence[Delivery], manner: Manner) -> None:
    for report in load(
        place.url,
        deliveries,
        who=manner.who,
        home=place.files,
        anywhere=manner.anywhere,
        progress=manner.progress,
    ):
        manner.told(report)
