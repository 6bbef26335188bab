"""Where a page of objects begins, as its next link carries it."""

import base64
from dataclasses import dataclass

import orjson

from api.errors import BadRequest
from layers.counts import Count
from layers.features import MOST_SORTS, Place


@dataclass(frozen=True)
class Cursor:
    """Where a page begins, and what the first page counted, so that no later one counts again."""

    after: Place
    matched: Count

    def text(self) -> str:
        values = [self.after.object_id, self.after.values, self.matched.number, self.matched.exact]
        return base64.urlsafe_b64encode(orjson.dumps(values)).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> "Cursor":
        """Raises BadRequest."""
        try:
            object_id, values, number, exact = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except ValueError:
            object_id = values = number = exact = None
        if (
            not isinstance(object_id, int)
            or not 0 <= object_id < 2**63
            or not isinstance(values, list)
            or not len(values) <= MOST_SORTS
            or not all(value is None or (isinstance(value, str) and "\0" not in value) for value in values)
            or not isinstance(number, int)
            or not isinstance(exact, bool)
        ):
            raise BadRequest("cursor: not one of this service; follow a next link")
        return cls(Place(object_id, tuple(values)), Count(number, exact))
