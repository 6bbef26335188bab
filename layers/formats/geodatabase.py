"""Esri File Geodatabases: folders that end in .gdb, themselves or in a zip."""

from pathlib import Path

from layers.formats.source import FormatError, Reading, Source
from layers.formats.vector import Gdal, open_vector

SUFFIX = ".gdb"
# What every geodatabase begins with: its list of tables.
CATALOGUE = "a00000001.gdbtable"
NAME = "File Geodatabase"


def is_geodatabase(path: Path) -> bool:
    return path.is_dir() and (path / CATALOGUE).is_file()


def open_geodatabase(path: Path, reading: Reading) -> list[Source]:
    """The feature classes of a geodatabase; a GlobalID tells its objects apart, as it does in the next edition.

    Raises FormatError.
    """
    if not is_geodatabase(path):
        raise FormatError(f"{path.name}: no file geodatabase ({CATALOGUE} is missing); copy the whole folder again")
    return open_vector(path, reading, Gdal(key="GlobalID", leave_out=("Shape_Length", "Shape_Area")))
