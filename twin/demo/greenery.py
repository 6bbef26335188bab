"""Vegetation: woods on the hills, rows of trees along main streets, single trees in parks and squares."""

import numpy as np
import shapely

from twin.demo.districts import URBAN, Districts
from twin.demo.frame import Frame
from twin.demo.grid import Ints, Shapes
from twin.demo.lattice import Rank
from twin.demo.linework import Linework
from twin.demo.overlay import sturdy
from twin.demo.parcels import STREET, Parcels
from twin.demo.shapes import middles_of, points
from twin.demo.tables import ThemeWriter, numbered
from twin.demo.uses import Use

# English, Chinese name, height (m), crown (m).
SPECIES = (
    ("Cinnamomum camphora", 14.0, 9.0),
    ("Ginkgo biloba", 13.0, 6.5),
    ("Osmanthus fragrans", 6.0, 4.5),
    ("Ficus microcarpa", 11.0, 11.0),
    ("Metasequoia glyptostroboides", 18.0, 5.0),
)
# Trees a hectare by use of the parcel; other land gets none of its own.
TREES = {Use.PARK: 42.0, Use.GREEN: 30.0, Use.GOVERNMENT: 14.0, Use.TEMPLE: 22.0, Use.COLLEGE: 12.0, Use.HOSPITAL: 10.0}
MOST_TREES_A_PARCEL = 400


def write_woods(parcels: Parcels, writer: ThemeWriter) -> None:
    """The forest parcels as woods."""
    wood = parcels.shape[np.isin(parcels.use, (Use.FOREST, Use.SCRUB))]
    scrub = parcels.use[np.isin(parcels.use, (Use.FOREST, Use.SCRUB))] == Use.SCRUB
    writer.write(
        sturdy(wood),
        uid=numbered("wood", range(len(wood))),
        class_="Wood",
        height=np.where(scrub, 2.5, 12.0),
        species=np.where(scrub, "Rhododendron simsii", "Pinus massoniana").tolist(),
    )


def write_tree_rows(districts: Districts, streets: Linework, writer: ThemeWriter) -> None:
    """A row of trees on either side of the main streets in town."""
    urban = districts.at(districts.urban, *middles_of(streets.shape)) > URBAN
    main = (streets.rank >= Rank.TRUNK) & (streets.rank <= Rank.TERTIARY) & ~streets.bridge & urban
    main &= shapely.length(streets.shape) > 60
    lines = streets.shape[main]
    offset = np.array([STREET[kind] for kind in Rank])[streets.rank[main]] / 2 - 2.0
    # The rows end a little before the junctions.
    ends = shapely.buffer(np.concatenate((shapely.get_point(lines, 0), shapely.get_point(lines, -1))), 24, quad_segs=2)
    inner = shapely.difference(shapely.difference(lines, ends[: len(lines)]), ends[len(lines) :])
    rows = np.concatenate((shapely.offset_curve(inner, offset), shapely.offset_curve(inner, -offset)))
    whole = shapely.get_type_id(rows) == 1
    rank = np.tile(streets.rank[main], 2)[whole]
    kind = np.where(rank == Rank.TERTIARY, 2, np.where(rank == Rank.SECONDARY, 1, 0))
    rows = rows[whole]
    writer.write(
        rows,
        uid=numbered("treerow", range(len(rows))),
        class_="TreeRow",
        height=np.array([height for _, height, _ in SPECIES])[kind],
        crown_diameter=np.array([crown for _, _, crown in SPECIES])[kind],
        species=[SPECIES[i][0] for i in kind.tolist()],
    )


def plant(frame: Frame, parcels: Parcels, avoid: Shapes, number: int) -> tuple[Shapes, Ints]:
    """Single trees on green parcels, clear of `avoid` (buildings, ponds), and the species of each.

    number: of the batch, for its random numbers.
    """
    rng = frame.random(f"trees {number}")
    density = np.array([TREES.get(kind, 0.0) for kind in Use])[parcels.use] / 10_000
    count = np.minimum(rng.poisson(shapely.area(parcels.shape) * density), MOST_TREES_A_PARCEL)
    parcel = np.repeat(np.arange(len(parcels)), count)
    west, south, east, north = shapely.bounds(parcels.shape[parcel]).reshape(-1, 4).T
    x, y = rng.uniform(west, east), rng.uniform(south, north)
    shapely.prepare(parcels.shape)
    inside = shapely.contains_xy(parcels.shape[parcel], x, y)
    trees = points(np.stack((x[inside], y[inside]), axis=1))
    if len(avoid):
        blocked = np.unique(shapely.STRtree(avoid).query(trees, predicate="dwithin", distance=3.0)[0])
        trees = trees[np.setdiff1d(np.arange(len(trees)), blocked)]
    return trees, rng.integers(0, len(SPECIES), len(trees))


def write_trees(trees: Shapes, species: Ints, first: int, rng: np.random.Generator, writer: ThemeWriter) -> None:
    """Single trees; `first` is the number of the first one."""
    grown = rng.uniform(0.6, 1.15, len(trees))
    writer.write(
        trees,
        uid=numbered("tree", range(first, first + len(trees))),
        class_="Tree",
        height=np.round(np.array([height for _, height, _ in SPECIES])[species] * grown, 1),
        crown_diameter=np.round(np.array([crown for _, _, crown in SPECIES])[species] * grown, 1),
        species=[SPECIES[i][0] for i in species.tolist()],
    )
