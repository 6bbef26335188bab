"""GetFeatureInfo (OGC 06-042, 7.4): what lies under a pixel of a map."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from fastapi import Response
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from api.ows.fault import INVALID, Fault
from api.presence import while_waited_for
from api.wms.call import Call
from api.wms.content import TERRAIN, Content, take_content, take_scale_factor, take_style
from api.wms.frame import Frame, lies_nowhere, take_frame
from api.wms.info_formats import Found, Told, info_answer, take_info_format
from api.wms.maps import map_request
from api.wms.names import layers_of, listed
from api.wms.pictures import Picture
from layers.crs import CRS84, Floats, parse_crs, storage_crs, transform_points
from layers.pick import pick
from layers.projection import decimals
from layers.query import Selection
from layers.reach import reach
from layers.view import written
from tiles.coverage import values_at
from tiles.map import MapLayer
from tiles.map.scale import zoom_of

MOST_FEATURES = 1_000
# Half a pixel is what the eye cannot tell; what a finger or a mouse misses by comes on top.
LEAST_REACH, SLACK = 0.5, 3.0
MOST_BUFFER = 100.0
CORNERS = 24
WEB = parse_crs("EPSG:3857")


@dataclass(frozen=True)
class Finger:
    """Where a map was touched. column, row: of the pixel. buffer: pixels around it, None for what the style draws."""

    frame: Frame
    column: int
    row: int
    buffer: float | None

    @property
    def place(self) -> tuple[float, float]:
        """The middle of the pixel, x and y in the map's CRS."""
        return self.frame.at(self.column + 0.5, self.row + 0.5)

    def around(self, pixels: float, call: Call) -> shapely.Polygon:
        """So many pixels around the place, in the city's longitude and latitude."""
        turns = np.linspace(0, 2 * math.pi, CORNERS, endpoint=False)
        west, south, east, north = self.frame.box
        x, y = self.place
        across, down = (east - west) / self.frame.width, (north - south) / self.frame.height
        lon, lat = transform_points(
            x + np.cos(turns) * pixels * across,
            y + np.sin(turns) * pixels * down,
            self.frame.crs,
            storage_crs(call.catalog),
        )
        return shapely.Polygon(np.column_stack((lon, lat)))


async def get_feature_info(call: Call) -> Response:
    """Raises Fault and what reading raises."""
    content, frame = take_content(call), take_frame(call)
    wanted = _query_layers(call, content)
    kind, most, finger = take_info_format(call), _feature_count(call), _finger(call, frame)
    found: list[Found] = []
    if not lies_nowhere(frame, call):
        zoom = _zoom(call, content, frame)
        found = await while_waited_for(call.request, _found(call, wanted, finger, most=most, zoom=zoom))
    return info_answer(call, found, kind, frame.crs)


async def _found(call: Call, wanted: Sequence[MapLayer], finger: Finger, *, most: int, zoom: float) -> list[Found]:
    found = []
    for shown in wanted:
        if shown.layer.theme.table == TERRAIN:
            features = await _ground(call, finger)
        elif shown.layer.is_raster:
            features = await _cell(call, shown, finger)
        else:
            features = await _objects(call, shown, finger, most=most, zoom=zoom)
        found.append(Found(shown.layer, tuple(features)))
    return found


async def _objects(call: Call, shown: MapLayer, finger: Finger, *, most: int, zoom: float) -> list[Told]:
    """The objects of a layer that are drawn at the place, or near enough to be meant."""
    pixels = finger.buffer
    if pixels is None:
        drawn = reach(shown.layer, call.catalog, take_style(shown.style), zoom) * take_scale_factor(call)
        pixels = drawn + SLACK if drawn else LEAST_REACH
    area = finger.around(max(pixels, LEAST_REACH), call)
    if not area.is_valid:
        return []
    x, y = finger.place
    (at_x,), (at_y,) = transform_points(np.array([x]), np.array([y]), finger.frame.crs, WEB)
    if not math.isfinite(at_x + at_y):
        return []
    selection = Selection(shown.layer, shown.view, shown.filter)
    async with call.served.reading() as connection:
        features = await pick(
            connection, selection, call.catalog, call.principal, area=area, at=(float(at_x), float(at_y)), limit=most
        )
    return [
        Told(feature["id"], feature["properties"], _in_map(feature["geometry"], finger.frame)) for feature in features
    ]


