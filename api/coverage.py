"""Coverages: the values of raster layers, as tiles, as a file, at a point in time and along a line.

Points and lines are asked for as OGC API EDR does (OGC 19-086r6: position, trajectory), in longitude and latitude.
"""

import math
from datetime import UTC, datetime
from typing import Any

import numpy as np
import shapely
from fastapi import Request, Response
from pyproj import Geod
from starlette.responses import FileResponse

from api.answers import both, json_answer
from api.documentation import described
from api.errors import BadRequest, NotFound
from api.exchange import city, exchange
from api.links import JSON, Link, link, same_query
from api.matrices import grid_named
from api.parameters import Parameter, Query, one_of
from api.raw import is_known
from api.routing import PartRouter
from api.views import VIEW_PARAMETERS, as_text, take_view
from layers.catalog import Layer
from layers.coverage import Frame, frame_at
from layers.ramps import Ramp, ramp_of
from layers.style import Mode
from layers.view import View, written
from tiles.coverage import Points, Values, etag, finest_cell, series, values_at
from tiles.limits import refuse_outside
from tiles.matrix import MAP_PIXELS, MAX_ZOOM, WEB, tile_at
from tiles.value_tiles import VALUE_BASE, VALUE_STEP, value_tile

PNG = "image/png"
GEOTIFF = "image/tiff; application=geotiff; profile=cloud-optimized"
COVERAGE = "http://www.opengis.net/def/rel/ogc/1.0/coverage"
# Cells of a finished run never change, and their address names the moment.
FOR_EVER = {"Cache-Control": "private, max-age=86400, immutable", "Vary": "Authorization"}
LIVE = {"Cache-Control": "no-cache", "Vary": "Authorization"}
MOST_SAMPLES = 1_000
MOST_CORNERS = 1_000
# Of the values, which are 32-bit numbers: a tenth of what a value tile tells.
DECIMALS = 4
GEOD = Geod(ellps="WGS84")

COORDS = Parameter[str | None](
    "coords",
    "Where, in longitude and latitude (CRS84), as well-known text: POINT(lon lat) or LINESTRING(lon lat, ...).",
    as_text,
    None,
    {"type": "string", "example": "POINT(120.955 28.102)"},
    max_length=32_000,
)
COVERAGE_FORMAT = Parameter[str](
    "f",
    "Format of the file.",
    one_of("geotiff"),
    "geotiff",
    {"type": "string", "enum": ["geotiff"], "default": "geotiff"},
)
SERIES_EXAMPLE = {
    "times": ["2026-08-10T00:00:00Z", "2026-08-10T01:00:00Z"],
    "values": [0.0, 0.42],
    "unit": "m",
    "variable": "depth",
    "vertical_datum": "unknown",
}

router = PartRouter(tags=["Coverages"])


@router.get(
    "/collections/{layer_id}/coverage", **described("getCoverage", *VIEW_PARAMETERS, COVERAGE_FORMAT, kinds=(GEOTIFF,))
)
async def coverage(request: Request, layer_id: str) -> Response:
    """The cells of one moment as a Cloud-Optimized GeoTIFF, as the run wrote them; ranges of bytes can be asked for."""
    query = Query(request)
    query.take(COVERAGE_FORMAT)
    layer, frame, view = await _asked(request, query, layer_id)
    moment = "" if frame.time is None else f"-{frame.time.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    headers = _headers(frame, view) | {"ETag": etag(frame)}
    return FileResponse(frame.path, headers=headers, media_type=GEOTIFF, filename=f"{layer.id}{moment}.tif")


