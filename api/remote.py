"""Maps of other services for the viewer: tiles in the web's grid, and the documents that describe them.

Only of hosts that the operator named; the keys that these want stay here.
"""

from typing import Any, Literal, cast

from fastapi import Request, Response

from api.answers import json_answer
from api.documentation import described
from api.errors import BadRequest
from api.parameters import Parameter, Query, one_of
from api.routing import PartRouter
from api.views import as_text
from layers.crs import parse_crs
from tiles.matrix import tile_at
from tiles.remote import RemoteFailed
from tiles.remote.maps import RemoteMap, RemoteMaps, WmsMap, WmtsMap, XyzMap
from tiles.remote.outside import MAX_URL, AllowList, Outside
from twin.settings import Settings

PNG = "image/png"
PICTURES = {b"\x89PNG": PNG, b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif", b"RIFF": "image/webp"}
# What a document may call itself. A page, a script or an SVG would run with this server's name.
DOCUMENTS = ("application/xml", "text/xml", "application/json", "application/geo+json", "text/plain", "text/json")
XML_OR_JSON = ("application/", "+xml", "+json")
URL = Parameter[str | None](
    "url", "Address of the service, of its capabilities or of its tiles.", as_text, None, max_length=MAX_URL
)
KINDS = ("wms", "wmts", "xyz")
KIND = Parameter[str | None](
    "service", "What kind of service it is.", one_of(*KINDS), None, {"type": "string", "enum": list(KINDS)}
)
LAYERS = Parameter[str]("layers", "Layers of the WMS by comma, or the layer of the WMTS.", as_text, "")
STYLES = Parameter[str]("styles", "Their styles.", as_text, "")
CRS = Parameter[str]("crs", "CRS in which the WMS draws.", as_text, "EPSG:4326", max_length=100)
VERSION = Parameter[str](
    "version", "Version of the WMS.", one_of("1.1.1", "1.3.0"), "1.3.0", {"type": "string", "enum": ["1.1.1", "1.3.0"]}
)
MATRIX_SET = Parameter[str]("matrix_set", "Grid of the WMTS.", as_text, "")
FORMAT = Parameter[str]("format", "Format of its pictures.", as_text, PNG, max_length=100)
SOURCE: tuple[Parameter[Any], ...] = (URL, KIND, LAYERS, STYLES, CRS, VERSION, MATRIX_SET, FORMAT)
# Another's pictures: the browser keeps them as long as the server does.
KEPT = {"Cache-Control": "private, max-age=3600"}
# Whatever another host sends must not act in this one's name.
TAMED = {**KEPT, "Content-Security-Policy": "default-src 'none'; sandbox", "Content-Disposition": "attachment"}

router = PartRouter(tags=["Maps of other services"])


def open_remote(settings: Settings) -> RemoteMaps:
    """The way to other services that the settings allow."""
    allowed = AllowList(settings.remote_hosts, settings.remote_networks, settings.remote_keys)
    return RemoteMaps(Outside(allowed, limit_s=settings.remote_timeout))


@router.get("/remote", **described("getRemote", URL))
async def remote(request: Request) -> Response:
    """Whether this server fetches from an address, and whether it has a key for it."""
    query = Query(request)
    url = _needed(query.take(URL))
    query.finish()
    allowed = _maps(request).allowed
    is_allowed = allowed.allows(url)
    return json_answer({"allowed": is_allowed, "key": bool(is_allowed and allowed.key(url))})


@router.get("/remote/document", **described("getRemoteDocument", URL, kinds=("application/xml", "application/json")))
async def document(request: Request) -> Response:
    """A capabilities document, GeoJSON or legend picture of another service, as it is."""
    query = Query(request)
    url = _needed(query.take(URL))
    query.finish()
    fetched = await _maps(request).document(url)
    picture = _kind(fetched.body)
    first, *ends = XML_OR_JSON
    known = fetched.media_type in DOCUMENTS or (
        fetched.media_type.startswith(first) and fetched.media_type.endswith(tuple(ends))
    )
    if picture is None and not known:
        raise RemoteFailed(f"the service sends {fetched.media_type or 'something unnamed'}, which is not passed on")
    is_json = fetched.media_type.endswith("json") or fetched.body.lstrip()[:1] in (b"{", b"[")
    return Response(fetched.body, 200, TAMED, picture or ("application/json" if is_json else "application/xml"))


@router.get("/remote/tiles/{z:int}/{x:int}/{y:int}", **described("getRemoteTile", *SOURCE, kinds=(PNG,)))
async def tile(request: Request, z: int, x: int, y: int) -> Response:
    """A tile of 256 x 256 pixels of EPSG:3857, drawn anew from the service's own CRS. 204 where nothing is."""
    query = Query(request)
    source = _source(query)
    query.finish()
    body = await _maps(request).tile(source, tile_at(z, x, y))
    return Response(body or None, 200 if body else 204, KEPT, _kind(body) or PNG)


def _source(query: Query) -> RemoteMap:
    """Raises BadRequest, UnknownCrs."""
    url, kind = _needed(query.take(URL)), query.take(KIND)
    layers, styles, form = query.take(LAYERS), query.take(STYLES), query.take(FORMAT)
    crs, version, matrix_set = query.take(CRS), query.take(VERSION), query.take(MATRIX_SET)
    if kind == "wms" and layers:
        told = cast(Literal["1.1.1", "1.3.0"], version)
        return WmsMap(url, layers, styles, parse_crs(crs), told, form)
    if kind == "wmts" and layers and matrix_set:
        return WmtsMap(url, layers, styles, matrix_set, form)
    if kind == "xyz" and all(part in url for part in ("{z}", "{x}")):
        return XyzMap(url)
    raise BadRequest("service=wms with layers, service=wmts with layers and matrix_set, or service=xyz is wanted")


def _needed(url: str | None) -> str:
    if not url:
        raise BadRequest("url: is missing")
    return url


def _kind(body: bytes) -> str | None:
    """The media type of a picture, by how it begins."""
    return next((kind for start, kind in PICTURES.items() if body.startswith(start)), None)


def _maps(request: Request) -> RemoteMaps:
    return cast(RemoteMaps, request.app.state.remote)
