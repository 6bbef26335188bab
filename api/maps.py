"""OGC API Maps (OGC 20-058): maps of the city or of one layer, of any part, size and CRS, in either style."""

import hashlib
import re
from datetime import UTC, datetime
from typing import Any

from fastapi import Request, Response

from api.city import around
from api.documentation import described
from api.exchange import city, exchange
from api.links import Link, link
from api.map_frame import PARAMETERS as FRAME_PARAMETERS
from api.map_frame import take_frame
from api.parameters import Parameter, Query
from api.presence import while_waited_for
from api.raw import is_known
from api.routing import PartRouter
from api.tiles import (
    COLLECTIONS,
    FORMS,
    PICTURE_FORMAT,
    PICTURES,
    TILE_PARAMETERS,
    accepted_picture,
    map_layers,
    style_named,
)
from api.views import take_filter, take_view
from layers.style import MODES, Mode, palette
from layers.view import View
from tiles.map import MapLayer, MapRequest
from tiles.map.engine import mapnik
from tiles.map.request import Format

CONFORMANCE = tuple(
    f"http://www.opengis.net/spec/ogcapi-maps-1/1.0/conf/{part}"
    for part in (
        "core",
        "tilesets",
        "background",
        "collections-selection",
        "scaling",
        "display-resolution",
        "spatial-subsetting",
        "datetime",
        "crs",
        "collection-map",
        "dataset-map",
        "styled-map",
        "png",
        "jpeg",
        "oas30",
    )
)
MAP = "http://www.opengis.net/def/rel/ogc/1.0/map"
HEADERS = {"Cache-Control": "no-cache", "Vary": "Accept, Authorization"}
HEX = re.compile(r"(?:0x|#)?([0-9a-f]{6})\Z", re.IGNORECASE)
NAME = re.compile(r"[a-z]{3,24}\Z", re.IGNORECASE)


def _color(text: str) -> str:
    """A colour as #rrggbb, from hexadecimal digits or a name that the web knows."""
    if found := HEX.match(text):
        return "#" + found[1].lower()
    try:
        if NAME.match(text):
            return str(mapnik.Color(text.lower()).to_hex_string())[:7]
    except RuntimeError:
        pass
    raise ValueError("0xRRGGBB or the name of a colour is wanted")


def _truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("true or false is wanted")
    return text == "true"


TRANSPARENT = Parameter[bool | None](
    "transparent",
    "Whether nothing stands where no layer draws: by default where no bgcolor is given.",
    _truth,
    None,
    {"type": "boolean", "default": True},
)
BGCOLOR = Parameter[str | None](
    "bgcolor", "Colour where no layer draws: 0xRRGGBB, or its name on the web.", _color, None, {"type": "string"}
)
VOID_TRANSPARENT = Parameter[bool | None](
    "void-transparent",
    "Whether nothing stands where the CRS has no places, as beyond the poles: by default as transparent.",
    _truth,
    None,
    {"type": "boolean"},
)
VOID_COLOR = Parameter[str | None](
    "void-color", "Colour where the CRS has no places: by default as bgcolor.", _color, None, {"type": "string"}
)
BACKGROUND = (TRANSPARENT, BGCOLOR, VOID_TRANSPARENT, VOID_COLOR)
PARAMETERS: tuple[Parameter[Any], ...] = (*FRAME_PARAMETERS, *BACKGROUND, *TILE_PARAMETERS, PICTURE_FORMAT)

router = PartRouter(tags=["Maps"])


def map_link(address: str, title: str) -> Link:
    """Where a city or a collection is shown as a map."""
    return link(MAP, f"{address}/map", "image/png", f"Map of {title}")


async def read_map(request: Request) -> Response:
    """A map as a picture; its headers say what part of the world it shows."""
    served, met, query = city(request), exchange(request), Query(request)
    catalog = await served.catalog()
    style = style_named(request.path_params.get("style_id", MODES[0]))
    layers = map_layers(query, catalog, met.principal, request.path_params.get("layer_id"))
    format_ = FORMS.get(query.take(PICTURE_FORMAT) or "") or accepted_picture(request.headers.get("accept", ""))
    frame = take_frame(query, catalog, around(layers))
    is_clear, background, void = _background(query, style, format_)
    view, wanted = take_view(query, catalog), take_filter(query, catalog)
    query.finish()
    map_request = MapRequest(
        tuple(MapLayer(layer, style, view, wanted) for layer in layers),
        frame.box,
        frame.crs.code,
        frame.width,
        frame.height,
        scale_factor=frame.scale_factor,
        format=format_,
        transparent=is_clear,
        background=background,
        void=void,
    )
    picture = await while_waited_for(request, served.maps.draw(map_request, catalog, met.principal))
    etag = f'"{hashlib.blake2b(picture, digest_size=12).hexdigest()}"'
    headers = HEADERS | frame.headers() | {"Content-Datetime": _shown(view), "ETag": etag}
    if is_known(request.headers.get("if-none-match", "").encode("latin-1"), etag.encode()):
        return Response(status_code=304, headers=headers)
    return Response(picture, 200, headers, format_)


def _background(query: Query, style: Mode, format_: Format) -> tuple[bool, str, str | None]:
    """Whether it is clear, its colour, and #rrggbbaa for what is no place of the CRS where that differs."""
    transparent, color = query.take(TRANSPARENT), query.take(BGCOLOR)
    void_transparent, void_color = query.take(VOID_TRANSPARENT), query.take(VOID_COLOR)
    # The style's own, where none is named (/req/background/bgcolor-definition C).
    background = color or str(palette(style)["background"])
    is_clear = (color is None if transparent is None else transparent) and format_ != "image/jpeg"
    is_void_clear = (is_clear if void_transparent is None else void_transparent) and format_ != "image/jpeg"
    if void_color is None and is_void_clear == is_clear:
        return is_clear, background, None
    return is_clear, background, (void_color or background) + ("00" if is_void_clear else "ff")


def _shown(view: View) -> str:
    """The moment or span that a map shows (/req/core/map-response)."""
    if view.valid is None:
        return _told(datetime.now(UTC))
    start, end = (".." if moment is None else _told(moment) for moment in (view.valid.start, view.valid.end))
    return start if start == end else f"{start}/{end}"


def _told(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


for _origin, _address in (("dataset", ""), ("collection", "/collections/{layer_id}")):
    for _styled, _path in (("", ""), ("style.", "/styles/{style_id}")):
        _chosen: tuple[Parameter[Any], ...] = () if _address else (COLLECTIONS,)
        _described = described(f"city.{_origin}.{_styled}getMap", *_chosen, *PARAMETERS, kinds=tuple(PICTURES.values()))
        router.add_api_route(f"{_address}{_path}/map", read_map, methods=["GET"], **_described)
