"""Buildings on parcels: a lattice of places on each, filled with footprints that keep their distance."""

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
import shapely

from twin.demo.footprints import Frames, Shape, footprints
from twin.demo.forms import FORMS, Form, Kind
from twin.demo.grid import Bools, Floats, Ints, Shapes

# Parts of a building that does not fit: left, right, middle; as start and end of its length.
REMNANTS = ((-0.5, 0.1), (-0.1, 0.5), (-0.25, 0.25))


@dataclass(frozen=True)
class Buildings:
    """Footprints with the parcel each stands on, its kind, size in storeys and metres, and roof.

    loose: one of many like it, which may be left out to meet the number wanted.
    """

    shape: Shapes
    parcel: Ints
    kind: Ints
    storeys: Ints
    below: Ints
    height: Floats
    roof: Ints
    dwellings: Ints

    def __len__(self) -> int:
        return len(self.shape)

    def take(self, which: Bools | Ints) -> "Buildings":
        """Some of the buildings."""
        return Buildings(*(getattr(self, column.name)[which] for column in fields(self)))


@dataclass(frozen=True)
class _Spots:
    """Places for buildings: piece of land, kind, middle (m), unit vector along it, length and depth (m) of each."""

    piece: Ints
    kind: Ints
    at: Floats
    along: Floats
    size: Floats


ROOFS = ("flat", "gabled", "hipped", "sawtooth", "dome", "round")


def erect(parcels: Shapes, kind: Ints, core: Floats, rng: np.random.Generator) -> Buildings:
    """Buildings on the parcels. kind: a Kind each; core: nearness to a centre, 0 to 1, where houses are taller."""
    setback = _of(lambda form: form.setback)[kind]
    inner = shapely.buffer(parcels, -setback, join_style="mitre", mitre_limit=2.0)
    parts, parent = shapely.get_parts(inner, return_index=True)
    used = (kind[parent] != Kind.NONE) & (shapely.area(parts) > 40)
    parts, parent = parts[used], parent[used]
    if not len(parts):
        return _none()
    shape, piece = _placed(parts, kind[parent], rng)
    parcel = parent[piece]
    return _with_storeys(shape, parcel, kind[parcel], core[parcel], rng)


def _placed(parts: Shapes, kind: Ints, rng: np.random.Generator) -> tuple[Shapes, Ints]:
    """Footprints, and the piece of land each stands on."""
    corner, along, across, extent = _frames(parts, _of(lambda form: float(form.southward))[kind] > 0)
    low = _of(lambda form: form.length[0])[kind], _of(lambda form: form.depth[0])[kind]
    high = _of(lambda form: form.length[1])[kind], _of(lambda form: form.depth[1])[kind]
    gap = np.stack((_of(lambda form: form.gap[0])[kind], _of(lambda form: form.gap[1])[kind]), axis=1)
    # One compound's houses are alike; those of old quarters are not.
    size = np.stack([rng.uniform(a, b) for a, b in zip(low, high, strict=True)], axis=1)
    smallest = np.stack(low, axis=1)
    size = np.clip(extent * 0.98, 0.72 * smallest, size)
    count = np.maximum(np.floor((extent + gap) / (size + gap)), 0).astype(np.int64)
    count[(extent < 0.72 * smallest).any(axis=1)] = 0
    total = count.prod(axis=1)
    piece = np.repeat(np.arange(len(parts)), total)
    place = np.arange(len(piece)) - np.repeat(np.cumsum(total) - total, total)
    row, column = place // np.maximum(count[piece, 0], 1), place % np.maximum(count[piece, 0], 1)
    cell = (extent / np.maximum(count, 1))[piece]
    middle = (np.stack((column, row), axis=1) + 0.5) * cell
    room = np.maximum(cell - gap[piece] * 0.9, 0.5 * cell)
    each = np.minimum(size[piece] * rng.uniform(0.86, 1.06, (len(piece), 2)), room)
    small = _of(lambda form: float(form.length[0] < 15))[kind[piece]] > 0
    jitter = rng.uniform(-0.5, 0.5, each.shape) * np.clip(cell - gap[piece] - each, 0, None)
    middle = middle + jitter * np.where(small[:, None], 1.0, 0.3)
    at = corner[piece] + middle[:, :1] * along[piece] + middle[:, 1:] * across[piece]
    keep = rng.random(len(piece)) < _of(lambda form: form.fill)[kind[piece]]
    spots = _Spots(piece[keep], kind[piece][keep], at[keep], along[piece][keep], each[keep])
    return _fitted(parts, spots, rng)


