"""The door: every request becomes an exchange, is let in as a principal, limited, counted, logged and answered."""

import asyncio
import secrets
import time
from itertools import count

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import metrics
from api.addresses import Addresses
from api.cities import Cities
from api.errors import NotFound, TooLarge, TooLong, problem_of
from api.exchange import KEY, Exchange, of_scope
from api.problem import send_problem
from twin.settings import Settings

MAX_PATH = 2_048
CITIES = "/cities/"
# What concerns the whole server and stands beside the default city's addresses.
SERVER_WIDE = ("cities", "health", "metrics", "remote", "viewer", "static")
# So many a second that a line for each would cost more than the answer; they are counted all the same.
QUIET = frozenset(("createObservation", "getTerrainTile", "getHillshadeTile", "getRemoteTile", "getLiveness"))
TILES = ".getTile"
LOG = structlog.get_logger()


def is_server_wide(path: str) -> bool:
    """Whether an address belongs to no city."""
    return path[1:].partition("/")[0] in SERVER_WIDE


class Gateway:
    """Pure ASGI, around everything: the raw tile route too."""

    def __init__(self, app: ASGIApp, cities: Cities, settings: Settings) -> None:
        self._app = app
        self._cities = cities
        self._addresses = Addresses(settings)
        self._max_body = settings.max_body
        self._process = secrets.token_hex(4)
        self._numbers = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        exchange = Exchange(f"{self._process}-{next(self._numbers):x}", scope, self._addresses)
        answer = _Answer(send, exchange.request_id, head=scope["method"] == "HEAD")
        try:
            await self._admit(scope, exchange, receive, answer)
        except Exception as error:
            await self._refuse(error, exchange, answer)
        finally:
            _record(scope["method"], exchange, answer, time.perf_counter() - began)

    async def _admit(self, scope: Scope, exchange: Exchange, receive: Receive, answer: "_Answer") -> None:
        path, name = exchange.path, None
        if len(path) > MAX_PATH:
            raise TooLong(f"the address has {len(path)} characters; at most {MAX_PATH} are read")
        authorization = None
        for header, value in scope["headers"]:
            if header == b"authorization":
                authorization = value
            elif header == b"content-length" and (not value.isdigit() or int(value) > self._max_body):
                raise TooLarge(f"a body may have {self._max_body} bytes")
        if path.startswith(CITIES):
            name, _, rest = path.removeprefix(CITIES).partition("/")
            path = "/" + rest
        if is_server_wide(path):
            if name is not None:
                raise NotFound(f"{path} is of the whole server, not of a city")
            exchange.operation = path.split("/")[1]
        else:
            exchange.city = self._cities.at_hand(name) or await self._cities.city(name)
            if authorization is not None:
                exchange.principal = await exchange.city.identity.principal(authorization)
        inner = {**scope, "path": path, "raw_path": path.encode(), "root_path": "", KEY: exchange}
        if answer.head:
            inner["method"] = "GET"
        await self._app(inner, _limited(receive, self._max_body), answer.send)

    async def _refuse(self, error: Exception, exchange: Exchange, answer: "_Answer") -> None:
        problem = problem_of(error)
        if problem.status == 500:
            LOG.error("request failed", request_id=exchange.request_id, path=exchange.path, exc_info=error)
        elif problem.status > 500:
            reason = f"{type(error).__name__}: {error}"
            LOG.warning("request refused", request_id=exchange.request_id, path=exchange.path, reason=reason)
        if answer.complete:
            # The routes have answered with the problem already.
            return
        if answer.status:
            # Half an answer cannot be taken back: the connection must break, or the client takes it for whole.
            raise error
        await send_problem(problem, answer.send, instance=exchange.path, request_id=exchange.request_id)


class Routes:
    """The routes, within their time; tells the exchange which of them was found, whatever becomes of it."""

    def __init__(self, app: ASGIApp, timeout_s: float) -> None:
        self._app = app
        self._timeout_s = timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self._timeout_s) as limit:
                of_scope(scope).limited(limit)
                await self._app(scope, receive, send)
        finally:
            if (route := scope.get("route")) is not None:
                of_scope(scope).operation = route.operation_id or route.name


class _Answer:
    """Watches an answer on its way out, and marks it with the request's id."""

    __slots__ = ("_mark", "_send", "complete", "head", "size", "status")

    def __init__(self, send: Send, request_id: str, *, head: bool) -> None:
        self._send = send
        self._mark = ((b"x-request-id", request_id.encode()), (b"x-content-type-options", b"nosniff"))
        self.head = head
        self.complete = False
        self.status = 0
        self.size = 0

    async def send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), *self._mark]
        elif kind == "http.response.body":
            self.complete = not message.get("more_body", False)
            self.size += len(message.get("body", b""))
            if self.head:
                message = {**message, "body": b""}
        elif kind == "http.response.pathsend":
            # A file that the server sends by itself: there is no body to leave out but by not naming it.
            self.complete = True
            if self.head:
                message = {"type": "http.response.body", "body": b""}
        await self._send(message)


def _limited(receive: Receive, limit: int) -> Receive:
    """Reads a body that may not say its length, up to the limit."""
    size = 0

    async def limited() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > limit:
            raise TooLarge(f"a body may have {limit} bytes")
        return message

    return limited


def _record(method: str, exchange: Exchange, answer: _Answer, seconds: float) -> None:
    operation, status = exchange.operation, answer.status
    metrics.count(operation, status, seconds)
    if status < 400 and (operation in QUIET or operation.endswith(TILES)):
        return
    LOG.info(
        "request",
        request_id=exchange.request_id,
        operation=operation,
        method=method,
        path=exchange.path,
        status=status,
        ms=round(seconds * 1000, 1),
        bytes=answer.size,
        principal=exchange.principal.name,
    )
