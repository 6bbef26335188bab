"""GetMap (OGC 06-042, 7.3): a picture of some layers in a frame."""

import hashlib

from fastapi import Response

from api.presence import while_waited_for
from api.wms.call import Call
from api.wms.content import Content, take_content, take_scale_factor
from api.wms.frame import Frame, lies_nowhere, take_frame
from api.wms.pictures import Picture, take_picture
from tiles.map import MapRequest

HEADERS = {"Cache-Control": "no-cache", "Vary": "Authorization"}


async def get_map(call: Call) -> Response:
    """Raises Fault and what the map service raises."""
    content, frame, picture = take_content(call), take_frame(call), take_picture(call.kvp)
    wanted = map_request(content, frame, picture, scale_factor=take_scale_factor(call), empty=lies_nowhere(frame, call))
    drawn = await while_waited_for(call.request, call.served.maps.draw(wanted, call.catalog, call.principal))
    return picture_answer(call, drawn, picture.format, content.warnings)


def map_request(content: Content, frame: Frame, picture: Picture, *, scale_factor: float, empty: bool) -> MapRequest:
    """What is to be drawn. empty: nothing but the background."""
    return MapRequest(
        layers=() if empty else content.layers,
        box=frame.box,
        crs=frame.crs.code,
        width=frame.width,
        height=frame.height,
        scale_factor=scale_factor,
        format=picture.format,
        transparent=picture.transparent,
        background=picture.background,
        elevation=content.elevation,
        stacked=content.stacked,
    )


def picture_answer(call: Call, drawn: bytes, kind: str, warnings: tuple[str, ...] = ()) -> Response:
    """A picture, or word that the client has it already. warnings: of dimensions (OGC 06-042, C.4.2 and C.4.3)."""
    etag = f'"{hashlib.blake2b(drawn, digest_size=12).hexdigest()}"'
    headers = HEADERS | {"ETag": etag}
    if warnings:
        headers["Warning"] = ", ".join(warnings)
    if etag in call.request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(drawn, 200, headers, kind)
