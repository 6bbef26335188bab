"""Many shapes cut by many others: each only by those that it meets."""

import numpy as np
import shapely

from twin.demo.grid import Ints, Shapes

# Corners come no nearer than this to other edges, m: well above a millimetre, to which coordinates are written.
CLEARANCE = 0.004


def less(shapes: Shapes, takers: Shapes) -> Shapes:
    """Each of the shapes without what any of the takers covers."""
    return _taken(shapes, takers, *shapely.STRtree(takers).query(shapes, predicate="intersects"))


def within(shapes: Shapes, covers: Shapes) -> Shapes:
    """The part of each of the shapes that any of the covers covers."""
    shape, cover = shapely.STRtree(covers).query(shapes, predicate="intersects")
    order = np.lexsort((cover, shape))
    shape, cover = shape[order], cover[order]
    result = np.full(len(shapes), shapely.GeometryCollection(), dtype=object)
    met, first, count = np.unique(shape, return_index=True, return_counts=True)
    whole = covers[cover[first]]
    for i in np.flatnonzero(count > 1).tolist():
        whole[i] = shapely.union_all(covers[cover[first[i] : first[i] + count[i]]])
    result[met] = shapely.intersection(shapes[met], whole)
    return result


def apart(shapes: Shapes) -> Shapes:
    """Each of the shapes without what the ones before it cover."""
    shape, taker = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    return _taken(shapes, shapes, shape[taker < shape], taker[taker < shape])


def touching(shapes: Shapes, others: Shapes) -> Ints:
    """Indices of the shapes that meet any of the others."""
    return np.unique(shapely.STRtree(others).query(shapes, predicate="intersects")[0])


def polygons_of(shapes: Shapes, least: float = 1.0) -> tuple[Shapes, Ints]:
    """The polygons in any geometries, at least `least` m2 large, and which geometry each is from."""
    parts, parent = shapely.get_parts(shapes, return_index=True)
    solid = (shapely.get_type_id(parts) == 3) & (shapely.area(parts) >= least)
    return parts[solid], parent[solid]


def sturdy(shapes: Shapes) -> Shapes:
    """The shapes, without spikes and necks that a change of coordinate system would turn inside out."""
    weak = np.flatnonzero(shapely.minimum_clearance(shapes) < CLEARANCE)
    result = shapes.copy()
    result[weak] = shapely.set_precision(shapes[weak], 2 * CLEARANCE)
    return result


def _taken(shapes: Shapes, takers: Shapes, shape: Ints, taker: Ints) -> Shapes:
    result = shapes.copy()
    order = np.lexsort((taker, shape))
    shape, taker = shape[order], taker[order]
    turn = np.arange(len(shape)) - np.searchsorted(shape, shape)
    # The n-th taker of every shape at once: as many rounds as one shape has takers.
    for n in range(int(turn.max(initial=-1)) + 1):
        now = turn == n
        result[shape[now]] = shapely.difference(result[shape[now]], takers[taker[now]])
    return result
