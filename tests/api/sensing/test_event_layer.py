"""Events as a layer: in every service of the city as they are at that moment, for whoever may read the sensors."""

import asyncio
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import mapbox_vector_tile
import morecantile
import pytest
from PIL import Image

from tests.api.conftest import BASE
from tests.api.sensing.conftest import Sensors

ITEMS = f"{BASE}/collections/events/items"
PLACE = (120.9612, 28.1034)
NOW = datetime.now(UTC)


async def raised(sensors: Sensors, title: str, severity: str, place: tuple[float, float] = PLACE, **more: Any) -> int:
    body = {"kind": "report", "severity": severity, "title": title, "place": {"type": "Point", "coordinates": place}}
    answer = await sensors.client.post(f"{BASE}/events", json=body | more)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


async def found(sensors: Sensors, **query: str) -> dict[int, dict[str, Any]]:
    """The events that `items` gives, by id; as soon as a server that was running has heard of the layer."""
    for _ in range(40):
        answer = await sensors.public.get(ITEMS, params=query)
        if answer.status_code == 200:
            page = answer.json()
            assert page["numberMatched"] == len(page["features"]), "counted anew, as the events are read"
            return {feature["id"]: feature for feature in page["features"]}
        await asyncio.sleep(0.05)
    raise AssertionError(answer.text)


@pytest.fixture(scope="module")
async def events(sensors: Sensors) -> tuple[int, int]:
    """A red event on now, and a blue one that began two days ago and was closed."""
    red = await raised(sensors, "渗漏", "red", began_at=(NOW - timedelta(hours=1)).isoformat(), text="坝脚渗水")
    blue = await raised(sensors, "积水", "blue", (120.95, 28.09), began_at=(NOW - timedelta(days=2)).isoformat())
    for did in ("acknowledge", "close"):
        (await sensors.client.post(f"{BASE}/events/{blue}/steps", json={"did": did})).raise_for_status()
    return red, blue


async def test_items_tell_what_the_events_api_tells(sensors: Sensors, events: tuple[int, int]) -> None:
    red, blue = events
    now = await found(sensors)
    assert red in now
    assert blue not in now
    told = (await sensors.client.get(f"{BASE}/events/{red}")).json()
    assert now[red]["geometry"]["coordinates"] == pytest.approx(told["geometry"]["coordinates"], abs=1e-7)
    for name in ("kind", "severity", "state", "text", "raised_by", "times", "overdue"):
        assert now[red]["properties"][name] == told["properties"][name], name
    assert now[red]["properties"]["name"] == told["properties"]["title"] == "渗漏"
    assert {red, blue} <= set(await found(sensors, datetime="../.."))
    day = (NOW - timedelta(days=1)).isoformat()
    assert set(await found(sensors, datetime=day)) & {red, blue} == {blue}
    assert red in await found(sensors, filter="severity in ('red','orange') and state <> 'closed' and name like '渗%'")
    assert red not in await found(sensors, bbox="120.94,28.08,120.955,28.1")
    assert red in await found(sensors, bbox="120.96,28.1,120.97,28.11")
    queryables = (await sensors.public.get(f"{BASE}/collections/events/queryables")).json()["properties"]
    assert {"severity", "state", "department", "overdue"} <= queryables.keys()


async def test_a_step_is_seen_by_the_next_request(sensors: Sensors, events: tuple[int, int]) -> None:
    number = await raised(sensors, "树倒", "yellow")
    assert (await found(sensors))[number]["properties"]["state"] == "raised"
    await tile(sensors)
    for did, state in (("acknowledge", "acknowledged"), ("start", "in_work")):
        (await sensors.client.post(f"{BASE}/events/{number}/steps", json={"did": did})).raise_for_status()
        assert (await found(sensors))[number]["properties"]["state"] == state
        assert (await tile(sensors))[number]["state"] == state
    (await sensors.client.post(f"{BASE}/events/{number}/steps", json={"did": "resolve"})).raise_for_status()
    (await sensors.client.post(f"{BASE}/events/{number}/steps", json={"did": "close"})).raise_for_status()
    assert number not in await found(sensors)
    assert number not in await tile(sensors)


