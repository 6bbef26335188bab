"""The parameters of a WFS request, for the OpenAPI document; they are read in the modules of the operations."""

from typing import Any

from api.parameters import Parameter

FORM = "application/x-www-form-urlencoded"
OPERATIONS = ("GetCapabilities", "DescribeFeatureType", "ListStoredQueries", "DescribeStoredQueries", "GetFeature",
              "GetPropertyValue")  # fmt: skip


def _described(name: str, description: str, **schema: Any) -> Parameter[str]:
    return Parameter(name, description, str, "", {"type": "string"} | schema)


# Names are read in any case, and what is not listed is passed over (OGC 06-121r3, 11.5.2).
PARAMETERS: tuple[Parameter[str], ...] = (
    _described("SERVICE", "WFS.", enum=["WFS"]),
    _described("VERSION", "2.0.0 or 1.1.0.", enum=["2.0.0", "1.1.0"], example="2.0.0"),
    _described("REQUEST", "The operation.", enum=list(OPERATIONS), example="GetCapabilities"),
    _described("TYPENAMES", "Feature types; TYPENAME in 1.1.0.", example="city:buildings"),
    _described("COUNT", "At most so many features; MAXFEATURES in 1.1.0.", type="integer", minimum=0, example=10),
    _described("STARTINDEX", "After so many features.", type="integer", minimum=0),
    _described("RESULTTYPE", "The features, or their number alone.", enum=["results", "hits"]),
    _described("OUTPUTFORMAT", "GML of the version, application/json, text/csv, shape-zip and others."),
    _described("SRSNAME", "CRS of the answer; a URN has the CRS's own order of axes, EPSG:n has east before north."),
    _described("BBOX", "Two corners, and the CRS in whose order of axes they stand.", example="28.1,120.95,28.2,121"),
    _described("FILTER", "A filter in XML, FES 2.0 or FE 1.1."),
    _described("CQL_FILTER", "A condition in CQL2 or ECQL.", example="height > 30"),
    _described("RESOURCEID", "Ids of features, with commas; FEATUREID in 1.1.0.", example="buildings.1"),
    _described("SORTBY", "Properties, each with ASC or DESC behind it.", example="height DESC"),
    _described("PROPERTYNAME", "Only these properties, with commas.", example="name,height"),
    _described("VALUEREFERENCE", "GetPropertyValue: the property.", example="height"),
    _described("STOREDQUERY_ID", "urn:ogc:def:query:OGC-WFS::GetFeatureById."),
    _described("ID", "GetFeatureById: the feature's id.", example="buildings.1"),
    _described("DATETIME", "Valid time: a moment, a date, or start/end."),
    _described("RECORDED", "As the model knew it at that moment."),
    _described("PLAN", "With this plan's changes, by its id.", type="integer", minimum=1),
    _described("ACCEPTVERSIONS", "GetCapabilities: versions that the client speaks.", example="2.0.0"),
    _described("SECTIONS", "GetCapabilities: only these parts of the document.", example="FeatureTypeList"),
    _described("UPDATESEQUENCE", "GetCapabilities: the document that the client has."),
)
BODY: dict[str, Any] = {
    "description": "A request in XML (wfs:GetFeature and the others), or the parameters as a form.",
    "content": {
        "application/xml": {"schema": {"type": "string"}},
        FORM: {"schema": {"type": "object", "properties": {each.name: each.schema for each in PARAMETERS}}},
    },
}
