"""Routes found by what they begin with: a request is not held against each of the two hundred that there are."""

from functools import cached_property

from fastapi import APIRouter
from starlette.routing import Match
from starlette.types import Scope


class PartRouter(APIRouter):
    """The routes of one part of the API; requests that begin otherwise than all of them pass it by."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        beginning = _beginning(scope["path"].removeprefix(scope.get("root_path", "")))
        if self._beginnings and beginning not in self._beginnings:
            return Match.NONE, {}
        return super().matches(scope)

    @cached_property
    def _beginnings(self) -> frozenset[str]:
        """The first segments of the routes' paths; none where routes of other parts stand among them."""
        paths = [getattr(route, "path", None) for route in self.routes]
        return frozenset() if None in paths else frozenset(_beginning(str(path)) for path in paths)


def _beginning(path: str) -> str:
    return path.lstrip("/").partition("/")[0]
