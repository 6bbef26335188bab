"""The feature types in the capabilities: every layer, where it lies, and the CRSs in which it is told."""

from api.answers import said
from api.crs import offered as offered_crs
from api.ows.xml import Element, child
from api.wfs.call import Call
from api.wfs.queries import default_srs
from api.wms.texts import layer_keywords
from layers.catalog import Layer
from layers.crs import Crs
from layers.gml import PREFIX

PLACES = 9


def add_feature_types(root: Element, call: Call) -> None:
    """FeatureTypeList."""
    section = child(root, "FeatureTypeList")
    if not call.dialect.is_newest:
        child(child(section, "Operations"), "Operation", "Query")
    default = default_srs(call.catalog).crs
    others = [crs for crs in offered_crs(call.catalog) if crs != default]
    for layer in call.layers():
        _add_type(section, layer, default, others, call)


def _add_type(section: Element, layer: Layer, default: Crs, others: list[Crs], call: Call) -> None:
    element = child(section, "FeatureType")
    newest = call.dialect.is_newest
    child(element, "Name", f"{PREFIX}:{layer.id}")
    child(element, "Title", said(layer.title, call.spoken))
    if layer.description is not None:
        child(element, "Abstract", said(layer.description, call.spoken))
    words = child(element, "ows:Keywords")
    for word in layer_keywords(layer):
        child(words, "ows:Keyword", word)
    child(element, "DefaultCRS" if newest else "DefaultSRS", default.urn)
    for crs in others:
        child(element, "OtherCRS" if newest else "OtherSRS", crs.urn)
    if layer.extent is not None:
        west, south, east, north = (f"{value:.{PLACES}f}" for value in layer.extent)
        box = child(element, "ows:WGS84BoundingBox")
        child(box, "ows:LowerCorner", f"{west} {south}")
        child(box, "ows:UpperCorner", f"{east} {north}")
    if newest:
        # 1.1.0 only has metadata of ISO 19115 and the FGDC, which these are not.
        child(element, "MetadataURL", xlink_href=f"{call.met.base}/collections/{layer.id}?f=json")
