"""A scenario's result becomes what the city shows: checked, written down, published, all of it or nothing."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cim_models import __version__
from layers.catalog import Title
from layers.results import FeatureResult, RasterResult, publish_features, publish_raster
from layers.results import Run as ResultRun
from twin.scenarios import ScenarioError
from twin.scenarios.city import City
from twin.scenarios.inputs import Words
from twin.scenarios.patience import patiently
from twin.scenarios.protocol import RasterLayer, Result, Scenario, VectorLayer
from twin.scenarios.record import folder_of
from twin.scenarios.runs import finish, plain, readers_of

NAME = re.compile(r"[a-z][a-z0-9_]{0,40}\Z")
FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")
MOST_LAYERS, MOST_FRAMES = 50, 5_000


class Superseded(ScenarioError):
    """The run was dismissed, or another worker has taken it over: what was computed is not kept."""


def keep(city: City, scenario: Scenario, result: Result, kept_s: float) -> None:
    """Keep a result for `kept_s` seconds and show its layers; a member of an ensemble has none shown.

    Raises ScenarioError for a result that the protocol does not allow, ResultError, Superseded.
    """
    indicators = _checked(result)
    folder = folder_of(city.files, city.run.id)
    files = {name: folder.within(path) for name, path in result.files.items()}
    rasters = folder.write(result)

    async def commit() -> None:
        async with city.database.writing() as connection:
            outcome = {
                # Pairs: the database sorts the names of a mapping, and the scenario tells what matters most first.
                "indicators": list(indicators.items()),
                "layers": [await _shown(connection, city, scenario, layer) for layer in result.layers],
                "tables": list(result.tables),
                "files": files,
                "rasters": rasters,
            }
            kept = await finish(
                connection,
                city.run,
                outcome=outcome,
                versions={"citytwin": __version__, scenario.name: scenario.version},
                changes=city.read_layers,
                readers=readers_of(list(city.read_layers), city.run.role, city.catalog),
                kept_s=kept_s,
            )
            if not kept:
                raise Superseded("the run was dismissed while it was computed")

    city.wait(patiently(commit))


def _checked(result: Result) -> Any:
    """The indicators as JSON. Raises ScenarioError for what a result may not be."""
    roles = [layer.role for layer in result.layers]
    for name in (*roles, *result.tables):
        if NAME.match(name) is None:
            raise ScenarioError(f"{name!r} cannot name a layer or table; take a-z, 0-9 and _, a letter first")
    if len({*roles, *result.tables}) < len(roles) + len(result.tables) or len(roles) > MOST_LAYERS:
        raise ScenarioError(f"{', '.join(roles)}: each layer and table has a name of its own, at most {MOST_LAYERS}")
    for name in result.files:
        if FILE.match(name) is None:
            raise ScenarioError(f"{name!r} cannot name a file; take letters, digits, dots and dashes")
    for layer in result.layers:
        if isinstance(layer, RasterLayer) and not 0 < len(layer.frames) <= MOST_FRAMES:
            raise ScenarioError(f"{layer.role}: {len(layer.frames)} frames; 1 to {MOST_FRAMES} are shown")
    try:
        return plain(dict(result.indicators))
    except (TypeError, ValueError) as error:
        raise ScenarioError(f"indicators: no JSON ({error}); take null for what is not known") from None


async def _shown(
    connection: Any, city: City, scenario: Scenario, layer: RasterLayer | VectorLayer
) -> Mapping[str, Any]:
    """A layer as the run's document tells of it, published unless the run is a member."""
    is_raster = isinstance(layer, RasterLayer)
    return {
        "id": None if city.run.parent is not None else await _published(connection, city, scenario, layer),
        "role": layer.role,
        "title": layer.title._asdict(),
        "unit": layer.unit if isinstance(layer, RasterLayer) else None,
        "times": [at.isoformat() for at in _times(layer)],
        "kind": "raster" if is_raster else "vector",
    }


def _times(layer: RasterLayer | VectorLayer) -> list[datetime]:
    """When the layer's states begin."""
    if isinstance(layer, RasterLayer):
        return [at for at, _ in layer.frames if at is not None]
    if "valid_from" not in layer.table.column_names:
        return []
    return sorted({at for at in layer.table.column("valid_from").unique().to_pylist() if at is not None})


async def _published(connection: Any, city: City, scenario: Scenario, layer: RasterLayer | VectorLayer) -> str:
    run = ResultRun(
        id=str(city.run.id),
        title=_title(scenario.title),
        who=city.run.principal,
        source=f"{scenario.name} {scenario.version}",
        lineage=f"run {city.run.id} of {city.run.principal}, seed {city.run.seed}",
        vertical_datum=city.vertical_datum,
        made_up=city.database.city.made_up,
        readers=readers_of(list(city.read_layers), city.run.role, city.catalog),
    )
    title = _title(layer.title)
    if isinstance(layer, RasterLayer):
        raster = RasterResult(layer.role, title, layer.unit, layer.style, layer.frames)
        return await publish_raster(connection, city.database.city, city.files, run, raster)
    table = FeatureResult(layer.role, title, layer.table, layer.style)
    return await publish_features(connection, city.database.city, run, table)


def _title(words: Words) -> Title:
    return Title(words.zh, words.en)
