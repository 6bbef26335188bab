"""What a planner does with the map: looks, asks, searches, sets layers, and sends the link to somebody."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from pyproj import Transformer

from tests.browser.viewer import Viewer, middle

# Solid ground is drawn in software here, every pixel of it.
SMALL = (740, 420)


def tall_building(api: httpx.Client) -> dict[str, Any]:
    """A building that covers its own middle."""
    found = api.get("/collections/buildings/items", params={"limit": 200}).raise_for_status().json()["features"]
    return max(found, key=lambda feature: feature["properties"]["height"])


def at(lng: float, lat: float, zoom: float = 17.5, bearing: float = 0, pitch: float = 0) -> str:
    return f"{lng:.6f},{lat:.6f},{zoom:g},{bearing:g},{pitch:g}"


def test_a_newcomer_sees_a_living_city(new_page: Callable[..., Page], server: str, api: httpx.Client, tmp_path: Path):
    """Without any link: the default city, in 3D, labelled as made up, on nothing but our own server."""
    viewer = Viewer(new_page(*SMALL), server)
    viewer.page.goto(f"{server}/viewer/")
    viewer.rest()
    city = api.get("/city").json()
    expect(viewer.page).to_have_title(f"{city['title']['en']} · CityTwin")
    expect(viewer.page.get_by_text("Made-up city")).to_be_visible()
    assert viewer.state["city"] == city["name"]
    assert viewer.state["3d"] == "1"
    assert float(viewer.state["at"].split(",")[4]) == city["view"]["pitch"]
    for asked in ("/terrain/", "/tiles/", "/styles/day"):
        assert viewer.asked(asked), asked
    picture = tmp_path / "city.png"
    viewer.canvas.screenshot(path=picture)
    with Image.open(picture) as image:
        # A blank or half-drawn map has a handful of colours; shaded buildings on terrain have thousands.
        assert len(image.convert("RGB").getcolors(2**24) or []) > 2000


def test_reading_the_map_gives_what_the_server_says(viewer: Viewer, api: httpx.Client):
    building = tall_building(api)
    lng, lat = middle(building)
    viewer.open(at=at(lng, lat, 18))
    viewer.read_centre()
    expect(viewer.card).to_contain_text("Height")
    properties = building["properties"]
    viewer.until(lambda state: state.get("selected") == f"buildings/{building['id']}")
    assert viewer.attribute("Object number") == str(building["id"])
    assert viewer.attribute("Height").removesuffix(" m") == f"{properties['height']:,.3f}".rstrip("0").rstrip(".")
    described = api.get("/collections/buildings").json()["twin"]["properties"]
    function = next(each for each in described if each["name"] == "function")
    label = function["codes"][properties["function"]]["en"]
    assert viewer.attribute(function["title"]["en"]).startswith(label)


def test_a_click_lists_all_that_lies_there(viewer: Viewer, api: httpx.Client):
    """Under a building lies a parcel in a township: the topmost opens, the others are there to choose."""
    lng, lat = middle(tall_building(api))
    viewer.open(at=at(lng, lat, 18))
    box = viewer.canvas.bounding_box()
    panel = viewer.page.get_by_role("complementary").bounding_box()
    assert box
    assert panel
    left = panel["x"] + panel["width"]
    viewer.page.mouse.click(left + (box["width"] - left) / 2, box["height"] / 2)
    expect(viewer.card.get_by_text("objects at this place")).to_be_visible()
    hits = viewer.card.locator(".hits button")
    expect(hits.first).to_have_attribute("aria-current", "true")
    viewer.until(lambda state: state.get("selected", "").startswith("buildings/"))
    hits.filter(has_text="Land").first.click()
    viewer.until(lambda state: state["selected"].startswith("land/"))
    expect(viewer.card.locator(".card-kind")).to_contain_text("Land")
    viewer.page.keyboard.press("Escape")
    expect(viewer.card).to_have_count(0)
    viewer.until(lambda state: "selected" not in state)


def test_search_by_name_and_number_opens_the_card(viewer: Viewer, api: httpx.Client):
    viewer.open()
    river = next(
        feature
        for feature in api.get("/collections/water/items", params={"limit": 100}).json()["features"]
        if feature["properties"].get("name")
    )
    box = viewer.page.get_by_role("combobox", name="Search")
    for text in (river["properties"]["name"], str(river["id"])):
        box.fill(text)
        expect(viewer.answers.first).to_be_visible()
        expect(viewer.page.get_by_role("status").filter(has_text="results")).to_have_count(1)
        box.press("ArrowDown")
        expect(viewer.answers.first).to_have_attribute("aria-selected", "true")
        box.press("Enter")
        expect(viewer.card).to_be_visible()
    viewer.until(lambda state: state.get("selected") == f"water/{river['id']}")
    expect(viewer.card.get_by_role("heading")).to_be_focused()


def test_search_by_coordinates_goes_there(viewer: Viewer, api: httpx.Client):
    """In both orders, with letters, and in the metres of the city's own system."""
    city = api.get("/city").json()
    west, south, east, north = city["bbox"]
    to_metres = Transformer.from_crs(f"EPSG:{city['srid']}", city["metric_crs"], always_xy=True)
    viewer.open()
    box = viewer.page.get_by_role("combobox", name="Search")
    written = ["{lat:.5f}, {lng:.5f}", "{lng:.5f} {lat:.5f}", "N{lat:.5f} E{lng:.5f}", "{x:.1f} {y:.1f}"]
    for number, form in enumerate(written, start=3):
        lng, lat = west + number / 10 * (east - west), south + number / 10 * (north - south)
        x, y = to_metres.transform(lng, lat)
        box.fill("")
        expect(viewer.answers).to_have_count(0)
        box.fill(form.format(lng=lng, lat=lat, x=x, y=y))
        expect(viewer.answers).to_contain_text("Go to")
        box.press("Enter")
        viewer.until(lambda _, place=(lng, lat): viewer.camera[:2] == pytest.approx(place, abs=2e-5))
    assert not viewer.asked("/search?")


