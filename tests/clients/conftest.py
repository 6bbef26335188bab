"""What clients leave behind stays out of the working folder."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def gdal_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """GDAL keeps the tiles that it read below the current folder unless it is told another."""
    monkeypatch.setenv("GDAL_DEFAULT_WMS_CACHE_PATH", str(tmp_path / "gdal-tiles"))
