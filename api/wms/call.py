"""One WMS request on its way."""

from dataclasses import dataclass

from api.ows.call import OwsCall
from api.wms.versions import Version


@dataclass(frozen=True)
class Call(OwsCall):
    """An OwsCall in the version that was agreed on."""

    version: Version

    @property
    def address(self) -> str:
        """The service's own address, as the prefix of a request (OGC 06-042, 6.3.3)."""
        return f"{self.met.base}/wms?"
