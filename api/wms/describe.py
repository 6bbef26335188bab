"""DescribeLayer and GetStyles (OGC 05-078r4, 10 and 11; 02-070, 11 and 13): where objects are, and their styles."""

import asyncio

from fastapi import Response

from api.ows.fault import INVALID, Fault
from api.ows.xml import Element, child, document
from api.wms.call import Call
from api.wms.content import TERRAIN, take_style
from api.wms.names import layers_of, listed
from layers.catalog import Layer
from layers.sld import VERSIONS, sld
from layers.style import MODES

SLD = "http://www.opengis.net/sld"
DESCRIPTION_DTD = "http://schemas.opengis.net/wms/1.1.1/WMS_DescribeLayerResponse.dtd"
STYLES_KIND = "application/vnd.ogc.sld+xml"
HEADERS = {"Cache-Control": "no-cache", "Vary": "Authorization"}


async def describe_layer(call: Call) -> Response:
    """Where the objects of layers are read. Raises Fault."""
    wanted = _layers(call)
    body = _newer(wanted, call) if call.version == "1.3.0" else _older(wanted, call)
    kind = "text/xml" if call.version == "1.3.0" else "application/vnd.ogc.wms_xml"
    return Response(body, 200, HEADERS, f"{kind}; charset=utf-8")


async def get_styles(call: Call) -> Response:
    """Styles of layers as SLD: of the version that SLD_VERSION or SLDVER names, else the one of the WMS's day."""
    wanted = _layers(call)
    usual = VERSIONS[0] if call.version == "1.3.0" else VERSIONS[1]
    asked = call.kvp.first("SLD_VERSION", "SLDVER") or usual
    version = next((each for each in VERSIONS if each == asked), None)
    if version is None:
        raise Fault(INVALID, f"SLD_VERSION={asked[:40]!r}: styles come as SLD {', '.join(VERSIONS)}", "SLD_VERSION")
    style = call.kvp.first("STYLES", "STYLE")
    modes = MODES if style is None else (take_style(style),)
    body = await asyncio.to_thread(sld, wanted, call.catalog, version, modes)
    return Response(body, 200, HEADERS, f"{STYLES_KIND}; charset=utf-8")


def _layers(call: Call) -> list[Layer]:
    names = listed(call.kvp.required("LAYERS"), "LAYERS")
    found = (layer for name in names for layer in layers_of(name, call.catalog, call.principal))
    return list({layer.id: layer for layer in found}.values())


def _older(wanted: list[Layer], call: Call) -> bytes:
    """OGC 02-070, 13: a layer without objects of its own has no further contents."""
    root = Element("WMS_DescribeLayerResponse", {"version": "1.1.1"})
    address = f"{call.met.base}/wfs?"
    for layer in wanted:
        if layer.theme.table == TERRAIN:
            child(root, "LayerDescription", name=layer.id)
        else:
            described = child(root, "LayerDescription", name=layer.id, wfs=address, owsType="WFS", owsURL=address)
            child(described, "Query", typeName=layer.id)
    return document(root, f'WMS_DescribeLayerResponse SYSTEM "{DESCRIPTION_DTD}"')


def _newer(wanted: list[Layer], call: Call) -> bytes:
    """OGC 05-078r4, 10.2."""
    root = Element(
        "DescribeLayerResponse",
        {
            "xmlns": SLD,
            "xmlns:se": "http://www.opengis.net/se",
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:schemaLocation": f"{SLD} http://schemas.opengis.net/sld/1.1.0/DescribeLayer.xsd",
        },
    )
    child(root, "Version", "1.1.0")
    for layer in wanted:
        if layer.theme.table == TERRAIN:
            continue
        described = child(root, "LayerDescription")
        child(described, "owsType", "wfs")
        child(described, "se:OnlineResource", xlink_type="simple", xlink_href=f"{call.met.base}/wfs?")
        described[-1].set("xmlns:xlink", "http://www.w3.org/1999/xlink")
        child(child(described, "TypeName"), "se:FeatureTypeName", layer.id)
    return document(root)
