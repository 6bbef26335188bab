"""Everyone can use it: by keyboard, by screen reader, on a phone, and when something is missing."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.viewer import Viewer

AXE = Path(__file__).resolve().parents[2] / "viewer" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def violations(page: Page) -> list[str]:
    """What axe-core finds against WCAG 2.2 AA."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("rules => axe.run(document, { runOnly: rules })", RULES)
    return [
        f"{each['id']}: {each['help']} {json.dumps([node['html'][:160] for node in each['nodes']], ensure_ascii=False)}"
        for each in found["violations"]
    ]


@pytest.mark.parametrize(("style", "lang"), [("day", "zh"), ("night", "en")])
def test_axe_finds_nothing(viewer: Viewer, style: str, lang: str):
    """In every state of the page: layers with a legend open, objects in view with a card, search, help."""
    viewer.open(style=style, lang=lang)
    page = viewer.page
    page.locator(".disclosure").first.click()
    assert violations(page) == []
    page.locator("#tab-objects").click()
    page.locator(".object-row").first.click()
    expect(page.locator(".card .attributes")).to_be_visible()
    assert violations(page) == []
    page.locator(".search input").fill("a")
    expect(page.locator(".answers")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.locator(".toolbar .tool").last.click()
    expect(page.locator("dialog[aria-labelledby=help-title]")).to_be_visible()
    assert violations(page) == []


def test_axe_finds_nothing_on_a_phone(new_page: Callable[..., Page], server: str):
    viewer = Viewer(new_page(390, 844, has_touch=True), server).open()
    assert violations(viewer.page) == []
    viewer.page.get_by_role("button", name="Show more of the panel").click()
    assert violations(viewer.page) == []


def test_everything_is_reached_by_tab_and_shows_its_focus(viewer: Viewer):
    viewer.open()
    page = viewer.page
    seen: dict[str, bool] = {}
    for _ in range(140):
        page.keyboard.press("Tab")
        found = page.evaluate(
            """() => {
                const focused = document.activeElement;
                if (focused === document.body) return null;
                const style = getComputedStyle(focused.closest('.search') ?? focused);
                const name = focused.getAttribute('aria-label') ?? focused.outerHTML;
                return [name, style.outlineStyle !== 'none' || style.boxShadow !== 'none'];
            }"""
        )
        if found is None:
            break
        seen[found[0]] = found[1]
    else:
        pytest.fail("the focus does not come round")
    for wanted in ("Search by name", "Show all of", "Legend and opacity of", "Move ", "Map of ", "Zoom in", "3D view",
                   "Night style", "Copy a link", "Coordinate system", "Keyboard and help", "City", "中"):  # fmt: skip
        assert any(wanted in name for name in seen), wanted
    assert [name for name, visible in seen.items() if not visible] == []


def test_the_map_is_moved_turned_and_read_by_keyboard(viewer: Viewer):
    viewer.open()
    page = viewer.page
    start = viewer.camera
    viewer.canvas.focus()
    expect(page.locator(".crosshair")).to_be_visible()
    for key, part in (("ArrowRight", 0), ("ArrowUp", 1), ("Equal", 2), ("Shift+ArrowRight", 3)):
        page.keyboard.press(key)
        viewer.until(lambda _, part=part: viewer.camera[part] != start[part])


def test_objects_in_view_are_a_list(viewer: Viewer):
    """The text twin of the map, which needs neither mouse nor sight."""
    viewer.open()
    page = viewer.page
    page.get_by_role("tab", name="In view").click()
    page.get_by_role("combobox", name="Layer", exact=True).select_option("buildings")
    rows = page.locator(".object-row")
    expect(rows).to_have_count(25)
    page.get_by_role("button", name="Show more").click()
    expect(rows).to_have_count(50)
    rows.nth(30).press("Enter")
    expect(viewer.card.get_by_role("heading")).to_be_focused()
    page.keyboard.press("Escape")
    expect(rows.nth(30)).to_be_focused()


def test_a_phone_shows_the_city_first(new_page: Callable[..., Page], server: str):
    viewer = Viewer(new_page(390, 844, has_touch=True), server).open()
    panel = viewer.page.get_by_role("complementary")
    small = panel.bounding_box()
    assert small
    assert small["height"] < 844 / 3
    grip = viewer.page.get_by_role("button", name="Show more of the panel")
    grip.tap()
    expect(viewer.page.get_by_role("tab", name="Layers")).to_be_visible()
    overflow = viewer.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert overflow <= 0
    viewer.page.get_by_role("button", name="Show less of the panel").tap()
    expect(viewer.page.get_by_role("tab", name="Layers")).to_be_hidden()
    viewer.page.touchscreen.tap(195, 330)
    expect(viewer.card).to_be_visible()


def test_an_empty_server_says_what_to_do(new_page: Callable[..., Page], empty_server: str):
    page = new_page()
    page.goto(f"{empty_server}/viewer/")
    expect(page.get_by_role("heading", name="No city is loaded yet")).to_be_visible()
    expect(page.get_by_text("twin demo")).to_be_visible()
    expect(page.get_by_text("twin load FILE")).to_be_visible()
    assert violations(page) == []


def test_a_city_that_is_not_there_is_said(viewer: Viewer):
    viewer.open(city="atlantis")
    expect(viewer.page.get_by_role("alert")).to_contain_text("no city “atlantis”")
    viewer.until(lambda state: state["city"] == "demo")


def test_a_server_that_is_gone_is_said_and_awaited(viewer: Viewer):
    viewer.open()
    page = viewer.page
    page.context.set_offline(True)
    page.get_by_role("button", name="Whole city").click()
    page.get_by_role("button", name="Zoom out").click()
    page.get_by_role("button", name="Zoom out").click()
    expect(page.get_by_role("alert")).to_contain_text("does not answer")
    page.context.set_offline(False)
    expect(page.get_by_role("alert")).to_have_count(0)
    viewer.rest()


def test_tiles_that_fail_are_said(viewer: Viewer):
    """The request is broken on its way, as by a proxy with a fault."""
    viewer.open()
    page = viewer.page

    def broken(route: Route) -> None:
        route.fulfill(status=502, body="bad gateway")

    page.context.route(re.compile("/tiles/"), broken)
    page.get_by_role("button", name="Zoom in").click()
    expect(page.get_by_role("alert")).to_contain_text("HTTP 502")
    page.context.unroute(re.compile("/tiles/"), broken)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_have_count(0)
    viewer.rest()


def test_without_webgl_the_lists_still_work(new_page: Callable[..., Page], server: str):
    page = new_page()
    page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    page.goto(f"{server}/viewer/")
    expect(page.get_by_role("alert")).to_contain_text("WebGL 2")
    page.get_by_role("tab", name="In view").click()
    expect(page.locator(".object-row").first).to_be_visible()
