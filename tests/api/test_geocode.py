"""Tables of addresses in JSON and CSV, and the surroundings of a place, over HTTP."""

import csv
import io

import httpx
import pytest


async def test_a_list_becomes_places(client: httpx.AsyncClient) -> None:
    """The town's places by name; what is not found is said, and what is secret is not found."""
    answer = await client.post("/geocode", json=["海晏小学", "Seacalm House 4", "秘密主管1", ""])
    assert answer.status_code == 200, answer.text
    document = answer.json()
    assert [each["match"] and each["match"]["level"] for each in document["results"]] == ["place", "place", None, None]
    assert (document["matched"], document["unmatched"]) == (2, [2, 3])
    school = document["results"][0]["match"]
    assert (school["layer"], school["longitude"], school["latitude"]) == ("facilities", 120.9512, 28.1012)


async def test_a_table_comes_back_with_places(client: httpx.AsyncClient) -> None:
    """Its own columns first; what a spreadsheet would run is quoted."""
    rows = [["编号", "地址"], ["=1+1", "海晏小学"], ["2", "月球,环形山"]]
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    answer = await client.post("/geocode", content=text.getvalue().encode(), headers={"Content-Type": "text/csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    found = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert found[0][:3] == ["编号", "地址", "match_level"]
    assert found[1][:4] == ["'=1+1", "海晏小学", "place", "0.9"]
    assert found[2] == ["2", "月球,环形山", *[""] * 7]


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json", b"{}", 400),
        ("application/json", b"[1]", 400),
        ("application/json", b"[" + b'"",' * 100_000 + b'""]', 400),
        ("text/csv", b"name\nx\n", 400),
        ("text/csv", b"address,name\nx\n", 400),
        ("text/csv", b"address\n\xff\n", 400),
        ("text/plain", b"x", 415),
    ],
)
async def test_other_bodies_are_refused(client: httpx.AsyncClient, kind: str, body: bytes, status: int) -> None:
    answer = await client.post("/geocode", content=body, headers={"Content-Type": kind})
    assert answer.status_code == status, answer.text


async def test_many_rows_stream(client: httpx.AsyncClient) -> None:
    document = (await client.post("/geocode", json=["海晏小学", "nothing"] * 600)).json()
    assert (len(document["results"]), document["matched"]) == (1200, 600)


async def test_what_lies_at_a_place(client: httpx.AsyncClient) -> None:
    found = (await client.get("/reverse?lon=120.9512&lat=28.1013")).json()
    # The school stands in the midst of house 12.
    assert found["place"]["text"] in {"海晏小学", "海晏楼12"}
    assert found["place"]["distance_m"] == pytest.approx(11.1, abs=0.2)
    assert found["road"] is None
    for query in ("", "?lon=200&lat=1", "?lon=nan&lat=1", "?lon=1", "?lon=1&lat=1&within=0"):
        assert (await client.get(f"/reverse{query}")).status_code == 400
