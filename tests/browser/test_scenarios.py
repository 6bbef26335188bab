"""What a planner sees and does: asks for a flood in a form, sees it run, and reads what it would do on the map."""

import re
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from PIL import ExifTags, Image
from playwright.sync_api import Page, expect

from tests.browser.test_access_for_all import violations
from tests.browser.viewer import PATIENCE_S, Viewer

# As coarse and short as a flood can be and still be one.
QUICK = {"resolution_m": 120, "duration_h": 1, "output_interval_min": 20, "rain": "constant", "rain_mm_h": 90}
GIVEN = ("Resolution", "120"), ("Duration", "1"), ("Interval of the output", "20")
BARE = "-terrain,-vegetation,-land,-roads,-road_nodes,-railways,-facilities,-utility_pipes,-utility_nodes,-sensors,"
BARE += "-constructions,-buildings,-administrative_areas,water"


@pytest.fixture(scope="module")
def planner(server: str, open_folder: Path) -> Iterator[httpx.Client]:
    """Who may run: asks the server what the viewer is to show."""
    token = (open_folder / "seen" / "token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    with httpx.Client(base_url=server, headers=headers, timeout=60) as client:
        yield client


@pytest.fixture
def scenarios(new_page: Callable[..., Page], server: str, planner: httpx.Client) -> Viewer:
    """The viewer of a planner who has shown their token, the panel at its scenarios."""
    page = new_page(1000, 700)
    token = planner.headers["Authorization"].split()[1]
    page.add_init_script(f"try {{ sessionStorage.setItem('twin:token', '{token}') }} catch {{}}")
    viewer = Viewer(page, server).open(layers=BARE)
    page.get_by_role("tab", name="Scenarios").click()
    return viewer


def test_a_flood_from_the_form_to_the_map(scenarios: Viewer, planner: httpx.Client):
    page = scenarios.page
    page.get_by_role("button", name=re.compile("^Flood")).click()
    expect(page.get_by_role("heading", name="Flood")).to_be_focused()
    page.get_by_text("Typhoon: 24 h of rain").click()
    page.get_by_text("Time and computation").click()
    for title, value in GIVEN:
        page.get_by_label(title, exact=True).fill(value)
    page.get_by_text("Rain", exact=True).first.click()
    expect(page.get_by_label("Hours of rain")).to_be_visible()
    page.get_by_label("Rain", exact=True).select_option(label="Constant")
    expect(page.get_by_label("Hours of rain")).to_have_count(0)
    page.get_by_label("Intensity", exact=True).fill("-1")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("0 at least.")).to_be_visible()
    assert planner.get("/jobs").json()["jobs"] == []
    page.get_by_label("Intensity", exact=True).fill("90")
    # What the button to run lies over, as one scrolls, is no target too small.
    page.set_viewport_size({"width": 1000, "height": 1600})
    assert violations(page) == []
    page.set_viewport_size({"width": 1000, "height": 700})
    page.get_by_role("button", name="Run").click()

    expect(page.get_by_role("progressbar", name="Progress of the run")).to_be_visible()
    clock = page.get_by_role("slider", name="Time of the run")
    expect(clock).to_be_visible(timeout=PATIENCE_S * 1000)
    job = planner.get(f"/jobs/{scenarios.told('run')}").json()
    asked = {name: job["twin"]["inputs"][name] for name in QUICK}
    assert asked == QUICK
    expect(page.get_by_role("heading", name="Typhoon: 24 h of rain, and a surge at high water")).to_be_visible()
    depth = next(each for each in job["twin"]["layers"] if each["role"] == "depth")
    figures = job["twin"]["indicators"].values()
    told = next(each for each in figures if isinstance(each, dict) and each.get("unit") == "km2")
    expect(page.get_by_role("rowheader", name=told["title"]["en"])).to_be_visible()

    clock.press("End")
    scenarios.rest()
    scenarios.read_centre()
    card = page.get_by_role("region", name="Values", exact=True)
    expect(card).to_be_visible()
    at = scenarios.camera
    asked = planner.get(f"/collections/{depth['id']}/coverage/position", params={"coords": f"POINT({at[0]} {at[1]})"})
    series = asked.raise_for_status().json()
    deepest = max((value for value in series["values"] if value is not None), default=None)
    expect(card).to_contain_text("No value here" if deepest is None else f"{deepest:.2f}".rstrip("0"))
    assert violations(page) == []
    page.keyboard.press("Escape")

    page.get_by_role("button", name="Homes and people by depth").click()
    expect(page.get_by_role("region", name="Homes and people by depth")).to_contain_text("rows")
    page.get_by_role("button", name="Remove…").click()
    page.get_by_role("button", name="Remove with its results").click()
    expect(page.get_by_text("No run yet that you may see.")).to_be_visible()
    while planner.get(f"/jobs/{job['jobID']}").status_code == 200:
        page.wait_for_timeout(200)


