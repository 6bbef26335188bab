"""Queues by minute as a planner reaches them: through the worker, the SDK, Features and WMS with time."""

from collections.abc import Iterator

import httpx
import psycopg
import pytest

import twin
from tests.twin.scenarios.conftest import Hook

# Two streets that cross in the town, and one beyond.
ROADS = """
    insert into road (dataset_id, uid, content_hash, class, name, lanes, speed_kmh, start_node, end_node, geom)
    select (select min(id) from dataset), 'queue-' || n, '', 'secondary', '街' || n, 2, 36, 'q' || a, 'q' || b,
           st_transform(st_setsrid(st_makeline(st_point(596000 + x, 3111000), st_point(596000 + x + 500, 3111000)),
                                   4549), 4490)
    from (values (1, 0, 1, 0), (2, 1, 2, 500), (3, 2, 3, 1000)) as of_each (n, a, b, x)
"""


@pytest.fixture
def streets(hook: Hook) -> Iterator[None]:
    """The town has no streets of its own."""
    with psycopg.connect(hook.database_url, autocommit=True) as connection:
        connection.execute(ROADS)
        yield
        connection.execute("delete from road where uid like 'queue-%'")


def test_queues_are_played_by_minute(hook: Hook, streets: None) -> None:
    city = twin.connect(hook.url, token=hook.tokens.editor)
    run = city.run("traffic-dynamic", minutes=6, warm_up_min=5, hour=17, signals="none").wait(120)
    vehicles = run.indicators["vehicles"]["value"]
    parts = ("arrived", "on_road", "waiting", "given_up")
    assert vehicles == sum(run.indicators[name]["value"] for name in parts) > 3
    minutes = run.table("minutes")
    assert len(minutes) == 6
    headers = {"Authorization": f"Bearer {hook.tokens.editor}"}
    layer, moment = run.layers["queues"], str(minutes["time"][minutes["vehicles"].idxmax()])
    asked = {"datetime": moment.replace(" ", "T"), "limit": "1000"}
    answer = httpx.get(f"{hook.url}/collections/{layer}/items", params=asked, headers=headers).raise_for_status()
    features = answer.json()["features"]
    assert {"speed_kmh", "queue", "flow", "vehicles"} <= features[0]["properties"].keys()
    known = httpx.get(f"{hook.url}/wms?service=WMS&version=1.3.0&request=GetCapabilities", headers=headers)
    assert f"<Name>{layer}</Name>" in known.raise_for_status().text
    map_of = {
        "service": "WMS", "version": "1.3.0", "request": "GetMap", "layers": layer, "styles": "", "crs": "CRS:84",
        "bbox": "120.97,28.1,121.0,28.13", "width": "100", "height": "100", "format": "image/png",
        "time": asked["datetime"],
    }  # fmt: skip
    picture = httpx.get(f"{hook.url}/wms", params=map_of, headers=headers).raise_for_status()
    assert picture.headers["content-type"] == "image/png"
