"""What mapping gives: batches in the model's columns, with what was repaired and what was rejected and why."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cim_models.theme import Theme
from layers import LayerError


class MappingError(LayerError):
    """A whole source that cannot be taken in; nothing of it should be."""


@dataclass(frozen=True)
class Reject:
    """A row left out. row: its number in the source, from 1. uid: where it could be told."""

    row: int
    uid: str | None
    reason: str


@dataclass(frozen=True)
class Repair:
    """A row whose geometry was not valid and was made so, or had to be guessed.

    area_change: m2 on the ellipsoid; None where there is no area to compare.
    """

    row: int
    uid: str
    what: str
    area_change: float | None


@dataclass(frozen=True)
class MappedBatch:
    """Rows of one theme, ready to be stored.

    rows: row (its number in the source), and columns named as in the theme's table: uid, content_hash (16 bytes),
    class, name, name_en, cim_level, attributes (a JSON object as text), geom (WKB, 2D, in the city's CRS), the theme's
    own; and of 3D surfaces also solid (WKB with Z as it came), solid_srid and solid_lod. None but row, uid,
    content_hash, class, attributes and geom is free of nulls. read: rows of the source that were looked at (`where`
    let them through).
    """

    theme: Theme
    rows: pa.RecordBatch
    read: int
    repairs: tuple[Repair, ...] = ()
    rejects: tuple[Reject, ...] = ()


@dataclass
class Verdict:
    """Which rows of a source batch still stand; the first reason against a row is the one that counts.

    numbers: of the rows in the source, from 1.
    """

    numbers: NDArray[np.int64]
    reasons: dict[int, str] = field(default_factory=dict)

    def reject(self, where: NDArray[np.bool_], reason: str) -> None:
        """Reject all rows of a mask for the same reason."""
        for index in np.flatnonzero(where).tolist():
            self.reasons.setdefault(index, reason)

    def reject_row(self, index: int, reason: str) -> None:
        self.reasons.setdefault(index, reason)

    @property
    def standing(self) -> NDArray[np.bool_]:
        mask = np.ones(self.numbers.size, dtype=bool)
        mask[list(self.reasons)] = False
        return mask

    def rejects(self, uids: list[str | None]) -> tuple[Reject, ...]:
        """The rejected rows in order; `uids` of all rows."""
        return tuple(Reject(int(self.numbers[i]), uids[i], why) for i, why in sorted(self.reasons.items()))
