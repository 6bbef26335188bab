"""What an import did with a data set: the numbers, and the rows that need a person's eye."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from layers.mapping import Reject, Repair

# A file of a million broken rows is told by its first thousand and the reasons' numbers.
MOST_DETAILS = 1000


@dataclass
class Report:
    """The import of one data set.

    read: rows of its files that were looked at. inserted, updated, unchanged: objects; ended: those that the edition
    lacks. repaired, rejected: rows; `repairs` and `rejects` hold the first thousand of each with the name of their
    source, `reasons` how many rows each reason rejected. same_file: nothing was done, the same files were loaded
    before. notes: what was decided in reading each source, such as its encoding.
    """

    dataset: str
    files: tuple[str, ...] = ()
    edition: str | None = None
    edition_date: date | None = None
    read: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    ended: int = 0
    repaired: int = 0
    rejected: int = 0
    same_file: bool = False
    seconds: float = 0.0
    repairs: list[tuple[str, Repair]] = field(default_factory=list)
    rejects: list[tuple[str, Reject]] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    notes: list[tuple[str, str]] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        return bool(self.inserted or self.updated or self.ended)

    def note(self, source: str, notes: Sequence[str]) -> None:
        self.notes += [(source, note) for note in notes]

    def note_rejects(self, source: str, rejects: tuple[Reject, ...]) -> None:
        self.rejected += len(rejects)
        self.reasons.update(reject.reason for reject in rejects)
        self.rejects += [(source, reject) for reject in rejects[: MOST_DETAILS - len(self.rejects)]]

    def note_duplicates(self, count: int, first: Sequence[tuple[str, Reject]]) -> None:
        self.rejected += count
        if first:
            self.reasons[first[0][1].reason] += count
        self.rejects += first[: MOST_DETAILS - len(self.rejects)]

    def note_repairs(self, source: str, repairs: tuple[Repair, ...]) -> None:
        self.repaired += len(repairs)
        self.repairs += [(source, repair) for repair in repairs[: MOST_DETAILS - len(self.repairs)]]

    def details(self) -> dict[str, Any]:
        """As JSON, for the database."""
        return {
            "seconds": round(self.seconds, 3),
            "notes": [{"source": source, "note": note} for source, note in self.notes],
            "reasons": dict(self.reasons.most_common(MOST_DETAILS)),
            "rejects": [
                {"source": source, "row": each.row, "uid": each.uid, "reason": each.reason}
                for source, each in self.rejects
            ],
            "repairs": [
                {
                    "source": source,
                    "row": each.row,
                    "uid": each.uid,
                    "what": each.what,
                    "area_change_m2": each.area_change,
                }
                for source, each in self.repairs
            ],
        }
