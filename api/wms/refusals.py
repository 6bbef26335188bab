"""Refusals of GetMap in the picture that was asked for (OGC 06-042, 7.3.3.11): the words drawn, or nothing at all."""

import asyncio
from dataclasses import dataclass

from api.ows.fault import Fault
from api.ows.kvp import Kvp
from api.wms.pictures import Picture, take_picture
from tiles.map.notice import draw_notice
from tiles.map.request import LARGEST

# As 1.3.0 and 1.1.1 call them.
IN_PICTURE = ("INIMAGE", "APPLICATION/VND.OGC.SE_INIMAGE", "BLANK", "APPLICATION/VND.OGC.SE_BLANK")
BLANK = IN_PICTURE[2:]


@dataclass(frozen=True)
class Refusal:
    body: bytes
    kind: str


async def refusal_in_picture(fault: Fault, kvp: Kvp) -> Refusal | None:
    """The picture that a client of GetMap wants instead of a report; None where it wants XML, or gives no frame."""
    wanted = (kvp.get("EXCEPTIONS") or "").upper()
    if wanted not in IN_PICTURE or (kvp.get("REQUEST") or "").lower() not in ("getmap", "map"):
        return None
    width, height = _side(kvp.get("WIDTH")), _side(kvp.get("HEIGHT"))
    try:
        picture: Picture = take_picture(kvp)
    except Fault:
        return None
    if width is None or height is None:
        return None
    words = "" if wanted in BLANK else f"{fault.code}: {fault}"
    body = await asyncio.to_thread(
        draw_notice,
        words,
        width,
        height,
        kind=picture.format,
        background=None if picture.transparent else picture.background,
    )
    return Refusal(body, picture.format)


def _side(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 6 and int(text) <= LARGEST else None
