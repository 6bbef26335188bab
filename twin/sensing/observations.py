"""Observations as clients send them: read, checked, and made into readings."""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import orjson

from twin.sensing import BadEntity
from twin.sensing.batch import Reading
from twin.sensing.odata.parser import read_moment

# Forecasts are observations too; beyond this it is a broken clock.
FUTURE = timedelta(days=10 * 366)
MAX_JSON = 1_000_000
PROPERTIES = (
    "phenomenonTime",
    "result",
    "resultTime",
    "resultQuality",
    "validTime",
    "parameters",
    "FeatureOfInterest",
    "Datastream",
    "MultiDatastream",
)

Span = tuple[datetime, datetime | None]


def read_observation(
    given: Mapping[str, Any], datastream_id: int, zone: tzinfo, *, feature_id: int | None = None
) -> Reading:
    """A reading from an Observation's JSON. zone: of times that name none. Raises BadEntity."""
    if "result" not in given:
        raise BadEntity("an Observation needs a result")
    time, time_end = (
        read_span(given["phenomenonTime"], "phenomenonTime", zone)
        if given.get("phenomenonTime") is not None
        else (datetime.now(UTC), None)
    )
    number, text, packed = read_result(given["result"])
    valid = (None, None) if given.get("validTime") is None else read_span(given["validTime"], "validTime", zone)
    result_time = given.get("resultTime")
    return Reading(
        datastream_id,
        time,
        number,
        text,
        packed,
        time_end,
        None if result_time is None else read_time(result_time, "resultTime", zone),
        valid[0],
        valid[1] or valid[0],
        _packed(given.get("resultQuality"), "resultQuality"),
        _packed(given.get("parameters"), "parameters"),
        feature_id,
    )


def row_reader(components: Sequence[str], datastream_id: int, zone: tzinfo) -> Callable[[Sequence[Any]], Reading]:
    """What reads the rows of a dataArray; it raises BadEntity."""

    def read(row: Sequence[Any]) -> Reading:
        if len(row) != len(components):
            raise BadEntity(f"a row has {len(row)} values for {len(components)} components")
        given = dict(zip(components, row, strict=True))
        feature = given.get("FeatureOfInterest/id", given.get("FeatureOfInterest/@iot.id"))
        return read_observation(given, datastream_id, zone, feature_id=None if feature is None else read_id(feature))

    if sorted(components) != ["phenomenonTime", "result"]:
        return read
    at, of = components.index("phenomenonTime"), components.index("result")

    def read_plain(row: Sequence[Any]) -> Reading:
        # Nearly every row: a moment and a number, in a fifth of the time.
        if len(row) == 2 and type(row[of]) is float and type(row[at]) is str and "/" not in row[at]:
            return Reading(datastream_id, read_time(row[at], "phenomenonTime", zone), read_number(row[of]))
        return read(row)

    return read_plain


def read_result(value: Any) -> tuple[float | None, str | None, str | None]:
    """A result as number, text or JSON text. Raises BadEntity."""
    if isinstance(value, bool):
        return None, None, "true" if value else "false"
    if isinstance(value, int | float):
        return read_number(value), None, None
    if isinstance(value, str):
        return None, _clean(value, "result"), None
    return None, None, "null" if value is None else _packed(value, "result")


def read_number(value: float) -> float:
    """Raises BadEntity for what is not finite, or nearly so."""
    number = float(value) if abs(value) < 1e300 else math.inf
    if not math.isfinite(number):
        raise BadEntity("result: a finite number is wanted")
    return number


def read_time(value: Any, name: str, zone: tzinfo) -> datetime:
    """A moment; one that names no offset is taken in `zone`. Raises BadEntity."""
    if not isinstance(value, str) or len(value) > 64:
        raise BadEntity(f"{name}: an ISO 8601 time is wanted")
    try:
        # The usual form, without the detour that odd ones need.
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
    except ValueError:
        try:
            moment = read_moment(value, zone)
        except ValueError as error:
            raise BadEntity(f"{name}={value[:64]!r}: an ISO 8601 time is wanted ({error})") from None
    try:
        moment = moment.astimezone(UTC)
        is_future = moment > datetime.now(UTC) + FUTURE
    except OverflowError:
        is_future = True
    if is_future:
        raise BadEntity(f"{name}={value!r}: that is more than ten years ahead")
    return moment


def read_span(value: Any, name: str, zone: tzinfo) -> Span:
    """A moment, or an interval a/b. Raises BadEntity."""
    if isinstance(value, str) and "/" in value:
        first, _, last = value.partition("/")
        span = read_time(first, name, zone), read_time(last, name, zone)
        if span[1] < span[0]:
            raise BadEntity(f"{name}={value[:130]!r}: it ends before it begins")
        return span
    return read_time(value, name, zone), None


def read_id(value: Any) -> int:
    """The id in {"@iot.id": 5}, or as it stands. Raises BadEntity."""
    if isinstance(value, Mapping):
        value = value.get("@iot.id")
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:19])
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise BadEntity("an id is wanted: {'@iot.id': a whole number}")
    return value


def _packed(value: Any, name: str) -> str | None:
    if value is None:
        return None
    try:
        packed = orjson.dumps(value).decode()
    except (TypeError, orjson.JSONEncodeError) as error:
        raise BadEntity(f"{name}: is no JSON: {error}") from None
    if len(packed) > MAX_JSON or "\\u0000" in packed:
        raise BadEntity(f"{name}: at most {MAX_JSON:,} characters without NUL are kept")
    return packed


def _clean(text: str, name: str) -> str:
    if len(text) > MAX_JSON or "\0" in text:
        raise BadEntity(f"{name}: at most {MAX_JSON:,} characters without NUL are kept")
    return text
