"""A browser before the true server: two made-up cities, Debian's chromium, and no way out to any foreign host."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect, sync_playwright

from tests.browser.viewer import CHROMIUM, PATIENCE_S, SWITCHES, Viewer

BUILT = Path(__file__).resolve().parents[2] / "viewer" / "dist" / "index.html"


@contextmanager
def serving(folder: Path, *demos: tuple[str, str]) -> Iterator[str]:
    """URL of a server of its own, as a person starts it; demos: name and seed of made-up cities to be in it."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TWIN_")}
    environ |= {"TWIN_HOME": str(folder), "TWIN_WORKERS": "1"}

    def twin(*words: str) -> None:
        command = [sys.executable, "-m", "twin", *words]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, f"twin {' '.join(words)}: {done.stdout}{done.stderr}"

    twin("up", "--detach", "--port", "0")
    try:
        for name, seed in demos:
            twin("demo", "--buildings", "500", "--seed", seed, "--name", name)
        yield str(json.loads((folder / "server.json").read_text())["url"])
    finally:
        twin("down")


@pytest.fixture(scope="session")
def server(open_folder: Path) -> Iterator[str]:
    """URL of a server with two made-up cities, `demo` (the default) and `island`."""
    if not BUILT.exists():
        pytest.fail("the viewer is not built: npm ci && npm run build in viewer/")
    with serving(open_folder / "seen", ("demo", "1"), ("island", "2")) as url:
        yield url


@pytest.fixture(scope="session")
def empty_server(open_folder: Path) -> Iterator[str]:
    """URL of a server without any city."""
    with serving(open_folder / "bare") as url:
        yield url


@pytest.fixture(scope="session")
def api(server: str) -> Iterator[httpx.Client]:
    """What the viewer shows must be what the server says."""
    with httpx.Client(base_url=server, timeout=60, headers={"Accept": "application/json"}) as client:
        yield client


# Playwright's loop runs as long as its browser, and no other loop beside it: so the browser ends with this folder.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if shutil.which(CHROMIUM) is None:
        pytest.skip(f"no {CHROMIUM}; on Debian: apt-get install chromium")
    expect.set_options(timeout=PATIENCE_S * 1000)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES, headless=True)
        yield opened
        opened.close()


@pytest.fixture
def foreign() -> list[str]:
    """Every address outside this machine that a page of the test asked for."""
    return []


@pytest.fixture
def new_page(browser: Browser, foreign: list[str]) -> Iterator[Callable[..., Page]]:
    """Pages that reach this machine alone, and what they tried beyond it; a page's own errors fail the test."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def gate(route: Route) -> None:
        if route.request.url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            route.continue_()
        else:
            foreign.append(route.request.url)
            route.abort()

    def make(width: int = 1000, height: int = 700, locale: str = "en-GB", **options: object) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, locale=locale, **options)  # type: ignore[arg-type]
        contexts.append(context)
        context.route("**/*", gate)
        context.set_default_timeout(PATIENCE_S * 1000)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()
    assert errors == []
    assert foreign == []


@pytest.fixture
def viewer(new_page: Callable[..., Page], server: str) -> Viewer:
    """The viewer on a desk's screen, in English."""
    return Viewer(new_page(), server)
