"""What a duty officer sees and does: live readings, charts, events and their life, signals, typhoons, the past."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_access_for_all import violations
from tests.browser.viewer import Viewer

# Only what a test looks at: each layer costs a browser that draws in software seconds.
BARE = "-terrain,-vegetation,-land,-roads,-road_nodes,-railways,-facilities,-utility_pipes,-utility_nodes,-sensors,"
BARE += "-constructions,-buildings,-administrative_areas,water"
STORM = {
    "id": "9901", "name_zh": "示例", "name_en": "Example", "simulated": True,
    "points": [{"at": "2025-09-12T08:00:00Z", "lon": 121.9, "lat": 26.9, "wind_ms": 40,
                "radii": {"r7": [200, 180, 160, 180]}}],
    "forecasts": [{"agency": "CMA", "issued_at": "2025-09-12T08:00:00Z",
                   "points": [{"at": "2025-09-12T14:00:00Z", "lon": 121.0, "lat": 28.0}]}],
}  # fmt: skip


class Island:
    """A city whose sensors tell what a test has them tell."""

    def __init__(self, root: str, token: str) -> None:
        headers = {"Accept": "application/json", "Authorization": f"Bearer {token}"}
        self.client = httpx.Client(base_url=root, headers=headers, timeout=60)
        self.token = token

    def sensors(self, kind: str) -> list[dict[str, Any]]:
        found = self.client.get("/sensors/latest", params={"kind": kind}).raise_for_status().json()["features"]
        return [feature["properties"] for feature in found]

    def tell(self, datastream: int, *readings: tuple[datetime, float]) -> None:
        rows = [[at.isoformat(), value] for at, value in readings]
        body = {"Datastream": {"@iot.id": datastream}, "components": ["phenomenonTime", "result"], "dataArray": rows}
        self.client.post("/sensors/v1.1/CreateObservations", json=[body]).raise_for_status()


@pytest.fixture(scope="module")
def island(server: str, open_folder: Path) -> Iterator[Island]:
    """The second city, its stations made known."""
    home = open_folder / "seen"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TWIN_")}
    command = [sys.executable, "-m", "twin", "sensors", "simulate", "--city", "island", "--hours", "6"]
    subprocess.run(command, env=environ | {"TWIN_HOME": str(home)}, check=True, capture_output=True, timeout=120)
    made = Island(f"{server}/cities/island", (home / "token").read_text().strip())
    yield made
    made.client.close()


def opened(new_page: Callable[..., Page], server: str, **state: str) -> Viewer:
    return Viewer(new_page(1280, 800), server).open(**({"city": "island", "layers": BARE} | state))


def test_a_reading_is_seen_as_it_comes(new_page: Callable[..., Page], server: str, island: Island):
    viewer = opened(new_page, server, style="night")
    page = viewer.page
    page.get_by_role("tab", name="Sensors").click()
    panel = page.get_by_role("tabpanel")
    expect(panel).to_contain_text("Live")
    panel.get_by_role("button", name="Sensors of Tide").click()
    tide = island.sensors("tide")[0]
    row = panel.locator(".sensor-row", has_text=tide["title"])
    island.tell(tide["datastream"], (datetime.now(UTC), 1.23))
    expect(row).to_contain_text("1.23 m")
    expect(panel.locator(".looks")).to_contain_text("Silent")
    assert violations(page) == []
    panel.get_by_role("checkbox", name="Show Parking on the map").uncheck()
    viewer.until(lambda state: state.get("hide") == "parking")
    row.press("Enter")
    card = page.get_by_role("region", name="Sensor", exact=True)
    expect(card.get_by_role("heading", name=tide["title"])).to_be_focused()
    page.keyboard.press("Escape")
    expect(row).to_be_focused()


def test_a_chart_says_what_the_series_says(new_page: Callable[..., Page], server: str, island: Island):
    level, other = (each["datastream"] for each in island.sensors("water_level")[:2])
    now = datetime.now(UTC)
    island.tell(level, (now - timedelta(hours=2), 2.75), (now - timedelta(hours=1), 0.5), (now, 1.5))
    viewer = opened(new_page, server, sensors=str(level), lang="en")
    page = viewer.page
    card = page.get_by_role("region", name="Sensor", exact=True)
    figures = card.locator(".series-figures tbody tr").first
    expect(figures).to_contain_text("0.5 m")
    expect(figures).to_contain_text("2.75 m")
    with page.expect_download() as started:
        card.get_by_role("link", name="CSV").click()
    told = started.value.path().read_text(encoding="utf-8").splitlines()
    series = island.client.get("/sensors/series", params={"datastream": str(level)}).json()["series"][0]
    assert len(told) == len(series["time"]) + 1
    card.get_by_role("combobox", name="Compare with…").select_option(str(other))
    viewer.until(lambda state: state["sensors"] == f"{level},{other}")
    expect(card.locator(".series-figures tbody tr")).to_have_count(2)
    # The chart's clock is the map's: by the hand and by the keyboard.
    over = card.locator(".u-over")
    expect(over).to_be_visible()
    size = over.bounding_box()
    assert size
    over.click(position={"x": size["width"] * 0.9, "y": 40})
    first = viewer.told("time")
    bar = page.get_by_role("region", name="Time bar")
    expect(bar.get_by_role("slider", name="Clock of the map")).to_be_visible()
    card.get_by_role("slider").press("ArrowLeft")
    viewer.until(lambda state: state["time"] < first)
    expect(page.locator(".live-badge.is-past").first).to_contain_text("As of")
    assert violations(page) == []
    card.get_by_role("button", name="7 d").click()
    viewer.until(lambda state: state.get("span") == "7d")
    bar.get_by_role("button", name="Live").click()
    viewer.until(lambda state: "time" not in state)


def test_a_grave_event_calls_and_is_worked_to_its_end(new_page: Callable[..., Page], server: str, island: Island):
    signal = {"type": "warning", "hazard": "rainstorm", "level": "orange", "title": "暴雨橙色预警信号",
              "issuer": "Met office", "issued_at": datetime.now(UTC).isoformat()}  # fmt: skip
    island.client.post("/sensors/signals", json=signal).raise_for_status()
    island.client.put("/typhoons/9901", json=STORM).raise_for_status()
    viewer = opened(new_page, server, lang="en", typhoon="9901")
    page = viewer.page
    expect(page.get_by_role("region", name="Signals in force")).to_contain_text("Issued by Met office")
    level = island.sensors("water_level")[2]
    page.get_by_role("tab", name="Events").click()
    island.tell(level["datastream"], (datetime.now(UTC), level["levels"]["guaranteed"] + 0.5))
    alarm = page.locator(".is-alarm")
    expect(alarm).to_be_visible()
    assert page.title().startswith("(")
    assert violations(page) == []
    alarm.get_by_role("button", name="Look").click()
    assert not page.title().startswith("(")
    page.locator(".event-row", has_text="超保证水位").filter(has_text=level["title"]).first.click()
    card = page.get_by_role("region", name="Event", exact=True)
    card.get_by_role("button", name="Acknowledge").click()
    page.get_by_role("textbox", name="Token").fill(island.token)
    page.get_by_role("button", name="Use it").click()
    expect(card).to_contain_text("Acknowledged")
    card.get_by_role("button", name="Assign").click()
    card.get_by_label("Department").fill("Water bureau")
    card.get_by_label("Note").fill("look at the gate")
    assert violations(page) == []
    card.locator("form").get_by_role("button", name="Assign").click()
    expect(card).to_contain_text("Assigned")
    card.get_by_role("button", name="Begin work").click()
    expect(card).to_contain_text("In work")
    card.get_by_role("button", name="Resolve").click()
    expect(card).to_contain_text("Resolved")
    card.locator(".life").get_by_role("button", name="Close").click()
    expect(card.locator(".card-kind")).to_contain_text("Closed")
    told = island.client.get(f"/events/{viewer.told('event')}").json()
    assert told["properties"]["state"] == "closed"
    assert told["properties"]["department"] == "Water bureau"
    did = [step["did"] for step in told["history"]]
    assert did == ["raise", "acknowledge", "assign", "start", "resolve", "close"]
    assert island.token not in page.url


def test_a_reading_is_entered_by_hand_and_says_so(new_page: Callable[..., Page], server: str, island: Island):
    gauge = island.sensors("water_level")[3]
    page = opened(new_page, server, sensors=str(gauge["datastream"]), lang="en").page
    card = page.get_by_role("region", name="Sensor", exact=True)
    card.get_by_role("button", name="Enter a reading").click()
    expect(card.get_by_label("Value (m)")).to_be_focused()
    assert violations(page) == []
    card.get_by_label("Value (m)").fill("2.345")
    card.get_by_label("Read by").fill("Wang")
    card.get_by_label("Note").fill("staff gauge")
    card.get_by_role("button", name="Save the reading").click()
    page.get_by_role("textbox", name="Token").fill(island.token)
    page.get_by_role("button", name="Use it").click()
    row = card.locator(".hand-list li")
    expect(row).to_contain_text("Wang")
    expect(row).to_contain_text("staff gauge")
    expect(card.locator(".sensor-value")).to_contain_text("2.3")
    with page.expect_download() as started:
        card.get_by_role("link", name="CSV").click()
    (line,) = [each for each in started.value.path().read_text(encoding="utf-8").splitlines() if "Wang" in each]
    assert line.split(",")[2:] == ["2.345", "Wang", "staff gauge"]
    # From the gauge to the river it watches, and from there to the gauge.
    card.get_by_role("button", name="City object").click()
    river = page.get_by_role("region", name="Object", exact=True)
    river.locator(".sensor-row", has_text=gauge["title"]).filter(has_text="2.35 m").click()
    expect(card.get_by_role("heading", name=gauge["title"])).to_be_visible()


def test_a_camera_shows_what_its_gauge_told(new_page: Callable[..., Page], server: str, island: Island):
    camera = island.sensors("camera")[0]
    page = opened(new_page, server, sensors=str(camera["datastream"]), lang="en").page
    picture = page.get_by_role("img", name=f"What {camera['title']} sees")
    expect(picture).to_be_visible()
    page.wait_for_function("document.querySelector('.camera-picture').naturalWidth === 640")
    card = page.get_by_role("region", name="Sensor", exact=True)
    expect(card).to_contain_text(f"Looks {camera['camera']['direction']:.0f}° from north")
    expect(card.get_by_role("button", name="Enter a reading")).to_have_count(0)
    assert violations(page) == []


def test_what_a_person_reports_is_in_the_layer_of_events(new_page: Callable[..., Page], server: str, island: Island):
    place = island.client.get("/sensors/latest", params={"kind": "tide"}).raise_for_status().json()["features"][0]
    told = {"kind": "report", "severity": "blue", "title": "A lane is blocked", "place": place["geometry"]}
    twin = island.client.post("/events", json=told).raise_for_status().json()["id"]
    viewer = opened(new_page, server, layers=f"{BARE},events", table="events", lang="en")
    page = viewer.page
    page.get_by_role("tab", name="Events").click()
    page.get_by_role("button", name="Report an event").click()
    page.get_by_role("textbox", name="What has happened").fill("Tree on the road")
    assert violations(page) == []
    page.get_by_role("button", name="Raise it").click()
    page.get_by_role("textbox", name="Token").fill(island.token)
    page.get_by_role("button", name="Use it").click()
    card = page.get_by_role("region", name="Event", exact=True)
    expect(card.get_by_role("heading", name="Tree on the road")).to_be_visible()
    number = int(viewer.told("event"))
    card.get_by_role("button", name="Acknowledge").click()
    expect(card).to_contain_text("Acknowledged")
    item = island.client.get(f"/collections/events/items/{number}").raise_for_status().json()
    assert (item["properties"]["state"], item["properties"]["severity"]) == ("acknowledged", "yellow")
    assert item["geometry"]["coordinates"] == pytest.approx(viewer.camera[:2], abs=1e-5)
    # A row of the table opens the same card, where the event is found to be the same as that.
    page.get_by_role("grid").get_by_role("row", name=told["title"]).click()
    expect(card.get_by_role("heading", name=told["title"])).to_be_visible()
    card.get_by_role("button", name="Same as another…").click()
    card.get_by_label("The event that it is the same as").select_option(str(number))
    assert violations(page) == []
    card.get_by_role("button", name="Merge", exact=True).click()
    expect(card.locator(".card-kind")).to_contain_text("Closed")
    card.locator(".attributes").get_by_role("button", name="Tree on the road").click()
    expect(card.get_by_role("heading", name="Tree on the road")).to_be_visible()
    expect(card.locator(".attributes")).to_contain_text("Times reported2")
    # What if the lane stays blocked: the form of traffic, filled in, by the keyboard.
    card.get_by_role("button", name="What if this road stays closed").press("Enter")
    expect(page.get_by_role("heading", name="Traffic", exact=True)).to_be_focused()
    expect(page.get_by_label("Number of an event")).to_have_value(str(number))
    expect(card).to_have_count(0)
    assert island.client.get(f"/events/{twin}").raise_for_status().json()["properties"]["merged_into"] == number


def test_a_signal_is_recorded_as_it_was_issued_and_lifted(new_page: Callable[..., Page], server: str, island: Island):
    page = opened(new_page, server, lang="en").page
    page.get_by_role("tab", name="Events").click()
    page.get_by_role("button", name="Record a signal").click()
    form = page.get_by_role("tabpanel").locator("form")
    form.get_by_label("What was issued").select_option("response")
    form.get_by_label("Hazard").select_option("wind")
    form.get_by_label("Level").select_option("II")
    form.get_by_label("Issued by").fill("Flood control headquarters")
    form.get_by_label("Its text").fill("All gates are manned.")
    assert violations(page) == []
    form.get_by_role("button", name="Record it").click()
    page.get_by_role("textbox", name="Token").fill(island.token)
    page.get_by_role("button", name="Use it").click()
    banner = page.get_by_role("region", name="Signals in force").get_by_role("listitem")
    mine = banner.filter(has_text="Issued by Flood control headquarters")
    expect(mine).to_contain_text("Gale: response Ⅱ")
    signals = island.client.get("/sensors/signals").raise_for_status().json()["signals"]
    (kept,) = [each for each in signals if each["issuer"] == "Flood control headquarters"]
    assert (kept["type"], kept["hazard"], kept["level"]) == ("response", "wind", "II")
    assert (kept["text"], kept["expires_at"]) == ("All gates are manned.", None)
    page.get_by_role("button", name="Record a signal").click()
    page.get_by_role("button", name="Lifted: Gale: response Ⅱ").click()
    expect(mine).to_have_count(0)


def test_on_a_phone(new_page: Callable[..., Page], server: str, island: Island):
    viewer = Viewer(new_page(390, 844, has_touch=True), server)
    viewer.open(city="island", layers=BARE, sensors=str(island.sensors("rain")[0]["datastream"]), span="all", lang="zh")
    page = viewer.page
    expect(page.locator(".series-figures")).to_be_visible()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
