"""Runs of scenarios: `run = city.run("flood", preset="typhoon"); run.wait(); run.indicators`."""

import io
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote

from twin.sdk.client import Client
from twin.sdk.errors import NotFound, SdkError, WrongRequest

if TYPE_CHECKING:
    import numpy
    import pandas
    import xarray

JSON = {"Content-Type": "application/json", "Prefer": "respond-async"}
LOOK_EVERY_S = 1.0
OVER = ("successful", "failed", "dismissed")

Document: TypeAlias = Mapping[str, Any]


class RunFailed(SdkError):
    """The scenario has failed, or was dismissed; the message says why."""


@dataclass(frozen=True)
class Raster:
    """Cells in one state or many.

    values: [frame, row, column], the north row first, nan where there is none. times: of the frames, empty for a state
    without time. transform: affine, from columns and rows to `crs`.
    """

    values: "numpy.ndarray[Any, Any]"
    times: list[datetime]
    transform: Any
    crs: str
    unit: str

    def to_xarray(self) -> "xarray.DataArray":
        """The same with dimensions time, y, x at the cells' centres; needs xarray. Times are UTC, as numpy has them."""
        import numpy
        import xarray

        _, rows, columns = self.values.shape
        x = self.transform.c + (numpy.arange(columns) + 0.5) * self.transform.a
        y = self.transform.f + (numpy.arange(rows) + 0.5) * self.transform.e
        times = [moment.astimezone(UTC).replace(tzinfo=None) for moment in self.times]
        time_axis = {"time": times} if times else {}
        attributes = {"crs": self.crs, "units": self.unit}
        return xarray.DataArray(self.values, {**time_axis, "y": y, "x": x}, ("time", "y", "x"), attrs=attributes)


class Run:
    """A run of a scenario on the server, whether or not it is over."""

    def __init__(self, client: Client, base: str, job: str) -> None:
        self._client = client
        self._base = base
        self.id = job

    @property
    def info(self) -> dict[str, Any]:
        """The job as the server tells of it now, with inputs, seed and versions under "twin"."""
        found: dict[str, Any] = self._client.get(f"{self._base}/jobs/{self.id}")
        return found

    @property
    def status(self) -> str:
        """accepted, running, successful, failed or dismissed."""
        return str(self.info["status"])

    @property
    def progress(self) -> float:
        """0 to 1."""
        return float(self.info["progress"]) / 100

    def wait(self, timeout_s: float | None = None) -> "Run":
        """Wait until it is successful. Raises RunFailed; TimeoutError when that takes longer than `timeout_s`."""
        until = None if timeout_s is None else time.monotonic() + timeout_s
        while (found := self.info)["status"] not in OVER:
            if until is not None and time.monotonic() > until:
                raise TimeoutError(f"run {self.id} is {found['status']} at {found['progress']} %")
            time.sleep(LOOK_EVERY_S)
        if found["status"] != "successful":
            raise RunFailed(f"{found['processID']}: {found.get('message') or found['status']} (run {self.id})")
        return self

    def dismiss(self) -> None:
        """End it; one that is over is removed with its results."""
        self._client.send("DELETE", f"{self._base}/jobs/{self.id}")

    @property
    def indicators(self) -> dict[str, Any]:
        """What it gave in numbers. Waits for the end."""
        return dict(self._result["indicators"])

    @property
    def layers(self) -> dict[str, str]:
        """Ids of its result layers by role: `city[run.layers["homes"]]`. Waits for the end."""
        return {layer["role"]: layer["id"] for layer in self._result["layers"]}

    def table(self, name: str) -> "pandas.DataFrame":
        """One of its tables. Waits for the end. Raises NotFound, naming those there are."""
        import pandas

        names = self._result["tables"]
        if name not in names:
            raise NotFound(f"run {self.id} has no table {name!r}; there are: {', '.join(names) or 'none'}")
        found = self._client.get(f"{self._base}/jobs/{self.id}/tables/{quote(name)}", {"f": "json"})
        return pandas.DataFrame(found["rows"], columns=found["columns"])

    def raster(self, role: str) -> "Raster":
        """The cells of one of its raster layers, every frame. Waits for the end; needs rasterio. Raises NotFound."""
        import numpy
        import rasterio

        layers = {layer["role"]: layer for layer in self._result["layers"] if layer["kind"] == "raster"}
        if role not in layers:
            raise NotFound(f"run {self.id} has no raster {role!r}; there are: {', '.join(layers) or 'none'}")
        layer, frames = layers[role], []
        for number in range(max(1, len(layer["times"]))):
            target = io.BytesIO()
            self._client.download(f"{self._base}/jobs/{self.id}/files/{role}_{number:04d}.tif", {}, target)
            with rasterio.open(io.BytesIO(target.getvalue())) as dataset:
                frames.append(dataset.read(1, masked=True).astype("float32").filled(numpy.nan))
                transform, crs = dataset.transform, dataset.crs.to_string()
        times = [datetime.fromisoformat(moment) for moment in layer["times"]]
        return Raster(numpy.stack(frames), times, transform, crs, layer["unit"])

    def file(self, name: str, path: str | Path | None = None) -> Path:
        """Download one of its files, such as a report; where it lies now."""
        target = Path(path or name)
        with target.open("wb") as file:
            self._client.download(f"{self._base}/jobs/{self.id}/files/{quote(name)}", {}, file)
        return target

    @property
    def _result(self) -> Document:
        found = self.wait().info["twin"]
        return dict(found)

    def __repr__(self) -> str:
        found = self.info
        return f"<Run {self.id} of {found['processID']}: {found['status']}, {found['progress']} %>"


def start_run(
    client: Client,
    base: str,
    scenario: str,
    *,
    preset: str | None,
    inputs: Mapping[str, Any],
    parameters: Mapping[str, str | int | None],
) -> Run:
    """Ask for a run. Raises WrongRequest for inputs that do not fit, NotFound for a scenario that is not there."""
    given = dict(inputs)
    if preset is not None:
        presets = client.get(f"{base}/processes/{quote(scenario)}")["twin"]["presets"]
        if preset not in presets:
            raise WrongRequest(f"{scenario} has no preset {preset!r}; there are: {', '.join(presets) or 'none'}")
        given = {**presets[preset]["inputs"], **given}
    body = {"inputs": given, "response": "document"}
    answer = client.send("POST", f"{base}/processes/{quote(scenario)}/execution", body, parameters, JSON)
    return Run(client, base, str(answer.json()["jobID"]))
