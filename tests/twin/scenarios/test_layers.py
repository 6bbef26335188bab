"""What a run gives is seen by every service, by those who may, and is gone when the run is."""

import httpx
import psycopg
import pytest

import twin
from tests.twin.scenarios.conftest import Hook, eventually
from twin.sdk.errors import NotFound, WrongRequest
from twin.sdk.run import RunFailed


@pytest.fixture(scope="module")
def city(hook: Hook) -> twin.City:
    return twin.connect(hook.url, token=hook.tokens.editor)


def test_layers_of_a_run_are_collections(hook: Hook, city: twin.City) -> None:
    run = city.run("echo", states=3).wait(60)
    told = run.info["twin"]["layers"]
    assert [(each["role"], each["kind"], len(each["times"])) for each in told] == [
        ("level", "raster", 3),
        ("square", "vector", 0),
    ]
    collections = httpx.get(f"{hook.url}/collections").json()["collections"]
    assert set(run.layers.values()) <= {each["id"] for each in collections}
    features = httpx.get(f"{hook.url}/collections/{run.layers['square']}/items").json()["features"]
    assert features[0]["properties"]["side"] == 640
    raster = run.raster("level")
    assert raster.values.shape == (3, 64, 64)
    assert raster.values.max(axis=(1, 2)).tolist() == [0.0, 1.0, 2.0]
    assert (raster.crs, raster.unit, len(raster.times)) == ("EPSG:4549", "m", 3)
    run.dismiss()
    layers = {each["role"]: each["id"] for each in told}
    eventually(lambda: httpx.get(f"{hook.url}/collections/{layers['square']}").status_code == 404)
    assert httpx.get(f"{hook.url}/collections/{layers['level']}").status_code == 404


def test_who_may_not_read_what_was_read_sees_no_result(hook: Hook, rows: psycopg.Connection) -> None:
    """A run that has read a restricted layer is told to those roles alone that may read it."""
    job = hook.run({"text": "secret"})
    hook.until(job)
    assert httpx.get(f"{hook.url}/jobs/{job}").status_code == 200
    rows.execute("update scenario_run set readers = array['editor', 'utility'] where id = %s", (job,))
    assert httpx.get(f"{hook.url}/jobs/{job}").status_code == 404
    assert httpx.get(f"{hook.url}/jobs/{job}/files/echo.txt").status_code == 404
    assert job not in httpx.get(f"{hook.url}/jobs").text
    assert hook.ask("GET", f"/jobs/{job}", token=hook.tokens.township).status_code == 404
    assert hook.ask("GET", f"/jobs/{job}", token=hook.tokens.utility).status_code == 200


def test_a_run_from_python(city: twin.City) -> None:
    assert city.scenarios["echo"]["title"] == "Echo"
    run = city.run("echo", preset="greeting", number=2)
    assert run.wait(60).status == "successful"
    assert run.progress == 1
    assert run.indicators["text"] == "你好"
    assert run.table("inputs").to_dict("records") == [{"text": "你好", "number": 2.0}]
    assert run.id in [each.id for each in city.runs]
    assert "echo: successful" in repr(city.get_run(run.id))
    with pytest.raises(NotFound, match="inputs"):
        run.table("other")
    with pytest.raises(NotFound, match="there are: none"):
        run.raster("depth")
    with pytest.raises(RunFailed, match="as asked for"):
        city.run("echo", refuse=True).wait(60)
    with pytest.raises(WrongRequest, match="number"):
        city.run("echo", number="many")
    with pytest.raises(WrongRequest, match="greeting"):
        city.run("echo", preset="farewell")
    with pytest.raises(NotFound, match="echo"):
        city.run("eco")
