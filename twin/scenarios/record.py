"""What a run leaves in its folder, so that another run can read it: rasters, tables, and a manifest of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pyarrow import parquet

from twin.scenarios import ScenarioError
from twin.scenarios.protocol import RasterLayer, Result, RunRecord
from twin.scenarios.runs import Run

RUNS, TABLES, LAYERS = "runs", "tables", "layers"
MANIFEST = "result.json"
LOG = "run.log"


@dataclass(frozen=True)
class Folder:
    """The folder of a run. path: in the city's own."""

    path: Path

    @property
    def log(self) -> Path:
        return self.path / LOG

    def table(self, name: str) -> Path:
        return self.path / TABLES / f"{name}.parquet"

    def layer(self, role: str) -> Path:
        return self.path / LAYERS / f"{role}.parquet"

    def within(self, path: Path) -> str:
        """A file's name in the folder. Raises ScenarioError for one that is elsewhere or missing."""
        try:
            name = path.resolve().relative_to(self.path.resolve()).as_posix()
        except ValueError:
            raise ScenarioError(f"{path}: results are written in city.folder, which is {self.path}") from None
        if not path.is_file():
            raise ScenarioError(f"{path}: the scenario names this file and has not written it")
        return name

    def write(self, result: Result) -> dict[str, list[str]]:
        """Write down a result's tables and manifest; the files of its rasters by role. Raises ScenarioError."""
        rasters: dict[str, list[tuple[str | None, str]]] = {}
        tables: dict[str, str] = {}
        for name, table in result.tables.items():
            tables[name] = self._written(table, self.table(name))
        for layer in result.layers:
            if isinstance(layer, RasterLayer):
                rasters[layer.role] = [
                    (None if at is None else at.isoformat(), self.within(path)) for at, path in layer.frames
                ]
            else:
                tables[layer.role] = self._written(layer.table, self.layer(layer.role))
        (self.path / MANIFEST).write_text(json.dumps({"rasters": rasters, "tables": tables}), encoding="utf-8")
        return {role: [file for _, file in frames] for role, frames in rasters.items()}

    def _written(self, table: Any, file: Path) -> str:
        file.parent.mkdir(exist_ok=True)
        parquet.write_table(table, file, compression="zstd")
        return file.relative_to(self.path).as_posix()

    def record(self, run: Run) -> RunRecord:
        """A finished run as another one reads it."""
        outcome: Mapping[str, Any] = run.outcome or {}
        manifest = json.loads((self.path / MANIFEST).read_text(encoding="utf-8"))
        return RunRecord(
            id=str(run.id),
            scenario=run.scenario,
            inputs=run.inputs,
            indicators=run.indicators or {},
            layers={layer["role"]: layer["id"] for layer in outcome.get("layers", ()) if layer["id"]},
            rasters={
                role: [(at and datetime.fromisoformat(at), self.path / file) for at, file in frames]
                for role, frames in manifest["rasters"].items()
            },
            tables={name: self.path / file for name, file in manifest["tables"].items()},
            folder=self.path,
        )


def folder_of(files: Path, run_id: object) -> Folder:
    """Where a run keeps its files, in the city's own folder."""
    return Folder(files / RUNS / str(run_id))
