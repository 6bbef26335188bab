"""What the sensor routes of a city share, and who may use them."""

from dataclasses import dataclass
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from starlette.requests import Request

from api.cities import ServedCity
from api.errors import Unauthorized
from api.exchange import city, exchange
from cim_models.database import Connection
from layers.access import Forbidden
from twin.sensing.ingest import Ingest
from twin.sensing.latest import Latest

LAYER = "sensors"
ROOT = "/sensors/v1.1"


@dataclass(frozen=True)
class Service:
    """The sensors of one city. base: address of its SensorThings service. zone: of times that name none.

    connection: of the transaction in which all is written, where several changes are one.
    """

    city: ServedCity
    ingest: Ingest
    latest: Latest
    base: str
    zone: ZoneInfo
    connection: "Connection | None" = None


INGESTS: WeakKeyDictionary[ServedCity, Ingest] = WeakKeyDictionary()
LATEST: WeakKeyDictionary[ServedCity, Latest] = WeakKeyDictionary()


async def readable(request: Request) -> Service:
    """The service, for who may read the city's sensors. Raises LayerNotFound."""
    served = city(request)
    catalog = await served.catalog()
    catalog.layer(LAYER, exchange(request).principal)
    if served not in INGESTS:
        INGESTS[served] = Ingest(served.database, via="http")
        LATEST[served] = Latest()
    return Service(served, INGESTS[served], LATEST[served], f"{exchange(request).base}{ROOT}", catalog.zone)


async def writable(request: Request) -> Service:
    """The service, for who may write. Raises Unauthorized, LayerNotFound, Forbidden."""
    principal = exchange(request).principal
    if principal.is_anonymous:
        raise Unauthorized("writing needs a token: send Authorization: Bearer TOKEN")
    service = await readable(request)
    catalog = await service.city.catalog()
    layer = catalog.layer(LAYER, principal)
    if catalog.policy.grant(principal, "write", LAYER, restricted=layer.restricted) is None:
        raise Forbidden(f"{principal.name} may not write to {LAYER}")
    return service
