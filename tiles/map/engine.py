"""Mapnik as this process uses it: loaded without a trace in the environment, with fonts for Chinese and Latin."""

import os
from pathlib import Path

# Mapnik's package names its own PROJ and GDAL files for the whole process, and pyproj and rasterio bring others that
# do not fit them. Its drawings need neither: geometry comes in the map's CRS from PostGIS.
_KEPT = {name: os.environ.get(name) for name in ("PROJ_LIB", "GDAL_DATA")}

import mapnik  # noqa: E402

for _name, _value in _KEPT.items():
    if _value is None:
        os.environ.pop(_name, None)
    else:
        os.environ[_name] = _value

FONT = "Noto Sans CJK SC Regular"
# Ships with Mapnik: Latin at least, where the system lacks the other.
SPARE_FONT = "DejaVu Sans Book"
FONT_FILE = "NotoSansCJK-Regular.ttc"
FONT_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
# Both sides of Mapnik's transformation are called so, whatever CRS the map is in: what is equal is left as it is.
SAME = "epsg:3857"

__all__ = ["FONT", "SAME", "SPARE_FONT", "load_fonts", "mapnik"]


def load_fonts() -> bool:
    """Make the font for Chinese known to Mapnik; whether the system has it."""
    for folder in FONT_FOLDERS:
        for file in folder.rglob(FONT_FILE):
            return bool(mapnik.FontEngine.register_font(str(file)))
    return False
