"""Cameras: what they are, where they look, and what a made-up one sees; hostile addresses are refused."""

import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.api.conftest import BASE
from tests.api.sensing.conftest import Sensors, stream, thing

SVG = "{http://www.w3.org/2000/svg}"
LEVELS = {"warning": 2.9, "guaranteed": 3.8}


def camera(snapshot: str, **more: Any) -> dict[str, Any]:
    properties = {"kind": "camera", "camera": {"direction": 135, "field_of_view": 62.5, "snapshot": snapshot} | more}
    return thing("bridge camera") | {"Datastreams": [stream("picture", properties=properties)]}


async def test_the_registry_has_place_direction_and_picture(sensors: Sensors) -> None:
    await sensors.post("Things", camera("https://cams.example.org/7/now.jpg", hls="https://cams.example.org/7.m3u8"))
    found = (await sensors.public.get(f"{BASE}/sensors/latest", params={"kind": "camera"})).json()["features"]
    (ours,) = [each for each in found if each["properties"]["title"] == "bridge camera"]
    assert ours["geometry"]["coordinates"] == [120.95, 28.1]
    assert ours["properties"]["camera"] == {
        "direction": 135,
        "field_of_view": 62.5,
        "snapshot": "https://cams.example.org/7/now.jpg",
        "hls": "https://cams.example.org/7.m3u8",
    }
    everything = (await sensors.public.get(f"{BASE}/sensors/latest")).json()["features"]
    assert all("camera" not in each["properties"] for each in everything if each["properties"]["kind"] != "camera")


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//evil.example/x.jpg", "ftp://x/y.jpg",
        "https://admin:secret@192.0.2.7/now.jpg", "https://x/\"><script>", "https:///x", "now.jpg", "",
        "https://x/" + "a" * 2_000,
    ],
)  # fmt: skip
async def test_hostile_addresses_are_refused(sensors: Sensors, address: str) -> None:
    assert await sensors.status("POST", "Things", camera(address)) == 400


@pytest.mark.parametrize("angle", [0, -1, 361, "wide"])
async def test_impossible_angles_are_refused(sensors: Sensors, angle: Any) -> None:
    assert await sensors.status("POST", "Things", camera("/sensors/pictures/x", field_of_view=angle)) == 400


async def test_a_made_up_camera_sees_the_level_that_the_gauge_told(sensors: Sensors) -> None:
    level = stream("level", properties={"kind": "water_level", "levels": LEVELS})
    made = await sensors.post("Things", thing("gauge", at=(121.3, 28.4)) | {"Datastreams": [level]})
    (gauge,) = await sensors.values(f"Things({made})/Datastreams")
    now = datetime.now(UTC).replace(microsecond=0)
    for hours, value in ((5, 1.5), (1, 4.25)):
        told = {"phenomenonTime": (now - timedelta(hours=hours)).isoformat(), "result": value}
        await sensors.post(f"Datastreams({gauge['@iot.id']})/Observations", told)
    properties = {"kind": "camera", "key": "camera-1", "camera": {"snapshot": "/sensors/pictures/camera-1"}}
    body = thing("<b>river</b>", at=(121.3004, 28.4), properties={"simulated": True})
    await sensors.post("Things", body | {"Datastreams": [stream("picture", properties=properties)]})

    async def seen(**query: str) -> tuple[str, float]:
        answer = await sensors.public.get(f"{BASE}/sensors/pictures/camera-1", params=query)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "image/svg+xml"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        root = ET.fromstring(answer.text)
        text = " ".join("".join(each.itertext()) for each in root.iter(f"{SVG}text"))
        water = [each for each in root.iter(f"{SVG}path") if "t32" in each.attrib["d"]]
        return text, float(water[0].attrib["d"].split()[1].partition("q")[0])

    text, high = await seen()
    assert "水位 4.25 m" in text
    assert "<b>river</b>" in text
    assert "simulated" in text
    before, low = await seen(datetime=(now - timedelta(hours=2)).isoformat())
    assert "水位 1.50 m" in before
    assert low > high, "rows of a picture are counted downward"
    answer = await sensors.public.get(f"{BASE}/sensors/pictures/camera-1", params={"datetime": "2024-08-01/2024-08-02"})
    assert answer.status_code == 400
    assert (await sensors.public.get(f"{BASE}/sensors/pictures/none")).status_code == 404
