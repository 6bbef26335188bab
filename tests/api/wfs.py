"""What the tests of the WFS share: requests, answers as trees, and the OGC's schemas where they are at hand."""

import os
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import etree

WFS = "{http://www.opengis.net/wfs/2.0}"
OWS = "{http://www.opengis.net/ows/1.1}"
FES = "{http://www.opengis.net/fes/2.0}"
GML = "{http://www.opengis.net/gml/3.2}"
CITY = "{http://citytwin.org/ns}"
XSD = "{http://www.w3.org/2001/XMLSchema}"
BASE = {"SERVICE": "WFS", "VERSION": "2.0.0"}
FEATURES = BASE | {"REQUEST": "GetFeature", "TYPENAMES": "city:buildings"}
# All schemas of the OGC in one archive, which the set-up of the tests fetches with Maven.
ARCHIVE = Path(os.environ.get("TWIN_OGC_SCHEMAS", Path(__file__).resolve().parents[2] / "build/ogc-schemas-2.6.1.jar"))
# The W3C's own, which the archive leaves out: as far as the OGC's refer to them.
XML_XSD = """<schema xmlns="http://www.w3.org/2001/XMLSchema" targetNamespace="http://www.w3.org/XML/1998/namespace">
<attribute name="lang" type="language"/><attribute name="space" type="NCName"/><attribute name="base" type="anyURI"/>
<attribute name="id" type="ID"/></schema>"""
XLINK_NAMES = ("type", "href", "role", "arcrole", "title", "show", "actuate", "label", "from", "to")
XLINK_XSD = (
    '<schema xmlns="http://www.w3.org/2001/XMLSchema" xmlns:x="http://www.w3.org/1999/xlink"'
    ' targetNamespace="http://www.w3.org/1999/xlink">'
    + "".join(f'<attribute name="{name}" type="string"/>' for name in XLINK_NAMES)
    + "".join(
        f'<attributeGroup name="{group}">'
        + "".join(f'<attribute ref="x:{name}"/>' for name in XLINK_NAMES[:7])
        + "</attributeGroup>"
        for group in ("simpleAttrs", "simpleLink")
    )
    + "</schema>"
)
OF_W3C = {"http://www.w3.org/2001/xml.xsd": XML_XSD, "http://www.w3.org/1999/xlink.xsd": XLINK_XSD}


async def get(client: httpx.AsyncClient, parameters: dict[str, str], **changed: str | None) -> httpx.Response:
    """A request by GET; a parameter of None is left out."""
    given = {name: value for name, value in (parameters | changed).items() if value is not None}
    return await client.get("/wfs", params=given)


async def features(client: httpx.AsyncClient, **changed: str | None) -> Any:
    """GetFeature of the town's buildings as a tree, with what is changed."""
    answer = await get(client, FEATURES, **changed)
    assert answer.status_code == 200, answer.text
    return tree(answer)


async def heights(client: httpx.AsyncClient, **changed: str | None) -> list[float]:
    """Of the buildings found, in the order in which they come."""
    found = await features(client, **changed)
    return [float(each.text) for each in found.iter(f"{CITY}height")]


def xml_filter(inner: str) -> str:
    """A Filter of FES 2.0."""
    return f'<Filter xmlns="http://www.opengis.net/fes/2.0" xmlns:gml="http://www.opengis.net/gml/3.2">{inner}</Filter>'


def compare(operator: str, name: str, value: object, attributes: str = "") -> str:
    """A comparison of FES 2.0."""
    operands = f"<ValueReference>{name}</ValueReference><Literal>{value}</Literal>"
    return f"<PropertyIs{operator} {attributes}>{operands}</PropertyIs{operator}>"


def tree(answer: httpx.Response) -> Any:
    """The answer as XML."""
    return etree.fromstring(answer.content, etree.XMLParser(resolve_entities=False, no_network=True))


def fault(answer: httpx.Response, status: int = 400) -> tuple[str | None, str | None]:
    """Code and locator of an ExceptionReport, in words."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/xml")
    assert answer.headers["cache-control"] == "no-store"
    root = tree(answer)
    assert root.tag == f"{OWS}ExceptionReport"
    assert root.get("version") == "2.0.0"
    (exception,) = root.findall(f"{OWS}Exception")
    assert exception.findtext(f"{OWS}ExceptionText")
    return exception.get("exceptionCode"), exception.get("locator")


class _Resolver(etree.Resolver):
    """Finds the OGC's schemas in the archive, and those of a server under test where they are said to be."""

    def __init__(self, known: dict[str, bytes]) -> None:
        self._known = known
        self._archive = zipfile.ZipFile(ARCHIVE)
        self._names = set(self._archive.namelist())

    def resolve(self, url: str | None, public_id: str | None, context: Any) -> Any:
        address = url or ""
        if address in OF_W3C:
            return self.resolve_string(OF_W3C[address], context, base_url=address)
        if address in self._known:
            return self.resolve_string(self._known[address], context, base_url=address)
        name = address.partition("://")[2].replace("schemas.opengis.net", "ogc")
        if name in self._names:
            return self.resolve_string(self._archive.read(name), context, base_url=address)
        return None


def schema(*addresses: tuple[str, str], known: dict[str, bytes] | None = None) -> etree.XMLSchema:
    """One schema of several: (namespace, address) of each. known: documents by address."""
    if not ARCHIVE.is_file():
        pytest.skip(f"no {ARCHIVE}; scripts/setup.sh fetches it where there is Maven, or name it with TWIN_OGC_SCHEMAS")
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(_Resolver(known or {}))
    imports = "".join(f'<import namespace="{name}" schemaLocation="{address}"/>' for name, address in addresses)
    text = f'<schema xmlns="http://www.w3.org/2001/XMLSchema">{imports}</schema>'
    return etree.XMLSchema(etree.fromstring(text, parser))


@cache
def wfs_schema() -> etree.XMLSchema:
    """WFS 2.0 with OWS 1.1, FES 2.0 and GML 3.2.1."""
    return schema(
        ("http://www.opengis.net/wfs/2.0", "http://schemas.opengis.net/wfs/2.0/wfs.xsd"),
        ("http://www.opengis.net/gml/3.2", "http://schemas.opengis.net/gml/3.2.1/gml.xsd"),
    )
