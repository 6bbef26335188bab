"""The parameters of a WMS request, for the OpenAPI document; they are read in the modules of the operations."""

from typing import Any

from api.parameters import Parameter

FORM = "application/x-www-form-urlencoded"
OPERATIONS = ("GetCapabilities", "GetMap", "GetFeatureInfo", "GetLegendGraphic", "GetStyles", "DescribeLayer")


def _described(name: str, description: str, **schema: Any) -> Parameter[str]:
    return Parameter(name, description, str, "", {"type": "string"} | schema)


# Names are read in any case, and what is not listed is passed over (OGC 06-042, 6.8.1).
PARAMETERS: tuple[Parameter[str], ...] = (
    _described("SERVICE", "WMS.", enum=["WMS"]),
    _described("VERSION", "1.3.0 or 1.1.1.", enum=["1.3.0", "1.1.1"], example="1.3.0"),
    _described("REQUEST", "The operation.", enum=list(OPERATIONS), example="GetCapabilities"),
    _described("LAYERS", "Layers, the undermost first, with commas between them.", example="land,roads,buildings"),
    _described("STYLES", "A style for each layer, empty for the default; day or night.", example=""),
    _described("CRS", "Reference system; called SRS in 1.1.1. Any that PROJ knows.", example="EPSG:3857"),
    _described("BBOX", "minx,miny,maxx,maxy; in 1.3.0 in the CRS's own order of axes, in 1.1.1 x before y."),
    _described("WIDTH", "Pixels, at most 4096.", type="integer", minimum=1, maximum=4096),
    _described("HEIGHT", "Pixels, at most 4096.", type="integer", minimum=1, maximum=4096),
    _described("FORMAT", "image/png, image/png; mode=8bit, image/jpeg or image/webp.", example="image/png"),
    _described("TRANSPARENT", "Whether nothing stands where no layer draws.", enum=["TRUE", "FALSE"]),
    _described("BGCOLOR", "Background, 0xRRGGBB.", example="0xFFFFFF"),
    _described("EXCEPTIONS", "How a refusal is told.", enum=["XML", "INIMAGE", "BLANK"]),
    _described("TIME", "Valid time: a moment, a date, start/end, or current.", example="current"),
    _described("ELEVATION", "The terrain from this height up, metres."),
    _described("CQL_FILTER", "A condition for each layer in CQL2 or ECQL, with ; between them.", example="height > 30"),
    _described("PLAN", "With this plan's changes, by its id.", type="integer", minimum=1),
    _described("RECORDED", "As the model knew it at that moment."),
    _described("DPI", "Dots per inch, by which symbols grow; 96 is usual.", type="number"),
    _described("QUERY_LAYERS", "GetFeatureInfo: layers that are asked."),
    _described("INFO_FORMAT", "GetFeatureInfo: text/plain, text/html, application/json or application/vnd.ogc.gml."),
    _described("FEATURE_COUNT", "GetFeatureInfo: objects of each layer at most.", type="integer", minimum=1),
    _described("I", "GetFeatureInfo: column of the pixel, from 0; called X in 1.1.1.", type="integer", minimum=0),
    _described("J", "GetFeatureInfo: row of the pixel, from 0; called Y in 1.1.1.", type="integer", minimum=0),
    _described("BUFFER", "GetFeatureInfo: pixels around the point; by default what the style draws.", type="number"),
    _described("LAYER", "GetLegendGraphic: the layer."),
    _described("STYLE", "GetLegendGraphic: the style."),
    _described("SCALE", "GetLegendGraphic: only what is drawn at this scale denominator.", type="number"),
    _described("RULE", "GetLegendGraphic: only the entry of this name."),
    _described("LANGUAGE", "Titles in zh or en; by default as the client prefers.", enum=["zh", "en"]),
)
FORM_BODY: dict[str, Any] = {
    "description": "The parameters of a request by address, as a form.",
    "content": {
        FORM: {
            "schema": {"type": "object", "properties": {each.name: each.schema for each in PARAMETERS}},
        }
    },
}
