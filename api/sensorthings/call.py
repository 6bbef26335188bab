"""A request to the service, whether it came by itself or in a batch, and what it is answered."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import orjson

from api.parameters import MAX_PARAMETERS, MAX_QUERY_BYTES
from twin.sensing import BadEntity, BadQuery
from twin.sensing.allocation import without_collection
from twin.sensing.odata.options import Options, read_options

JSON = "application/json"
# A moment, or an end of an interval, without an offset.
BARE_TIME = re.compile(rb"""["/]\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?["/]""")


@dataclass(frozen=True)
class Call:
    """path: within the service, without a slash before it. query: as in the address, still encoded."""

    method: str
    path: str
    query: str = ""
    body: bytes = b""
    media_type: str = JSON

    def options(self, zone: Any) -> Options:
        """Raises BadQuery."""
        if len(self.query) > MAX_QUERY_BYTES:
            raise BadQuery(f"the query has {len(self.query)} characters; at most {MAX_QUERY_BYTES} are read")
        try:
            pairs = parse_qsl(self.query, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS)
        except ValueError:
            raise BadQuery("the query cannot be read: percent-encoded UTF-8 is wanted") from None
        if any("\0" in text for _, text in pairs):
            raise BadQuery("the query holds a NUL character")
        return read_options(pairs, zone)

    def json(self) -> Any:
        """The body. Raises BadEntity."""
        if b"\\u0000" in self.body:
            raise BadEntity("the body holds a NUL character, which no text may")
        try:
            with without_collection():
                return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise BadEntity(f"the body is no JSON: {error}") from None

    def assumed(self, zone: ZoneInfo) -> dict[str, str]:
        """Headers that say so where times of the body name no offset and were taken as the zone's."""
        return {"Twin-Assumed-Zone": zone.key} if BARE_TIME.search(self.body) else {}


@dataclass(frozen=True)
class Answer:
    """What a call comes to; body: a document to be told as JSON, or bytes of another media type."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = JSON