def test_layers_are_switched_thinned_and_moved(viewer: Viewer):
    viewer.open()
    page = viewer.page
    viewer.until(lambda state: "-utility_pipes" in state["layers"])
    before = len(viewer.requests)
    page.get_by_role("checkbox", name="Utility pipes", exact=True).check()
    viewer.rest()
    fetched = [url for url in viewer.requests[before:] if "/tiles/" in url]
    assert all(re.search(r"collections=utility_pipes(&|$)", url) for url in fetched)
    viewer.until(lambda state: "-utility_pipes" not in state["layers"])

    page.get_by_role("checkbox", name="Buildings", exact=True).uncheck()
    viewer.until(lambda state: "-buildings" in state["layers"])

    page.get_by_role("button", name="Legend and opacity of Roads").click()
    slider = page.get_by_role("slider", name="Opacity")
    slider.focus()
    for _ in range(4):
        slider.press("ArrowLeft")
    viewer.until(lambda state: "roads:0.8" in state["layers"])


def test_layers_are_ordered_by_keyboard_and_by_hand(viewer: Viewer):
    viewer.open()
    page = viewer.page

    def themes() -> list[str]:
        return page.locator(".theme-title").all_inner_texts()

    first, second, *rest = themes()
    handle = page.get_by_role("button", name=f"Move {first}.")
    handle.focus()
    handle.press("ArrowDown")
    expect(page.locator(".theme-title").first).to_have_text(second)
    assert themes() == [second, first, *rest]
    expect(handle).to_be_focused()
    expect(page.get_by_role("status").filter(has_text=f"{first} is now number 2")).to_have_count(1)

    row = page.locator(".theme").nth(1)
    target = page.locator(".theme").nth(0).bounding_box()
    row.hover()
    row.locator(".theme-head .move-handle").hover()
    page.mouse.down()
    assert target
    page.mouse.move(target["x"] + 20, target["y"] + 8, steps=4)
    page.mouse.up()
    expect(page.locator(".theme-title").first).to_have_text(first)
    assert themes() == [first, second, *rest]


