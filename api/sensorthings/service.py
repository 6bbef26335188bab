"""What the sensor routes of a city share, and who may use them."""

import re
from dataclasses import dataclass
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from cachetools import LRUCache
from starlette.requests import Request

from api.cities import ServedCity
from api.errors import Unauthorized
from api.exchange import city, exchange
from cim_models.database import Connection
from layers.access import Forbidden
from twin.sensing.ingest import Ingest
from twin.sensing.latest import Latest

LAYER = "sensors"
# 1.1 answers what 1.0 asks for: clients of the older one come by its address, and are told addresses like it.
VERSIONS = ("v1.1", "v1.0")
ROOT = re.compile(rf"/sensors/({'|'.join(map(re.escape, VERSIONS))})(?:/|\Z)")


@dataclass(frozen=True)
class Service:
    """The sensors of one city. base: address of its SensorThings service. zone: of times that name none.

    placed: datastreams that were seen to observe something. connection: of the transaction in which all is written,
    where several changes are one.
    """

    city: ServedCity
    ingest: Ingest
    latest: Latest
    base: str
    zone: ZoneInfo
    placed: LRUCache[int, None]
    connection: "Connection | None" = None


INGESTS: WeakKeyDictionary[ServedCity, Ingest] = WeakKeyDictionary()
LATEST: WeakKeyDictionary[ServedCity, Latest] = WeakKeyDictionary()
PLACED: WeakKeyDictionary[ServedCity, LRUCache[int, None]] = WeakKeyDictionary()
MOST_PLACED = 65_536


async def readable(request: Request) -> Service:
    """The service, for who may read all of the city's sensors. Raises LayerNotFound, Forbidden."""
    served = city(request)
    catalog = await served.catalog()
    catalog.whole_layer(LAYER, exchange(request).principal)
    if served not in INGESTS:
        INGESTS[served] = Ingest(served.database, via="http")
        LATEST[served] = Latest()
        PLACED[served] = LRUCache(MOST_PLACED)
    asked = ROOT.match(request.scope["path"])
    base = f"{exchange(request).base}/sensors/{asked[1] if asked else VERSIONS[0]}"
    return Service(served, INGESTS[served], LATEST[served], base, catalog.zone, PLACED[served])


async def writable(request: Request) -> Service:
    """The service, for who may write. Raises Unauthorized, LayerNotFound, Forbidden."""
    principal = exchange(request).principal
    if principal.is_anonymous:
        raise Unauthorized("writing needs a token: send Authorization: Bearer TOKEN")
    service = await readable(request)
    catalog = await service.city.catalog()
    layer = catalog.layer(LAYER, principal)
    granted = catalog.policy.grant(principal, "write", LAYER, restricted=layer.restricted)
    if granted is None or granted.row_filter is not None:
        raise Forbidden(f"{principal.name} may not write to {LAYER}")
    return service
