"""Overviews: the city generalised for low zooms, kept in cells so that an edit rebuilds its own only."""
