"""Working with what the map shows: other maps over it, the table, the filter, files, and objects made and changed."""

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_access_for_all import violations
from tests.browser.viewer import Viewer, middle

# Only what a test looks at: each layer costs a browser that draws in software seconds.
BARE = "-terrain,-vegetation,-land,-roads,-road_nodes,-railways,-facilities,-utility_pipes,-utility_nodes,-sensors,"
BARE += "-constructions,-water,-administrative_areas,buildings"
TALL = '"height" > 12'


@pytest.fixture(scope="module")
def token(server: str, open_folder: Path) -> str:
    """The local user's own token."""
    return (open_folder / "seen" / "token").read_text().strip()


class Survey(BaseHTTPRequestHandler):
    """Another office's server; it lets other sites read all but what it calls closed."""

    def log_message(self, *_: Any) -> None: ...

    def do_GET(self) -> None:
        shape = {"type": "Polygon", "coordinates": [[[120.9, 28.0], [121.1, 28.0], [121.1, 28.2], [120.9, 28.0]]]}
        feature = {"type": "Feature", "properties": {}, "geometry": shape}
        said = {"attribution": "Survey office 审图号：GS(2024)1号"}
        body = json.dumps({"type": "FeatureCollection", "features": [feature], **said}).encode()
        self.send_response(200)
        if "closed" not in self.path:
            self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Content-Type", "application/geo+json")
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def survey() -> Iterator[str]:
    other = ThreadingHTTPServer(("127.0.0.1", 0), Survey)
    Thread(target=other.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{other.server_port}"
    other.shutdown()


def matched(api: httpx.Client, **query: str) -> int:
    answer = api.get("/collections/buildings/items", params={"limit": "1", **query}).json()
    return int(answer["numberMatched"])


def test_filter_moves_map_table_count_and_file_together(viewer: Viewer, api: httpx.Client):
    viewer.open(layers=BARE, table="buildings")
    page = viewer.page
    dock = page.get_by_role("region", name="Table")
    expect(dock.locator(".dock-count")).to_have_text(f"{matched(api):,} objects")
    dock.get_by_role("button", name="Filter").click()
    dock.get_by_role("button", name="Condition").click()
    dock.get_by_label("Property").select_option("height")
    dock.get_by_label("Comparison").select_option(">")
    value = dock.get_by_role("spinbutton", name="Value")
    value.fill("12")
    value.press("Tab")
    found = matched(api, filter=TALL)
    assert 0 < found < matched(api)
    expect(dock.locator(".dock-count")).to_have_text(f"{found:,} objects")
    viewer.rest()
    assert any(f"filter={TALL}" in unquote(url) for url in viewer.asked("/tiles/"))
    assert all(TALL not in unquote(url) for url in viewer.asked("/tiles/") if "collections=buildings" not in url)
    dock.get_by_role("button", name="Download").click()
    with page.expect_download() as started:
        dock.get_by_role("link", name="CSV").click()
    rows = started.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert len(rows) == found + 1
    page.keyboard.press("Escape")
    dock.get_by_role("button", name="Summary").click()
    expect(dock.locator(".figures tfoot")).to_contain_text(f"{found:,}")
    # Another browser, with nothing but the link.
    page.goto("about:blank")
    filters = '{"buildings":[["all",["height",">",12]],0,0]}'
    page.goto(f"{viewer.server}/viewer/#3d=0&layers={BARE}&table=buildings&filters={filters}")
    expect(page.locator(".dock-count")).to_have_text(f"{found:,} objects")


def test_table_and_map_select_the_same(viewer: Viewer, api: httpx.Client):
    viewer.open(layers=BARE, table="buildings;-height;name,height")
    page = viewer.page
    tallest = api.get("/collections/buildings/items", params={"sortby": "-height", "limit": "200"}).json()["features"]
    grid = page.get_by_role("grid")
    expect(grid.get_by_role("row").nth(1)).to_contain_text(str(tallest[0]["id"]))
    grid.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    viewer.until(lambda state: state.get("selected") == f"buildings/{tallest[1]['id']}")
    expect(viewer.card).to_be_visible()
    chosen = grid.locator("[aria-selected=true]")
    expect(chosen).to_contain_text(str(tallest[1]["id"]))
    lng, lat = middle(tallest[1])
    viewer.until(lambda _: abs(viewer.camera[0] - lng) < 0.001 and abs(viewer.camera[1] - lat) < 0.001)
    page.keyboard.press("End")
    expect(grid.get_by_role("row").last).to_be_visible()
    grid.get_by_role("button", name="Name").click()
    viewer.until(lambda state: state["table"].startswith("buildings;name"))


def test_another_map_is_laid_over_and_remembered(viewer: Viewer, survey: str):
    viewer.open(layers=BARE)
    page = viewer.page

    def look(address: str) -> None:
        page.get_by_role("textbox", name="Address").fill(address)
        page.get_by_role("button", name="Look", exact=True).click()

    page.get_by_role("button", name="Add a map").click()
    look(f"{survey}/closed.geojson?token=s3cret")
    expect(page.locator(".add-map .is-trouble")).to_contain_text("TWIN_REMOTE_HOSTS")
    look(f"{survey}/open.geojson?token=s3cret")
    page.get_by_role("button", name="Add open.geojson").click()
    look(f"{viewer.server}/wms")
    page.get_by_role("button", name="Add Water (water)").click()
    assert violations(page) == []
    page.keyboard.press("Escape")
    viewer.rest()
    viewer.until(lambda state: "open.geojson" in state["maps"] and "water" in state["maps"])
    assert "s3cret" not in unquote(page.url)
    assert any("REQUEST=GetMap" in url and "LAYERS=water" in url for url in viewer.requests)
    expect(page.locator(".attribution")).to_contain_text("审图号：GS(2024)1号")
    page.locator(".extras .disclosure").first.click()
    page.locator(".extras").get_by_role("button", name="Remove").click()
    viewer.until(lambda state: "water" not in state.get("maps", ""))


def test_an_object_is_changed_and_a_conflict_is_told(viewer: Viewer, api: httpx.Client, token: str):
    building = api.get("/collections/buildings/items", params={"limit": "3"}).json()["features"][2]
    address = f"/collections/buildings/items/{building['id']}"
    lng, lat = middle(building)
    viewer.open(layers=BARE, selected=f"buildings/{building['id']}", at=f"{lng},{lat},18,0,0")
    page = viewer.page
    page.get_by_role("button", name="Edit", exact=True).click()
    page.get_by_role("textbox", name="Token").fill(token)
    page.get_by_role("button", name="Use it").click()
    form = page.get_by_role("region", name=f"Edit: Buildings {building['id']}")
    form.get_by_label("Height m", exact=True).fill("77")
    assert violations(page) == []
    drawn = len(viewer.asked("/tiles/"))
    form.get_by_role("button", name="Save").click()
    expect(viewer.card).to_contain_text("77")
    assert api.get(address).json()["properties"]["height"] == 77
    viewer.rest()
    assert len(viewer.asked("/tiles/")) > drawn
    page.get_by_role("button", name="Edit", exact=True).click()
    form.get_by_label("Height m", exact=True).fill("78")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/merge-patch+json"}
    headers["If-Match"] = api.get(address).headers["ETag"]
    other = {"type": "Feature", "properties": {"storeys": 9}}
    assert api.patch(address, json=other, headers=headers).status_code == 204
    form.get_by_role("button", name="Save").click()
    expect(form).to_contain_text("Someone else has changed")
    form.get_by_role("button", name="Keep mine").click()
    form.get_by_role("button", name="Save").click()
    expect(viewer.card).to_contain_text("78")
    now = api.get(address).json()["properties"]
    assert (now["height"], now["storeys"]) == (78, 9)
    assert token not in unquote(page.url)


def test_an_object_is_drawn_and_deleted(viewer: Viewer, api: httpx.Client, token: str):
    west, south, east, north = api.get("/city").json()["bbox"]
    viewer.open(layers=BARE, at=f"{west + 0.2 * (east - west)},{south + 0.2 * (north - south)},18,0,0")
    page = viewer.page
    page.evaluate("token => sessionStorage.setItem('twin:token', token)", token)
    page.reload()
    viewer.rest()
    before = matched(api)
    page.get_by_role("button", name="Legend and opacity of Buildings").click()
    page.get_by_role("button", name="New object").click()
    expect(page.locator(".draw-bar")).to_be_visible()
    page.wait_for_timeout(500)
    for x, y in [(600, 250), (680, 250), (680, 330), (600, 330), (600, 330)]:
        page.mouse.move(x, y)
        page.mouse.click(x, y)
    form = page.get_by_role("region", name="New: Buildings")
    form.get_by_label("Class").select_option(index=1)
    form.get_by_label("Height m", exact=True).fill("21")
    form.get_by_role("button", name="Save").click()
    created = viewer.told("selected").partition("/")[2]
    item = api.get(f"/collections/buildings/items/{created}").json()
    assert item["properties"]["height"] == 21
    assert matched(api) == before + 1
    lng, lat = middle(item)
    assert (lng, lat) == pytest.approx(tuple(viewer.camera[:2]), abs=0.002)
    page.get_by_role("button", name="Edit", exact=True).click()
    page.get_by_role("button", name="Delete…").click()
    page.get_by_role("button", name="It never was").click()
    viewer.until(lambda state: "selected" not in state)
    assert matched(api) == before


def test_an_object_is_drawn_by_keyboard(viewer: Viewer, token: str):
    viewer.open(layers=BARE)
    page = viewer.page
    page.evaluate("token => sessionStorage.setItem('twin:token', token)", token)
    page.reload()
    viewer.rest()
    page.get_by_role("button", name="Legend and opacity of Buildings").click()
    page.get_by_role("button", name="New object").focus()
    page.keyboard.press("Enter")
    bar = page.get_by_role("group", name="Drawing")
    expect(viewer.canvas).to_be_focused()
    for number, arrow in enumerate(("ArrowRight", "ArrowDown", "ArrowLeft"), 1):
        before = viewer.state["at"]
        page.keyboard.press("Enter")
        expect(bar).to_contain_text(f"{number} corners")
        page.keyboard.press(arrow)
        viewer.until(lambda state, before=before: state["at"] != before)
    page.keyboard.press("Backspace")
    expect(bar).to_contain_text("2 corners")
    expect(bar.get_by_role("button", name="Done")).to_be_disabled()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Corner 3 is set · ")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="New: Buildings")).to_be_visible()


@pytest.mark.parametrize(("style", "lang", "size"), [("day", "zh", (1000, 700)), ("night", "en", (390, 844))])
def test_axe_finds_nothing_in_the_table_and_its_filter(
    new_page: Callable[..., Page], server: str, style: str, lang: str, size: tuple[int, int]
):
    filters = '{"buildings":[["all",["height",">",3],["any",["function","in","residential"],["name","empty"]]],0,1]}'
    viewer = Viewer(new_page(*size), server)
    viewer.open(layers=BARE, table="buildings", filters=filters, style=style, lang=lang)
    page = viewer.page
    tools = page.locator(".dock-tool")
    for number in range(4):
        tools.nth(number).click()
        expect(page.locator(".table-row").first).to_be_visible()
        assert violations(page) == []
        tools.nth(number).click()
