"""Drawings in DXF: a table of entities, whose field Layer a recipe turns into classes; of DWG, how to become one."""

import re
from pathlib import Path

from layers.formats import encoding
from layers.formats.encoding import Stated
from layers.formats.source import Format, FormatError, Reading, Source
from layers.formats.vector import Gdal, open_vector

VERSION = re.compile(rb"\$ACADVER\s+1\s+AC(\d{4})")
CODE_PAGE = re.compile(rb"\$DWGCODEPAGE\s+3\s+(\S+)")
# AutoCAD 2007, whose drawings are in UTF-8.
UNICODE = 1021
HEAD = 1 << 16
BINARY = b"AutoCAD Binary DXF"
CAD_OWN = ("PaperSpace", "SubClasses", "Linetype", "EntityHandle")


def open_dxf(path: Path, reading: Reading) -> list[Source]:
    """The entities of a drawing: Layer, Text, and their shapes. Raises FormatError."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    if head.startswith(BINARY):
        raise FormatError(f"{path.name}: a binary DXF; save it as DXF in text (ASCII)")
    choice = encoding.choose(path.name, encoding.whole(path), _stated(head), reading.encoding)
    config = {"DXF_ENCODING": choice.gdal}
    return open_vector(path, reading, Gdal(leave_out=CAD_OWN, config=config, notes=encoding.note(choice)))


def _stated(head: bytes) -> list[Stated]:
    version, page = VERSION.search(head), CODE_PAGE.search(head)
    if version and int(version[1]) >= UNICODE:
        return [Stated(encoding.UTF_8, "its version")]
    name = page[1].decode("ascii", "replace") if page else ""
    # Every drawing program writes ANSI_1252 where nobody chose.
    codec = encoding.known(name.replace("ANSI_", "")) if name != "ANSI_1252" else None
    return [Stated(codec, f"its code page ({name})")] if codec else []


def refuse_dwg(path: Path, reading: Reading) -> list[Source]:
    """A DWG is a secret of its maker's; the message says how to bring it. Raises FormatError always."""
    raise FormatError(
        f"{path.name}: a DWG drawing, which only its maker's programs read; save it as DXF (AutoCAD, 中望, 浩辰: "
        "另存为 DXF 2007), or convert it with the free ODA File Converter or `dwg2dxf`, then load the .dxf"
    )


def _is_dxf(head: bytes) -> bool:
    return head.startswith(BINARY) or re.match(rb"(?:\s*999\r?\n[^\n]*\n)*\s*0\r?\n\s*SECTION\r?\n", head) is not None


FORMATS = (
    Format("DXF", (".dxf",), _is_dxf, open_dxf),
    Format("DWG", (".dwg",), lambda head: re.match(rb"AC10\d\d|AC1\.\d", head) is not None, refuse_dwg),
)
