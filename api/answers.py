"""Answers: in the format and language that the client asks for."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import orjson
from starlette.requests import Request
from starlette.responses import Response

from api.links import JSON
from layers.catalog import Title

Language = Literal["zh", "en"]
# What an answer depends on besides its address.
VARY = "Accept, Accept-Language, Accept-Encoding, Authorization"
LIVE = {"Cache-Control": "no-cache", "Vary": VARY}
# The pages load nothing from elsewhere and run no script.
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)


def wants_html(request: Request, given: str | None) -> bool:
    """Whether to answer with a page: `f` decides, then the Accept header; programs that name neither get JSON."""
    if given is not None:
        return given == "html"
    weights = qualities(request.headers.get("accept", ""))
    html = max(weights.get("text/html", 0.0), weights.get("application/xhtml+xml", 0.0))
    machine = max((weight for kind, weight in weights.items() if kind.endswith("json")), default=0.0)
    return html > machine


def preferred(request: Request, offers: Mapping[str, Sequence[str]], default: str) -> str:
    """Which of the named offers, each with its media types, the Accept header wants most; the default if none."""
    weights = qualities(request.headers.get("accept", ""))
    wanted = {name: max((weights.get(kind, 0.0) for kind in kinds), default=0.0) for name, kinds in offers.items()}
    best = max(wanted, key=lambda name: (wanted[name], name == default))
    return best if wanted[best] > weights.get("*/*", 0.0) or best == default else default


def language(request: Request) -> Language:
    """Chinese for those who prefer it, English for all others."""
    weights = qualities(request.headers.get("accept-language", ""))
    chinese = max((weight for tag, weight in weights.items() if tag.split("-")[0] == "zh"), default=0.0)
    english = max((weight for tag, weight in weights.items() if tag.split("-")[0] == "en"), default=0.0)
    return "zh" if chinese > english else "en"


def said(title: Title, spoken: Language) -> str:
    """A title in one language."""
    return title.zh if spoken == "zh" else title.en


def both(title: Title) -> dict[str, str]:
    """A title in both, as documents of ours carry it."""
    return {"zh": title.zh, "en": title.en}


def qualities(accepted: str) -> dict[str, float]:
    """The quality of each value in an Accept header (RFC 9110, 12.4.2)."""
    found = {}
    for part in accepted[:1_000].lower().split(","):
        value, *parameters = (piece.strip() for piece in part.split(";"))
        quality = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        try:
            found[value] = float(quality)
        except ValueError:
            found[value] = 0.0
    return found


def json_answer(
    document: Any, *, media_type: str = JSON, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON document; live by default, so that a cache asks again."""
    body = document if isinstance(document, bytes) else orjson.dumps(document)
    return Response(body, status, LIVE | dict(headers or {}), media_type)


def html_answer(page: str, *, spoken: Language) -> Response:
    """A page that may load nothing from elsewhere."""
    headers = LIVE | {
        "Content-Security-Policy": PAGE_POLICY,
        "Content-Language": spoken,
        "Referrer-Policy": "same-origin",
    }
    return Response(page, 200, headers, "text/html; charset=utf-8")