async def _ground(call: Call, finger: Finger) -> list[Told]:
    """The elevation of the pixel, metres above the city's vertical datum; nothing where none is known."""
    terrain = await call.served.terrain.of(call.principal)
    west, north = finger.frame.at(finger.column, finger.row)
    east, south = finger.frame.at(finger.column + 1, finger.row + 1)
    crs = finger.frame.crs.code
    heights = await asyncio.to_thread(terrain.elevation, (west, south, east, north), 1, 1, crs)
    height = float(heights[0, 0])
    if math.isnan(height):
        return []
    # Centimetres: finer than any terrain is measured, coarser than what a 32-bit number makes up.
    told = {"elevation": round(height, 2), "vertical_datum": call.catalog.city.vertical_datum}
    return [Told(None, told, shapely.Point(finger.place))]


async def _cell(call: Call, shown: MapLayer, finger: Finger) -> list[Told]:
    """The value of a coverage under the middle of the pixel, and of which moment it is; nothing where there is none."""
    coverages, layer = call.served.coverages, shown.layer
    frame = await coverages.frame(layer, call.principal, shown.view)
    x, y = finger.place
    lon, lat = transform_points(np.array([x]), np.array([y]), finger.frame.crs, CRS84)
    if frame is None or not math.isfinite(lon[0] + lat[0]):
        return []
    value = float((await coverages.read(lambda: values_at(frame, lon, lat)))[0])
    if math.isnan(value):
        return []
    moment = {} if frame.time is None else {"time": written(frame.time)}
    return [Told(None, {frame.variable: round(value, 4), "unit": frame.unit} | moment, shapely.Point(finger.place))]


def _in_map(geometry: dict[str, object], frame: Frame) -> BaseGeometry:
    """A GeoJSON geometry in the CRS of the map, x before y."""

    def turned(points: Floats) -> Floats:
        x, y = transform_points(points[:, 0], points[:, 1], CRS84, frame.crs)
        return np.column_stack((x, y)).round(decimals(frame.crs))

    return shapely.transform(shape(geometry), turned)


def _query_layers(call: Call, content: Content) -> list[MapLayer]:
    """The layers that are asked, as the map shows them; one that the map leaves out, as it is now. Raises Fault."""
    found: list[MapLayer] = []
    for name in listed(call.kvp.required("QUERY_LAYERS"), "QUERY_LAYERS"):
        # The uppermost first, as the eye meets them.
        for layer in reversed(layers_of(name, call.catalog, call.principal)):
            found.append(next((shown for shown in content.layers if shown.layer.id == layer.id), MapLayer(layer)))
    return list({shown.layer.id: shown for shown in reversed(found)}.values())[::-1]


def _finger(call: Call, frame: Frame) -> Finger:
    """I and J, or X and Y as 1.1.1 calls them. Raises Fault."""
    newer = call.version == "1.3.0"
    across, down = (("I", "X"), ("J", "Y")) if newer else (("X", "I"), ("Y", "J"))
    column, row = _pixel(call, across, frame.width), _pixel(call, down, frame.height)
    return Finger(frame, column, row, _buffer(call))


def _pixel(call: Call, names: tuple[str, str], count: int) -> int:
    """OGC 06-042, 7.4.3.8: a pixel is counted from 0, and one that the map has not is InvalidPoint."""
    text = call.kvp.first(*names)
    if text is None:
        call.kvp.required(names[0])
    digits = (text or "").removesuffix(".0")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 8 and int(digits) < count):
        raise Fault("InvalidPoint", f"{names[0]}={(text or '')[:40]!r}: the map has pixels 0 to {count - 1}", names[0])
    return int(digits)


def _buffer(call: Call) -> float | None:
    """GeoServer's vendor parameter: pixels around the point. Raises Fault."""
    text = call.kvp.first("BUFFER", "RADIUS")
    if text is None:
        return None
    try:
        pixels = float(text)
    except ValueError:
        pixels = math.nan
    if not 0 <= pixels <= MOST_BUFFER:
        raise Fault(INVALID, f"BUFFER={text[:40]!r}: 0 to {MOST_BUFFER:g} pixels are looked at", "BUFFER")
    return pixels


def _feature_count(call: Call) -> int:
    """How many objects of each layer are told; one if it is not said (OGC 06-042, 7.4.3.6). Raises Fault."""
    text = call.kvp.get("FEATURE_COUNT")
    if text is None:
        return 1
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        raise Fault(INVALID, f"FEATURE_COUNT={text[:40]!r}: a whole number from 1 on is wanted", "FEATURE_COUNT")
    return min(int(text), MOST_FEATURES)


def _zoom(call: Call, content: Content, frame: Frame) -> float:
    """The zoom at which the map is drawn."""
    request = map_request(
        content, frame, Picture("image/png", False, "#ffffff"), scale_factor=take_scale_factor(call), empty=True
    )
    return zoom_of(request, call.catalog)
