"""JSON schemas (2020-12) in the dialect of OGC API Processes: that of OpenAPI 3.0, and no word beyond it."""

from collections.abc import Mapping
from typing import Any

# schema.yaml of 18-062r2 allows nothing else.
KEYWORDS = {
    "title", "multipleOf", "maximum", "minimum", "maxLength", "minLength", "pattern", "maxItems", "minItems",
    "uniqueItems", "maxProperties", "minProperties", "required", "enum", "type", "not", "allOf", "oneOf", "anyOf",
    "items", "properties", "additionalProperties", "description", "format", "default", "nullable", "readOnly",
    "writeOnly", "example", "deprecated", "contentMediaType", "contentEncoding",
}  # fmt: skip
NULL = {"type": "null"}


def in_ogc_dialect(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema without references as schema.yaml wants it; what its dialect cannot say is left out."""
    found = {name: _value(name, value) for name, value in schema.items() if name in KEYWORDS}
    for name, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if name in schema:
            found |= {limit: schema[name], name: True}
    if "const" in schema:
        found["enum"] = [schema["const"]]
    if "prefixItems" in schema:
        kinds = [in_ogc_dialect(each) for each in schema["prefixItems"]]
        found["items"] = kinds[0] if all(kind == kinds[0] for kind in kinds) else {"anyOf": kinds}
    if NULL in schema.get("anyOf", ()):
        others = [in_ogc_dialect(each) for each in schema["anyOf"] if each != NULL]
        del found["anyOf"]
        found |= {"nullable": True, **(others[0] | found if len(others) == 1 else {"anyOf": others})}
    return found


def _value(name: str, value: Any) -> Any:
    if name in ("allOf", "oneOf", "anyOf"):
        return [in_ogc_dialect(each) for each in value]
    if name == "properties":
        return {key: in_ogc_dialect(each) for key, each in value.items()}
    if name in ("items", "not", "additionalProperties") and isinstance(value, Mapping):
        return in_ogc_dialect(value)
    return value
