"""FROST's own Python client, which knows nothing of us: it creates, finds, pages, changes and deletes."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import frost_sta_client as fsc
import pytest
from frost_sta_client.service.auth_handler import AuthHandler
from geojson import Point

from tests.conftest import SensingServer


class _WithToken(AuthHandler):  # type: ignore[misc]
    """Signs each request with a token: the client knows names and passwords only."""

    def add_auth_header(self) -> Callable[[Any], Any]:
        def sign(request: Any) -> Any:
            request.headers["Authorization"] = f"Bearer {self.username}"
            return request

        return sign


@pytest.fixture
def service(sensing_server: SensingServer) -> Any:
    found = fsc.SensorThingsService(f"{sensing_server.address}/sensors/v1.1")
    found.auth_handler = _WithToken(sensing_server.token)
    return found


def test_the_client_creates_finds_pages_and_deletes(service: Any) -> None:
    place = fsc.Location("bank", "on the bank", "application/geo+json", location=Point((120.95, 28.1)))
    unit = fsc.UnitOfMeasurement("metre", "m", "http://unitsofmeasure.org/ucum.html#para-30")
    thing = fsc.Thing("gauge", "a gauge", {"river": "Yongan"}, locations=[place])
    service.create(thing)
    sensor = fsc.Sensor("float", "a float", "application/pdf", metadata="http://example.org/float.pdf")
    level = fsc.ObservedProperty("level", definition="http://example.org/level", description="level")
    stream = fsc.Datastream(
        "levels", "of the gauge", "OM_Measurement", unit, thing=thing, sensor=sensor, observed_property=level
    )
    service.create(stream)
    start = datetime(2024, 8, 1, tzinfo=UTC)
    for minute in range(5):
        time = (start + timedelta(minutes=minute)).isoformat()
        service.create(fsc.Observation(result=float(minute), phenomenon_time=time, datastream=stream))
    ours = f"result gt 0.5 and Datastream/id eq {stream.id}"
    found = service.observations().query().filter(ours).orderby("result", "desc").top(2).list()
    assert [each.result for each in found] == [4.0, 3.0, 2.0, 1.0]
    again = service.things().find(thing.id)
    assert (again.name, again.properties) == ("gauge", {"river": "Yongan"})
    again.description = "changed"
    service.update(again)
    assert service.things().find(thing.id).description == "changed"
    (expanded,) = service.things().query().filter("name eq 'gauge'").expand("Locations,Datastreams").list()
    assert [each.name for each in expanded.datastreams] == ["levels"]
    service.delete(again)
    assert list(service.datastreams().query().filter("name eq 'levels'").list()) == []
