"""Map styles: the whole map by day and by night, as MapLibre styles."""

from fastapi import APIRouter, Request, Response

from api.answers import json_answer
from api.documentation import described
from api.exchange import city, exchange
from api.links import JSON, STYLE, link
from api.parameters import Query
from layers.style import MODES, StyleNotFound, compose

router = APIRouter(tags=["Styles"])


@router.get("/styles", **described("getStyles"))
async def styles(request: Request) -> Response:
    """The styles there are."""
    Query(request).finish()
    base = exchange(request).base
    found = [
        {"id": mode, "title": mode.title(), "links": [link("stylesheet", f"{base}/styles/{mode}", STYLE, mode.title())]}
        for mode in MODES
    ]
    return json_answer(
        {"default": MODES[0], "styles": found, "links": [link("self", f"{base}/styles", JSON, "Styles")]}
    )


@router.get("/styles/{style_id}", **described("getStyle", kinds=(STYLE,)))
async def style(request: Request, style_id: str) -> Response:
    """One style, of the layers that the principal may read."""
    Query(request).finish()
    met = exchange(request)
    catalog = await city(request).catalog()
    mode = next((mode for mode in MODES if mode == style_id), None)
    if mode is None:
        raise StyleNotFound(f"no style {style_id[:60]!r}; there are {', '.join(MODES)}")
    terrain = bool(await city(request).terrain.of(met.principal))
    return json_answer(compose(catalog, met.principal, mode, base=met.base, terrain=terrain), media_type=STYLE)
