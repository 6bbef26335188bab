"""How the city is drawn: vector tiles, overviews, terrain, and the caches before them."""


class TileError(Exception):
    """Anything that the tiles refuse; the message says what, where, and what to do."""
