"""Lists of processes and jobs by the page (18-062r2, 7.9.2 and 11.3)."""

from starlette.requests import Request

from api.links import JSON, Link, link, same_query
from api.parameters import Parameter, whole_number

LIMIT = Parameter[int](
    "limit", "At most this many.", whole_number(1, 1_000), 100, {"type": "integer", "minimum": 1, "maximum": 1_000}
)
OFFSET = Parameter[int](
    "offset", "Leave out so many of the first.", whole_number(0, 10**9), 0, {"type": "integer", "minimum": 0}
)


def next_link(request: Request, address: str, offset: int, title: str) -> Link:
    """Where the list at `address` goes on, asked as it was asked now."""
    return link("next", same_query(request, address, offset=str(offset)), JSON, title)
