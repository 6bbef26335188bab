"""The hook: what a scenario is to the twin, and what it gives back. Flood and traffic are two of them, no more.

A package offers one under the entry point group `citytwin.scenarios`; see docs/scenarios.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from twin.scenarios.inputs import Inputs, Words

if TYPE_CHECKING:
    import pyarrow as pa

    from twin.scenarios.city import City


class Dismissed(BaseException):
    """The job was dismissed; no Exception, as a keyboard interrupt is none, so that a scenario does not catch it."""


class Progress(Protocol):
    """How far a run is. Raises Dismissed when the job was dismissed: call it at least once a second of work."""

    def __call__(self, fraction: float, message: Words | str = "") -> None:
        """fraction: 0 to 1 of the whole run."""


@dataclass(frozen=True)
class Preset:
    """Inputs under a name that a planner knows; what it leaves out keeps its default."""

    title: Words
    inputs: Mapping[str, Any]


class Scenario(Protocol):
    """One kind of "what if". All but `run` is read in the server, so that importing it must be quick.

    One whose engine is installed apart has a further method, `missing() -> Words | None`: what is to be installed
    here before it can run. Whoever lists scenarios shows it.
    """

    name: str
    """[a-z][a-z0-9-]*: the process of that name in OGC API Processes, and `city.run(name)`."""
    version: str
    title: Words
    description: Words
    inputs: type[Inputs]
    presets: Mapping[str, Preset]

    def run(self, city: City, inputs: Any, progress: Progress) -> Result:
        """Compute, synchronously, in a process of its own under limits of memory, time and disk.

        inputs: one of `self.inputs`, checked. ScenarioError tells the planner what was wrong; any other exception
        counts as a fault of the program. Equal inputs, city and `city.seed` must give an equal result.
        """


@dataclass(frozen=True)
class RasterLayer:
    """Cells over the city, one state or many. role: [a-z][a-z0-9_]*, "depth".

    frames: (moment, COG in the run's folder); None for a moment is a state without time, such as a maximum.
    style: a ramp in layers/styles/ramps.yaml. unit: of the values, "m".
    """

    role: str
    title: Words
    unit: str
    frames: Sequence[tuple[datetime | None, Path]]
    style: str


@dataclass(frozen=True)
class VectorLayer:
    """Objects of a result.

    table: "geometry" (WKB in the city's metric CRS), "uid" (text), where time matters "valid_from" and "valid_to"
    (timestamp[us, UTC]), and any further columns, which become typed properties.
    style: MapLibre style layers without their source; None is the style of generic objects.
    """

    role: str
    title: Words
    table: pa.Table
    style: Sequence[Mapping[str, Any]] | None = None


@dataclass(frozen=True)
class Result:
    """What a run gives. indicators: JSON; a number has its unit in the key or is {"value", "unit", "title": {zh, en}}.

    tables: served as JSON, CSV and XLSX. files: pages and pictures in the run's folder, by the name to serve them
    under. Layers, tables and files are kept until the run expires.
    """

    layers: Sequence[RasterLayer | VectorLayer] = ()
    indicators: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, pa.Table] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class RunRecord:
    """A finished run, as another one reads it.

    layers: ids of its result layers by role. rasters: frames of its raster layers by role, (moment, COG). tables: those
    that `table` gives; a vector layer's is there by its role.
    """

    id: str
    scenario: str
    inputs: Mapping[str, Any]
    indicators: Mapping[str, Any]
    layers: Mapping[str, str]
    rasters: Mapping[str, Sequence[tuple[datetime | None, Path]]]
    tables: Mapping[str, Path]
    folder: Path

    def table(self, name: str) -> pa.Table:
        """One of its tables, or of its vector layers, by name. Raises KeyError."""
        from pyarrow import parquet

        return parquet.read_table(self.tables[name])
