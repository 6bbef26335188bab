"""POST of one Observation, past FastAPI: gauges send one at a time, and thousands of them at once."""

import re

import orjson
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.exchange import of_scope
from api.sensorthings.call import Call
from api.sensorthings.service import writable
from api.sensorthings.writes import write

ADDRESS = re.compile(r"/sensors/v1\.[01]/((?:Datastreams\(\d{1,18}\)/)?Observations)\Z")
OPERATION = "createObservation"


class ObservationRoute:
    """Answers such a POST; everything else goes on to `app`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = ADDRESS.match(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if found is None:
            await self._app(scope, receive, send)
            return
        of_scope(scope).operation = OPERATION
        request = Request(scope, receive)
        service = await writable(request)
        call = Call("POST", found[1], body=await request.body())
        answer = await write(service, call)
        told = {**answer.headers, **call.assumed(service.zone)}
        headers = [(name.lower().encode(), value.encode()) for name, value in told.items()]
        body = b"" if answer.body is None else orjson.dumps(answer.body)
        headers += [(b"content-length", str(len(body)).encode()), (b"cache-control", b"no-cache")]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
