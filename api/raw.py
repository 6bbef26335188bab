"""What the raw routes send: pictures and tiles, past FastAPI, because there are so many of them."""

import gzip
from functools import lru_cache

from starlette.types import Scope, Send

from tiles.picture import Picture

# Live: kept by the client, and asked for again; a tile that is the same costs no bytes.
LIVE = (b"cache-control", b"no-cache")
VARY = (b"vary", b"Accept, Accept-Encoding, Authorization")


async def send_packed(picture: Picture, kind: bytes, scope: Scope, send: Send) -> None:
    """Send a picture whose body is a gzip file, unpacked for those who cannot; 204 for an empty one."""
    headers = _headers(picture, kind)
    if _is_known(scope, picture):
        await _answer(send, 304, headers, b"")
        return
    body = picture.body
    if body:
        if takes_gzip(_header(scope, b"accept-encoding")):
            headers.append((b"content-encoding", b"gzip"))
        else:
            body = gzip.decompress(body)
    await _answer(send, 200 if body else 204, headers, body)


async def send_plain(picture: Picture, kind: bytes, scope: Scope, send: Send) -> None:
    """Send a picture as it is."""
    headers = _headers(picture, kind)
    if _is_known(scope, picture):
        await _answer(send, 304, headers, b"")
    else:
        await _answer(send, 200, headers, picture.body)


def is_known(if_none_match: bytes, etag: bytes) -> bool:
    """Whether a client has what has this entity tag (RFC 9110, 13.1.2: compared weakly; * is whatever there is)."""
    if if_none_match in (etag, b"*"):
        return True
    tags = (tag.strip().removeprefix(b"W/") for tag in if_none_match.split(b","))
    return etag in tags


@lru_cache(maxsize=256)
def takes_gzip(accept_encoding: bytes) -> bool:
    """Whether a client unpacks gzip (RFC 9110, 12.5.3): named, or covered by *, and not of quality nought."""
    qualities = {}
    for part in accept_encoding.lower().split(b","):
        coding, *parameters = (piece.strip() for piece in part.split(b";"))
        quality = next((p[2:] for p in parameters if p.startswith(b"q=")), b"1")
        try:
            qualities[coding] = float(quality)
        except ValueError:
            qualities[coding] = 0.0
    return qualities.get(b"gzip", qualities.get(b"x-gzip", qualities.get(b"*", 0.0))) > 0


def _headers(picture: Picture, kind: bytes) -> list[tuple[bytes, bytes]]:
    headers = [(b"content-type", kind), LIVE, VARY, (b"etag", picture.etag.encode())]
    if picture.thinned:
        headers.append((b"x-thinned", b"true"))
    return headers


def _header(scope: Scope, wanted: bytes) -> bytes:
    found: bytes = next((value for name, value in scope["headers"] if name == wanted), b"")
    return found


def _is_known(scope: Scope, picture: Picture) -> bool:
    asked = _header(scope, b"if-none-match")
    return bool(asked) and is_known(asked, picture.etag.encode())


async def _answer(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    if body:
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
