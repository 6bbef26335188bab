"""The cells of a raster layer as a numpy array; needs rasterio, as in `pip install rasterio`."""

from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from twin.sdk.client import Client, Parameters
from twin.sdk.errors import SdkError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class RasterioMissing(SdkError):
    """What reads rasters is not installed."""


@dataclass(frozen=True)
class Cells:
    """Cells of one moment.

    values: rows from the north, NaN where there is none, in `unit`. transform: affine, from (column, row) to x and y
    (x east) in `crs`, as rasterio has it.
    """

    values: "npt.NDArray[np.float32]"
    transform: Any
    crs: str
    unit: str


def read_cells(client: Client, path: str, parameters: Parameters) -> Cells:
    """The coverage at `path` (a collection's). Raises RasterioMissing, NotFound for a layer without cells."""
    try:
        import rasterio
    except ImportError:
        raise RasterioMissing("rasters are read by rasterio: pip install rasterio") from None
    told = client.get(f"{path}/coverage/tilejson.json", parameters)["twin"]
    with TemporaryFile() as file:
        client.download(f"{path}/coverage", {**parameters, "f": "geotiff"}, file)
        file.seek(0)
        with rasterio.open(file) as dataset:
            values = dataset.read(1, masked=True).astype("float32").filled(float("nan"))
            return Cells(values, dataset.transform, dataset.crs.to_string(), told["unit"])
