"""What FastAPI cannot read off a handler: its parameters, and the kinds of its answers."""

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from api.links import HTML, JSON
from api.parameters import FORMAT, Parameter

NOTHING: tuple[str, ...] = ()


def described(
    operation_id: str,
    *parameters: Parameter[Any],
    kinds: Sequence[str] = (JSON,),
    status: int = 200,
    title: str = "The answer",
    body: dict[str, Any] | None = None,
    example: Any = None,
) -> dict[str, Any]:
    """Arguments of a route. kinds: media types of its answer; body: what it reads, as OpenAPI describes it.

    example: an answer of the first kind.
    """
    answer: dict[str, Any] = {"description": title}
    if kinds:
        answer["content"] = {kind: {} for kind in kinds}
        if example is not None:
            answer["content"][kinds[0]] = {"example": example}
    extra: dict[str, Any] = {"parameters": [parameter.document() for parameter in parameters]}
    return {
        "operation_id": operation_id,
        "status_code": status,
        # Without a kind of its own, FastAPI would promise JSON.
        "response_class": Response,
        "responses": {status: answer},
        "openapi_extra": extra if body is None else extra | {"requestBody": body},
    }


def page_or(*parameters: Parameter[Any], operation_id: str, kind: str = JSON) -> dict[str, Any]:
    """Arguments of a route that answers as a document or as a page."""
    return described(operation_id, *parameters, FORMAT, kinds=(kind, HTML))
