"""POST, PATCH, PUT and DELETE by the clauses of OGC 18-088, sections 10 to 13."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.api.sensing.conftest import ROOT, Sensors, observation, stream, thing


async def place_of(sensors: Sensors, number: int) -> list[str]:
    return [each["name"] for each in await sensors.values(f"Things({number})/Locations")]


async def feature_of(sensors: Sensors, observation: str) -> Any:
    return (await sensors.get(f"{observation.removeprefix(f'{ROOT}/')}/FeatureOfInterest"))["@iot.id"]


@pytest.fixture
async def gauge(sensors: Sensors) -> int:
    return await sensors.post("Things", thing("gauge") | {"Datastreams": [stream("level")]})


@pytest.fixture
async def level(sensors: Sensors, gauge: int) -> int:
    (found,) = await sensors.values(f"Things({gauge})/Datastreams")
    return int(found["@iot.id"])


async def test_deep_insert_makes_all_or_nothing(sensors: Sensors) -> None:
    """10.2.1.3: a fault deep inside leaves nothing behind."""
    before = (await sensors.get("Locations", count="true"))["@iot.count"]
    body = thing("sluice") | {"Datastreams": [stream("gate"), {"name": "no unit"}]}
    assert await sensors.status("POST", "Things", body) == 400
    assert (await sensors.get("Locations", count="true"))["@iot.count"] == before
    made = await sensors.post("Things", thing("sluice") | {"Datastreams": [stream("gate"), stream("level")]})
    assert len(await sensors.values(f"Things({made})/Datastreams")) == 2
    (history,) = await sensors.values(f"Things({made})/HistoricalLocations", expand="Locations")
    assert history["Locations"][0]["name"] == "sluice's place"


async def test_existing_entities_are_linked(sensors: Sensors, gauge: int) -> None:
    """10.2.1.2: by @iot.id, from the address, and inside."""
    sensor = await sensors.post("Sensors", stream("x")["Sensor"])
    observed = await sensors.post("ObservedProperties", stream("flow")["ObservedProperty"])
    body = stream("flow") | {"Sensor": {"@iot.id": sensor}, "ObservedProperty": {"@iot.id": observed}}
    made = await sensors.post(f"Things({gauge})/Datastreams", body)
    assert (await sensors.get(f"Datastreams({made})/Thing"))["@iot.id"] == gauge
    assert (await sensors.get(f"Datastreams({made})/Sensor"))["@iot.id"] == sensor
    assert await sensors.status("POST", "Datastreams", body | {"Thing": {"@iot.id": 999999}}) == 400
    assert await sensors.status("POST", "Things(999999)/Datastreams", body) == 404


async def test_a_thing_that_moves_leaves_its_history(sensors: Sensors, gauge: int, level: int) -> None:
    """8.2.3: each new place makes a HistoricalLocation; what was observed stays where it was."""
    await sensors.post(f"Datastreams({level})/Observations", observation(1, 1.0))
    other = {**thing("x", at=(121.0, 28.2))["Locations"][0], "name": "upstream"}
    await sensors.post(f"Things({gauge})/Locations", other)
    await sensors.post(f"Datastreams({level})/Observations", observation(2, 2.0))
    assert await place_of(sensors, gauge) == ["upstream"]
    history = await sensors.values(f"Things({gauge})/HistoricalLocations", orderby="time", expand="Locations")
    assert [each["Locations"][0]["name"] for each in history] == ["gauge's place", "upstream"]
    seen = await sensors.values(f"Datastreams({level})/Observations", expand="FeatureOfInterest")
    assert [each["FeatureOfInterest"]["name"] for each in seen] == ["gauge's place", "upstream"]
    area = (await sensors.get(f"Datastreams({level})"))["observedArea"]
    assert area["type"] == "Polygon"


async def test_an_observation_is_of_something(sensors: Sensors) -> None:
    """8.2.7 and 10.2: one FeatureOfInterest each; it is given, or the Thing's Location stands for it."""
    nowhere = await sensors.post("Things", thing("drone", at=None))
    level = await sensors.post(f"Things({nowhere})/Datastreams", stream("level"))
    body = observation(0, 1.0)
    for path, given in (
        (f"Datastreams({level})/Observations", body),
        ("Observations", body | {"Datastream": {"@iot.id": level}}),
        (f"Things({nowhere})/Datastreams", stream("flow") | {"Observations": [body]}),
    ):
        assert await sensors.status("POST", path, given) == 400
    assert await sensors.values(f"Things({nowhere})/Datastreams", select="name") == [{"name": "level"}]
    place = thing("x")["Locations"][0]
    feature = {name: place[name] for name in ("name", "description", "encodingType")} | {"feature": place["location"]}
    await sensors.post(f"Datastreams({level})/Observations", body | {"FeatureOfInterest": feature})
    await sensors.post(f"Things({nowhere})/Locations", place)
    await sensors.post(f"Datastreams({level})/Observations", observation(1, 1.0))
    assert len(await sensors.values(f"Datastreams({level})/Observations")) == 2


