"""OGC API Features Part 2: every CRS that is offered, its axes in their own order, against PROJ."""

import json
from typing import Any

import httpx
import pytest
import shapely
from pyproj import CRS, Transformer

from tests import town

ITEMS = "/collections/buildings/items"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"


async def get(client: httpx.AsyncClient, path: str, status: int = 200, **parameters: Any) -> httpx.Response:
    answer = await client.get(path, params={name.replace("_", "-"): value for name, value in parameters.items()})
    assert answer.status_code == status, answer.text
    return answer


def uri(code: int) -> str:
    return f"http://www.opengis.net/def/crs/EPSG/0/{code}"


def written(longitude: float, latitude: float, code: int) -> tuple[float, ...]:
    """A place as PROJ writes it in a CRS, axes in the order of its definition."""
    if CRS.from_epsg(code).is_geographic:
        # The city's CGCS2000 and WGS 84 are taken as one.
        return latitude, longitude
    cgcs2000 = CRS.from_epsg(code).geodetic_crs.to_epsg() == 4490
    return Transformer.from_crs(4490 if cgcs2000 else 4326, code).transform(latitude, longitude)


async def test_every_crs_that_is_offered_is_answered_in(client: httpx.AsyncClient) -> None:
    """/req/crs/crs-action, /req/crs/ogc-crs-header: the corner of b1, within a tenth of a millimetre."""
    offered = (await get(client, "/collections/buildings")).json()["crs"]
    assert len(offered) >= 8
    for name in offered:
        answer = await get(client, ITEMS, uid="b1", crs=name)
        assert answer.headers["content-crs"] == f"<{name}>"
        corner = answer.json()["features"][0]["geometry"]["coordinates"][0][0][0]
        if name == CRS84:
            assert corner == [120.95, 28.1]
            continue
        code = int(name.rpartition("/")[2])
        exact = written(120.95, 28.1, code)
        assert corner == pytest.approx(exact, abs=1e-9 if CRS.from_epsg(code).is_geographic else 1e-4), name


@pytest.mark.parametrize("form", ["EPSG:4549", "urn:ogc:def:crs:EPSG::4549", uri(4549), f"[{'EPSG:4549'}]"])
async def test_a_crs_has_many_names(client: httpx.AsyncClient, form: str) -> None:
    assert (await get(client, ITEMS, limit=1, crs=form)).headers["content-crs"] == f"<{uri(4549)}>"


@pytest.mark.parametrize("parameter", ["crs", "bbox-crs", "filter-crs"])
@pytest.mark.parametrize("value", ["", "EPSG:9", "EPSG:2056", "nonsense", "http://x.y/z", 'GEOGCS["x"]', "EPSG:4479"])
async def test_what_is_not_offered_is_refused(client: httpx.AsyncClient, parameter: str, value: str) -> None:
    """/req/crs/fc-crs-valid-value: 400."""
    box = {"bbox": "1,2,3,4"} if parameter == "bbox-crs" else {}
    answer = await client.get(ITEMS, params={parameter: value, **box})
    assert answer.status_code == 400
    assert parameter in answer.json()["detail"]


@pytest.mark.parametrize("code", [4326, 4490, 4549, 3857, 32651])
async def test_a_box_in_any_crs(client: httpx.AsyncClient, code: int) -> None:
    """/req/crs/fc-bbox-crs-action: the same box, the same objects."""
    low, high = written(120.9499, 28.0999, code), written(120.9515, 28.1005, code)
    page = (await get(client, ITEMS, bbox=",".join(map(repr, (*low, *high))), bbox_crs=uri(code))).json()
    assert [f["properties"]["height"] for f in page["features"]] == [1, 2]
    raised = (await get(client, ITEMS, bbox=",".join(map(repr, (*low, -5, *high, 90))), bbox_crs=uri(code))).json()
    assert raised["numberMatched"] == 2


async def test_a_box_in_metres_is_no_wider_than_it_says(client: httpx.AsyncClient) -> None:
    """A box of the metric grid is a bent shape in degrees; what only its degree box touches is not in it."""
    page = (await get(client, ITEMS, limit=100, crs=uri(4549))).json()
    shapes = {f["properties"]["height"]: shapely.from_geojson(json.dumps(f["geometry"])) for f in page["features"]}
    west, south, east, north = map(float, shapely.total_bounds(list(shapes.values())))
    box = (west, (south + north) / 2, (west + east) / 2, north)
    expected = sorted(height for height, shape in shapes.items() if shapely.intersects(shape, shapely.box(*box)))
    found = (await get(client, ITEMS, limit=100, bbox=",".join(map(repr, box)), bbox_crs=uri(4549))).json()
    assert sorted(f["properties"]["height"] for f in found["features"]) == expected


