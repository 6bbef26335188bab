"""The addresses of the WMTS: by key-value pairs (OGC 07-057r7, 8), and by addresses alone (10)."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from fastapi import Request, Response

from api.answers import language
from api.exchange import city, exchange
from api.ows.documentation import XML, described_with_reports
from api.ows.kvp import Kvp
from api.presence import ClientGone
from api.routing import PartRouter
from api.wms.call import Call
from api.wmts.capabilities import get_capabilities
from api.wmts.faults import INVALID, MISSING, Fault, refusal, report
from api.wmts.parameters import PARAMETERS, TILE_ADDRESS
from api.wmts.requests import FORMATS
from api.wmts.tile import get_feature_info, get_tile

Operation = Callable[[Call], Awaitable[Response]]
OPERATIONS: dict[str, Operation] = {
    "GetCapabilities": get_capabilities,
    "GetTile": get_tile,
    "GetFeatureInfo": get_feature_info,
}
# Names are matched in any case, as everywhere with key-value pairs.
WRITTEN = {name.lower(): name for name in OPERATIONS}
VERSION = "1.0.0"
TILES = ("image/png", "image/jpeg", "image/webp")
INFORMATION = ("application/json", "text/html", "text/plain", "application/vnd.ogc.gml")
ENDINGS = {"json": "application/json", "html": "text/html", "txt": "text/plain", "gml": "application/vnd.ogc.gml"}
KINDS_BY_ENDING = {ending: kind for kind, ending in FORMATS.items()} | {"jpeg": "image/jpeg"}

router = PartRouter(tags=["WMTS"])


@router.get("/wmts", **described_with_reports("getWmts", *PARAMETERS, kinds=(XML, *TILES, *INFORMATION)))
async def wmts(request: Request) -> Response:
    """Maps as WMTS 1.0.0 asks for them: GetCapabilities, GetTile, GetFeatureInfo."""

    async def answer() -> Response:
        kvp = Kvp(request.scope["query_string"])
        return await _operation(kvp)(await _call(request, kvp))

    return await _answered(request, answer, is_address=False)


@router.get("/wmts/1.0.0/WMTSCapabilities.xml", **described_with_reports("getWmtsCapabilities", kinds=(XML,)))
async def capabilities(request: Request) -> Response:
    """What there is, by its address alone."""

    async def answer() -> Response:
        return await get_capabilities(await _call(request, Kvp(request.scope["query_string"])))

    return await _answered(request, answer, is_address=True)


@router.get(TILE_ADDRESS, **described_with_reports("getWmtsTile", kinds=TILES))
async def tile(request: Request) -> Response:
    """A tile by its address: layer, style, grid, zoom, row and column; the query may name a TIME."""

    async def answer() -> Response:
        column, _, ending = request.path_params["tile_col"].rpartition(".")
        kind = KINDS_BY_ENDING.get(ending)
        if kind is None:
            raise Fault(INVALID, f"tiles end with .{', .'.join(FORMATS.values())}", "FORMAT")
        return await get_tile(await _call(request, _named(request, TILECOL=column, FORMAT=kind)))

    return await _answered(request, answer, is_address=True)


@router.get(TILE_ADDRESS + "/{j}/{i}", **described_with_reports("getWmtsFeatureInfo", kinds=INFORMATION))
async def feature_info(request: Request) -> Response:
    """What lies under a pixel of a tile, by its address: after the column the pixel's row and column."""

    async def answer() -> Response:
        column, _, ending = request.path_params["i"].rpartition(".")
        kind = ENDINGS.get(ending)
        if kind is None:
            raise Fault(INVALID, f"objects are told with the endings .{', .'.join(ENDINGS)}", "INFOFORMAT")
        told = {"TILECOL": request.path_params["tile_col"], "J": request.path_params["j"], "I": column}
        return await get_feature_info(await _call(request, _named(request, **told, INFOFORMAT=kind)))

    return await _answered(request, answer, is_address=True)


def _named(request: Request, **more: str) -> Kvp:
    """An address as key-value pairs, which say more than it does not."""
    parts = request.path_params
    named = {
        "LAYER": parts["layer"],
        "STYLE": parts["style"],
        "TILEMATRIXSET": parts["tile_matrix_set"],
        "TILEMATRIX": parts["tile_matrix"],
        "TILEROW": parts["tile_row"],
        **more,
    }
    query: bytes = request.scope["query_string"]
    return Kvp(urlencode(named).encode() + b"&" + query)


def _operation(kvp: Kvp) -> Operation:
    """The operation that is asked for (OGC 06-121r3, 8.3). Raises Fault."""
    service = kvp.required("SERVICE")
    if service.upper() != "WMTS":
        raise Fault(INVALID, f"SERVICE={service[:40]!r}: this service is called WMTS", "SERVICE")
    asked = kvp.required("REQUEST")
    name = WRITTEN.get(asked.lower())
    if name is None:
        raise Fault("OperationNotSupported", f"REQUEST={asked[:60]!r}: there are {', '.join(OPERATIONS)}", asked[:60])
    version = kvp.get("VERSION")
    if name != "GetCapabilities":
        if version is None:
            raise Fault(MISSING, "VERSION is missing", "VERSION")
        if version != VERSION:
            raise Fault(INVALID, f"VERSION={version[:40]!r}: {VERSION} is spoken", "VERSION")
    return OPERATIONS[name]


async def _call(request: Request, kvp: Kvp) -> Call:
    served = city(request)
    return Call(request, kvp, exchange(request), served, await served.catalog(), language(request), "1.3.0")


async def _answered(request: Request, answer: Callable[[], Awaitable[Response]], *, is_address: bool) -> Response:
    """The answer, or the exception report that the standard gives for what went wrong."""
    try:
        return await answer()
    except ClientGone:
        raise
    except Exception as error:
        fault, status = refusal(error, exchange(request).request_id, is_address=is_address)
        headers = {"Cache-Control": "no-store"} | ({"Retry-After": "1"} if status == 503 else {})
        return Response(report(fault), status, headers, f"{XML}; charset=utf-8")