async def tile(sensors: Sensors) -> dict[int, dict[str, Any]]:
    at = morecantile.tms.get("WebMercatorQuad").tile(*PLACE, 13)
    answer = await sensors.public.get(f"{BASE}/collections/events/tiles/WebMercatorQuad/13/{at.y}/{at.x}")
    assert answer.status_code in (200, 204), answer.text
    drawn = mapbox_vector_tile.decode(answer.content).get("events", {"features": []}) if answer.content else {}
    return {feature["id"]: feature["properties"] for feature in drawn.get("features", [])}


async def test_maps_and_wms_draw_them_by_severity(sensors: Sensors, events: tuple[int, int]) -> None:
    await found(sensors)
    wms = f"{BASE}/wms?SERVICE=WMS&VERSION=1.3.0&STYLES=day&TRANSPARENT=TRUE&FORMAT=image/png&LAYERS=events"
    box = "28.1029,120.9607,28.1039,120.9617"
    picture = await sensors.public.get(f"{wms}&REQUEST=GetMap&CRS=EPSG:4326&WIDTH=41&HEIGHT=41&BBOX={box}")
    assert picture.headers["content-type"] == "image/png", picture.text
    red, green, blue, alpha = colour_at(picture.content, 20, 20)
    assert (red > 180, green < 80, blue < 90, alpha > 200) == (True,) * 4
    legend = await sensors.public.get(f"{wms.replace('LAYERS=', 'LAYER=')}&REQUEST=GetLegendGraphic")
    assert legend.headers["content-type"] == "image/png", legend.text
    point = f"{wms}&REQUEST=GetFeatureInfo&QUERY_LAYERS=events&INFO_FORMAT=application/json&I=20&J=20"
    told = (await sensors.public.get(f"{point}&CRS=EPSG:4326&WIDTH=41&HEIGHT=41&BBOX={box}")).json()
    assert events[0] in [int(str(feature["id"]).rpartition(".")[2]) for feature in told["features"]]


def colour_at(picture: bytes, x: int, y: int) -> tuple[int, ...]:
    pixel = Image.open(io.BytesIO(picture)).convert("RGBA").getpixel((x, y))
    assert isinstance(pixel, tuple)
    return pixel


async def test_one_beyond_the_city_has_its_tiles(sensors: Sensors, events: tuple[int, int]) -> None:
    far = (121.9, 28.9)
    number = await raised(sensors, "海上险情", "orange", far)
    at = morecantile.tms.get("WebMercatorQuad").tile(*far, 12)
    address = f"{BASE}/collections/events/tiles/WebMercatorQuad/12/{at.y}/{at.x}"
    for _ in range(40):
        answer = await sensors.public.get(address)
        if answer.status_code == 200 and answer.content:
            break
        await asyncio.sleep(0.05)
    (drawn,) = mapbox_vector_tile.decode(answer.content)["events"]["features"]
    assert drawn["id"] == number


@pytest.fixture
async def closed_sensors(sensors: Sensors) -> AsyncIterator[httpx.AsyncClient]:
    """The public, while it may not read the sensors."""
    statement = "update layer set restricted = {} where id = 'sensors'"
    async with sensors.database.writing() as connection:
        await connection.execute(statement.format("true"))
    await asyncio.sleep(1.2)
    yield sensors.public
    async with sensors.database.writing() as connection:
        await connection.execute(statement.format("false"))
    await asyncio.sleep(1.2)


async def test_who_may_not_read_the_sensors_reads_no_event(
    closed_sensors: httpx.AsyncClient, events: tuple[int, int]
) -> None:
    assert (await closed_sensors.get(f"{BASE}/events")).status_code == 404
    assert (await closed_sensors.get(ITEMS)).status_code == 404
    assert (await closed_sensors.get(f"{ITEMS}/{events[0]}")).status_code == 404
    told = (await closed_sensors.get(f"{BASE}/collections")).json()["collections"]
    assert "events" not in [each["id"] for each in told]