@router.get("/collections/{layer_id}/coverage/tilejson.json", **described("getCoverageTileJson", *VIEW_PARAMETERS))
async def tilejson(request: Request, layer_id: str) -> Response:
    """TileJSON of the value tiles, with the moments there are, how values are encoded, and the ramp that shows them."""
    layer, frame, _ = await _asked(request, Query(request), layer_id)
    cell = await city(request).coverages.read(lambda: finest_cell(frame))
    ramp = ramp_of(layer)
    address = f"{exchange(request).base}/collections/{layer.id}/coverage/tiles/{WEB.id}/{{z}}/{{y}}/{{x}}"
    return json_answer(
        {
            "tilejson": "3.0.0",
            "name": layer.title.en,
            "scheme": "xyz",
            "tiles": [same_query(request, address)],
            "tileSize": MAP_PIXELS,
            "minzoom": 0,
            "maxzoom": _finest_zoom(cell, layer),
            "bounds": layer.extent,
            "twin": {
                "times": [written(moment) for moment in layer.times],
                "unit": frame.unit,
                "variable": frame.variable,
                "vertical_datum": frame.vertical_datum,
                "resolution": cell,
                "encoding": {
                    "formula": f"{VALUE_BASE:g} + {VALUE_STEP:g} * (65536 R + 256 G + B); A = 0 is no data",
                    "base": VALUE_BASE,
                    "step": VALUE_STEP,
                },
                "ramp": _stops(ramp, "day"),
                "ramp_night": _stops(ramp, "night"),
                "classes": ramp.is_classed,
                "labels": [both(label) for label in ramp.labels],
                "title": both(ramp.title),
                "source": ramp.source,
            },
        }
    )


@router.get(
    "/collections/{layer_id}/coverage/tiles/{tile_matrix_set_id}/{z:int}/{row:int}/{column:int}",
    **described("getCoverageTile", *VIEW_PARAMETERS, kinds=(PNG,)),
)
async def tile(request: Request, layer_id: str, tile_matrix_set_id: str, *, z: int, row: int, column: int) -> Response:
    """Values as a picture of 256 x 256 pixels: value = -10000 + 0.001 (65536 R + 256 G + B), opacity 0 is no data."""
    layer, frame, view = await _asked(request, Query(request), layer_id)
    asked = tile_at(z, column, row, grid_named(tile_matrix_set_id, await city(request).catalog()))
    refuse_outside(asked, [layer])
    tag = etag(frame, asked.grid.id, *asked[:3])
    headers = _headers(frame, view) | {"ETag": tag}
    if is_known(request.headers.get("if-none-match", "").encode("latin-1"), tag.encode()):
        return Response(status_code=304, headers=headers)
    picture = await city(request).coverages.picture(tag, lambda: value_tile(frame, asked))
    return Response(picture or None, 200 if picture else 204, headers, PNG)


@router.get(
    "/collections/{layer_id}/coverage/position",
    **described("getCoveragePosition", COORDS, example=SERIES_EXAMPLE),
)
async def position(request: Request, layer_id: str) -> Response:
    """The values at a point at all moments; null where there is none."""
    query = Query(request)
    point = _shape(query.take(COORDS), "Point")
    query.finish()
    served, met = city(request), exchange(request)
    layer = await _layer(request, layer_id)
    frames = await served.coverages.frames(layer, met.principal)
    found = await served.coverages.read(lambda: series(frames, point.x, point.y))
    times = [None if frame.time is None else written(frame.time) for frame in frames]
    return json_answer({"times": times, "values": _numbers(found), **_said(_some(frames, layer))})


@router.get(
    "/collections/{layer_id}/coverage/trajectory",
    **described("getCoverageTrajectory", COORDS, *VIEW_PARAMETERS),
)
async def trajectory(request: Request, layer_id: str) -> Response:
    """The values along a line at one moment, about one a cell: metres from its beginning, where, and what is there."""
    query = Query(request)
    line = _shape(query.take(COORDS), "LineString")
    _, frame, _ = await _asked(request, query, layer_id)

    def sampled() -> tuple[Points, Points, Points, Values]:
        away, lon, lat = _samples(line, finest_cell(frame))
        return away, lon, lat, values_at(frame, lon, lat)

    away, lon, lat, found = await city(request).coverages.read(sampled)
    return json_answer(
        {
            "distances": away.round(2).tolist(),
            "coordinates": np.column_stack((lon, lat)).round(7).tolist(),
            "values": _numbers(found),
            "time": None if frame.time is None else written(frame.time),
            **_said(frame),
        }
    )


