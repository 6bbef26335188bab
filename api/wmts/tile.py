"""GetTile and GetFeatureInfo (OGC 07-057r7, 7.2 and 7.3): a tile of a map, and what lies under one of its pixels."""

from dataclasses import replace
from urllib.parse import urlencode

from fastapi import Response

from api.ows.kvp import Kvp
from api.presence import while_waited_for
from api.raw import is_known
from api.tiles import tile_background
from api.wms.call import Call
from api.wms.info import get_feature_info as answer_of_wms
from api.wmts.requests import TileAsked, take_format, take_tile
from tiles.map import MapLayer
from tiles.map.request import Format
from tiles.map_tiles import Content
from tiles.matrix import MAP_PIXELS
from tiles.picture import Picture

HEADERS = {"Cache-Control": "no-cache", "Vary": "Authorization"}
PASSED_ON = ("TIME", "PLAN", "RECORDED", "FEATURE_COUNT", "BUFFER")


async def get_tile(call: Call) -> Response:
    """Raises Fault, TileOutOfRange and what the map service raises."""
    asked, format_ = take_tile(call), take_format(call)
    picture = await while_waited_for(call.request, _drawn(call, asked, format_))
    headers = HEADERS | {"ETag": picture.etag}
    known = call.request.headers.get("if-none-match", "")
    if known and is_known(known.encode("latin-1"), picture.etag.encode()):
        return Response(status_code=304, headers=headers)
    return Response(picture.body, 200, headers, format_)


async def _drawn(call: Call, asked: TileAsked, format_: Format) -> Picture:
    service = call.served.map_tiles
    words = f"wmts {asked.name} {asked.style} {format_} {asked.view}"
    kept = service.kept(call.catalog, words, asked.tile, call.principal)
    if kept is not None:
        return kept
    shown = tuple(MapLayer(layer, asked.style, asked.view) for layer in asked.layers)
    background = tile_background(asked.style, asked.is_whole_map, format_)
    content = Content(shown, format_, background)
    return await service.tile(call.catalog, content, asked.tile, call.principal, words=words)


async def get_feature_info(call: Call) -> Response:
    """The answer of WMS for the map that the tile is. Raises Fault."""
    asked = take_tile(call)
    box = asked.tile.grid.crs.to_official(asked.tile.box())
    passed_on = {name: value for name in PASSED_ON if (value := call.kvp.get(name)) is not None}
    code = asked.tile.grid.crs.code
    as_map = {
        "LAYERS": asked.name,
        "QUERY_LAYERS": asked.name,
        "STYLES": asked.style,
        "CRS": code.replace("OGC:CRS", "CRS:"),
        "BBOX": ",".join(map(repr, box)),
        "WIDTH": MAP_PIXELS,
        "HEIGHT": MAP_PIXELS,
        "I": call.kvp.required("I"),
        "J": call.kvp.required("J"),
        "INFO_FORMAT": call.kvp.required("INFOFORMAT"),
        **passed_on,
    }
    return await answer_of_wms(replace(call, kvp=Kvp(urlencode(as_map).encode()), version="1.3.0"))
