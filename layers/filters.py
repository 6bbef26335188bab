"""Filters: CQL2 text or JSON (OGC 21-065r2), read by the `cql2` library into one kind of tree."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import cql2

from cim_models.theme import Attribute
from layers import LayerError

MAX_LENGTH = 16_384
# The parser recurses and ends the process at a few hundred levels; nobody writes fifty by hand.
MAX_DEPTH = 48
# A level of brackets becomes at most four levels of JSON: operation, its arguments, a list, a value.
MAX_TREE_DEPTH = 4 * MAX_DEPTH
# A quote after an odd number of backslashes: pairs of them are backslashes of a pattern.
ESCAPED_QUOTE = re.compile(r"(?<!\\)((?:\\\\)*)\\'")
Language = Literal["cql2-text", "cql2-json"]


class FilterError(LayerError):
    """A filter that cannot be read, or that names what the layer has not."""


@dataclass(frozen=True)
class Filter:
    """A CQL2 condition as its JSON tree."""

    tree: Mapping[str, Any]


def parse_filter(source: str, language: Language = "cql2-text") -> Filter:
    """Read a CQL2 filter. Raises FilterError with the place of the fault."""
    if len(source) > MAX_LENGTH:
        raise FilterError(f"filter: {len(source)} characters; at most {MAX_LENGTH} are read")
    if "\0" in source:
        raise FilterError("filter: holds a NUL character")
    tree: Any
    try:
        if language == "cql2-json":
            tree = json.loads(source)
            check_depth(tree)
            tree = cql2.parse_json(json.dumps(tree)).to_json()
        else:
            if nesting(source) > MAX_DEPTH:
                raise FilterError(f"filter: nested deeper than {MAX_DEPTH} levels; simplify it")
            # The standard also escapes a quote by a backslash (characterLiteral, escapeQuote); the parser does not.
            tree = cql2.parse_text(ESCAPED_QUOTE.sub(r"\1''", source)).to_json()
    except FilterError:
        raise
    except Exception as error:
        # The library has no one family of errors: an empty point, for one, raises a bare Exception.
        raise FilterError(f"filter: not valid {language}: {error}") from None
    check_depth(tree)
    if isinstance(tree, bool):
        # CQL2 lets a condition be `true` or `false`: all of nothing, any of nothing.
        tree = {"op": "and" if tree else "or", "args": []}
    if not isinstance(tree, dict):
        raise FilterError("filter: must be a condition, e.g. height > 10")
    return Filter(tree)


def nesting(source: str) -> int:
    """An upper bound of how deep the text parser may recurse: brackets open at once, and prefixes that stack."""
    depth = deepest = 0
    for character in source:
        depth += (character in "([") - (character in ")]")
        deepest = max(deepest, depth)
    bare = "".join(source.split())
    return deepest + bare.lower().count("not") + bare.count("--")


def check_depth(tree: Any) -> None:
    """Refuse a JSON tree that is too deep to walk. Raises FilterError."""
    level, depth = [tree], 0
    while level:
        depth += 1
        if depth > MAX_TREE_DEPTH:
            raise FilterError(f"filter: nested deeper than {MAX_DEPTH} levels; simplify it")
        level = [
            child
            for node in level
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
        ]


def all_of(*filters: Filter | None) -> Filter | None:
    """What fulfils every filter given; None if none is."""
    trees = [each.tree for each in filters if each is not None]
    if len(trees) < 2:
        return Filter(trees[0]) if trees else None
    return Filter({"op": "and", "args": trees})


def property_equals(attribute: Attribute, text: str) -> Filter:
    """The filter that `?name=text` means, the text read as the property's type. Raises FilterError."""
    value: str | float | bool = text
    try:
        if attribute.type == "boolean":
            value = {"true": True, "false": False}[text.lower()]
        elif attribute.type != "text":
            value = float(text)
    except (KeyError, ValueError):
        raise FilterError(f"{attribute.name}={text[:60]!r}: the property is {attribute.type}") from None
    return Filter({"op": "=", "args": [{"property": attribute.name}, value]})
