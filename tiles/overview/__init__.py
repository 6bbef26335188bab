"""Overviews: the city generalised for low zooms, kept in cells so that an edit rebuilds its own only."""

from tiles.overview.follow import catch_up, follow, rebuild

__all__ = ["catch_up", "follow", "rebuild"]
