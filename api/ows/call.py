"""One request to a service in key-value pairs on its way: its parameters and the city that it is about."""

from dataclasses import dataclass

from starlette.requests import Request

from api.answers import Language
from api.cities import ServedCity
from api.exchange import Exchange
from api.ows.kvp import Kvp
from layers.access import Principal
from layers.catalog import Catalog


@dataclass(frozen=True)
class OwsCall:
    """What every operation needs to know of a request."""

    request: Request
    kvp: Kvp
    met: Exchange
    served: ServedCity
    catalog: Catalog
    spoken: Language

    @property
    def principal(self) -> Principal:
        return self.met.principal
