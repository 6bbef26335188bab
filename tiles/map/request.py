"""What a map shows: which layers, where, how large, and how it is encoded."""

import math
import re
from dataclasses import dataclass
from typing import Literal, get_args

from layers.catalog import Layer
from layers.crs import Crs, parse_crs
from layers.filters import Filter
from layers.style import MODES, Mode
from layers.view import NOW, View
from tiles import TileError
from tiles.matrix import Box

Format = Literal["image/png", "image/png; mode=8bit", "image/jpeg", "image/webp"]
FORMATS: tuple[Format, ...] = get_args(Format)
# Pixels along a side: 64 MiB of picture at most.
LARGEST = 4096
# From a hundredth of the usual dots per inch to a printer's.
SCALE_FACTORS = (0.1, 16.0)
COLOR, VOID = re.compile("#[0-9a-fA-F]{6}"), re.compile("#[0-9a-fA-F]{8}")


class BadMap(TileError):
    """A map that cannot be drawn as asked for."""


@dataclass(frozen=True)
class MapLayer:
    """A layer on a map. style: name of one of the layer's styles, by day or by night."""

    layer: Layer
    style: str = "day"
    view: View = NOW
    filter: Filter | None = None

    def __post_init__(self) -> None:
        mode_of(self.style)

    @property
    def mode(self) -> Mode:
        return mode_of(self.style)


@dataclass(frozen=True)
class MapRequest:
    """A map. Raises BadMap, UnknownCrs for what cannot be drawn.

    layers: the undermost first. box: west, south, east, north in `crs` (x is east, whatever order the CRS has).
    crs: as pyproj knows it, e.g. EPSG:4549 or OGC:CRS84. width, height: pixels. scale_factor: by which symbols grow,
    as for paper of more dots per inch; the picture's pixels stay. background: #rrggbb, of what no layer covers unless
    that is transparent. void: #rrggbbaa, of what is no place of the CRS; None as the background. elevation: metres, of
    what only is shown of the ground above it. stacked: each layer wholly over the one before, labels above all;
    otherwise in the order of the whole map's style.
    """

    layers: tuple[MapLayer, ...]
    box: Box
    crs: str
    width: int
    height: int
    scale_factor: float = 1.0
    format: Format = "image/png"
    transparent: bool = False
    background: str = "#ffffff"
    void: str | None = None
    elevation: float | None = None
    stacked: bool = False

    def __post_init__(self) -> None:
        if not (1 <= self.width <= LARGEST and 1 <= self.height <= LARGEST):
            raise BadMap(f"{self.width} x {self.height} pixels; a map has 1 to {LARGEST} along a side")
        west, south, east, north = self.box
        if not (all(map(math.isfinite, self.box)) and west < east and south < north):
            raise BadMap(f"box {self.box}: give west, south, east, north, each lower one first")
        if not SCALE_FACTORS[0] <= self.scale_factor <= SCALE_FACTORS[1]:
            raise BadMap(f"scale factor {self.scale_factor}: symbols grow by {SCALE_FACTORS[0]} to {SCALE_FACTORS[1]}")
        if self.format not in FORMATS:
            raise BadMap(f"format {self.format!r}: maps come as {', '.join(FORMATS)}")
        if not COLOR.fullmatch(self.background):
            raise BadMap(f"background {self.background!r}: give it as #rrggbb")
        if self.void is not None and not VOID.fullmatch(self.void):
            raise BadMap(f"void {self.void!r}: give it as #rrggbbaa")
        parse_crs(self.crs)

    @property
    def known_crs(self) -> Crs:
        """The CRS. Raises UnknownCrs."""
        return parse_crs(self.crs)


def mode_of(style: str) -> Mode:
    """The mode of which a style is. Raises BadMap."""
    for mode in MODES:
        if mode == style:
            return mode
    raise BadMap(f"no style {style[:60]!r}; there are {', '.join(MODES)}")
