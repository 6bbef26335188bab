"""One request on its way through the server: who asks, of which city, under which address."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from starlette.requests import Request
from starlette.types import Scope

from api.errors import NotFound
from layers.access import PUBLIC, Principal

if TYPE_CHECKING:
    from api.cities import ServedCity

KEY = "twin"


@dataclass(slots=True)
class Exchange:
    """What every part of the server knows of a request.

    root: address of the server without a closing slash, as links begin. path: what was asked for, as a client sees it.
    operation: name for metrics and logs. city: None for what concerns the whole server.
    """

    request_id: str
    root: str
    path: str
    principal: Principal = PUBLIC
    city: "ServedCity | None" = None
    operation: str = field(default="unmatched")

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
