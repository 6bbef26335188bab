"""Further source fields as one JSON object a row, built column by column."""

from collections.abc import Sequence

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from cim_models.theme import AttributeType
from layers.mapping.batch import Verdict
from layers.mapping.values import as_text, typed
from layers.recipe import PropertyType

PLAIN: dict[PropertyType, AttributeType] = {
    "text": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
}
# JSON has short forms for these; other control characters are rare enough to be looked at one by one.
ESCAPES = (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"))
CONTROL = r"[\x00-\x1f]"
SPECIAL = r"[\x00-\x1f\"\\]"


def json_objects(columns: Sequence[tuple[str, PropertyType, pa.Array]], rows: int, verdict: Verdict) -> pa.Array:
    """{"name": value, ...} for each row, without the nulls; the type says how a column's values are read."""
    members = [_members(name, kind, column, verdict) for name, kind, column in columns]
    if not members:
        return pa.repeat(pa.scalar("{}"), rows)
    # Each member brings its comma; Arrow's own way to leave out nulls drops the rows in which all of them are null.
    joined = pc.binary_join_element_wise(*members, "")
    return pc.binary_join_element_wise("{", pc.utf8_slice_codeunits(joined, 1), "}", "")


def checked_objects(texts: pa.Array, name: str, verdict: Verdict) -> pa.Array:
    """A text column that holds JSON objects already; null is the empty object, anything else rejects its row."""
    good = []
    for index, text in enumerate(texts.to_pylist()):
        parsed = _parsed(text) if text is not None else {}
        good.append(text if isinstance(parsed, dict) and text is not None else "{}")
        if not isinstance(parsed, dict) or "\\u0000" in (text or ""):
            verdict.reject_row(index, f"{name}: no JSON object")
    return pa.array(good, pa.string())


def _members(name: str, kind: PropertyType, column: pa.Array, verdict: Verdict) -> pa.Array:
    key = f",{orjson.dumps(name).decode()}:"
    values = _json_values(name, kind, column, verdict)
    return pc.fill_null(pc.binary_join_element_wise(key, values, ""), "")


def _json_values(name: str, kind: PropertyType, column: pa.Array, verdict: Verdict) -> pa.Array:
    if kind == "json":
        return _documents(name, column, verdict)
    if kind in ("date", "datetime"):
        return _quoted(_iso(column))
    # The source's own integers may need 64 bits, and JSON has them.
    if kind == "integer" and pa.types.is_integer(column.type):
        return column.cast(pa.string())
    values = typed(column, PLAIN[kind], name, verdict)
    return _quoted(values) if pa.types.is_string(values.type) else values.cast(pa.string())


def _iso(column: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(column.type):
        zone = "UTC" if column.type.tz else None
        moments = column.cast(pa.timestamp("ms", zone), safe=False)
        return pc.strftime(moments, format=f"%Y-%m-%dT%H:%M:%S{'Z' if zone else ''}")
    return as_text(column)


def _quoted(texts: pa.Array) -> pa.Array:
    escaped = texts
    if pc.any(pc.match_substring_regex(texts, SPECIAL)).as_py():
        for char, escape in ESCAPES:
            escaped = pc.replace_substring(escaped, char, escape)
    odd = pc.fill_null(pc.match_substring_regex(escaped, CONTROL), False).to_numpy(zero_copy_only=False)
    quoted = pc.binary_join_element_wise('"', escaped, '"', "")
    if odd.any():
        by_hand = quoted.to_pylist()
        for index in np.flatnonzero(odd).tolist():
            by_hand[index] = orjson.dumps(texts[index].as_py()).decode()
        quoted = pa.array(by_hand, pa.string())
    return quoted


def _documents(name: str, column: pa.Array, verdict: Verdict) -> pa.Array:
    """JSON in a text field, or the lists and structures of a format that has them."""
    written: list[str | None] = []
    for index, value in enumerate(column.to_pylist()):
        document = _parsed(value) if isinstance(value, str) else value
        if document is ... or (isinstance(value, str) and "\\u0000" in value):
            verdict.reject_row(index, f"{name}: no JSON")
            document = None
        written.append(None if document is None else orjson.dumps(document, default=str).decode())
    return pa.array(written, pa.string())


def _parsed(text: str) -> object:
    """The JSON document, or an ellipsis where it is none."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return ...
