"""Source fields to typed columns: parsed, converted in unit, mapped by value; a value that is none rejects its row."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from cim_models.theme import Attribute, AttributeType
from layers import units
from layers.columns import COLUMN_TYPES
from layers.mapping.batch import Verdict
from layers.recipe import FieldRule, PropertyType, constant

NUMBER = r"^[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?$"
TRUE, FALSE = ("true", "yes", "y", "1", "t", "是"), ("false", "no", "n", "0", "f", "否")
INT32 = np.iinfo(np.int32)
NUL = "\x00"


def clean(batch: pa.RecordBatch, verdict: Verdict) -> pa.RecordBatch:
    """The batch with its text fields trimmed and empty texts null; text that no database can hold rejects its row."""
    columns = [
        _clean_text(column, field.name, verdict) if pa.types.is_string(field.type) else column
        for field, column in zip(batch.schema, batch.columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)


def _clean_text(column: pa.Array, name: str, verdict: Verdict) -> pa.Array:
    try:
        column.cast(pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:
        column = _decodable(column, name, verdict)
    trimmed = pc.utf8_trim_whitespace(column)
    verdict.reject(_mask(pc.match_substring(trimmed, NUL)), f"{name}: a NUL character in the text")
    return pc.if_else(pc.equal(trimmed, ""), None, trimmed)


def _decodable(column: pa.Array, name: str, verdict: Verdict) -> pa.Array:
    texts: list[str | None] = []
    for index, raw in enumerate(column.cast(pa.binary()).to_pylist()):
        try:
            texts.append(None if raw is None else raw.decode())
        except UnicodeDecodeError:
            texts.append(None)
            verdict.reject_row(index, f"{name}: text that is not UTF-8")
    return pa.array(texts, pa.string())


def column(batch: pa.RecordBatch, attribute: Attribute, rule: FieldRule, verdict: Verdict) -> pa.Array:
    """The column of one attribute as the rule says."""
    if rule.value is not None:
        return pa.repeat(pa.scalar(constant(attribute, rule.value), COLUMN_TYPES[attribute.type]), batch.num_rows)
    raw = batch.column(rule.field)
    if rule.map is not None:
        found = _mapped(raw, attribute, rule.map)
    else:
        scale = units.factor(rule.unit, attribute.unit) if rule.unit and attribute.unit else 1.0
        found = typed(raw, attribute.type, attribute.name, verdict, scale)
    if rule.default is not None:
        found = pc.fill_null(found, pa.scalar(constant(attribute, rule.default), found.type))
    return found


def _mapped(raw: pa.Array, attribute: Attribute, values: Mapping[str, str]) -> pa.Array:
    kind = COLUMN_TYPES[attribute.type]
    keys = pa.array(list(values), pa.string())
    targets = pa.array([constant(attribute, value) for value in values.values()], kind)
    return targets.take(pc.index_in(as_text(raw), keys))


def typed(raw: pa.Array, kind: AttributeType, name: str, verdict: Verdict, scale: float = 1.0) -> pa.Array:
    """A source column as text, integer, number or boolean; numbers times `scale`."""
    if kind == "text":
        return as_text(raw)
    if kind == "boolean":
        return _booleans(raw, name, verdict)
    numbers = _numbers(raw, name, verdict)
    if scale != 1.0:
        numbers = pc.multiply(numbers, scale)
    return _integers(numbers, name, verdict) if kind == "integer" else numbers


def as_text(raw: pa.Array) -> pa.Array:
    """Any column as text; a whole number has no decimals, lists and the like are JSON."""
    if pa.types.is_string(raw.type):
        return raw
    if pa.types.is_floating(raw.type):
        whole = raw.cast(pa.int64(), safe=False)
        # 69382.0 is a code that went through a spreadsheet.
        return pc.if_else(
            pc.equal(whole.cast(raw.type, safe=False), raw), whole.cast(pa.string()), raw.cast(pa.string())
        )
    if pa.types.is_nested(raw.type) or pa.types.is_binary(raw.type):
        return pa.array([None if v is None else orjson.dumps(v, default=str).decode() for v in raw.to_pylist()])
    return raw.cast(pa.string())


def _numbers(raw: pa.Array, name: str, verdict: Verdict) -> pa.Array:
    if pa.types.is_string(raw.type):
        raw = pc.utf8_trim_whitespace(raw)
        good = pc.match_substring_regex(raw, NUMBER)
        for index in np.flatnonzero(~_mask(good, null=True)).tolist():
            verdict.reject_row(index, f"{name}: {raw[index].as_py()!r} is no number")
        # Arrow's parser knows no leading plus and no bare point.
        raw = pc.replace_substring_regex(pc.if_else(good, raw, None), r"^\+", "")
    elif not (pa.types.is_integer(raw.type) or pa.types.is_floating(raw.type) or pa.types.is_boolean(raw.type)):
        verdict.reject(_mask(raw.is_valid()), f"{name}: {raw.type} is no number")
        return pa.nulls(len(raw), pa.float64())
    elif pa.types.is_boolean(raw.type):
        raw = raw.cast(pa.int8())
    numbers = raw.cast(pa.float64(), safe=False)
    # NaN is how a field without nulls says that there is none.
    numbers = pc.if_else(pc.is_nan(numbers), None, numbers)
    verdict.reject(_mask(pc.is_inf(numbers)), f"{name}: an infinite number")
    return numbers


def _integers(numbers: pa.Array, name: str, verdict: Verdict) -> pa.Array:
    values = numbers.to_numpy(zero_copy_only=False)
    given = ~np.isnan(values)
    fits = (values >= INT32.min) & (values <= INT32.max) & (values == np.floor(values))
    for index in np.flatnonzero(given & ~fits).tolist():
        verdict.reject_row(index, f"{name}: {values[index]:.15g} is no whole number of 32 bits")
    good = given & fits
    return pa.array(np.where(good, values, 0).astype(np.int32), mask=~good)


def _booleans(raw: pa.Array, name: str, verdict: Verdict) -> pa.Array:
    if pa.types.is_boolean(raw.type):
        return raw
    words = pc.utf8_lower(as_text(raw))
    yes, no = pc.is_in(words, pa.array(TRUE)), pc.is_in(words, pa.array(FALSE))
    for index in np.flatnonzero(~_mask(pc.or_(yes, no)) & _mask(words.is_valid())).tolist():
        verdict.reject_row(index, f"{name}: {words[index].as_py()!r} is neither yes nor no")
    return pc.if_else(pc.or_(yes, no), yes, pa.scalar(None, pa.bool_()))


def _mask(booleans: pa.Array, *, null: bool = False) -> Any:
    """A numpy mask of an Arrow one."""
    return pc.fill_null(booleans, null).to_numpy(zero_copy_only=False)


def property_type(kind: pa.DataType) -> PropertyType | None:
    """What a source field is as a JSON property; None for what has no place in JSON (raw bytes)."""
    checks: tuple[tuple[Any, PropertyType | None], ...] = (
        (pa.types.is_boolean, "boolean"),
        (pa.types.is_integer, "integer"),
        (pa.types.is_floating, "number"),
        (pa.types.is_decimal, "number"),
        (pa.types.is_date, "date"),
        (pa.types.is_timestamp, "datetime"),
        (pa.types.is_nested, "json"),
        (pa.types.is_binary, None),
        (pa.types.is_large_binary, None),
    )
    return next((name for check, name in checks if check(kind)), "text")
