"""The viewer as a person uses it."""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from playwright.sync_api import Locator, Page, Request, expect

CHROMIUM = "/usr/bin/chromium"
# WebGL in software, on a machine without a graphics card; nothing that calls home.
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]

# A machine without a graphics card and with busy cores is slow, not broken.
PATIENCE_S = 120.0
# The page writes its address when nothing has changed for a part of this.
ADDRESS_RESTS_MS = 600


class Viewer:
    """One page with the viewer in it."""

    def __init__(self, page: Page, server: str) -> None:
        self.page = page
        self.server = server
        self.requests: list[str] = []
        page.on("request", self._note)

    def _note(self, request: Request) -> None:
        self.requests.append(request.url)

    def open(self, **state: str) -> "Viewer":
        """Open a share link and wait until the map has come to rest; by default flat and unshaded, so quick."""
        values = {"3d": "0", "layers": "-terrain"} | state
        self.page.goto("about:blank")
        self.page.goto(f"{self.server}/viewer/#" + "&".join(f"{key}={value}" for key, value in values.items()))
        self.rest()
        return self

    def rest(self) -> None:
        """Wait until all tiles are drawn."""
        expect(self.canvas).to_be_visible()
        expect(self.page.get_by_role("progressbar")).to_have_count(0)

    def _address(self) -> dict[str, str]:
        fragment = self.page.evaluate("location.hash.slice(1)")
        return {key: values[0] for key, values in parse_qs(fragment).items()}

    @property
    def state(self) -> dict[str, str]:
        """The share link's values; it follows the page by a moment, so they are read when they have come to rest."""
        last, found = None, self._address()
        while found != last:
            self.page.wait_for_timeout(ADDRESS_RESTS_MS)
            last, found = found, self._address()
        return found

    def until(self, holds: Callable[[dict[str, str]], bool]) -> None:
        """Wait until the share link's values are as said."""
        end = time.monotonic() + PATIENCE_S
        while not holds(self._address()):
            assert time.monotonic() < end, self._address()
            self.page.wait_for_timeout(100)

    def told(self, name: str) -> str:
        """A value that the share link is to have."""
        self.until(lambda state: name in state)
        return self._address()[name]

    @property
    def camera(self) -> list[float]:
        """Longitude, latitude, zoom, bearing and pitch, of the share link."""
        return [float(part) for part in self.state["at"].split(",")]

    @property
    def canvas(self) -> Locator:
        """The map's; of two maps the one of the open run."""
        return self.page.locator(".maplibregl-canvas").first

    @property
    def answers(self) -> Locator:
        return self.page.get_by_role("listbox", name="Search results").get_by_role("option")

    @property
    def card(self) -> Locator:
        return self.page.get_by_role("region", name="Object", exact=True)

    def attribute(self, title: str) -> str:
        """The value that the card gives under a title."""
        row = self.card.locator(".attributes > div", has=self.page.locator("dt", has_text=title)).first
        return row.locator("dd").inner_text()

    def asked(self, part: str) -> list[str]:
        """The requests whose address holds a text."""
        return [url for url in self.requests if part in url]

    def read_centre(self) -> None:
        """Enter on the map: the keyboard's click."""
        self.canvas.focus()
        self.page.keyboard.press("Enter")


def middle(feature: dict[str, Any]) -> tuple[float, float]:
    """A point inside a convex enough polygon: the mean of its corners, in degrees."""
    coordinates = feature["geometry"]["coordinates"]
    while not isinstance(coordinates[0][0], (int, float)):
        coordinates = coordinates[0]
    ring = coordinates[:-1] or coordinates
    return sum(x for x, *_ in ring) / len(ring), sum(y for _, y, *_ in ring) / len(ring)
