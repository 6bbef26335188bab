"""The city as a scenario sees it: objects, terrain and series of one view, in metres, and a folder of the run's own."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from rasterio.transform import Affine

from layers.view import View
from twin.scenarios.protocol import RunRecord

Box = tuple[float, float, float, float]


class City(Protocol):
    """metric_crs: "EPSG:4549"; x is east and y north. box: all the city, in CRS84. seed: of this run's randomness."""

    name: str
    srid: int
    metric_crs: str
    vertical_datum: str
    time_zone: str
    box: Box
    view: View
    folder: Path
    seed: int
    cores: int

    def features(
        self, layer_id: str, *, box: Box | None = None, columns: Sequence[str] = (), where: str | None = None
    ) -> pa.Table:
        """Objects of a layer: object_id, "geometry" (WKB, metric CRS) and `columns`. box: CRS84. where: CQL2 text."""

    def terrain(self, box: Box, resolution_m: float) -> tuple[npt.NDArray[np.float32], Affine]:
        """Heights [rows, columns], metres, north row first, nan where there are none. box: in the metric CRS."""

    def series(
        self, datastream_id: int, since: datetime, until: datetime
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Times (seconds since 1970, UTC) and values that a sensor measured, oldest first."""

    def change_number(self) -> dict[str, int]:
        """The last change of each layer."""

    def previous(self, run_id: str) -> RunRecord:
        """A finished run that the principal may see. Raises ScenarioError."""
