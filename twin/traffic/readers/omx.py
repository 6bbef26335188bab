"""OMX matrices: trips and times in HDF5 (Open Matrix 0.2, github.com/osPlanning/omx/wiki/Specification)."""

from collections.abc import Hashable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.traffic.demand import CAR, Demand, VehicleClass
from twin.traffic.errors import InvalidDemand, TrafficError
from twin.traffic.network import Floats, Ids

try:
    import h5py
except ModuleNotFoundError:
    raise TrafficError('OMX files need h5py: pip install "citytwin[omx]"') from None

VERSION = b"0.2"
# A matrix of so many zones takes 3 GB.
MOST_ZONES = 20_000


def read_trips(
    path: Path,
    matrix: str | None = None,
    *,
    lookup: str | None = None,
    zones: Iterable[Hashable] | None = None,
    vehicle: VehicleClass = CAR,
) -> Demand:
    """Trips of one matrix of a file; cells that hold its NA are none.

    matrix, lookup: which one, where there are several. A lookup names the zones; without any they are 1 to n.
    zones: ids of the network's zones, by which those of the file are recognised (as text).
    Raises InvalidDemand, saying what the file holds.
    """
    try:
        with h5py.File(path, "r") as file:
            name = _chosen(path.name, file, "data", matrix)
            if name is None:
                raise InvalidDemand(f"{path.name}: no matrix under /data; is this an OMX file?")
            cells = _cells(path.name, file["data"][name])
            index = _chosen(path.name, file, "lookup", lookup)
            ids: list[Any] = list(range(1, len(cells) + 1)) if index is None else _ids(file["lookup"][index])
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise InvalidDemand(f"{path.name}: no OMX file that can be read ({error})") from None
    if len(ids) != len(cells) or len(set(ids)) < len(ids):
        raise InvalidDemand(
            f"{path.name}: lookup {index} has {len(set(ids))} different zones, the matrix {len(cells)}; choose another"
        )
    if zones is not None:
        known = {str(each): each for each in zones}
        unknown = next((each for each in ids if str(each) not in known), None)
        if unknown is not None:
            raise InvalidDemand(f"{path.name}: zone {unknown!r} is none of the network's {len(known)} zones")
        ids = [known[str(each)] for each in ids]
    return Demand.from_matrix(cells, ids, vehicle)


def write_matrices(
    path: Path, matrices: Mapping[str, npt.ArrayLike], zones: Iterable[Hashable], lookup: str = "zone_number"
) -> None:
    """Square matrices by name (trips, or times of `Router.matrix`), with the zones' ids as a lookup.

    Whole numbers stay numbers, other ids become text. Raises InvalidDemand for a matrix of another size or a bad name.
    """
    ids = list(zones)
    tables = {name: np.asarray(each, np.float64) for name, each in matrices.items()}
    for name, table in tables.items():
        if table.shape != (len(ids), len(ids)):
            raise InvalidDemand(f"matrix {name}: {table.shape} for {len(ids)} zones")
    odd = next((name for name in (*tables, lookup) if not name or "/" in name or name == "."), None)
    if odd is not None:
        raise InvalidDemand(f"matrix or lookup {odd!r}: give it a name without /")
    whole = all(isinstance(each, int | np.integer) for each in ids)
    labels = np.array(ids, np.int64) if whole else np.char.encode(np.array(ids, str), "utf-8")
    with h5py.File(path, "w") as file:
        file.attrs["OMX_VERSION"] = np.bytes_(VERSION)
        file.attrs["SHAPE"] = np.array([len(ids), len(ids)], np.int32)
        data = file.create_group("data")
        for name, table in tables.items():
            data.create_dataset(name, data=table, chunks=True, compression="gzip", compression_opts=1)
        file.create_group("lookup").create_dataset(lookup, data=labels)


def _chosen(file_name: str, file: Any, group: str, wanted: str | None) -> str | None:
    """The one asked for or the only one of a group; None where there is none."""
    held = file.get(group)
    names = [name for name, each in held.items() if isinstance(each, h5py.Dataset)] if held is not None else []
    if wanted is None and len(names) < 2:
        return names[0] if names else None
    if wanted not in names:
        problem = f"no {wanted!r}" if wanted is not None else "say which"
        raise InvalidDemand(f"{file_name}, /{group}: {problem}; it holds {', '.join(names) or 'nothing'}")
    return wanted


def _cells(file_name: str, held: Any) -> Floats:
    if held.ndim != 2 or held.shape[0] != held.shape[1] or held.dtype.kind not in "iuf":
        raise InvalidDemand(f"{file_name}, {held.name}: {held.shape} of {held.dtype}; trips are a square of numbers")
    if held.shape[0] > MOST_ZONES:
        raise InvalidDemand(f"{file_name}, {held.name}: {held.shape[0]} zones; at most {MOST_ZONES} are read")
    cells: Floats = held[...].astype(np.float64)
    if "NA" in held.attrs:
        nothing = float(np.ravel(held.attrs["NA"])[0])
        cells[np.isnan(cells) if np.isnan(nothing) else cells == nothing] = 0.0
    return cells


def _ids(held: Any) -> list[int | str]:
    values: Ids = np.ravel(held[...])
    # Some programs write numbers of zones as they write trips.
    if values.dtype.kind == "f" and (values % 1 == 0).all():
        values = values.astype(np.int64)
    return [each.decode("utf-8") if isinstance(each, bytes) else each for each in values.tolist()]
