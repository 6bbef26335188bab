"""Routes found by what they begin with: a request is not held against each of the two hundred that there are."""

from collections.abc import Callable, Coroutine
from enum import Enum
from functools import cached_property
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope

from api.exchange import exchange


class LatestRoute(APIRoute):
    """A route that knows every layer there is as it is asked."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def latest(request: Request) -> Response:
            asked = exchange(request).city
            # A body is there to be read once.
            if asked is None or request.method != "GET":
                return await answer(request)
            return await asked.latest(lambda: answer(request))

        return latest


class PartRouter(APIRouter):
    """The routes of one part of the API; requests that begin otherwise than all of them pass it by."""

    def __init__(self, *, tags: list[str | Enum]) -> None:
        super().__init__(tags=tags, route_class=LatestRoute)

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
