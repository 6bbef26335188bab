"""One WMS request on its way: its parameters, its version, and the city it is about."""

from dataclasses import dataclass

from starlette.requests import Request

from api.answers import Language
from api.cities import ServedCity
from api.exchange import Exchange
from api.ows.kvp import Kvp
from api.wms.versions import Version
from layers.access import Principal
from layers.catalog import Catalog


@dataclass(frozen=True)
class Call:
    """What every operation needs to know of a request."""

    request: Request
    kvp: Kvp
    version: Version
    met: Exchange
    served: ServedCity
    catalog: Catalog
    spoken: Language

    @property
    def principal(self) -> Principal:
        return self.met.principal

    @property
    def address(self) -> str:
        """The service's own address, as the prefix of a request (OGC 06-042, 6.3.3)."""
        return f"{self.met.base}/wms?"
