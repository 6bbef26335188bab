"""What becomes of a theme's objects at low zooms: what is kept, merged, or left out."""

from collections.abc import Mapping
from dataclasses import dataclass, field

# Overviews are made for zooms up to this one; beyond it tiles are drawn from the objects themselves.
TOP_ZOOM = 13
# A cell is a tile this many zooms deeper, that is 64 pixels wide on the screen.
CELL_ZOOMS = 3
CELL_PIXELS = 512 >> CELL_ZOOMS
# Raised when cells come out differently from the same objects, so that a city rebuilds them.
EDITION = 4
# The feed's reader that overviews are; what comes after its place is not in them yet.
CONSUMER = "overview"
# Column and row of what is drawn in more tiles than it is worth naming.
EVERYWHERE = -1

# The largest polygons of a cell stay objects of their own; the others go into its built-up mass. 64 cells of 24 with
# their masses weigh about 150 kB, so that a tile of all layers stays under half a megabyte.
POLYGONS_A_CELL = 24
POLYGONS_AT_TOP = 40
POINTS_A_CELL = 16
# Square pixels under which a polygon cannot be told from its neighbours.
SMALLEST_POLYGON = 1.5
# Polygons wider than this many pixels always stay, so that a cell's objects reach no further than half of it
# into the next one, and an edit is felt no further either.
WIDE = 16
# So the pixels of a cell's mass are those of the cell and half as many around it.
FRAME = WIDE // 2
IMAGE_PIXELS = CELL_PIXELS + 2 * FRAME
# Polygons no wider than this many pixels are not filled but strewn over them.
STREWN = 2
# Share of a pixel that must be covered for it to be built up: a house of 100 m2 shows alone down to zoom 11, a hamlet
# to zoom 9.
LEAST_COVERED = 0.08
# Pixels along the side of a block, whose built-up pixels all have one key and band.
BLOCK_PIXELS = 4
# Mean heights (m), or other shades, at which one band of the mass ends and the next begins.
SHADE_BANDS = (10.0, 20.0, 40.0, 80.0)
# Pixels under which a line's end or an isolated piece is left out.
SHORTEST_LINE = 1.5
# Pixels by which a simplified line may stray.
TOLERANCE = 0.6


@dataclass(frozen=True)
class Recipe:
    """How one theme is generalised.

    kept: text columns by which objects are merged, so that merged objects still have them. labels: columns that also
    keep lines apart from `labels_from` on, for names along streets. shade: number whose mean merged polygons tell.
    first_zoom: by class, below which zoom a line is left out. told: what an object tells at low zooms; None is all.
    """

    kept: tuple[str, ...] = ("class",)
    labels: tuple[str, ...] = ()
    labels_from: int = TOP_ZOOM
    told: tuple[str, ...] | None = None
    shade: str | None = None
    first_zoom: Mapping[str, int] = field(default_factory=dict)
    first_zoom_otherwise: int = 0

    def columns(self, zoom: int) -> tuple[str, ...]:
        """The columns that a merged object has at a zoom."""
        return self.kept + self.labels if zoom >= self.labels_from else self.kept


RECIPES: dict[str, Recipe] = {
    "building": Recipe(
        kept=("class", "function"),
        shade="height",
        told=("class", "name", "name_en", "height", "storeys", "function", "year_built"),
    ),
    "land": Recipe(kept=("class", "scheme", "edition", "code")),
    "administrative_area": Recipe(kept=("class", "level")),
    "utility_pipe": Recipe(kept=("class", "medium")),
    "road": Recipe(
        labels=("name", "name_en", "ref"),
        first_zoom={
            "motorway": 4,
            "trunk": 5,
            "primary": 7,
            "motorway_link": 9,
            "trunk_link": 9,
            "secondary": 9,
            "primary_link": 10,
            "tertiary": 10,
            "secondary_link": 11,
            "tertiary_link": 12,
            "pedestrian": 13,
            "service": 13,
            "track": 13,
            "footway": 14,
            "cycleway": 14,
            "bridleway": 14,
            "path": 14,
            "steps": 14,
        },
        first_zoom_otherwise=11,
    ),
    "railway": Recipe(labels=("name", "name_en"), first_zoom={"rail": 7}, first_zoom_otherwise=10),
}


def polygons_a_cell(zoom: int) -> int:
    """How many polygons of a cell stay objects of their own at most."""
    return POLYGONS_AT_TOP if zoom == TOP_ZOOM else POLYGONS_A_CELL


def recipe(table: str) -> Recipe:
    """The recipe of a theme, by its table."""
    return RECIPES.get(table, Recipe())