def coverage_links(address: str, layer: Layer) -> list[Link]:
    """Where the values of a raster layer are."""
    title = layer.title.en
    return [
        link(COVERAGE, f"{address}/coverage?f=geotiff", GEOTIFF, f"Cells of {title}"),
        link("related", f"{address}/coverage/tilejson.json", JSON, "Value tiles (TileJSON)"),
    ]


async def _layer(request: Request, layer_id: str) -> Layer:
    """Raises LayerNotFound, NotFound for a layer that has no cells."""
    layer = (await city(request).catalog()).layer(layer_id, exchange(request).principal)
    if layer.theme.table != "coverage":
        raise NotFound(f"{layer.id} has no cells; its objects are at /collections/{layer.id}/items")
    return layer


async def _asked(request: Request, query: Query, layer_id: str) -> tuple[Layer, Frame, View]:
    """The frame that the rest of a query wants to see. Raises LayerNotFound, NotFound, BadRequest, DatetimeError."""
    served = city(request)
    view = take_view(query, await served.catalog())
    query.finish()
    layer = await _layer(request, layer_id)
    frames = await served.coverages.frames(layer, exchange(request).principal, view)
    frame = frame_at(frames, view.valid, datetime.now(UTC))
    return layer, frame or _some(frames, layer), view


def _some(frames: tuple[Frame, ...], layer: Layer) -> Frame:
    """Raises NotFound where there is none."""
    if not frames:
        raise NotFound(f"{layer.id}: nothing is known of it, at the moment it is asked for as known at")
    return frames[0]


def _headers(frame: Frame, view: View) -> dict[str, str]:
    """What is asked for by its own moment stays; by another, it may be another frame tomorrow."""
    is_named = view.valid is not None and view.valid.is_moment and view.valid.end == frame.time
    return dict(FOR_EVER if frame.time is None or is_named else LIVE)


def _shape(text: str | None, kind: str) -> Any:
    """A geometry of the kind, in degrees. Raises BadRequest."""
    wanted = f"coords: {kind.upper()} in longitude and latitude is wanted, such as POINT(120.955 28.102)"
    if text is None:
        raise BadRequest(wanted)
    try:
        found = shapely.from_wkt(text)
    except (shapely.errors.GEOSException, NotImplementedError):
        raise BadRequest(wanted) from None
    corners = shapely.get_coordinates(found)
    if found.geom_type != kind or found.is_empty:
        raise BadRequest(wanted)
    if not (np.abs(corners) <= (180, 90)).all():
        raise BadRequest("coords: out of range; longitude comes first, -180 to 180, then latitude, -90 to 90")
    if len(corners) > MOST_CORNERS:
        raise BadRequest(f"coords: {len(corners)} corners; at most {MOST_CORNERS} are read")
    return found


def _samples(line: shapely.LineString, cell: float) -> tuple[Points, Points, Points]:
    """Metres from the beginning, longitude and latitude of points about a cell apart, both ends among them."""
    corners = shapely.get_coordinates(line)
    steps = GEOD.line_lengths(corners[:, 0], corners[:, 1])
    passed = np.concatenate(([0.0], np.cumsum(steps)))
    count = min(MOST_SAMPLES, max(2, math.ceil(passed[-1] / cell) + 1))
    away = np.linspace(0.0, passed[-1], count)
    return away, np.interp(away, passed, corners[:, 0]), np.interp(away, passed, corners[:, 1])


def _finest_zoom(cell: float, layer: Layer) -> int:
    """The first zoom whose pixels are as fine as the cells."""
    south, north = (layer.extent[1], layer.extent[3]) if layer.extent else (0.0, 0.0)
    stretched = cell / math.cos(math.radians((south + north) / 2))
    return max(0, min(MAX_ZOOM, math.ceil(math.log2(WEB.cell_size(0) / stretched))))


def _stops(ramp: Ramp, mode: Mode) -> list[list[Any]]:
    return [[stop.value, stop.color, stop.opacity] for stop in ramp.of(mode)]


def _said(frame: Frame) -> dict[str, str]:
    return {"unit": frame.unit, "variable": frame.variable, "vertical_datum": frame.vertical_datum}


def _numbers(values: Values) -> list[float | None]:
    return [None if math.isnan(value) else round(value, DECIMALS) for value in values.tolist()]