def test_the_link_holds_the_whole_state(new_page: Callable[..., Page], server: str, api: httpx.Client):
    building = tall_building(api)
    lng, lat = middle(building)
    sent = Viewer(new_page(*SMALL), server).open(
        city="demo", at=at(lng, lat, 16.5, -30, 40), style="night", lang="zh", crs="metric", datetime="2024-06-01",
        selected=f"buildings/{building['id']}", **{"3d": "1"},
    )  # fmt: skip
    sent.page.get_by_role("checkbox", name="植被", exact=True).uncheck()
    sent.until(lambda state: "-vegetation" in state["layers"])
    got = Viewer(new_page(*SMALL), server)
    got.page.goto(sent.page.url)
    got.rest()
    assert got.state == sent.state
    expect(got.page.locator("html")).to_have_attribute("data-theme", "night")
    expect(got.page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(got.page.get_by_role("checkbox", name="植被", exact=True)).not_to_be_checked()
    expect(got.page.get_by_role("region", name="对象", exact=True)).to_be_visible()
    assert got.asked("/styles/night")
    tiles = got.asked("/tiles/WebMercatorQuad/1")
    assert tiles
    assert all("datetime=2024-06-01" in url for url in tiles)


def test_the_pointer_is_told_in_the_chosen_system(viewer: Viewer, api: httpx.Client):
    city = api.get("/city").json()
    lng, lat = city["view"]["center"]
    viewer.open(at=at(lng, lat, 15))
    place = viewer.page.locator(".place")
    expect(place).to_have_text(f"{lat:.6f}° N  {lng:.6f}° E")
    viewer.page.get_by_role("combobox", name="Coordinate system").select_option("metric")
    to_metres = Transformer.from_crs(f"EPSG:{city['srid']}", city["metric_crs"], always_xy=True)
    east, north = to_metres.transform(lng, lat)
    expect(place).to_have_text(f"E {east:.1f}  N {north:.1f}")
    viewer.until(lambda state: state["crs"] == "metric")
    viewer.page.mouse.move(800, 300)
    expect(place).not_to_have_text(f"E {east:.1f}  N {north:.1f}")


def test_a_day_in_the_past_is_asked_for_and_said(viewer: Viewer):
    viewer.open()
    viewer.page.get_by_label("City as of").fill("2001-02-03")
    expect(viewer.page.get_by_text("The city on 2001-02-03")).to_be_visible()
    viewer.rest()
    assert viewer.asked("datetime=2001-02-03")
    viewer.page.get_by_role("button", name="Back to today").click()
    expect(viewer.page.get_by_text("The city on")).to_have_count(0)
    viewer.until(lambda state: "datetime" not in state)


def test_two_cities_stand_side_by_side(viewer: Viewer, api: httpx.Client):
    viewer.open()
    island = next(city for city in api.get("/cities").json()["cities"] if city["name"] == "island")
    viewer.page.get_by_role("combobox", name="City", exact=True).select_option("island")
    viewer.until(lambda state: state["city"] == "island")
    expect(viewer.page).to_have_title(f"{island['title']['en']} · CityTwin")
    # At rest is also a map that has not begun yet.
    viewer.until(lambda _: bool(viewer.asked("/cities/island/tiles/")))
    viewer.rest()
    west, south, east, north = island["bbox"]
    lng, lat, *_ = map(float, viewer.state["at"].split(","))
    assert west <= lng <= east
    assert south <= lat <= north


def test_flat_and_solid(new_page: Callable[..., Page], server: str, api: httpx.Client):
    viewer = Viewer(new_page(*SMALL), server).open()
    button = viewer.page.get_by_role("button", name="3D view")
    expect(button).to_have_attribute("aria-pressed", "false")
    button.click()
    pitch = api.get("/city").json()["view"]["pitch"]
    viewer.until(lambda _: viewer.camera[4] == pitch)
    assert viewer.state["3d"] == "1"
    button.click()
    viewer.until(lambda _: viewer.camera[4] == 0)
    viewer.page.get_by_role("button", name="Turn north up").click()
    viewer.until(lambda _: viewer.camera[3] == 0)


def test_a_browser_is_met_in_its_language_and_can_have_the_other(new_page: Callable[..., Page], server: str):
    viewer = Viewer(new_page(locale="zh-CN"), server).open()
    assert viewer.state["lang"] == "zh"
    expect(viewer.page.get_by_role("tab", name="图层")).to_be_visible()
    viewer.page.get_by_role("button", name="EN Switch to English").click()
    expect(viewer.page.get_by_role("tab", name="Layers")).to_be_visible()
    expect(viewer.page.locator("html")).to_have_attribute("lang", "en")
    viewer.until(lambda state: state["lang"] == "en")
