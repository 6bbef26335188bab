"""GetCapabilities (OGC 07-057r7, 7.1): what there is, from the catalogue alone."""

import hashlib
from collections.abc import Callable

from fastapi import Response

from api.ows.fault import Fault
from api.ows.metadata import add_identification, add_provider, has_newest, licences_of, take_sections
from api.ows.xml import Element, child, document
from api.pages import city_title
from api.raw import is_known
from api.wms.call import Call
from api.wms.names import groups
from api.wms.texts import ABSTRACT, keywords, said_here
from api.wmts.layers import add_layers
from layers.edition import changed_at
from tiles.matrix import MAP_PIXELS, WEB, WORLD_CRS84, Grid, grids_of

NAMESPACES = {
    "xmlns": "http://www.opengis.net/wmts/1.0",
    "xmlns:ows": "http://www.opengis.net/ows/1.1",
    "xmlns:xlink": "http://www.w3.org/1999/xlink",
    "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "xsi:schemaLocation": "http://www.opengis.net/wmts/1.0"
    " http://schemas.opengis.net/wmts/1.0/wmtsGetCapabilities_response.xsd",
    "version": "1.0.0",
}
HEADERS = {"Cache-Control": "no-cache", "Vary": "Authorization, Accept-Language, Accept-Encoding"}
# OGC 07-057r7, annex E: scales that others count in too.
WELL_KNOWN = {
    WEB.id: "urn:ogc:def:wkss:OGC:1.0:GoogleMapsCompatible",
    WORLD_CRS84.id: "urn:ogc:def:wkss:OGC:1.0:GoogleCRS84Quad",
}
NEWEST = "1.0.0"


async def get_capabilities(call: Call) -> Response:
    """Raises Fault."""
    versions = call.kvp.get("ACCEPTVERSIONS")
    if versions is not None and NEWEST not in [version.strip() for version in versions.split(",")]:
        raise Fault("VersionNegotiationFailed", f"ACCEPTVERSIONS={versions[:60]!r}: {NEWEST} is spoken")
    async with call.served.reading() as connection:
        changed = await changed_at(connection)
    sequence = int(changed.timestamp() * 1_000_000)
    known = has_newest(call.kvp.get("UPDATESEQUENCE"), sequence)
    body = _document(call, sequence, [] if known else take_sections(call.kvp.get("SECTIONS"), SECTIONS))
    etag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = HEADERS | {"ETag": etag, "Content-Language": call.spoken}
    if is_known(call.request.headers.get("if-none-match", "").encode("latin-1"), etag.encode()):
        return Response(status_code=304, headers=headers)
    return Response(body, 200, headers, "application/xml; charset=utf-8")


def _document(call: Call, sequence: int, sections: list[str]) -> bytes:
    root = Element("Capabilities", NAMESPACES | {"updateSequence": str(sequence)})
    for name in sections:
        SECTIONS[name](root, call)
    if sections:
        child(root, "ServiceMetadataURL", xlink_href=f"{call.met.base}/wmts/1.0.0/WMTSCapabilities.xml")
    return document(root)


def _add_identification(root: Element, call: Call) -> None:
    add_identification(
        root,
        title=said_here(city_title(call.catalog), call),
        abstract=said_here(ABSTRACT, call),
        keywords=(*keywords(city_title(call.catalog)), "WMTS"),
        kind="OGC WMTS",
        versions=(NEWEST,),
        licences=licences_of(call.catalog, call.principal),
    )


def _add_provider(root: Element, call: Call) -> None:
    name = said_here(city_title(call.catalog), call)
    add_provider(root, call.request.app.state.settings, name=name, site=f"{call.met.base}/")


def _add_operations(root: Element, call: Call) -> None:
    section, base = child(root, "ows:OperationsMetadata"), call.met.base
    for name in ("GetCapabilities", "GetTile", "GetFeatureInfo"):
        http = child(child(child(section, "ows:Operation", name=name), "ows:DCP"), "ows:HTTP")
        for address, encoding in ((f"{base}/wmts?", "KVP"), (f"{base}/wmts/1.0.0/", "RESTful")):
            get = child(http, "ows:Get", xlink_href=address)
            allowed = child(child(get, "ows:Constraint", name="GetEncoding"), "ows:AllowedValues")
            child(allowed, "ows:Value", encoding)


def _add_contents(root: Element, call: Call) -> None:
    contents = child(root, "Contents")
    add_layers(contents, call)
    for grid in grids_of(call.catalog.city).values():
        _add_grid(contents, grid, call)


def _add_grid(contents: Element, grid: Grid, call: Call) -> None:
    element = child(contents, "TileMatrixSet")
    child(element, "ows:Title", said_here(grid.title, call))
    child(element, "ows:Identifier", grid.id)
    child(element, "ows:SupportedCRS", grid.crs.urn)
    if grid.id in WELL_KNOWN:
        child(element, "WellKnownScaleSet", WELL_KNOWN[grid.id])
    corner = grid.crs.to_official((grid.left, grid.top, grid.left, grid.top))[:2]
    for zoom in range(grid.first, grid.last + 1):
        matrix = child(element, "TileMatrix")
        child(matrix, "ows:Identifier", str(zoom))
        child(matrix, "ScaleDenominator", repr(grid.scale_denominator(zoom)))
        child(matrix, "TopLeftCorner", " ".join(map(repr, corner)))
        child(matrix, "TileWidth", str(MAP_PIXELS))
        child(matrix, "TileHeight", str(MAP_PIXELS))
        child(matrix, "MatrixWidth", str(grid.columns(zoom)))
        child(matrix, "MatrixHeight", str(grid.rows(zoom)))


def _add_themes(root: Element, call: Call) -> None:
    themes = child(root, "Themes")
    for group in groups(call.catalog, call.principal):
        theme = child(themes, "Theme")
        child(theme, "ows:Title", said_here(group.title, call))
        child(theme, "ows:Identifier", group.name)
        for layer in group.layers:
            child(theme, "LayerRef", layer.id)


SECTIONS: dict[str, Callable[[Element, Call], None]] = {
    "ServiceIdentification": _add_identification,
    "ServiceProvider": _add_provider,
    "OperationsMetadata": _add_operations,
    "Contents": _add_contents,
    "Themes": _add_themes,
}
