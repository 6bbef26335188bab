"""XML from clients, read into a tree: whatever could make a small text a large one, or read a file, is refused.

The standard library's expat does it, with every document type refused: without one there are no entities to expand and
none to fetch, and nothing more has to be installed to be safe.
"""

import re
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from layers import LayerError

MAX_BYTES = 2**20
MAX_DEPTH = 64
MAX_ELEMENTS = 20_000
# Encodings of older Chinese tools, which expat does not know.
CHINESE = re.compile(rb"""\A\s*<\?xml[^>]{0,100}encoding\s*=\s*["'](gb2312|gbk|gb18030)["']""", re.IGNORECASE)

__all__ = ["Element", "XmlError", "children", "local", "read_xml", "words"]


class XmlError(LayerError):
    """A text that is no XML document, or one that is not read here."""


def read_xml(source: bytes) -> Element:
    """The root of a document; names as {namespace}name. Raises XmlError."""
    if len(source) > MAX_BYTES:
        raise XmlError(f"the XML has {len(source)} bytes; at most {MAX_BYTES} are read")
    encoding = None
    if CHINESE.match(source):
        try:
            source, encoding = source.decode("gb18030").encode(), "utf-8"
        except UnicodeDecodeError:
            raise XmlError("the XML is not in the encoding that it names") from None
    return _Reader(encoding).read(source)


class _Reader:
    def __init__(self, encoding: str | None) -> None:
        self._tree = TreeBuilder()
        self._depth = self._count = 0
        self._parser = expat.ParserCreate(encoding, namespace_separator="}")
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._tree.data

    def read(self, source: bytes) -> Element:
        try:
            self._parser.Parse(source, True)
        except expat.ExpatError as error:
            raise XmlError(f"no XML document: {error}") from None
        except (LookupError, ValueError) as error:
            raise XmlError(f"the XML cannot be read: {error}") from None
        return self._tree.close()

    def _refuse(self, *_: object) -> None:
        raise XmlError("the XML has a document type; leave <!DOCTYPE out, entities are not read")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._count += 1
        if self._depth > MAX_DEPTH:
            raise XmlError(f"the XML is nested deeper than {MAX_DEPTH} levels")
        if self._count > MAX_ELEMENTS:
            raise XmlError(f"the XML has more than {MAX_ELEMENTS} elements")
        self._tree.start(_braced(name), {_braced(key): value for key, value in attributes.items()})

    def _end(self, name: str) -> None:
        self._depth -= 1
        self._tree.end(_braced(name))


def _braced(name: str) -> str:
    return "{" + name if "}" in name else name


def local(element: Element) -> str:
    """The name of an element without its namespace."""
    return element.tag.rpartition("}")[2]


def children(element: Element, *names: str) -> list[Element]:
    """The child elements of those local names, of all if none is given."""
    return [child for child in element if not names or local(child) in names]


def words(element: Element) -> str:
    """The text of an element, of its children too, without blanks around it."""
    return "".join(element.itertext()).strip()
