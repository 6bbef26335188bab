"""One request on its way through the server: who asks, of which city, under which address."""

import asyncio
from typing import TYPE_CHECKING, cast

from starlette.requests import Request
from starlette.types import Scope

from api.addresses import Addresses
from api.errors import NotFound
from layers.access import PUBLIC, Principal

if TYPE_CHECKING:
    from api.cities import ServedCity

KEY = "twin"


class Exchange:
    """What every part of the server knows of a request.

    path: what was asked for, as a client sees it. operation: its name for metrics and logs. city: None for what
    concerns the whole server.
    """

    __slots__ = ("_addresses", "_limit", "_root", "_scope", "city", "operation", "path", "principal", "request_id")

    def __init__(self, request_id: str, scope: Scope, addresses: Addresses) -> None:
        self.request_id = request_id
        self.path: str = scope["path"]
        self.operation = "unmatched"
        self.principal: Principal = PUBLIC
        self.city: ServedCity | None = None
        self._scope = scope
        self._addresses = addresses
        self._root: str | None = None
        self._limit: asyncio.Timeout | None = None

    def limited(self, limit: asyncio.Timeout) -> None:
        """The request ends when the limit is over."""
        self._limit = limit

    def allow(self, seconds: float) -> None:
        """Give the request so much more time from now on: a file takes longer than an answer."""
        if self._limit is not None:
            self._limit.reschedule(asyncio.get_running_loop().time() + seconds)

    @property
    def root(self) -> str:
        """Address of the server without a closing slash, as links begin; tiles have none and never ask."""
        if self._root is None:
            self._root = self._addresses.root(self._scope)
        return self._root

    @property
    def base(self) -> str:
        """Address of the city, without a closing slash."""
        return self.root if self.city is None else self.root + self.city.path


def exchange(request: Request) -> Exchange:
    """The exchange that a request belongs to."""
    return of_scope(request.scope)


def of_scope(scope: Scope) -> Exchange:
    return cast(Exchange, scope[KEY])


def city(request: Request) -> "ServedCity":
    """The city that is asked. Raises NotFound for a route of the whole server."""
    found = exchange(request).city
    if found is None:
        raise NotFound("this address belongs to a city: /cities lists them")
    return found
