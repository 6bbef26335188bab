"""Who asks, and what they may do: asked by every query and edit, never by a route."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from layers import LayerError

Action = Literal["read", "write", "run", "administer"]
EVERY_LAYER = "*"


class Forbidden(LayerError):
    """The principal may see the thing but not do this to it."""


@dataclass(frozen=True)
class Principal:
    """Someone or something that asks; `public` without a token."""

    name: str
    role: str

    @property
    def is_anonymous(self) -> bool:
        return self == PUBLIC


PUBLIC = Principal("public", "public")
# The server itself, on whose behalf caches are filled and tasks run.
SYSTEM = Principal("system", "administrator")


@dataclass(frozen=True)
class Grant:
    """A permission row; row_filter is CQL2-JSON, None for every row."""

    role: str
    layer: str
    action: Action
    row_filter: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Policy:
    """All grants of a city. A grant on '*' covers every layer that is not restricted."""

    grants: tuple[Grant, ...] = field(default=())

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]]) -> "Policy":
        return cls(tuple(Grant(r["role"], r["layer"], r["action"], r["row_filter"]) for r in rows))

    def grant(self, principal: Principal, action: Action, layer: str, *, restricted: bool) -> Grant | None:
        """The grant that lets `principal` do `action` on `layer`, None if there is none. By name goes before '*'."""
        if principal == SYSTEM:
            return Grant(principal.role, layer, action)
        mine = [g for g in self.grants if g.role == principal.role and g.action == action]
        named = next((g for g in mine if g.layer == layer), None)
        if named or (restricted and principal.role != "administrator"):
            return named
        return next((g for g in mine if g.layer == EVERY_LAYER), None)

    def may(self, principal: Principal, action: Action) -> bool:
        """Whether there is anything at all on which `principal` may do `action`."""
        return principal == SYSTEM or any(g.role == principal.role and g.action == action for g in self.grants)
