"""Bodies of the sensor routes: JSON objects of a stated shape, refused with the place of the first fault."""

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request

from api.errors import BadRequest


class Body(BaseModel):
    """A body; what it does not know is refused."""

    model_config = ConfigDict(extra="forbid")


M = TypeVar("M", bound=BaseModel)


def json_body(example: Any) -> dict[str, Any]:
    """A JSON object as a route reads it, as OpenAPI describes it."""
    return {"required": True, "content": {"application/json": {"schema": {"type": "object"}, "example": example}}}


async def read_body(request: Request, model: type[M]) -> M:
    """Raises BadRequest."""
    return parsed(model, await request.body())


def parsed(model: type[M], text: bytes) -> M:
    """Raises BadRequest."""
    if b"\\u0000" in text:
        raise BadRequest("the body holds a NUL character, which no text may")
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the body"
        raise BadRequest(f"{where}: {first['msg']}") from None
