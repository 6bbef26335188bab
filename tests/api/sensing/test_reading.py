"""GET by the clauses of OGC 18-088, section 9: paths, options, filters, pages."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.api.sensing.conftest import ROOT, Sensors, observation, stream, thing

GAUGES = 3
READINGS = 12


@pytest.fixture(scope="module", autouse=True)
async def gauges(sensors: Sensors) -> list[int]:
    """Three gauges along a river, each with a level of which the k-th reading of gauge i is 10 i + k."""
    made = []
    for i in range(1, GAUGES + 1):
        level = stream(
            "level", Observations=[observation(5 * k, 10.0 * i + k, parameters={"k": k}) for k in range(READINGS)]
        )
        body = thing(
            f"gauge {i}",
            at=(round(120.9 + i / 100, 2), 28.1),
            properties={"i": i, "bank": "left" if i % 2 else "right"},
        )
        made.append(await sensors.post("Things", body | {"Datastreams": [level]}))
    return made


async def test_the_root_lists_every_set(sensors: Sensors) -> None:
    """9.2.1: the front page."""
    page = await sensors.get("")
    names = {each["name"]: each["url"] for each in page["value"]}
    assert set(names) >= {
        "Things",
        "Locations",
        "HistoricalLocations",
        "Datastreams",
        "Sensors",
        "Observations",
        "ObservedProperties",
        "FeaturesOfInterest",
    }
    for name, url in names.items():
        assert url == f"{ROOT}/{name}"
        assert (await sensors.client.get(url)).status_code == 200
    assert (
        "http://www.opengis.net/spec/iot_sensing/1.1/req/data-array/data-array" in page["serverSettings"]["conformance"]
    )
    assert (await sensors.client.get(ROOT.replace("1.1", "1.0"))).status_code == 200
    assert (await sensors.client.get(ROOT.replace("1.1", "3.0"))).status_code == 404


async def test_every_link_of_every_entity_leads_somewhere(sensors: Sensors) -> None:
    """8.1: selfLink and navigationLink of each entity type."""
    for each in (await sensors.get(""))["value"]:
        for entity in await sensors.values(each["name"], top=2):
            links = [link for name, link in entity.items() if name.endswith("Link")]
            assert len(links) >= 2
            for link in links:
                answer = await sensors.client.get(link)
                assert answer.status_code == 200, link


async def test_an_entity_is_reached_by_every_path(sensors: Sensors, gauges: list[int]) -> None:
    """9.2.3 to 9.2.8: entities, properties, values, links, references."""
    one = await sensors.get(f"Things({gauges[0]})")
    assert one["name"] == "gauge 1"
    assert one["@iot.selfLink"] == f"{ROOT}/Things({gauges[0]})"
    (level,) = await sensors.values(f"Things({gauges[0]})/Datastreams")
    path = f"Things({gauges[0]})/Datastreams({level['@iot.id']})"
    assert await sensors.get(f"{path}/Thing/name") == {"name": "gauge 1"}
    assert (await sensors.client.get(f"{ROOT}/{path}/unitOfMeasurement/symbol/$value")).text == "m"
    assert (await sensors.get(f"{path}/ObservedProperty"))["name"] == "level"
    refs = await sensors.values(f"{path}/Observations/$ref", top=2)
    assert [set(ref) for ref in refs] == [{"@iot.selfLink"}] * 2
    place = (await sensors.get(f"{path}/Observations", top=1, expand="FeatureOfInterest"))["value"][0]
    assert place["FeatureOfInterest"]["feature"]["coordinates"] == [120.91, 28.1]
    assert (
        await sensors.get(f"FeaturesOfInterest({place['FeatureOfInterest']['@iot.id']})/Observations", count="true")
    )["@iot.count"] == READINGS
    assert level["phenomenonTime"] == "2024-08-01T00:00:00.000Z/2024-08-01T00:55:00.000Z"
    assert level["observedArea"]["coordinates"] == [120.91, 28.1]


@pytest.mark.parametrize("path", [
    "Nothings", "Things(99999)", "Things('a')", "Things(1)/Nothing", "Things/name", "Things(1)/name/first", "Things(1",
    "Datastreams(1)/Thing(99)", "Things(1)/Locations(2)", "$metadata", "Things(1)/Datastreams(2)", "Things(-1)",
])  # fmt: skip
async def test_what_is_not_there_is_404(sensors: Sensors, path: str) -> None:
    assert await sensors.status("GET", path) == 404


FILTERS = [
    # comparison and logic (table 22)
    ("result eq 15", 1), ("result ne 15", 35), ("result gt 35", 6), ("result ge 35", 7), ("result lt 12", 2),
    ("result le 12", 3), ("result gt 11 and result lt 14", 2), ("result lt 11 or result gt 40.5", 2),
    ("not result lt 40", 2), ("not (result lt 11 or result gt 12)", 2), ("result in (11, 22, 33, 44)", 3),
    ("result eq 5 or 7 lt 3", 0),
    # arithmetic binds stronger than comparison
    ("result add 5 eq 20", 1), ("result sub 5 eq 20", 1), ("result mul 2 eq 44", 1), ("result div 2 eq 5.5", 1),
    ("result mod 10 eq 1", 6), ("-result eq -15", 1), ("result add 1 mul 10 eq 25", 1),
    ("(result add 1) mul 10 eq 160", 1),
    # times
    ("phenomenonTime gt 2024-08-01T00:50:00Z", 3), ("phenomenonTime le 2024-08-01T08:05:00+08:00", 6),
    ("phenomenonTime eq 2024-08-01T00:10:00.000Z", 3), ("phenomenonTime ge now() sub duration'P1D'", 0),
    ("during(phenomenonTime, 2024-08-01T00:10:00Z/2024-08-01T00:20:00Z)", 9),
    ("before(phenomenonTime, 2024-08-01T00:10:00Z)", 6), ("after(phenomenonTime, 2024-08-01T00:50:00Z)", 3),
    ("overlaps(phenomenonTime, 2024-08-01T00:50:00Z/2024-08-02T00:00:00Z)", 6),
    ("minute(phenomenonTime) eq 55", 3), ("hour(phenomenonTime) eq 0 and day(phenomenonTime) eq 1", 36),
    ("year(phenomenonTime) eq 2023", 0), ("month(phenomenonTime) eq 8", 36), ("second(phenomenonTime) eq 0", 36),
    ("fractionalseconds(phenomenonTime) eq 0", 36), ("date(phenomenonTime) eq 2024-08-01", 36),
    ("time(phenomenonTime) eq 00:30:00", 3), ("totaloffsetminutes(phenomenonTime) eq 0", 36),
    ("phenomenonTime lt maxdatetime() and phenomenonTime gt mindatetime()", 36),
    ("phenomenonTime add duration'PT5M' gt 2024-08-01T00:55:00Z", 3),
    # over links, and into JSON
    ("Datastream/Thing/name eq 'gauge 2'", 12), ("Datastream/Thing/properties/i gt 1", 24),
    ("Datastream/Thing/properties/bank eq 'left'", 24), ("parameters/k ge 10", 6), ("resultTime eq null", 36),
    ("Datastream/@iot.id gt 0 and result gt 40", 1), ("Datastream/unitOfMeasurement/symbol eq 'm'", 36),
    ("st_within(FeatureOfInterest/feature, geography'POLYGON ((120 28, 120.915 28, 120.915 29, 120 29, 120 28))')",
     12),
    # mathematics (table 23)
    ("round(result div 10) eq 2", 12), ("floor(result div 10) eq 2", 12), ("ceiling(result div 10) eq 2", 11),
]  # fmt: skip


@pytest.mark.parametrize(("filter_", "number"), FILTERS)
async def test_observations_are_filtered(sensors: Sensors, filter_: str, number: int) -> None:
    found = await sensors.get("Observations", filter=filter_, count="true", top=3)
    assert found["@iot.count"] == number
    assert len(found["value"]) == min(number, 3)


THINGS = [
    ("substringof('auge', name)", 3), ("startswith(name, 'gauge')", 3), ("endswith(name, ' 1')", 1),
    ("length(name) eq 7", 3), ("indexof(name, '2') eq 6", 1), ("substring(name, 6) eq '3'", 1),
    ("substring(name, 0, 5) eq 'gauge'", 3), ("tolower('GAUGE 1') eq name", 1), ("toupper(name) eq 'GAUGE 1'", 1),
    ("trim('  gauge 1 ') eq name", 1), ("concat(name, '!') eq 'gauge 1!'", 1), ("name eq 'it''s'", 0),
    ("Datastreams/Observations/result gt 40", 1), ("Locations/name eq 'gauge 2''s place'", 1),
    ("properties/i eq 2", 1), ("properties/bank ne 'left'", 1), ("properties/none eq null", 3), ("id eq 0", 0),
    ("geo.distance(Locations/location, geography'POINT (120.91 28.1)') lt 0.011", 2),
    ("geo.intersects(Locations/location, geography'LINESTRING (120.905 28.1, 120.925 28.1)')", 2),
    ("geo.length(geography'LINESTRING (0 0, 3 4)') eq 5", 3),
    ("st_equals(Locations/location, geography'POINT (120.92 28.1)')", 1),
    ("st_disjoint(Locations/location, geography'POINT (120.92 28.1)')", 2),
    ("st_touches(geography'LINESTRING (120.92 28.1, 121 29)', Locations/location)", 1),
    ("st_contains(geography'POLYGON ((120 28, 121 28, 121 29, 120 29, 120 28))', Locations/location)", 3),
    ("st_overlaps(Locations/location, geography'POINT (120.92 28.1)')", 0),
    ("st_crosses(Locations/location, geography'POINT (120.92 28.1)')", 0),
    ("st_intersects(Locations/location, geography'POINT (120.92 28.1)')", 1),
    ("st_relate(Locations/location, geography'POINT (120.92 28.1)', 'T********')", 1),
]  # fmt: skip


@pytest.mark.parametrize(("filter_", "number"), THINGS)
async def test_things_are_filtered(sensors: Sensors, filter_: str, number: int) -> None:
    assert (await sensors.get("Things", filter=filter_, count="true"))["@iot.count"] == number


BAD = [
    "$filter=name", "$filter=name eq", "$filter=name eq 'a", "$filter=none eq 1", "$filter=nothing(name)",
    "$filter=length(name, 2) eq 1", "$filter=name gt 5", "$filter=geo.length(name) eq 1", "$filter=(name eq 'a'",
    "$filter=Locations/location eq 5", "$filter=Locations eq 5", "$filter=name eq 'a'; drop table thing",
    "$filter=st_within(Locations/location, geography'POINT (1')",
    "$filter=st_within(Locations/location, geography'CIRCULARSTRING (0 0, 1 1, 2 0)')",
    "$filter=1 div 0 eq 1", "$filter=name gt null",
    "$filter=substring(name, 99999999999) eq ''", "$filter=" + "not " * 60 + "true",
    "$filter=" + "(" * 60 + "1" + ")" * 60,
    "$filter=st_relate(Locations/location, Locations/location, 'x') eq true", "$expand=Nothing", "$expand=Datastreams(",
    "$expand=Datastreams($top=a)", "$select=nothing", "$select=name/description", "$orderby=nothing",
    "$orderby=Datastreams/name", "$top=-1", "$top=a", "$skip=x", "$count=maybe", "$top=1&$top=2",
    "$expand=Datastreams($top=1;$top=2)",
    "$skiptoken=abc", "$skiptoken=W10", "$resultFormat=none", "$resultFormat=dataArray", "nothing=1", "$filter=%ff",
    "$expand=" + "/".join(["Datastreams", "Thing"] * 4), "$filter=name%20eq%20%27%00%27", "$filter=Thing/x eq 1",
    "$orderby=Locations/location", "$filter=-(-(-name)) eq 1", "$filter=name eq 1e999",
]  # fmt: skip


@pytest.mark.parametrize("query", BAD)
async def test_bad_queries_are_400(sensors: Sensors, query: str) -> None:
    """9.3.1: a query that cannot be done is refused, and says why."""
    answer = await sensors.client.get(f"{ROOT}/Things?{query if '%' in query else quote(query, safe='=&$')}")
    assert answer.status_code == 400, answer.text
    assert len(answer.json()["detail"]) > 10


@pytest.mark.parametrize("query", ["$search=a", "$apply=a", "$format=json", "$expand=Datastreams($levels=2)"])
async def test_options_that_are_not_there_are_501(sensors: Sensors, query: str) -> None:
    """Requirement request-data/query-status-code: an option that is not supported fails, with 501."""
    answer = await sensors.client.get(f"{ROOT}/Things?{query}")
    assert (answer.status_code, answer.json()["status"]) == (501, 501)
    option = query.rpartition("$")[2].partition("=")[0]
    assert f"no query option '${option}' here" in answer.json()["detail"]


async def test_select_tells_only_what_is_asked(sensors: Sensors) -> None:
    """9.3.2.2."""
    for each in await sensors.values("Observations", select="result,phenomenonTime", top=3):
        assert set(each) == {"result", "phenomenonTime"}
    (one,) = await sensors.values("Things", select="id,Datastreams", top=1)
    assert set(one) == {"@iot.id", "Datastreams@iot.navigationLink"}


async def test_expand_goes_deep_in_one_statement(sensors: Sensors) -> None:
    """9.3.2.1: nested, with options of their own; checked against the single requests."""
    expand = (
        "Locations($select=name),Datastreams($select=id,name;$expand=Observations($orderby=phenomenonTime desc;"
        "$top=2;$select=result;$count=true),Sensor/MultiDatastreams;$filter=name eq 'level')"
    )
    for each in await sensors.values("Things", expand=expand, orderby="name desc"):
        number = each["properties"]["i"]
        assert each["Locations"] == [{"name": f"gauge {number}'s place"}]
        (level,) = each["Datastreams"]
        assert [one["result"] for one in level["Observations"]] == [10 * number + 11, 10 * number + 10]
        assert level["Observations@iot.count"] == READINGS
        following = (await sensors.client.get(level["Observations@iot.nextLink"])).json()
        assert [one["result"] for one in following["value"]] == [10 * number + 9, 10 * number + 8]
        assert level["Sensor"]["MultiDatastreams"] == []
        assert level["name"] == "level"


@pytest.mark.parametrize("orderby", [
    "result", "result desc", "phenomenonTime desc", "Datastream/Thing/name desc,result", "result mod 3,@iot.id desc",
    "parameters/k desc", "resultTime", "@iot.id desc", "result mod 2 eq 0",
])  # fmt: skip
async def test_pages_follow_each_other_without_gap_or_double(sensors: Sensors, orderby: str) -> None:
    """9.3.3.4 and 9.3.3.7: every page after the other is the same as all at once, in the same order."""
    whole = [each["@iot.id"] for each in await sensors.values("Observations", orderby=orderby, top=1000)]
    page: Any = await sensors.get("Observations", orderby=orderby, top=7)
    found = [each["@iot.id"] for each in page["value"]]
    while "@iot.nextLink" in page:
        page = (await sensors.client.get(page["@iot.nextLink"])).json()
        found += [each["@iot.id"] for each in page["value"]]
    assert found == whole
    assert len(set(found)) == GAUGES * READINGS


async def test_whoever_comes_by_the_older_address_stays_there(sensors: Sensors) -> None:
    """Clients of 1.0 hold the addresses of the front page against the one they know."""
    older = ROOT.replace("v1.1", "v1.0")
    front = (await sensors.client.get(older)).json()["value"]
    assert {"name": "Things", "url": f"{older}/Things"} in front
    things = (await sensors.client.get(f"{older}/Things", params={"$top": 1})).json()
    assert things["@iot.nextLink"].startswith(f"{older}/Things?")
    (first,) = things["value"]
    assert first["@iot.selfLink"] == f"{older}/Things({first['@iot.id']})"


async def test_places_have_an_order(sensors: Sensors) -> None:
    """9.3.3.1 leaves no property out; the conformance suite sorts by each of them."""
    ways = [
        [each["@iot.id"] for each in await sensors.values("Locations", orderby=f"location {way}")]
        for way in ("asc", "desc")
    ]
    assert ways[0] == ways[1][::-1]
    assert len(ways[0]) > 1


async def test_in_quotes_a_number_is_what_it_is_written_as(sensors: Sensors) -> None:
    """As the conformance suite of the OGC asks for results of any type: '10' stands before '9'."""
    numbers = {each["result"] for each in await sensors.values("Observations", top=1000)}
    found = await sensors.values("Observations", top=1000, filter="result gt '3'")
    assert {each["result"] for each in found} == {each for each in numbers if f"{each:g}" > "3"}
    assert {each["result"] for each in await sensors.values("Observations", filter="result eq '11'")} == {11}


async def test_top_skip_count(sensors: Sensors) -> None:
    """9.3.3.2, 9.3.3.3, 9.3.3.4: count tells of all, whatever the page."""
    found = await sensors.get("Observations", top=5, skip=30, count="true", orderby="result")
    assert found["@iot.count"] == 36
    assert [each["result"] for each in found["value"]] == [36, 37, 38, 39, 40]
    assert (await sensors.get("Observations", top=0, count="true")) == {"@iot.count": 36, "value": []}


async def test_rows_geojson_and_csv(sensors: Sensors) -> None:
    """9.3.9 (dataArray), and the two formats that maps and tables like."""
    groups = await sensors.values("Observations", resultFormat="dataArray", select="phenomenonTime,result", top=1000)
    assert [group["dataArray@iot.count"] for group in groups] == [12, 12, 12]
    assert groups[0]["components"] == ["phenomenonTime", "result"]
    assert groups[0]["dataArray"][1] == ["2024-08-01T00:05:00.000Z", 11]
    whole = await sensors.values("Observations", resultFormat="dataArray", top=1)
    assert whole[0]["components"] == [
        "id", "phenomenonTime", "result", "resultTime", "resultQuality", "validTime", "parameters",
    ]  # fmt: skip
    assert len(whole[0]["dataArray"][0]) == 7
    shapes = await sensors.get("Things", resultFormat="GeoJSON", expand="Locations", orderby="name")
    assert [each["geometry"]["coordinates"] for each in shapes["features"]] == [
        [120.91, 28.1],
        [120.92, 28.1],
        [120.93, 28.1],
    ]
    assert shapes["features"][0]["properties"]["properties/bank"] == "left"
    # Who draws or tabulates a page must learn that there is another one.
    page = await sensors.get("Things", resultFormat="GeoJSON", top=2, count="true")
    assert (page["@iot.count"], len(page["features"])) == (3, 2)
    last = (await sensors.client.get(page["@iot.nextLink"])).json()
    assert ([each["properties"]["name"] for each in last["features"]], "@iot.nextLink" in last) == (["gauge 3"], False)
    answer = await sensors.client.get(f"{ROOT}/Observations", params={"$resultFormat": "CSV", "$top": 2})
    following = (await sensors.client.get(answer.links["next"]["url"])).text.splitlines()
    assert (len(following), "2024-08-01T00:10:00.000Z" in following[1]) == (3, True)
    head, first, _ = answer.text.splitlines()
    assert "phenomenonTime" in head.split(",")
    assert "2024-08-01T00:00:00.000Z" in first


@pytest.mark.parametrize(("method", "path", "allowed"), [
    ("POST", "", "GET, HEAD"), ("DELETE", "", "GET, HEAD"), ("GET", "$batch", "POST"),
    ("GET", "CreateObservations", "POST"), ("PUT", "Things", "GET, HEAD, POST"),
])  # fmt: skip
async def test_what_an_address_is_not_for_is_405(sensors: Sensors, method: str, path: str, allowed: str) -> None:
    """RFC 9110, 15.5.6: the answer tells what it is for."""
    answer = await sensors.client.request(method, f"{ROOT}/{path}", json={})
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


async def test_reading_is_open_and_writing_is_not(sensors: Sensors, gauges: list[int]) -> None:
    assert (await sensors.public.get(f"{ROOT}/Things")).status_code == 200
    for method, path in (("POST", "Things"), ("PATCH", f"Things({gauges[0]})"), ("DELETE", f"Things({gauges[0]})"),
                         ("POST", "CreateObservations"), ("PUT", f"Things({gauges[0]})")):  # fmt: skip
        assert (await sensors.public.request(method, f"{ROOT}/{path}", json={})).status_code == 401
