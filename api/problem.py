"""Errors as RFC 9457 problem documents."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

import orjson
from starlette.types import Send

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Problem:
    """A refusal: status, what is wrong in words, the headers that go with it, and its type where a standard has one."""

    status: int
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)
    type: str = "about:blank"

    def document(self, instance: str, request_id: str) -> bytes:
        """The problem's JSON; instance is the path that was asked for."""
        return orjson.dumps(
            {
                "type": self.type,
                "title": HTTPStatus(self.status).phrase,
                "status": self.status,
                "detail": self.detail,
                "instance": instance,
                "request_id": request_id,
            }
        )


async def send_problem(problem: Problem, send: Send, *, instance: str, request_id: str) -> None:
    """Answer a request with a problem."""
    body = problem.document(instance, request_id)
    headers = {
        "content-type": MEDIA_TYPE,
        "content-length": str(len(body)),
        "cache-control": "no-store",
        **problem.headers,
    }
    await send(
        {
            "type": "http.response.start",
            "status": problem.status,
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": body})
