"""What the tests of the WMS share: requests by parameters, answers as trees and pictures, the official schemas."""

import io
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import mapproxy
import numpy as np
from lxml import etree
from numpy.typing import NDArray
from PIL import Image

WMS = "{http://www.opengis.net/wms}"
OGC = "{http://www.opengis.net/ogc}"
XLINK = "{http://www.w3.org/1999/xlink}"
# The OGC's own schemas and document types, as MapProxy ships them.
SCHEMAS = Path(mapproxy.__file__).parent / "test" / "schemas"
# The town with a margin, 0.01 degrees on 1000 pixels across: a building is 40 pixels wide.
FRAME = {
    "VERSION": "1.3.0",
    "CRS": "CRS:84",
    "BBOX": "120.949,28.099,120.961,28.105",
    "WIDTH": "1200",
    "HEIGHT": "600",
}
MAP = FRAME | {"REQUEST": "GetMap", "LAYERS": "buildings", "STYLES": "", "FORMAT": "image/png"}


async def get(client: httpx.AsyncClient, parameters: dict[str, str], **headers: str) -> httpx.Response:
    """A request by GET; a parameter of None is left out."""
    given = {name: value for name, value in parameters.items() if value is not None}
    return await client.get("/wms", params=given, headers=headers)


async def get_map(client: httpx.AsyncClient, **changed: Any) -> httpx.Response:
    """GetMap of the town's buildings, with what is changed."""
    return await get(client, MAP | changed)


def pixels(answer: httpx.Response) -> NDArray[np.uint8]:
    """The picture as rows of red, green, blue and opacity."""
    assert answer.headers["content-type"].startswith("image/"), answer.text
    return np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGBA"))


def tree(answer: httpx.Response) -> Any:
    """The answer as XML."""
    return etree.fromstring(answer.content, etree.XMLParser(resolve_entities=False, no_network=True))


def fault(answer: httpx.Response) -> tuple[str, str, str | None]:
    """Code, words and locator of a ServiceExceptionReport, which must be valid. The status is 200."""
    assert answer.status_code == 200, answer.text
    root = tree(answer)
    if root.get("version") == "1.3.0":
        assert answer.headers["content-type"].startswith("text/xml")
        exceptions_schema().assertValid(root)
        (exception,) = root.findall(f"{OGC}ServiceException")
    else:
        assert answer.headers["content-type"].startswith("application/vnd.ogc.se_xml")
        assert etree.DTD(str(SCHEMAS / "wms/1.1.1/WMS_exception_1_1_1.dtd")).validate(root)
        (exception,) = root.findall("ServiceException")
    assert answer.headers["cache-control"] == "no-store"
    return exception.get("code"), exception.text, exception.get("locator")


@cache
def capabilities_schema() -> etree.XMLSchema:
    """WMS 1.3.0 with what SLD 1.1.0 adds to it."""
    return etree.XMLSchema(etree.parse(str(SCHEMAS / "sld/1.1.0/sld_capabilities.xsd")))


@cache
def exceptions_schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(SCHEMAS / "wms/1.3.0/exceptions_1_3_0.xsd")))
