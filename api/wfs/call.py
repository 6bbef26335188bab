"""One WFS request on its way: its parameters, its version, and the city it is about."""

from dataclasses import dataclass

from starlette.requests import Request

from api.answers import Language
from api.cities import ServedCity
from api.exchange import Exchange
from api.ows.kvp import Kvp
from api.wfs.versions import DIALECTS, Dialect, Version
from layers.access import Principal
from layers.catalog import Catalog, Layer


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
    def dialect(self) -> Dialect:
        return DIALECTS[self.version]

    @property
    def address(self) -> str:
        """The service's own address, as the prefix of a request."""
        return f"{self.met.base}/wfs?"

    def layers(self) -> list[Layer]:
        """The feature types that the principal may read, ground first."""
        return list(self.catalog.layers(self.principal))
