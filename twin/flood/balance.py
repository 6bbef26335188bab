"""The volume account of a run, by term."""

from dataclasses import dataclass, field


@dataclass
class Balance:
    """Volumes in m3, in double precision; `terms` holds what came (positive) or went (negative), by its name."""

    initial: float = 0.0
    stored: float = 0.0
    terms: dict[str, float] = field(default_factory=dict)
    moved: float = 0.0

    def add(self, term: str, volume: float) -> None:
        """Count a volume that came in (positive) or left (negative)."""
        self.terms[term] = self.terms.get(term, 0.0) + volume
        self.moved += abs(volume)

    @property
    def missing(self) -> float:
        """Water that is there and should not be (positive), or the other way round, m3."""
        return self.stored - self.initial - sum(self.terms.values())

    @property
    def error(self) -> float:
        """What is missing, as a share of the water that was there or came through."""
        return self.missing / max(self.initial + self.moved, 1e-9)
