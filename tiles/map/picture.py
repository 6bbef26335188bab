"""A map as it is painted, in a thread: shapes by Mapnik, relief between them, and the picture's bytes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from layers.coverage import Frame
from layers.ramps import Ramp
from layers.style import Mode
from tiles.map.cells import painted
from tiles.map.classes import looks_of
from tiles.map.engine import SAME, mapnik
from tiles.map.ground import Ground
from tiles.map.kit import Kit
from tiles.map.overviews import tiles_of
from tiles.map.png import write_png
from tiles.map.relief import relief
from tiles.map.request import Format, MapRequest
from tiles.map.sources import REQUEST, TILES, Drawn, Group, Place, near_token
from tiles.map.symbols import reach
from tiles.map.void import void_of
from tiles.terrain import Terrain

# Names have so many pixels of room beyond the picture's edge: its neighbour sees the same names and places them alike.
LABEL_ROOM = 256.0
# Pixels that rounding and antialiasing reach further.
SPILL = 2.0
ENCODINGS: dict[Format, str] = {
    "image/png": "png32:z=4",
    "image/png; mode=8bit": "png8:m=h:z=4",
    "image/jpeg": "jpeg88",
    "image/webp": "webp:quality=85:method=1",
}


@dataclass(frozen=True)
class Shapes:
    """A group of style layers and the statement of what they draw. name: by which its styles are kept."""

    name: str
    group: Group
    sql: str
    place: Place

    @property
    def room(self) -> float:
        """Pixels beyond the picture from which something may reach into it."""
        if self.group.is_label:
            return LABEL_ROOM
        return max(reach(look) for part in self.group.parts for look in looks_of(part.tree)) + SPILL


@dataclass(frozen=True)
class Relief:
    """The ground's relief, a hillshade."""

    terrain: Terrain
    part: Drawn

    def strips(self, request: MapRequest, zoom: float) -> Iterator[tuple[int, bytes]]:
        """Pictures as wide as the map, each with the row from the top at which it is laid."""
        (look,) = looks_of(self.part.tree)
        return relief(self.terrain, look.values, request, zoom)


@dataclass(frozen=True)
class Cells:
    """The cells of a coverage at a moment, in a ramp's colours."""

    frame: Frame
    ramp: Ramp
    mode: Mode
    part: Drawn

    def strips(self, request: MapRequest, _: float) -> Iterator[tuple[int, bytes]]:
        """Pictures as wide as the map, each with the row from the top at which it is laid."""
        (look,) = looks_of(self.part.tree)
        return painted(self.frame, self.ramp, self.mode, request, opacity=look.values["raster-opacity"])


@dataclass(frozen=True)
class Drawing:
    """A map that is ready to be painted. zoom: the viewer's."""

    request: MapRequest
    steps: tuple[Shapes | Relief | Cells, ...]
    ground: Ground
    zoom: float
    kit: Kit

    def picture(self, mark: str) -> bytes:
        """The bytes of the picture; takes a thread and the database. mark: stands in every statement.

        Raises RuntimeError with the database's words.
        """
        request = self.request
        image = mapnik.Image(request.width, request.height)
        if not request.transparent or request.format == "image/jpeg":
            image.fill(mapnik.Color(request.background))
        variables = self._variables(mark)
        for is_shapes, steps in groupby(self.steps, key=lambda step: isinstance(step, Shapes)):
            if is_shapes:
                self._paint_shapes(image, [step for step in steps if isinstance(step, Shapes)], variables)
            else:
                for step in steps:
                    if not isinstance(step, Shapes):
                        self._lay(image, step)
        image.demultiply()
        if request.void is None:
            return encoded(image, request.format, transparent=request.transparent)
        return encoded(_voided(image, request, request.void), request.format, transparent=True)

    def _paint_shapes(self, image: Any, shapes: Sequence[Shapes], variables: dict[str, str]) -> None:
        request = self.request
        drawn = mapnik.Map(request.width, request.height, SAME)
        drawn.aspect_fix_mode = mapnik.aspect_fix_mode.RESPECT
        drawn.buffer_size = int(LABEL_ROOM)
        drawn.zoom_to_box(mapnik.Box2d(*request.box))
        for number, step in enumerate(shapes):
            layer = mapnik.Layer(str(number), SAME)
            layer.datasource = self.kit.source(step.sql)
            layer.cache_features = len(step.group.parts) > 1
            for name, style in self.kit.styles(step.name, step.group).items():
                drawn.append_style(name, style)
                layer.styles.append(name)
            drawn.layers.append(layer)
        image.premultiply()
        mapnik.render_with_vars(drawn, image, variables, request.scale_factor)

    def _lay(self, image: Any, step: Relief | Cells) -> None:
        for top, strip in step.strips(self.request, self.zoom):
            laid = mapnik.Image.from_buffer(strip)
            laid.premultiply()
            image.premultiply()
            image.composite(laid, mapnik.CompositeOp.src_over, 1.0, 0, top)

    def _variables(self, mark: str) -> dict[str, str]:
        rooms: dict[tuple[bool, bool], float] = {}
        for step in self.steps:
            if isinstance(step, Shapes):
                key = step.group.is_label, step.place.reads_web
                rooms[key] = max(rooms.get(key, 0.0), step.room)
        found = {
            near_token(is_label=is_label, web=web)[1:]: self.ground.geometry(room, web=web)
            for (is_label, web), room in rooms.items()
        }
        if any(isinstance(step, Shapes) and step.place.overview is not None for step in self.steps):
            tiles = tiles_of(self.ground.web(max(rooms.values())), int(self.zoom))
            found |= {token[1:]: str(number) for token, number in zip(TILES, tiles, strict=True)}
        return found | {REQUEST[1:]: mark}


def _voided(image: Any, request: MapRequest, color: str) -> Any:
    """The picture with what is no place in a colour of its own, #rrggbbaa."""
    pixels = np.frombuffer(image.to_string(), np.uint8).reshape(image.height(), image.width(), 4).copy()
    pixels[void_of(request)] = list(bytes.fromhex(color[1:]))
    return mapnik.Image.from_buffer(write_png(pixels, level=0))


def encoded(image: Any, form: Format, *, transparent: bool) -> bytes:
    """A picture's bytes in a format. transparent: whether it may be; else what is clear becomes of its own colour."""
    if form != "image/png":
        return bytes(image.to_string(ENCODINGS[form]))
    pixels = np.frombuffer(image.to_string(), np.uint8).reshape(image.height(), image.width(), 4)
    return write_png(pixels if transparent else pixels[..., :3])