@pytest.mark.parametrize("result", [1.5, -3, "NW", True, False, {"a": [1]}, [1, 2], None])
async def test_results_of_every_type_come_back(sensors: Sensors, level: int, result: Any) -> None:
    body = observation(0, result, resultTime="2024-08-01T00:01:00.000Z", parameters={"by": "hand"},
                       resultQuality={"code": 5},
                       validTime="2024-08-01T00:00:00.000Z/2024-08-02T00:00:00.000Z")  # fmt: skip
    made = await sensors.post(f"Datastreams({level})/Observations", body)
    found = await sensors.get(f"Observations({made})")
    assert {name: found[name] for name in body} == body


async def test_times_in_their_forms(sensors: Sensors, level: int) -> None:
    """Offsets and intervals; without an offset a time is the city's; without a time it is now."""
    for given, told in (
        ("2024-08-01T08:00:00+08:00", "2024-08-01T00:00:00.000Z"),
        ("2024-08-01T08:30:00", "2024-08-01T00:30:00.000Z"),
        ("2024-08-01T01:00:00.5Z/2024-08-01T02:00:00Z", "2024-08-01T01:00:00.500Z/2024-08-01T02:00:00.000Z"),
        ("2024-08-01T01:00:00.123456Z", "2024-08-01T01:00:00.123456Z"),
    ):
        made = await sensors.post(f"Datastreams({level})/Observations", {"phenomenonTime": given, "result": 1})
        assert (await sensors.get(f"Observations({made})"))["phenomenonTime"] == told
    # What was forgiven is reported, alone, in rows and in a batch.
    rows = [{"Datastream": {"@iot.id": level}, "components": ["phenomenonTime", "result"], "dataArray": []}]
    for time, zone in (("2024-08-02T08:30:00", "Asia/Shanghai"), ("2024-08-02T08:30:00Z", None),
                       ("2024-08-02T08:00:00Z/2024-08-02T19:00", "Asia/Shanghai")):  # fmt: skip
        body = {"phenomenonTime": time, "result": 1}
        call = {"id": "1", "method": "post", "url": f"Datastreams({level})/Observations", "body": body}
        rows[0]["dataArray"] = [[time, 1]]
        for path, sent in ((call["url"], body), ("CreateObservations", rows), ("$batch", {"requests": [call]})):
            answer = (await sensors.client.post(f"{ROOT}/{path}", json=sent)).raise_for_status()
            assert answer.headers.get("twin-assumed-zone") == zone, (path, time)
    made = await sensors.post(f"Datastreams({level})/Observations", {"result": 1})
    time = datetime.fromisoformat((await sensors.get(f"Observations({made})"))["phenomenonTime"])
    assert abs(datetime.now(UTC) - time) < timedelta(seconds=30)


BAD = [
    {}, {"phenomenonTime": "2024-08-01T00:00:00Z"}, {"result": 1, "phenomenonTime": "yesterday"},
    {"result": 1, "phenomenonTime": 5}, {"result": 1, "phenomenonTime": "2999-01-01T00:00:00Z"}, [], "a", 5, None,
    {"result": 1, "phenomenonTime": "2024-08-02T00:00:00Z/2024-08-01T00:00:00Z"}, {"result": 1, "colour": "red"},
    {"result": "a\0b"}, {"result": 10**400}, {"result": 1, "FeatureOfInterest": {"@iot.id": 999999}},
    {"result": 1, "FeatureOfInterest": {"name": "no place"}}, {"result": 1, "parameters": {"a": "\0"}},
    {"result": 1, "phenomenonTime": "2024-13-01T00:00:00Z"}, {"result": 1, "validTime": "x"},
]  # fmt: skip


@pytest.mark.parametrize("body", BAD)
async def test_bad_observations_are_400(sensors: Sensors, level: int, body: Any) -> None:
    assert await sensors.status("POST", f"Datastreams({level})/Observations", body) == 400
    assert await sensors.values(f"Datastreams({level})/Observations") == []


