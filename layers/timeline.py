"""What an edit does to the states of one object in valid time: plain values in, plain values out.

The states of an object never overlap. They need not be in order, and there may be gaps: what is demolished and
rebuilt years later was nothing in between.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from layers import LayerError

FIRST = datetime.min.replace(tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)


class NoStateThen(LayerError):
    """The object is nothing at the moment at which it should be changed."""


class SpansOverlap(LayerError):
    """An object would be two things at once."""


@dataclass(frozen=True)
class Span:
    """Valid time, half open; None is unbounded."""

    start: datetime | None = None
    end: datetime | None = None

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """Both ends, to compare by."""
        return self.start or FIRST, self.end or LAST

    def covers(self, moment: datetime) -> bool:
        start, end = self.bounds
        return start <= moment < end

    def overlaps(self, other: "Span") -> bool:
        start, end = self.bounds
        other_start, other_end = other.bounds
        return start < other_end and other_start < end


ALWAYS = Span()


@dataclass(frozen=True)
class State:
    """What an object is for a span: the content of the version `like`, with the edit's changes if `changed`."""

    span: Span
    like: int
    changed: bool = False


def superseded(states: Sequence[State], at: datetime) -> list[State]:
    """The world changed at a moment: the state of then ends, a changed one goes on for the rest of its span.

    Raises NoStateThen.
    """
    old = state_at(states, at)
    before = [State(Span(old.span.start, at), old.like)] if old.span.start != at else []
    return [*_without(states, old), *before, State(Span(at, old.span.end), old.like, changed=True)]


def corrected(states: Sequence[State], at: datetime, span: Span | None = None) -> list[State]:
    """We were wrong about the state of a moment: it is another, for the same span or for a corrected one.

    Raises NoStateThen, SpansOverlap.
    """
    old = state_at(states, at)
    others = _without(states, old)
    new = State(span or old.span, old.like, changed=True)
    for other in others:
        if other.span.overlaps(new.span):
            raise SpansOverlap(f"the state from {_shown(other.span)} would overlap; correct that one first")
    return [*others, new]


def ended(states: Sequence[State], at: datetime) -> list[State]:
    """The object is nothing from a moment on. Raises NoStateThen where it is nothing from then on already."""
    after = [state for state in states if state.span.bounds[1] > at]
    if not after:
        raise NoStateThen(f"nothing to end at {at.isoformat()}; {_history(states)}")
    before = [State(Span(state.span.start, at), state.like) for state in after if state.span.bounds[0] < at]
    return [*(state for state in states if state not in after), *before]


def state_at(states: Iterable[State], moment: datetime) -> State:
    """The state of a moment. Raises NoStateThen, naming the spans there are."""
    states = list(states)
    for state in states:
        if state.span.covers(moment):
            return state
    raise NoStateThen(f"nothing there at {moment.isoformat()}; {_history(states)}")


def affected(old: Iterable[State], new: Iterable[State]) -> Span:
    """The span outside of which nothing changed; both sides must not be empty together."""
    before, after = set(old), set(new)
    cuts = sorted({bound for state in before | after for bound in state.span.bounds})
    pieces = [(start, end) for start, end in pairwise(cuts) if _content(before, start) != _content(after, start)]
    start, end = (pieces[0][0], pieces[-1][1]) if pieces else (cuts[0], cuts[-1])
    return Span(None if start == FIRST else start, None if end == LAST else end)


def _content(states: set[State], moment: datetime) -> tuple[int, bool] | None:
    return next(((state.like, state.changed) for state in states if state.span.covers(moment)), None)


def _without(states: Sequence[State], one: State) -> list[State]:
    return [state for state in states if state is not one]


def _history(states: Sequence[State]) -> str:
    spans = sorted((state.span for state in states), key=lambda span: span.bounds)
    return "it is there from " + ", and from ".join(map(_shown, spans)) if spans else "it is never there"


def _shown(span: Span) -> str:
    start = span.start.isoformat() if span.start else "ever"
    return f"{start} to {span.end.isoformat()}" if span.end else f"{start} on"
