"""MapInfo tables: TAB with its parts, and the exchange format MIF/MID."""

import re
import shutil
import tempfile
import weakref
from pathlib import Path

from layers.formats import dbf, encoding
from layers.formats.encoding import CHINESE, UTF_8, Choice, Stated
from layers.formats.shapefile import side
from layers.formats.source import Format, FormatError, Reading, Source
from layers.formats.vector import Gdal, open_vector

CHARSETS = {UTF_8: b"UTF-8", CHINESE: b"WindowsSimpChinese"}
STATED = {
    "windowssimpchinese": CHINESE, "windowstradchinese": "big5", "utf-8": UTF_8, "windowslatin1": "cp1252",
    "windowsjapanese": "cp932", "windowskorean": "cp949", "windowslatin2": "cp1250", "windowscyrillic": "cp1251",
}  # fmt: skip
CHARSET = re.compile(rb'(!?charset\s+)"?([\w-]+)"?', re.IGNORECASE)
HEAD = 1 << 16
LARGEST_COPY = 4 << 30


def open_mapinfo(path: Path, reading: Reading) -> list[Source]:
    """The table of a TAB or MIF file, in the encoding that its texts are in. Raises FormatError."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    named = CHARSET.search(head)
    codec = STATED.get(named[2].decode("ascii", "replace").lower()) if named else None
    stated = [Stated(codec, f"its charset ({named[2].decode('ascii', 'replace')})")] if codec and named else []
    table, exchange = side(path, ".dat"), side(path, ".mid")
    if path.suffix.lower() == ".tab" and table is None:
        raise FormatError(f"{path.name}: its .dat is missing; hand over .tab, .dat, .map and .id, best as one zip")
    texts = [
        *encoding.whole(path),
        *(dbf.texts(table, _text_fields(head)) if table else encoding.whole(exchange) if exchange else []),
    ]
    choice = encoding.choose(path.name, texts, stated, reading.encoding)
    gdal = Gdal(notes=encoding.note(choice))
    if not choice.why or choice.encoding == codec:
        return open_vector(path, reading, gdal)
    return _restated(path, head, choice, reading, gdal)


def _text_fields(head: bytes) -> frozenset[int]:
    """The fields that the definition calls Char: in the table itself numbers and dates are called text as well."""
    _, _, fields = head.partition(b"Fields ")
    kinds = [line.rsplit(b";", 1)[0].lower() for line in fields.splitlines()[1:] if b";" in line]
    return frozenset(number for number, kind in enumerate(kinds) if b" char" in kind)


def _restated(path: Path, head: bytes, choice: Choice, reading: Reading, gdal: Gdal) -> list[Source]:
    """Read a copy that states the right charset: GDAL believes the file alone."""
    if choice.encoding not in CHARSETS:
        raise FormatError(f"{path.name}: texts in {choice.encoding.upper()}; save it as UTF-8 or GBK")
    if path.stat().st_size > LARGEST_COPY:
        raise FormatError(f"{path.name}: {path.stat().st_size / 1e9:.0f} GB; save it as a TAB or GeoPackage")
    folder = Path(tempfile.mkdtemp(prefix="citytwin-"))
    try:
        for part in path.parent.glob(f"{path.stem}.*"):
            if part != path and part.is_file():
                (folder / part.name).symlink_to(part.absolute())
        name = CHARSETS[choice.encoding]
        with path.open("rb") as source, (folder / path.name).open("wb") as target:
            source.seek(len(head))
            restated = CHARSET.sub(lambda found: found[1] + (b'"%s"' % name if b'"' in found[0] else name), head)
            target.write(re.sub(rb"(?i)(^|\n)(!?version )\d+", rb"\g<1>\g<2>1520", restated, count=1))
            shutil.copyfileobj(source, target)
        sources = open_vector(folder / path.name, reading, gdal)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    for found in sources:
        weakref.finalize(found, shutil.rmtree, folder, ignore_errors=True)
    return sources


FORMATS = (
    Format("MapInfo TAB", (".tab",), lambda head: head.lstrip().lower().startswith(b"!table"), open_mapinfo),
    Format(
        "MapInfo MIF",
        (".mif",),
        lambda head: re.match(rb"\s*version\s+\d+", head, re.IGNORECASE) is not None and b"columns" in head.lower(),
        open_mapinfo,
    ),
)