def taken_at(lng: float, lat: float) -> bytes:
    """A photo into which a phone wrote where it was taken."""
    exif, out = Image.Exif(), BytesIO()
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitudeRef], gps[ExifTags.GPS.GPSLongitudeRef] = "N", "E"
    gps[ExifTags.GPS.GPSLatitude], gps[ExifTags.GPS.GPSLongitude] = (lat, 0.0, 0.0), (lng, 0.0, 0.0)
    Image.new("RGB", (320, 200), (40, 90, 150)).save(out, "JPEG", exif=exif)
    return out.getvalue()


def test_a_photo_of_seen_water_goes_from_the_form_to_card_and_table(scenarios: Viewer, planner: httpx.Client):
    page = scenarios.page
    page.get_by_role("button", name=re.compile("^Flood")).click()
    for group in ("Time and computation", "Rain", "Water that was seen"):
        page.locator("summary", has_text=group).click()
    page.get_by_label("Count exposure and loss").uncheck()
    page.get_by_label("Rain", exact=True).select_option(label="Constant")
    for title, value in GIVEN:
        page.get_by_label(title, exact=True).fill(value)
    page.get_by_role("button", name="Add · Water that was seen").click()
    place = page.get_by_role("group", name="Number 1")
    lng, lat = planner.get("/city").raise_for_status().json()["view"]["center"]
    taken = {"name": "lane.jpg", "mimeType": "image/jpeg", "buffer": taken_at(lng, lat)}
    place.get_by_label("Choose a photo").set_input_files(taken)  # type: ignore[arg-type]
    expect(place.get_by_role("img", name="Photo")).to_be_visible()
    place.get_by_role("button", name="Fill in the place").click()
    place.get_by_role("spinbutton", name="Depth").fill("0.4")
    place.get_by_label("Name", exact=True).fill("Lane")
    assert violations(page) == []
    page.get_by_role("button", name="Run").click()

    page.locator(".run-tables").get_by_role("button", name="Water that was seen").click()
    table = page.get_by_role("region", name="Water that was seen", exact=True)
    expect(table.get_by_role("img", name="Photo")).to_be_visible()
    expect(table.get_by_role("columnheader", name="Found less seen, m")).to_be_visible()
    job = planner.get(f"/jobs/{scenarios.told('run')}").raise_for_status().json()
    (seen,) = job["twin"]["inputs"]["seen"]
    assert seen["at"]["coordinates"] == pytest.approx([lng, lat], abs=1e-4)
    report = next(name for name in job["twin"]["files"] if name.endswith("-en.html"))
    assert "data:image/jpeg;base64," in planner.get(f"/jobs/{job['jobID']}/files/{report}").raise_for_status().text

    # By a link, the layer of the places off: the card speaks as it does beside the map.
    places = next(each["id"] for each in job["twin"]["layers"] if each["role"] == "seen_places")
    item = planner.get(f"/collections/{places}/items").raise_for_status().json()["features"][0]["id"]
    scenarios.open(layers=BARE, selected=f"{places}/{item}")
    expect(scenarios.card.get_by_role("img", name="Photo")).to_be_visible()
    expect(scenarios.card.get_by_text("Depth that was seen")).to_be_visible()


def test_a_link_shows_two_runs_together(new_page: Callable[..., Page], server: str, planner: httpx.Client):
    """Without a token: the city's layers are for everybody, and so is what was computed from them."""
    asked = {"Prefer": "respond-async"}
    jobs = []
    for rain in (20, 90):
        inputs = QUICK | {"rain_mm_h": rain, "exposure": False}
        made = planner.post("/processes/flood/execution", json={"inputs": inputs}, headers=asked)
        jobs.append(made.raise_for_status().json()["jobID"])
    viewer = Viewer(new_page(), server)
    for job in jobs:
        viewer.page.wait_for_timeout(500)
        while (state := planner.get(f"/jobs/{job}").json())["status"] in ("accepted", "running"):
            viewer.page.wait_for_timeout(300)
        assert state["status"] == "successful", state
    viewer.open(layers=BARE, run=jobs[0], beside=jobs[1])
    page = viewer.page
    line = page.get_by_role("separator", name="Line between the runs")
    expect(line).to_be_visible()
    line.press("ArrowRight")
    expect(line).to_have_attribute("aria-valuenow", "52")
    viewer.until(lambda state: state.get("line") == "0.52")
    expect(page.get_by_role("row", name="Intensity 20 mm/h 90 mm/h")).to_be_visible()

    page.get_by_role("button", name="Side by side").click()
    expect(line).to_have_count(0)
    viewer.rest()
    beside = page.get_by_label("Map of run B")
    beside.press("Enter")
    card = page.get_by_role("region", name="Values", exact=True)
    expect(card).to_contain_text("B Intensity 90 mm/h")
    viewer.read_centre()
    expect(card).to_contain_text("A Intensity 20 mm/h")
    assert violations(page) == []
    page.keyboard.press("Escape")

    page.get_by_role("button", name="Difference B − A").click()
    # The second map is gone, and its graphics context with it.
    expect(beside).to_have_count(0)
    viewer.until(lambda state: state["comparison"] == "difference")
    expect(page.get_by_text("Depth, B − A (m)")).to_be_visible()
    assert violations(page) == []
