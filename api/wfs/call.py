"""One WFS request on its way."""

from dataclasses import dataclass

from api.ows.call import OwsCall
from api.wfs.versions import DIALECTS, Dialect, Version
from layers.catalog import Layer


@dataclass(frozen=True)
class Call(OwsCall):
    """An OwsCall in the version that was agreed on."""

    version: Version

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
