"""The parameters of a WMTS request, for the OpenAPI document, and the addresses of its tiles."""

from typing import Any

from api.parameters import Parameter

TILE_ADDRESS = "/wmts/1.0.0/{layer}/{style}/{tile_matrix_set}/{tile_matrix}/{tile_row}/{tile_col}"


def _described(name: str, description: str, **schema: Any) -> Parameter[str]:
    return Parameter(name, description, str, "", {"type": "string"} | schema)


# Names are read in any case, and what is not listed, such as a portal's `tk`, is passed over.
PARAMETERS: tuple[Parameter[str], ...] = (
    _described("SERVICE", "WMTS.", enum=["WMTS"]),
    _described("REQUEST", "The operation.", enum=["GetCapabilities", "GetTile", "GetFeatureInfo"]),
    _described("VERSION", "1.0.0.", enum=["1.0.0"]),
    _described("LAYER", "The layer, or theme:all for the whole map.", example="theme:all"),
    _described("STYLE", "day or night.", example="day"),
    _described("FORMAT", "image/png, image/jpeg or image/webp.", example="image/png"),
    _described("TILEMATRIXSET", "The grid; /tileMatrixSets lists them.", example="WebMercatorQuad"),
    _described("TILEMATRIX", "Zoom.", example="14"),
    _described("TILEROW", "Row, from the north.", type="integer", minimum=0),
    _described("TILECOL", "Column, from the west.", type="integer", minimum=0),
    _described("TIME", "Valid time: a moment, a date, start/end, or current.", example="current"),
    _described("PLAN", "With this plan's changes, by its id.", type="integer", minimum=1),
    _described("RECORDED", "As the model knew it at that moment."),
    _described("I", "GetFeatureInfo: column of the pixel, from 0.", type="integer", minimum=0),
    _described("J", "GetFeatureInfo: row of the pixel, from 0.", type="integer", minimum=0),
    _described("INFOFORMAT", "GetFeatureInfo: text/plain, text/html, application/json or application/vnd.ogc.gml."),
    _described("ACCEPTVERSIONS", "GetCapabilities: versions that the client speaks.", example="1.0.0"),
    _described("SECTIONS", "GetCapabilities: only these parts of the document.", example="Contents"),
    _described("UPDATESEQUENCE", "GetCapabilities: the document that the client has."),
)
