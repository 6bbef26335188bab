"""Which encoding a file's texts are in: what it states is believed only where all of it decodes so.

A departments' Shapefile says GBK, UTF-8, nothing, or a code page that its program wrote without looking. So every text
is tried: the stated encoding, then UTF-8, then GB 18030, which GBK and GB 2312 are parts of (GB 18030-2022).
"""

import codecs
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from layers.formats.source import FormatError

UTF_8, CHINESE = "utf-8", "gb18030"
# What is written for parts of GB 18030 holds for the whole.
CHINESE_NAMES = ("gbk", "gb2312", "cp936", "gb18030")
CHUNK = 1 << 20


@dataclass(frozen=True)
class Stated:
    """An encoding that a file names: as Python knows it, and where it stands."""

    encoding: str
    where: str


@dataclass(frozen=True)
class Text:
    """Bytes of one value. cut: it fills its field to the end, where half a character may stand."""

    value: bytes
    cut: bool = False


@dataclass(frozen=True)
class Choice:
    """The encoding that the texts are read in, and for the report why."""

    encoding: str
    why: str

    @property
    def gdal(self) -> str:
        """Its name for iconv."""
        return self.encoding.upper().replace("_", "-")


def known(name: str) -> str | None:
    """The Python codec that a .cpg, a MapInfo charset or a person means: 936, GBK, ANSI 1252; None for none."""
    text = re.sub(r"^(ansi|oem|windows|ibm|cp|wd)[\s_-]*(?=\d)", "", name.strip().lower())
    text = {"65001": "utf-8", "88591": "iso-8859-1", "54936": "gb18030"}.get(text, text)
    try:
        codec = codecs.lookup(f"cp{text}" if text.isdigit() else text).name
    except LookupError:
        return None
    return CHINESE if codec in CHINESE_NAMES else codec


def given(name: str) -> str:
    """The codec that a person names. Raises FormatError."""
    codec = known(name)
    if codec is None:
        raise FormatError(f"encoding {name!r} is not known; write it as UTF-8, GBK or GB18030")
    return codec


def choose(name: str, texts: Iterable[Text], stated: Sequence[Stated], wanted: str | None) -> Choice:
    """The encoding of a file called `name`. wanted: what a person said, instead of all else.

    A single-byte code page decodes nearly anything, so one that a file states yields to UTF-8 where that fits.
    Raises FormatError where nothing fits.
    """
    if wanted is not None:
        return Choice(given(wanted), "as asked for")
    order = list(dict.fromkeys([*(each.encoding for each in stated if _tells(each)), UTF_8, CHINESE,
                                *(each.encoding for each in stated)]))  # fmt: skip
    fitting, plain = _fitting(texts, order)
    if plain:
        return Choice(UTF_8, "")
    if not fitting:
        tried = ", ".join(dict.fromkeys(encoding.upper() for encoding in order))
        raise FormatError(f"{name}: its texts are neither of {tried}; name their encoding with --encoding")
    return Choice(fitting[0], _reason(fitting[0], stated))


def _tells(each: Stated) -> bool:
    """Whether an encoding refuses what is not written in it."""
    try:
        bytes(range(0x80, 0x100)).decode(each.encoding)
    except UnicodeDecodeError:
        return each.encoding not in ("cp1252", "cp1253", "cp1255", "cp1257")
    return False


def _fitting(texts: Iterable[Text], order: Sequence[str]) -> tuple[list[str], bool]:
    """The encodings of all texts, in the same order; and whether the texts are ASCII, which any of them reads."""
    left, plain = list(order), True
    for text in texts:
        if text.value.isascii():
            continue
        plain = False
        left = [encoding for encoding in left if _decodes(text, encoding)]
    return left, plain


def _decodes(text: Text, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(text.value, final=not text.cut)
    except UnicodeDecodeError:
        return False
    return True


def _reason(encoding: str, stated: Sequence[Stated]) -> str:
    if encoding in (each.encoding for each in stated):
        return f"as {next(each.where for each in stated if each.encoding == encoding)} says"
    if stated:
        others = " and ".join(f"{each.where} says {each.encoding.upper()}" for each in stated)
        return f"{others}, but not all of its texts are"
    return "it names none, and all its texts are"


def note(choice: Choice) -> tuple[str, ...]:
    """The choice as a line of the report; nothing for a file in plain ASCII."""
    return (f"texts read as {choice.encoding.upper()}: {choice.why}",) if choice.why else ()


def whole(path: Path) -> Iterator[Text]:
    """All lines of a text file, each to be decoded for itself: no line break is part of a character in UTF-8 or
    GB 18030."""
    with path.open("rb") as file:
        while lines := file.readlines(CHUNK):
            yield Text(b"".join(lines))
