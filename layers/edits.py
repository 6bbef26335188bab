"""The kinds of edits, and which rows of an object each closes and writes; plain values, no database.

`Supersede` and `Delete` say that the world changed on a day: what was true before stays true of then. `Correct` and
`Erase` say that the model was wrong: what it believed stays on record, under `recorded=`. With a plan, an edit is
made in the plan alone. docs/time.md shows each in a table of cases.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shapely.geometry.base import BaseGeometry

from layers import LayerError
from layers.timeline import ALWAYS, NoStateThen, Span, SpansOverlap, State, corrected, ended, superseded
from layers.versions import Changes, Opening, Version


class EditError(LayerError):
    """An edit that makes no sense as it stands."""


@dataclass(frozen=True, kw_only=True)
class Insert:
    """A new object. geometry: in the city's CRS, longitude first. uid: made up if not given. plan: only there."""

    layer: str
    properties: Mapping[str, Any]
    geometry: BaseGeometry
    span: Span = ALWAYS
    uid: str | None = None
    plan: int | None = None


@dataclass(frozen=True, kw_only=True)
class _Existing:
    """An object in a layer. plan: the edit is made there alone. read_at: when the client read what it changes."""

    layer: str
    object_id: int
    plan: int | None = None
    read_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class _Changing(_Existing):
    """properties: those that change; None empties one. geometry: None leaves it."""

    properties: Mapping[str, Any] = field(default_factory=dict)
    geometry: BaseGeometry | None = None


@dataclass(frozen=True, kw_only=True)
class Correct(_Changing):
    """We were wrong about the state that holds at a moment (None is now); span: if its dates were wrong too."""

    at: datetime | None = None
    span: Span | None = None


@dataclass(frozen=True, kw_only=True)
class Supersede(_Changing):
    """The object became another at a moment."""

    as_of: datetime


@dataclass(frozen=True, kw_only=True)
class Delete(_Existing):
    """The object ended at a moment; before it, it was there."""

    as_of: datetime


@dataclass(frozen=True, kw_only=True)
class Erase(_Existing):
    """The object never was. With a plan: the plan no longer says anything of it."""


@dataclass(frozen=True, kw_only=True)
class Remove(_Existing):
    """The plan takes the object away, whenever it is looked at."""

    plan: int


ExistingEdit = Correct | Supersede | Delete | Erase | Remove
Edit = Insert | ExistingEdit


@dataclass(frozen=True)
class Standing:
    """What is believed of an object: its current rows, of the city as it is and of the plan that is edited, if any."""

    versions: Sequence[Version]

    @property
    def base(self) -> list[Version]:
        return [version for version in self.versions if version.plan_id is None]

    @property
    def planned(self) -> list[Version]:
        return [version for version in self.versions if version.plan_id is not None]

    @property
    def current(self) -> list[Version]:
        """What a plan has not touched is, in the plan, what the city is."""
        return self.planned or self.base

    def difference(self, edit: ExistingEdit, new: list[State], written: Changes) -> tuple[list[Version], list[Opening]]:
        """Which rows are closed and which are written, to come from what stands to the states in `new`."""
        if edit.plan is None or self.planned:
            kept = set(states_of(self.current)).intersection(new)
            closing = [v for v in self.current if State(v.span, v.id) not in kept]
        else:
            # The city as it is stays; the plan gets rows of its own for the whole object.
            kept, closing = set(), []
        action = None if edit.plan is None else "replace" if self.base else "add"
        openings = [
            Opening(state.span, state.like, written if state.changed else Changes(), edit.plan, action)
            for state in new
            if state not in kept
        ]
        if edit.plan is not None and not new and self.base and not isinstance(edit, Erase):
            openings = [Opening(ALWAYS, self.current[0].id, Changes(), edit.plan, "remove")]
        return closing, openings


def states_of(versions: Iterable[Version]) -> list[State]:
    return [State(version.span, version.id) for version in versions]


def states_after(edit: ExistingEdit, old: list[State], now: datetime) -> list[State]:
    try:
        match edit:
            case Supersede():
                return superseded(old, edit.as_of)
            case Correct():
                check_span(edit.span or Span())
                return corrected(old, edit.at or now, edit.span)
            case Delete():
                return ended(old, edit.as_of)
            case _:
                return []
    except (NoStateThen, SpansOverlap) as error:
        raise type(error)(f"object {edit.object_id} of {edit.layer}: {error}") from None


def check_span(span: Span) -> None:
    start, end = span.bounds
    if start >= end:
        raise EditError(f"valid from {start.isoformat()} to {end.isoformat()}: it must begin before it ends")
