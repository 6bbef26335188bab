"""YAML without its traps: every scalar stays the text that was written, and nothing is said twice.

In plain YAML `no` is false, `0101` is 65 and `1.10` is 1.1; a code list or a building tag must not change like that.
Whoever reads the result converts where a number is meant. Anchors, aliases and tags are refused: a recipe needs none,
and they are how a small file grows without end.
"""

from typing import Any

import yaml

DEEPEST = 20


class StrictYamlError(ValueError):
    """The text is no YAML, or uses what is refused; the message gives line and column."""


class _Loader(yaml.BaseLoader):
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) or getattr(event, "tag", None):
            raise yaml.MarkedYAMLError(problem="anchors, aliases and tags are not read", problem_mark=event.start_mark)
        if self.depth == DEEPEST:
            raise yaml.MarkedYAMLError(problem=f"nested deeper than {DEEPEST}", problem_mark=event.start_mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key must be a word", problem_mark=key.start_mark)
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"{key.value} stands here twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def load(text: str) -> Any:
    """The document as dicts, lists and texts; None for an empty one. Raises StrictYamlError."""
    try:
        return yaml.load(text, Loader=_Loader)  # a BaseLoader builds nothing but text
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise StrictYamlError(f"{where}{error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise StrictYamlError(str(error).splitlines()[0]) from None
