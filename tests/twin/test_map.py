"""Notebook maps: whole pages that draw without a network, whatever their data say."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from playwright.sync_api import Browser, Page, sync_playwright
from pydeck.io.html import cdn_picker

import twin
from twin.sdk.deck import BACKGROUND, Map, draw

# A picture of a page lies nowhere on Earth.
pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
# Anything that a browser fetches by itself.
FETCHED = re.compile(r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)\s*=", re.IGNORECASE)
SOFTWARE_GL = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--no-sandbox")


@pytest.fixture
def buildings(town_server: str) -> twin.Layer:
    return twin.connect(town_server)["buildings"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium, or the one that Playwright brings."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(SOFTWARE_GL))
        yield opened
        opened.close()


def shown(browser: Browser, map: Map, file: Path) -> tuple[Page, list[str]]:
    """The map's page opened from a file with the network off, and what it asked for."""
    page = browser.new_page(viewport={"width": 800, "height": 500})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.context.set_offline(True)
    page.goto(f"file://{map.to_html(file)}")
    page.wait_for_selector("canvas")
    page.wait_for_timeout(2000)
    return page, asked


def drawn_pixels(page: Page) -> int:
    """Pixels of the page that are not its background."""
    with rasterio.MemoryFile(page.screenshot()) as file, file.open() as picture:
        pixels: Any = picture.read((1, 2, 3)).astype(int)
    background = np.array([int(BACKGROUND[at : at + 2], 16) for at in (1, 3, 5)]).reshape(3, 1, 1)
    return int((np.abs(pixels - background).max(axis=0) > 16).sum())


def test_a_page_names_no_other_host(buildings: twin.Layer) -> None:
    page = buildings.map().to_html()
    without_program = page.replace(cdn_picker(offline=True), "")
    assert len(without_program) < len(page)
    assert not FETCHED.search(without_program)
    assert "http" not in without_program.replace('http-equiv="', "")


def test_a_page_draws_without_a_network(buildings: twin.Layer, browser: Browser, tmp_path: Path) -> None:
    page, asked = shown(browser, buildings.map(), tmp_path / "map.html")
    assert asked == [f"file://{tmp_path}/map.html"]
    assert drawn_pixels(page) > 5_000


def test_an_empty_map_is_a_page_too(buildings: twin.Layer, browser: Browser, tmp_path: Path) -> None:
    page, _ = shown(browser, buildings.map(where="height > 1000"), tmp_path / "map.html")
    assert drawn_pixels(page) == 0


def test_a_name_is_never_run(buildings: twin.Layer, browser: Browser, tmp_path: Path) -> None:
    """A name that ends the script, or is a tag, neither runs nor breaks the page."""
    feature = next(buildings.features(limit=1))
    feature["properties"] |= {"name": "</script><img src=x onerror=window.run=1>", "class": "<!--<script>"}
    page, _ = shown(browser, draw([(buildings, [feature])], 10), tmp_path / "map.html")
    page.mouse.move(400, 250)
    page.wait_for_timeout(500)
    assert "onerror" in page.locator(".deck-tooltip").inner_text()
    assert page.evaluate("window.run") is None


def test_several_layers_on_one_map_show_themselves_in_a_notebook(town_server: str) -> None:
    shown_map = twin.connect(town_server).map("buildings", "facilities")
    assert [layer.id for layer in shown_map.layers] == ["buildings", "facilities"]
    assert shown_map._repr_html_().startswith("<iframe")


def test_a_map_that_leaves_objects_out_says_so(buildings: twin.Layer) -> None:
    with pytest.warns(UserWarning, match="only the first 3"):
        assert len(buildings.map(limit=3).layers[0].data["features"]) == 3


def test_a_map_of_a_box_looks_at_the_box(buildings: twin.Layer) -> None:
    """A tenth of a degree fills the width of the map at about zoom 12."""
    view = buildings.map(bbox=(120.9, 28.05, 121.0, 28.15)).initial_view_state
    assert (view.longitude, view.latitude) == pytest.approx((120.95, 28.1))
    assert view.zoom == pytest.approx(12.1, abs=0.3)
