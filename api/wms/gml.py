"""GML 2.1.2 of a few objects (OGC 02-069): what desks read an answer of GetFeatureInfo from."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry, BaseMultipartGeometry

from api.ows.xml import Element, child, document
from layers.crs import Crs
from layers.projection import decimals

Member = tuple[str, int | None, Mapping[str, Any], BaseGeometry]
# What an XML name may not hold (Namespaces in XML 1.0, NCName), as far as properties' names go.
NO_NAME = re.compile(r"[^\w.\-]|^(?=[\d.\-])")


def feature_collection(members: Sequence[Member], crs: Crs, *, address: str) -> bytes:
    """A feature collection. members: layer, id, properties and geometry (x, y in `crs`) of each; address: of the city,
    which names the features' namespace."""
    root = Element(
        "wfs:FeatureCollection",
        {
            "xmlns:wfs": "http://www.opengis.net/wfs",
            "xmlns:gml": "http://www.opengis.net/gml",
            "xmlns:twin": f"{address}/collections",
        },
    )
    bounded = child(root, "gml:boundedBy")
    if members:
        west, south, east, north = shapely.total_bounds([shape for *_, shape in members])
        box = child(bounded, "gml:Box", srsName=crs.code)
        child(box, "gml:coordinates", _coordinates([(west, south), (east, north)], crs))
    else:
        child(bounded, "gml:null", "unknown")
    for layer, number, properties, shape in members:
        feature = child(child(root, "gml:featureMember"), f"twin:{layer}")
        feature.set("fid", layer if number is None else f"{layer}.{number}")
        _add_geometry(child(feature, "twin:geom"), shape, crs, srsName=crs.code)
        _add_properties(feature, properties)
    return document(root)


def _add_properties(feature: Element, properties: Mapping[str, Any]) -> None:
    for name, value in properties.items():
        if isinstance(value, dict):
            _add_properties(feature, value)
        elif value is not None:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            child(feature, f"twin:{NO_NAME.sub('_', name)}", text)


def _add_geometry(parent: Element, shape: BaseGeometry, crs: Crs, **attributes: str) -> None:
    kind = shape.geom_type
    made = child(parent, f"gml:{kind}", **attributes)
    if isinstance(shape, shapely.Polygon):
        for ring, role in ((shape.exterior, "outer"), *((hole, "inner") for hole in shape.interiors)):
            boundary = child(child(made, f"gml:{role}BoundaryIs"), "gml:LinearRing")
            child(boundary, "gml:coordinates", _coordinates(ring.coords, crs))
    elif isinstance(shape, BaseMultipartGeometry):
        member = MEMBERS[kind]
        for part in shape.geoms:
            _add_geometry(child(made, f"gml:{member}Member"), part, crs)
    else:
        child(made, "gml:coordinates", _coordinates(shape.coords, crs))


MEMBERS = {
    "MultiPoint": "point",
    "MultiLineString": "lineString",
    "MultiPolygon": "polygon",
    "GeometryCollection": "geometry",
}


def _coordinates(points: Any, crs: Crs) -> str:
    places = decimals(crs)
    return " ".join(f"{x:.{places}f},{y:.{places}f}" for x, y in points)