@pytest.mark.parametrize("box", ["1,2,3", "a,b,c,d", "nan,0,1,1", "0,0,1e400,1", "28,120,27,121", "120,28,121,29", ""])
async def test_a_box_that_makes_no_sense(client: httpx.AsyncClient, box: str) -> None:
    assert (await client.get(ITEMS, params={"bbox": box, "bbox-crs": uri(4326)})).status_code == 400


async def test_a_filter_in_any_crs(client: httpx.AsyncClient) -> None:
    """Part 3, filter-crs."""
    north, east = written(120.9502, 28.1002, 4549)
    page = (await get(client, ITEMS, filter=f"S_INTERSECTS(geom, POINT({north} {east}))", filter_crs=uri(4549))).json()
    assert [f["properties"]["height"] for f in page["features"]] == [1]


async def test_one_object_and_the_pages_after(client: httpx.AsyncClient) -> None:
    page = (await get(client, ITEMS, limit=30, crs=uri(4326))).json()
    assert page["features"][0]["geometry"]["coordinates"][0][0][0] == [28.1, 120.95]
    following = await client.get(next(link["href"] for link in page["links"] if link["rel"] == "next"))
    assert following.headers["content-crs"] == f"<{uri(4326)}>"
    assert len(following.json()["features"]) == town.STANDING - 30
    one = await get(client, f"{ITEMS}/{page['features'][0]['id']}", crs=uri(4326))
    assert one.json()["geometry"] == page["features"][0]["geometry"]
    assert one.headers["content-crs"] == f"<{uri(4326)}>"


async def test_what_is_told_can_be_chosen(client: httpx.AsyncClient) -> None:
    page = (await get(client, ITEMS, limit=2, properties="height, name", skipGeometry="true")).json()
    assert page["features"][0]["properties"] == {"name": None, "height": 1}
    assert page["features"][0]["geometry"] is None
    bare = (await get(client, ITEMS, limit=1, properties="")).json()["features"][0]
    assert bare["properties"] == {}
    assert bare["geometry"]["type"] == "MultiPolygon"
    assert "colour" in (await get(client, ITEMS, 400, properties="colour")).json()["detail"]
    assert (await client.get(ITEMS, params={"skipGeometry": "maybe"})).status_code == 400
    one = (await get(client, f"{ITEMS}/{page['features'][0]['id']}", properties="height", skipGeometry="true")).json()
    assert (one["properties"], one["geometry"]) == ({"height": 1}, None)


@pytest.mark.parametrize(
    "sortby", ["function,-height", "-function,height", "storeys,-object_id", "-year_built,name,-height"]
)
@pytest.mark.parametrize("limit", [3, 1000])
async def test_objects_are_sorted_by_several(client: httpx.AsyncClient, sortby: str, limit: int) -> None:
    """Part 8: in turn, each up or down, objects without a value last; and page by page the same."""
    keys = [(key.lstrip("-"), key.startswith("-")) for key in sortby.split(",")]
    found, url = [], f"{ITEMS}?limit={limit}&sortby={sortby}"
    while url:
        page = (await client.get(url)).json()
        found += [{"object_id": f["id"], **f["properties"]} for f in page["features"]]
        url = next((link["href"] for link in page["links"] if link["rel"] == "next"), "")
    expected = sorted(found, key=lambda told: told["object_id"])
    for name, descending in reversed(keys):
        given = [told for told in expected if told[name] is not None]
        expected = sorted(given, key=lambda told: told[name], reverse=descending) + [
            told for told in expected if told[name] is None
        ]
    assert [told["object_id"] for told in found] == [told["object_id"] for told in expected]
    assert len(found) == town.STANDING


@pytest.mark.parametrize("sortby", ["colour", "", "--height", "height,", "name,name,name,name,name,name", "geom"])
async def test_an_order_that_makes_no_sense(client: httpx.AsyncClient, sortby: str) -> None:
    assert "sortby" in (await get(client, ITEMS, 400, sortby=sortby)).json()["detail"]
