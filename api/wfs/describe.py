"""DescribeFeatureType (OGC 09-025r2, 9; 04-094, 8): what a feature is made of, as an XML schema of simple features."""

from collections.abc import Sequence

from fastapi import Response

from api.answers import LIVE
from api.ows.xml import Element, child, document
from api.wfs.call import Call
from api.wfs.formats import check_schema_format
from api.wfs.queries import type_names
from layers.catalog import Layer
from layers.features import VALIDITY
from layers.fields import GEOMETRY, NILLABLE, fields_of
from layers.gml import NAMESPACE, PREFIX

XSD = "http://www.w3.org/2001/XMLSchema"
TYPES = {"text": "xsd:string", "integer": "xsd:integer", "number": "xsd:double", "boolean": "xsd:boolean"}
# The property types of GML have the same names in 3.1.1 and 3.2 (OGC 06-049r1; 10-100r3, 8.4.4).
GEOMETRY_TYPES = {
    "Point": "gml:PointPropertyType",
    "LineString": "gml:CurvePropertyType",
    "MultiPolygon": "gml:MultiSurfacePropertyType",
    "Geometry": "gml:GeometryPropertyType",
}


async def describe_feature_type(call: Call) -> Response:
    """Raises Fault."""
    check_schema_format(call)
    body = document(_schema(call, type_names(call) or call.layers()))
    return Response(body, 200, LIVE, call.dialect.gml_format)


def _schema(call: Call, layers: Sequence[Layer]) -> Element:
    dialect = call.dialect
    root = Element(
        "xsd:schema",
        {
            "xmlns:xsd": XSD,
            "xmlns:gml": dialect.gml,
            f"xmlns:{PREFIX}": NAMESPACE,
            "targetNamespace": NAMESPACE,
            "elementFormDefault": "qualified",
            "version": "1.0",
        },
    )
    child(root, "xsd:import", namespace=dialect.gml, schemaLocation=dialect.gml_schema)
    head = "gml:AbstractFeature" if dialect.is_newest else "gml:_Feature"
    for layer in layers:
        kind = f"{layer.id}Type"
        child(root, "xsd:element", name=layer.id, type=f"{PREFIX}:{kind}", substitutionGroup=head)
        extension = child(child(child(root, "xsd:complexType", name=kind), "xsd:complexContent"), "xsd:extension")
        extension.set("base", "gml:AbstractFeatureType")
        _add_properties(child(extension, "xsd:sequence"), layer)
    return root


def _add_properties(sequence: Element, layer: Layer) -> None:
    """In the order in which features tell them; whatever an object lacks is left out."""
    for name, spelt in fields_of(layer).spelt.items():
        attribute = layer.property(name)
        kind = "xsd:dateTime" if name in VALIDITY else TYPES["text" if attribute is None else attribute.type]
        nillable = {"nillable": "true"} if name == NILLABLE else {}
        child(sequence, "xsd:element", name=spelt, type=kind, minOccurs="0", **nillable)
    child(sequence, "xsd:element", name=GEOMETRY, type=GEOMETRY_TYPES[layer.theme.geometry], minOccurs="0")
