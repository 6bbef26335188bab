"""OMX matrices: written and read again, read as others write them, refused with what the file holds."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from typer.testing import CliRunner

from tests.twin.traffic.networks import published
from twin.cli import commands
from twin.traffic import Demand, InvalidDemand, Router, assign
from twin.traffic.demand import read_csv
from twin.traffic.readers.omx import read_trips, write_matrices


def test_trips_and_times_come_back(shared_data: Path, tmp_path: Path) -> None:
    """Trips of Sioux Falls beside its times; assigned from the file they give the best-known equilibrium."""
    network, demand = published(shared_data, "SiouxFalls")
    zones = demand.zones.tolist()
    times = Router(network).matrix(zones, zones)
    path = tmp_path / "sioux.omx"
    write_matrices(path, {"car": demand.matrix(), "free_s": times}, zones)
    read = read_trips(path, "car", zones=network.zone_ids.tolist())
    assert (read.matrix() == demand.matrix()).all()
    assert assign(network, read, gap=1e-10).objective == pytest.approx(4231335.28710744, rel=1e-9)
    # What the format's validator looks at.
    with h5py.File(path) as file:
        assert file.attrs["OMX_VERSION"] == b"0.2"
        assert file.attrs["SHAPE"].tolist() == [24, 24]
        assert (file["data/free_s"][...] == times).all()
        assert file["data/car"].dtype == np.float64
        assert (file["data/car"].chunks is not None, file["data/car"].compression) == (True, "gzip")
        assert file["lookup/zone_number"][...].tolist() == zones
    with pytest.raises(InvalidDemand, match="/data: say which; it holds car, free_s"):
        read_trips(path)
    with pytest.raises(InvalidDemand, match="/data: no 'bus'; it holds car, free_s"):
        read_trips(path, "bus")
    with pytest.raises(InvalidDemand, match="zone 3 is none of the network's 2 zones"):
        read_trips(path, "car", zones=["1", "2"])


def test_ids_that_are_texts_stay_texts(tmp_path: Path) -> None:
    path = tmp_path / "towns.omx"
    demand = Demand.from_pairs(["城东", "A-1"], ["A-1", "城东"], [3.0, 4.5])
    write_matrices(path, {"car": demand.matrix()}, demand.zones)
    read = read_trips(path)
    assert read.zones.tolist() == ["城东", "A-1"]
    assert read.matrix().tolist() == [[0, 3], [4.5, 0]]
    with pytest.raises(InvalidDemand, match=r"matrix car: \(2, 2\) for 1 zones"):
        write_matrices(path, {"car": demand.matrix()}, ["A"])
    with pytest.raises(InvalidDemand, match="'a/b': give it a name without /"):
        write_matrices(path, {"a/b": demand.matrix()}, demand.zones)


def test_files_of_others_are_read(tmp_path: Path) -> None:
    """By the specification: whole numbers or floats, NA, several lookups, or none."""
    path = tmp_path / "other.omx"
    with h5py.File(path, "w") as file:
        file.attrs["OMX_VERSION"] = np.bytes_("0.2")
        file.attrs["SHAPE"] = np.array([2, 2], "int32")
        held = file.create_group("data").create_dataset("AM", data=np.array([[-1, 7], [2, 0]], "int32"), chunks=True)
        held.attrs["NA"] = -1
    assert read_trips(path).matrix().tolist() == [[0, 7], [2, 0]]
    assert read_trips(path).zones.tolist() == [1, 2]
    with h5py.File(path, "a") as file:
        file.create_dataset("lookup/taz", data=np.array([101, 205], "uint32"))
        file.create_dataset("lookup/district", data=["north", "north"])
        file.create_dataset("data/PM", data=np.array([[0.0, -2.0], [0.0, 0.0]]))
        file.create_dataset("data/long", data=np.zeros((2, 3)))
    assert read_trips(path, "AM", lookup="taz").zones.tolist() == [101, 205]
    for matrix, lookup, says in [
        ("AM", None, "/lookup: say which; it holds district, taz"),
        ("AM", "district", "lookup district has 1 different zones, the matrix 2"),
        ("PM", "taz", r"-2\.0 trips from zone 101 to zone 205"),
        ("long", "taz", r"/data/long: \(2, 3\) of float64; trips are a square"),
    ]:
        with pytest.raises(InvalidDemand, match=says):
            read_trips(path, matrix, lookup=lookup)


def test_what_is_no_omx_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.omx"
    path.write_text("origin,destination,trips")
    with pytest.raises(InvalidDemand, match=r"x\.omx: no OMX file that can be read"):
        read_trips(path)
    with h5py.File(path, "w") as file:
        file.create_dataset("huge", shape=(10**6, 10**6), dtype="f8", chunks=(1, 10**6))
    with pytest.raises(InvalidDemand, match="no matrix under /data"):
        read_trips(path)
    with h5py.File(path, "a") as file:
        file.move("huge", "data/huge")
    with pytest.raises(InvalidDemand, match="1000000 zones; at most 20000 are read"):
        read_trips(path)


def test_a_matrix_becomes_the_table_that_the_scenario_takes(shared_data: Path, tmp_path: Path) -> None:
    """OMX and TNTP, from the command line."""
    tntp = shared_data / "traffic" / "tntp" / "SiouxFalls" / "SiouxFalls_trips.tntp"
    omx, table = tmp_path / "trips.omx", tmp_path / "od.csv"
    _, demand = published(shared_data, "SiouxFalls")
    write_matrices(omx, {"car": demand.matrix(), "half": demand.matrix() / 2}, demand.zones)
    for words, share in [([str(tntp)], 1.0), ([str(omx), "--matrix", "half"], 0.5)]:
        result = CliRunner().invoke(commands, ["traffic", "trips", *words, "--write", str(table)])
        assert result.exit_code == 0, result.output
        assert f"{share * demand.total:,.0f} trips" in result.output
        read = read_csv(table, demand.zones.tolist())
        assert (read.matrix() == share * demand.matrix()).all()


def test_zones_that_are_written_as_fractions_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "visum.omx"
    with h5py.File(path, "w") as file:
        file.create_dataset("data/1", data=np.ones((2, 2), ">f4"), chunks=(2, 1))
        file.create_dataset("lookup/NO", data=[101.0, 205.0])
    assert read_trips(path, zones=[101, 205]).zones.tolist() == [101, 205]
