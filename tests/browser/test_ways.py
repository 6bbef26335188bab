"""What a planner asks of ways on the map: what is reached in some minutes and by whom, a route, where to park."""

import re

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.test_access_for_all import violations
from tests.browser.test_scenarios import BARE
from tests.browser.viewer import Viewer

MINUTES = [5, 10, 15]


@pytest.fixture
def asking(viewer: Viewer) -> Viewer:
    """The card of ways open, over a bare map."""
    viewer.open(layers=BARE)
    viewer.page.get_by_role("button", name="Reach, routes and parking").click()
    expect(viewer.page.get_by_role("heading", name="Reach, routes and parking")).to_be_focused()
    return viewer


def place(viewer: Viewer, name: str) -> str:
    return f"POINT({viewer.told(name).replace(',', ' ')})"


def test_what_is_reached_from_the_middle_of_the_map(asking: Viewer, api: httpx.Client) -> None:
    """By keyboard alone; the table says what the server says, and the link keeps the question."""
    page = asking.page
    asking.read_centre()
    table = page.get_by_role("region", name="Reach, routes and parking").get_by_role("table")
    expect(table).to_be_visible()
    page.get_by_role("button", name="To the place").click()
    page.get_by_role("button", name="On foot").click()
    asking.until(lambda state: state.get("by") == "walk" and state.get("way") == "to" and "from" in state)
    asked = {"coords": place(asking, "from"), "mode": "walk", "direction": "to", "people": "true"}
    found = api.get("/traffic/isochrones", params=asked).json()["features"]
    assert [each["properties"]["minutes"] for each in reversed(found)] == MINUTES
    people = f"{found[0]['properties']['people']:,}"
    expect(table.get_by_role("row", name=re.compile(f"15 min {re.escape(people)} "))).to_be_visible()
    assert violations(page) == []
    asking.open(**asking.state)
    expect(page.get_by_role("row", name=re.compile(f"15 min {re.escape(people)} "))).to_be_visible()


def test_a_route_and_car_parks(asking: Viewer, api: httpx.Client) -> None:
    page = asking.page
    card = page.get_by_role("region", name="Reach, routes and parking")
    page.get_by_role("button", name="Route", exact=True).click()
    asking.read_centre()
    asking.until(lambda state: "from" in state)
    box = asking.canvas.bounding_box()
    assert box is not None
    asking.canvas.click(position={"x": box["width"] * 0.55, "y": box["height"] * 0.7})
    asking.until(lambda state: "to" in state)
    ends = {"from": place(asking, "from"), "to": place(asking, "to")}
    found = api.get("/traffic/route", params=ends).json()["properties"]
    streets = [each["name_en"] for each in found["streets"] if each["name_en"]]
    expect(card.get_by_role("listitem").first).to_contain_text(streets[0])

    page.get_by_role("button", name="Parking", exact=True).click()
    nearest = api.get("/traffic/parking", params={"coords": ends["from"]}).json()["features"][0]["properties"]
    expect(card.get_by_role("listitem").first).to_contain_text(nearest["name_en"] or "Car park")
    card.get_by_role("listitem").first.get_by_role("button").click()
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(card).to_have_count(0)
    asking.until(lambda state: "ways" not in state)