@pytest.mark.parametrize("text", ['{"result": NaN}', '{"result": Infinity}', "{", "", "[" * 2000, '{"result": 1e999}'])
async def test_bodies_that_are_no_json_are_400(sensors: Sensors, level: int, text: str) -> None:
    answer = await sensors.client.post(f"{ROOT}/Datastreams({level})/Observations", content=text)
    assert answer.status_code == 400


BAD_ENTITIES = [
    ("Things", {"name": 5}), ("Things", {"description": "no name"}), ("Things", {"name": "a", "colour": "red"}),
    ("Things", {"name": "a", "properties": []}), ("Things", {"name": "a", "Locations": {}}),
    ("Things", {"name": "a\0"}),
    *(("Locations", {"name": "a", "encodingType": "application/geo+json", "location": place})
      for place in ({"type": "Point", "coordinates": [181, 0]}, {"type": "Point"}, 5)),
    ("Datastreams", stream("a")), ("Sensors", {"name": "a"}), ("ObservedProperties", {"name": "a"}),
    ("Datastreams", stream("a") | {"Thing": {"@iot.id": "x"}}), ("Observations", {"result": 1}),
    ("HistoricalLocations", {"time": "2024-08-01T00:00:00Z"}), ("Datastreams", stream("a") | {"unitOfMeasurement": {}}),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body"), BAD_ENTITIES)
async def test_bad_entities_are_400(sensors: Sensors, path: str, body: Any) -> None:
    answer = await sensors.client.post(f"{ROOT}/{path}", json=body)
    assert answer.status_code == 400
    assert len(answer.json()["detail"]) > 10


async def test_patch_changes_a_part_and_put_the_whole(sensors: Sensors, gauge: int) -> None:
    """10.3."""
    assert await sensors.status("PATCH", f"Things({gauge})", {"description": "moved"}) == 200
    found = await sensors.get(f"Things({gauge})")
    assert (found["name"], found["description"], found["properties"]) == ("gauge", "moved", {"river": "Yongan"})
    assert await sensors.status("PUT", f"Things({gauge})", {"name": "new", "description": "whole"}) == 200
    found = await sensors.get(f"Things({gauge})")
    assert (found["name"], "properties" in found) == ("new", False)
    assert await sensors.status("PATCH", f"Things({gauge})", {"name": None}) == 400
    # 10.3.1: a change links to what is there, it creates nothing.
    place = {"name": "roof", "description": "", "encodingType": "application/geo+json", "location": None}
    for inline in ({"Locations": [place]}, {"Datastreams": [{"name": "inline"}]}, {"Datastreams": [{"@iot.id": 1}]}):
        assert await sensors.status("PATCH", f"Things({gauge})", inline) == 400
    assert await sensors.status("PATCH", "Things", {"name": "x"}) == 405
    assert await sensors.status("POST", f"Things({gauge})", {"name": "x"}) == 405


async def test_json_patch_changes_what_it_points_at(sensors: Sensors, gauge: int) -> None:
    """10.3.2.2: RFC 6902."""
    headers = {"Content-Type": "application/json-patch+json"}
    steps = [
        {"op": "test", "path": "/name", "value": "gauge"},
        {"op": "add", "path": "/properties/bank", "value": "left"},
        {"op": "remove", "path": "/properties/river"},
        {"op": "copy", "from": "/name", "path": "/description"},
    ]
    where = f"{ROOT}/Things({gauge})"
    assert (await sensors.client.patch(where, json=steps, headers=headers)).status_code == 200
    found = await sensors.get(f"Things({gauge})")
    assert (found["description"], found["properties"]) == ("gauge", {"bank": "left"})
    for bad in (
        [{"op": "test", "path": "/name", "value": "x"}],
        [{"op": "remove", "path": "/none/a"}],
        {},
        [{"op": "x"}],
    ):
        assert (await sensors.client.patch(where, json=bad, headers=headers)).status_code == 400


async def test_a_corrected_observation_corrects_what_is_rolled_up(sensors: Sensors, level: int) -> None:
    made = [await sensors.post(f"Datastreams({level})/Observations", observation(m, float(m))) for m in (0, 10, 70)]
    assert await sensors.status("PATCH", f"Observations({made[1]})", {"result": 100.0}) == 200
    assert await sensors.status("DELETE", f"Observations({made[2]})") == 200
    async with sensors.database.reading() as connection:
        hours = await connection.fetch("select count, sum, max from sensing.hourly where datastream_id = $1", level)
        days = await connection.fetch("select count, sum, max from sensing.daily where datastream_id = $1", level)
        last = await connection.fetchrow("select count, id, number from sensing.latest where datastream_id = $1", level)
    assert [tuple(row) for row in hours] == [(2, 100.0, 100.0)]
    assert [tuple(row) for row in days] == [(2, 100.0, 100.0)]
    assert last is not None
    assert tuple(last) == (2, made[1], 100.0)


async def test_delete_takes_what_cannot_be_without(sensors: Sensors, gauge: int, level: int) -> None:
    """10.4, table 26."""
    made = await sensors.post(f"Datastreams({level})/Observations", observation(0, 1.0))
    feature = (await sensors.get(f"Observations({made})/FeatureOfInterest"))["@iot.id"]
    (place,) = await sensors.values(f"Things({gauge})/Locations")
    assert await sensors.status("DELETE", f"Things({gauge})") == 200
    for path in (f"Things({gauge})", f"Datastreams({level})", f"Observations({made})"):
        assert await sensors.status("GET", path) == 404
    assert await sensors.status("GET", f"Locations({place['@iot.id']})") == 200
    assert await sensors.status("GET", f"FeaturesOfInterest({feature})") == 200


@pytest.mark.parametrize("link", ["Sensor", "ObservedProperty"])
async def test_delete_of_what_a_datastream_needs_takes_it(sensors: Sensors, level: int, link: str) -> None:
    entity = await sensors.get(f"Datastreams({level})/{link}")
    path = entity["@iot.selfLink"].rpartition("/")[2]
    assert await sensors.status("DELETE", path) == 200
    assert await sensors.status("GET", f"Datastreams({level})") == 404


async def test_delete_of_a_feature_takes_its_observations(sensors: Sensors, level: int) -> None:
    place = {"type": "Point", "coordinates": [120, 28]}
    bend = {"name": "bend", "encodingType": "application/geo+json", "feature": place}
    feature = await sensors.post("FeaturesOfInterest", bend)
    kept = await sensors.post(f"Datastreams({level})/Observations", observation(0, 1.0))
    body = observation(5, 2.0, FeatureOfInterest={"@iot.id": feature})
    await sensors.post(f"Datastreams({level})/Observations", body)
    assert await sensors.status("DELETE", f"FeaturesOfInterest({feature})") == 200
    assert [each["@iot.id"] for each in await sensors.values(f"Datastreams({level})/Observations")] == [kept]


async def test_create_observations_takes_rows(sensors: Sensors, level: int) -> None:
    """13.2: each row is answered by its link or its error, the others unharmed; the same again is the same."""
    groups = [
        {
            "Datastream": {"@iot.id": level},
            "components": ["phenomenonTime", "result"],
            "dataArray@iot.count": 3,
            "dataArray": [["2024-08-01T00:00:00Z", 1], ["tomorrow", 2], ["2024-08-01T00:10:00Z", 3]],
        },
        {"Datastream": {"@iot.id": 999999}, "components": ["result"], "dataArray": [[1]]},
    ]
    first, again = [(await sensors.client.post(f"{ROOT}/CreateObservations", json=groups)).json() for _ in range(2)]
    assert [each.startswith("error") for each in first] == [False, True, False, True]
    assert first == again
    assert (await sensors.get(first[2].removeprefix(f"{ROOT}/")))["result"] == 3
    names = ["phenomenonTime", "result", "FeatureOfInterest/id"]
    rows = [["2024-08-01T01:00:00Z", 1, 999999], ["2024-08-01T01:10:00Z", 2, await feature_of(sensors, first[2])]]
    group = {"Datastream": {"@iot.id": level}, "components": names, "dataArray": rows}
    strange, known = (await sensors.client.post(f"{ROOT}/CreateObservations", json=[group])).json()
    assert strange == "error: no FeatureOfInterest 999999"
    assert await feature_of(sensors, known) == rows[1][2]
    # 10.2: every Observation is of a feature; rows as well as single ones.
    body = {"name": "nowhere", "description": "", "Datastreams": [stream("level")]}
    (lost,) = await sensors.values(f"Things({await sensors.post('Things', body)})/Datastreams")
    nowhere = {"Datastream": lost, "components": names[:2], "dataArray": [["2024-08-01T00:00:00Z", 1]]}
    both = [nowhere, group | {"components": names[:2], "dataArray": [["2024-08-01T02:00:00Z", 1.0]]}]
    refused, taken = (await sensors.client.post(f"{ROOT}/CreateObservations", json=both)).json()
    assert (refused.startswith("error: Datastream"), taken.startswith(ROOT)) == (True, True)
    assert await sensors.values(f"Datastreams({lost['@iot.id']})/Observations") == []
    unknown = [{"Datastream": {"@iot.id": level}, "components": ["x"], "dataArray": [[1]]}]
    nameless = [{"components": ["result"], "dataArray": [[1]]}]
    for bad in ([], {}, [{}], unknown, nameless):
        assert await sensors.status("POST", "CreateObservations", bad) == 400


async def test_multi_datastreams(sensors: Sensors, gauge: int) -> None:
    """8.2.8: results have as many parts as there are properties, in their order."""
    properties = [{"name": name, "definition": f"http://example.org/{name}"} for name in ("speed", "direction")]
    unit = {"name": "", "symbol": "", "definition": ""}
    plain = {name: each for name, each in stream("wind").items() if name in ("name", "description", "Sensor")}
    body = plain | {
        "multiObservationDataTypes": ["OM_Measurement", "OM_Measurement"],
        "unitOfMeasurements": [unit, unit],
        "ObservedProperties": properties,
    }
    made = await sensors.post(f"Things({gauge})/MultiDatastreams", body)
    found = await sensors.get(f"MultiDatastreams({made})", expand="ObservedProperties")
    assert [each["name"] for each in found["ObservedProperties"]] == ["speed", "direction"]
    assert await sensors.status("GET", f"Datastreams({made})") == 404
    wind = await sensors.post(f"MultiDatastreams({made})/Observations", observation(0, [12.5, 270]))
    assert (await sensors.get(f"Observations({wind})"))["result"] == [12.5, 270]
    assert (await sensors.get(f"Observations({wind})/MultiDatastream"))["@iot.id"] == made
    assert len(await sensors.values("Observations", filter="result/0 gt 12")) == 1
    # A list may be one result, too: whose it is follows from the stream alone, whatever is told of it.
    single = await sensors.post(f"Things({gauge})/Datastreams", stream("spectrum"))
    listed = await sensors.post(f"Datastreams({single})/Observations", observation(0, [1, 2]))
    for number, name in ((wind, "MultiDatastream"), (listed, "Datastream")):
        links = await sensors.get(f"Observations({number})", select="id,Datastream,MultiDatastream")
        assert [each for each in links if "atastream" in each] == [f"{name}@iot.navigationLink"]
    moved = {"MultiDatastream": {"@iot.id": made}}
    assert await sensors.status("PATCH", f"Observations({listed})", moved) == 400
    assert await sensors.status("PATCH", f"Observations({listed})", moved | {"Datastream": None}) == 200
    speed, direction = (each["@iot.id"] for each in found["ObservedProperties"])
    assert (
        await sensors.status("PATCH", f"ObservedProperties({speed})", {"MultiDatastreams": [{"@iot.id": made}]}) == 400
    )
    for bad in ([1], 5, [1, 2, 3]):
        assert await sensors.status("POST", f"MultiDatastreams({made})/Observations", observation(1, bad)) == 400
    assert await sensors.status("POST", f"Datastreams({made})/Observations", observation(1, 5)) == 404
    # Rows of both kinds in their order; what cannot be read leaves nothing of what stands before it.
    rows = {"components": ["result"], "dataArray": [[[1, 2]], [[1]]]}
    several, plain = {"MultiDatastream": {"@iot.id": made}} | rows, {"Datastream": {"@iot.id": single}} | rows
    assert await sensors.status("POST", "CreateObservations", [several, {"components": ["result"]}]) == 400
    kept = await sensors.values(f"MultiDatastreams({made})/Observations")
    assert [each["@iot.id"] for each in kept] == [wind, listed]
    told = (await sensors.client.post(f"{ROOT}/CreateObservations", json=[several, plain])).json()
    assert [each.startswith("error") for each in told] == [False, True, False, False]
    assert await sensors.status("POST", "MultiDatastreams", body | {"unitOfMeasurements": [unit]}) == 400
    # What is observed twice, as a mean and a peak, is told twice; page after page, too.
    again = {"ObservedProperties": [{"@iot.id": each} for each in (direction, speed)]}
    assert await sensors.status("PATCH", f"MultiDatastreams({made})", again) == 200
    twice = await sensors.post(
        f"Things({gauge})/MultiDatastreams", body | again | {"ObservedProperties": [{"@iot.id": speed}] * 2}
    )
    for stream_, names in ((made, ["direction", "speed"]), (twice, ["speed", "speed"])):
        link = f"MultiDatastreams({stream_})/ObservedProperties"
        found = await sensors.get(f"MultiDatastreams({stream_})", expand="ObservedProperties($count=true)")
        assert [each["name"] for each in found["ObservedProperties"]] == names
        assert (found["ObservedProperties@iot.count"], (await sensors.get(link, count="true"))["@iot.count"]) == (2, 2)
        first = await sensors.get(link, top=1)
        rest = (await sensors.client.get(first["@iot.nextLink"])).json()
        assert [each["name"] for page in (first, rest) for each in page["value"]] == names
    assert len(await sensors.values("MultiDatastreams", filter="ObservedProperties/name eq 'speed'")) == 2


async def test_a_batch_answers_each(sensors: Sensors) -> None:
    """11: later requests name what earlier ones made; one that fails takes only what depends on it along."""
    body = {
        "requests": [
            {"id": "1", "method": "post", "url": "Things", "body": {"name": "batch"}},
            {"id": "2", "method": "get", "url": "$1?$select=name"},
            {"id": "3", "method": "post", "url": "Things", "body": {}},
            {"id": "4", "method": "get", "url": "Things", "dependsOn": ["3"]},
            {"id": "5", "method": "get", "url": f"{ROOT}/Things?$top=1"},
        ]
    }
    answers = (await sensors.client.post(f"{ROOT}/$batch", json=body)).json()["responses"]
    assert [each["status"] for each in answers] == [201, 200, 400, 424, 200]
    assert answers[1]["body"] == {"name": "batch"}
    public = (await sensors.public.post(f"{ROOT}/$batch", json=body)).json()["responses"]
    assert [each["status"] for each in public] == [401, 404, 401, 424, 200]


async def test_a_group_of_a_batch_is_done_whole_or_not_at_all(sensors: Sensors, level: int) -> None:
    """OData JSON Format 4.01, 19.1: one transaction; $ names what it made so far; what failed undoes the others."""

    def request(number: int, url: str, body: Any = None, **more: Any) -> dict[str, Any]:
        return {"id": str(number), "method": "post", "url": url, "body": body} | more

    async def answered(*requests: dict[str, Any]) -> list[tuple[str, int]]:
        answer = await sensors.client.post(f"{ROOT}/$batch", json={"requests": requests})
        assert answer.status_code == 200, answer.text
        return [(each.get("atomicityGroup", ""), each["status"]) for each in answer.json()["responses"]]

    async def named(name: str) -> int:
        return len(await sensors.values("Things", filter=f"name eq '{name}'"))

    grouped = {"atomicityGroup": "g"}
    place = {"name": "p", "description": "", "encodingType": "application/geo+json", "location": None}
    place["location"] = {"type": "Point", "coordinates": [120.95, 28.1]}
    reading = observation(0, 77.5)
    good = [request(1, "Things", {"name": "both", "description": ""}, **grouped),
            request(2, "$1/Locations", place, **grouped),
            request(3, f"Datastreams({level})/Observations", reading, **grouped)]  # fmt: skip
    after = request(4, "Things?$top=1", method="get", dependsOn=["g"])
    bad = request(5, "Things", {}, **grouped)
    assert await answered(*good, bad, after) == [("g", 424)] * 3 + [("g", 400), ("", 424)]
    assert (await named("both"), len(await sensors.values("Observations", filter="result eq 77.5"))) == (0, 0)
    assert await answered(*good, after) == [("g", 201)] * 3 + [("", 200)]
    assert (await named("both"), len(await sensors.values("Observations", filter="result eq 77.5"))) == (1, 1)
    # What would be committed or read outside of the transaction is none of it.
    assert await answered(request(1, "Things", method="get", **grouped)) == [("g", 400)]
    apart = [good[0], request(9, "Things", {"name": "between", "description": ""}), good[1]]
    assert (await sensors.client.post(f"{ROOT}/$batch", json={"requests": apart})).status_code == 400
    assert await named("between") == 0
    public = (await sensors.public.post(f"{ROOT}/$batch", json={"requests": good})).json()["responses"]
    assert [each["status"] for each in public] == [401] * 3


async def test_a_huge_body_is_413(sensors: Sensors, level: int) -> None:
    answer = await sensors.client.post(f"{ROOT}/Datastreams({level})/Observations", content=b" " * 100_000_000)
    assert answer.status_code == 413
