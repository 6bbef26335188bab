"""The picture of a map: FORMAT, TRANSPARENT, BGCOLOR (OGC 06-042, 7.3.3.9 to 7.3.3.11)."""

import re
from dataclasses import dataclass

from api.ows.fault import INVALID, Fault
from api.ows.kvp import Kvp
from tiles.map.request import Format

# As they are listed, the first one is what clients take without a word.
FORMATS: tuple[Format, ...] = ("image/png", "image/png; mode=8bit", "image/jpeg", "image/webp")
WRITTEN: dict[str, Format] = {
    **{each.replace(" ", ""): each for each in FORMATS},
    "image/png8": "image/png; mode=8bit",
    "image/png;mode=24bit": "image/png",
    "image/png;mode=32bit": "image/png",
    "image/jpg": "image/jpeg",
}
COLOR = re.compile(r"(?:0x|#)?([0-9a-f]{6})\Z", re.IGNORECASE)
TRUTHS = {"TRUE": True, "FALSE": False}


@dataclass(frozen=True)
class Picture:
    """How a map is encoded. background: #rrggbb."""

    format: Format
    transparent: bool
    background: str


def take_picture(kvp: Kvp) -> Picture:
    """Raises Fault."""
    return Picture(
        take_format(kvp.required("FORMAT")),
        take_truth(kvp.get("TRANSPARENT"), "TRANSPARENT"),
        take_color(kvp.get("BGCOLOR")),
    )


def take_format(text: str) -> Format:
    """Raises Fault."""
    found = WRITTEN.get(text.lower().replace(" ", ""))
    if found is None:
        raise Fault("InvalidFormat", f"FORMAT={text[:60]!r}: maps come as {', '.join(FORMATS)}", "FORMAT")
    return found


def take_truth(text: str | None, name: str) -> bool:
    """TRUE or FALSE, which is the default. Raises Fault."""
    if text is None:
        return False
    if text.upper() not in TRUTHS:
        raise Fault(INVALID, f"{name}={text[:40]!r}: TRUE or FALSE is wanted", name)
    return TRUTHS[text.upper()]


def take_color(text: str | None) -> str:
    """A colour as #rrggbb, white by default. Raises Fault."""
    if text is None:
        return "#ffffff"
    match = COLOR.match(text)
    if match is None:
        raise Fault(INVALID, f"BGCOLOR={text[:40]!r}: a colour as 0xRRGGBB is wanted", "BGCOLOR")
    return f"#{match[1].lower()}"
