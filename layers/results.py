"""Results of a run as layers of the city: published in one transaction, seen by every service, taken away again.

    run = Run(id=job_id, title=Title("台风", "Typhoon"), who="planner", lineage="flood 1.2, change 4711")
    async with database.writing() as connection:
        depth = await publish_raster(connection, city, files, run, RasterResult("depth", ...))
        homes = await publish_features(connection, city, run, FeatureResult("homes", ...))

Both give the layer's id, `run_{short id of the run}_{role}`. The caller keeps the files of rasters; `remove_run` takes
away what is in the database.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from cim_models.database import City, Connection
from layers import LayerError
from layers.catalog import Title


class ResultError(LayerError):
    """A result that cannot be a layer; the message names the run, the role and what to mend."""


@dataclass(frozen=True)
class Run:
    """The run that results are of.

    id: any text with at least eight letters a-z or digits in it, such as a UUID. who: the principal for the change
    feed. source, lineage: for the data set ("flood 1.2"; inputs and the change number it read). vertical_datum: of
    heights among the values. readers: roles that may read the layers, None for everybody.
    """

    id: str
    title: Title
    who: str
    source: str | None = None
    lineage: str | None = None
    vertical_datum: str = "unknown"
    readers: Sequence[str] | None = None


@dataclass(frozen=True)
class RasterResult:
    """Cells over the city, in one state or many.

    role: [a-z][a-z0-9_]{0,40}, such as "depth". unit: of the values (UCUM), "m". ramp: a name in
    layers/styles/ramps.yaml. frames: (moment, Cloud-Optimized GeoTIFF within the city's folder); the moment None says
    that the state has no time, and then it is the only frame. variable: what the values are, the role by default.
    band: of the files, counted from 1.
    """

    role: str
    title: Title
    unit: str
    ramp: str
    frames: Sequence[tuple[datetime | None, Path]]
    variable: str | None = None
    band: int = 1


@dataclass(frozen=True)
class FeatureResult:
    """Objects.

    table: "geometry" (WKB in the city's metric CRS, x is east), "uid" (text), for time "valid_from" and "valid_to"
    (timestamps with a time zone), all other columns typed properties; metadata of a column's field may hold its title
    ("zh", "en") and "unit". style: MapLibre style layers without their source; None is the style of generic objects.
    """

    role: str
    title: Title
    table: pa.Table
    style: Sequence[Mapping[str, Any]] | None = None


async def publish_raster(connection: Connection, city: City, files: Path, run: Run, result: RasterResult) -> str:
    """A layer of frames; its id. In the caller's transaction, which is all that readers will ever see of it.

    files: the city's folder, in which the frames lie. Raises ResultError.
    """
    raise NotImplementedError


async def publish_features(connection: Connection, city: City, run: Run, result: FeatureResult) -> str:
    """A layer of objects; its id. In the caller's transaction. 200,000 rows take seconds. Raises ResultError."""
    raise NotImplementedError


async def remove_run(connection: Connection, run_id: str, who: str) -> list[str]:
    """Take a run's layers, data sets and rows away, in the caller's transaction; the ids of the layers there were."""
    raise NotImplementedError


def layer_id(run_id: str, role: str) -> str:
    """The id of a run's layer. Raises ResultError."""
    raise NotImplementedError