def _fitted(parts: Shapes, spots: _Spots, rng: np.random.Generator) -> tuple[Shapes, Ints]:
    """Footprints that lie on their piece of land; of one that does not, the longest part that does."""
    piece, at, along, size = spots.piece, spots.at, spots.along, spots.size
    shape = _chosen_shapes(spots.kind, rng)
    wing = np.clip(11.0 / size.min(axis=1), 0.22, 0.36) * rng.uniform(0.85, 1.1, len(piece))
    wing = np.where(shape == Shape.COURTYARD, np.clip(wing, 0.22, 0.36), wing)
    flip = rng.integers(0, 4, len(piece))
    polygons = footprints(shape, Frames(at, along, size), wing, flip)
    shapely.prepare(parts)
    fits = shapely.contains_properly(parts[piece], polygons)
    todo = ~fits
    for start, end in REMNANTS:
        which = np.flatnonzero(todo & (size[:, 0] > 8))
        shorter = size[which] * np.array((end - start, 1.0))
        middle = at[which] + along[which] * ((start + end) / 2 * size[which, :1])
        plain = np.full(len(which), int(Shape.RECTANGLE))
        rest = footprints(plain, Frames(middle, along[which], shorter), wing[which], flip[which])
        ok = shapely.contains_properly(parts[piece[which]], rest) & (shorter.min(axis=1) > 5)
        polygons[which[ok]] = rest[ok]
        fits[which[ok]] = True
        todo[which[ok]] = False
    return polygons[fits], piece[fits]


def _frames(parts: Shapes, southward: Bools) -> tuple[Floats, Floats, Floats, Floats]:
    """A corner, two unit vectors and the extent along them of each piece of land's oriented envelope."""
    corners = shapely.get_coordinates(shapely.oriented_envelope(parts)).reshape(len(parts), 5, 2)
    one, two = corners[:, 1] - corners[:, 0], corners[:, 3] - corners[:, 0]
    length_one, length_two = np.hypot(*one.T), np.hypot(*two.T)
    eastward = np.abs(one[:, 0]) / length_one > np.abs(two[:, 0]) / length_two
    first = np.where(southward, eastward, length_one >= length_two)[:, None]
    along, across = np.where(first, one, two), np.where(first, two, one)
    extent = np.stack((np.hypot(*along.T), np.hypot(*across.T)), axis=1)
    return corners[:, 0], along / extent[:, :1], across / extent[:, 1:], extent


def _chosen_shapes(kind: Ints, rng: np.random.Generator) -> Ints:
    weights = np.zeros((len(Kind), len(Shape)))
    for k, form in FORMS.items():
        for shape, weight in form.shapes.items():
            weights[k, shape] = weight
    return _chosen(weights, kind, rng)


def _chosen(weights: Floats, kind: Ints, rng: np.random.Generator) -> Ints:
    """A column for each kind, by the weights in its row."""
    limit = np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)
    result: Ints = (rng.random(len(kind))[:, None] > limit[kind]).sum(axis=1).clip(0, weights.shape[1] - 1)
    return result


def _with_storeys(shape: Shapes, parcel: Ints, kind: Ints, core: Floats, rng: np.random.Generator) -> Buildings:
    fewest = _of(lambda form: float(form.storeys[0]))[kind]
    most = _of(lambda form: float(form.storeys[1]))[kind]
    # A compound's towers are of like height, taller near the centres; single houses differ.
    common = np.random.default_rng(int(rng.integers(1 << 31))).random(int(parcel.max(initial=0)) + 1)[parcel]
    share = np.clip(0.55 * common + 0.25 * rng.random(len(kind)) + 0.45 * np.clip(core, 0, 1) ** 1.5 - 0.12, 0, 1)
    storeys = np.round(fewest + (most - fewest) * share).astype(np.int64)
    parapet = rng.uniform(0.3, 1.4, len(kind))
    height = storeys * _of(lambda form: form.storey)[kind] + parapet
    roofs = np.zeros((len(Kind), len(ROOFS)))
    for k, form in FORMS.items():
        for roof, weight in form.roofs.items():
            roofs[k, ROOFS.index(roof)] = weight
    dwelling = _of(lambda form: form.dwelling)[kind]
    floor = shapely.area(shape) * storeys * 0.85
    dwellings = np.where(dwelling > 0, np.maximum(np.round(floor / np.maximum(dwelling, 1)), 1), 0)
    below = _of(lambda form: float(form.below))[kind].astype(np.int64)
    return Buildings(
        shape, parcel, kind, storeys, below, np.round(height, 1), _chosen(roofs, kind, rng), dwellings.astype(np.int64)
    )


def _of(value: Callable[[Form], float]) -> Floats:
    """A property of every kind's form, to be looked up by kind."""
    return np.array([value(FORMS[kind]) for kind in Kind], dtype=np.float64)


def _none() -> Buildings:
    empty = np.zeros(0, dtype=np.int64)
    return Buildings(np.empty(0, dtype=object), empty, empty, empty, empty, np.zeros(0), empty, empty)
