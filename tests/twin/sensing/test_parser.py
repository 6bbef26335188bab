"""The query language: whatever is typed is read or refused; what is read means what its tree says."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.statement import compiled
from twin.sensing import BadQuery
from twin.sensing.model import TYPES
from twin.sensing.odata.options import read_options
from twin.sensing.odata.parser import COMPARISONS, parse
from twin.sensing.odata.sql import condition
from twin.sensing.odata.syntax import Call, Constant, Node, Path

TREES = settings(max_examples=150, deadline=None)
NAMES = st.sampled_from(["name", "properties/a/b", "Datastreams/Observations/result", "@iot.id", "description"])
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
LEAVES = st.one_of(
    NAMES.map(lambda name: Path(tuple(name.split("/")))),
    TEXTS.map(lambda text: Constant("text", text)),
    st.integers(0, 10**15).map(lambda number: Constant("number", number)),
    st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)).map(lambda t: Constant("time", t)),
    st.booleans().map(lambda value: Constant("bool", value)),
)


def calls(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    binary = st.sampled_from(["and", "or", *COMPARISONS, "add", "sub", "mul", "div", "mod", "concat", "startswith"])
    return st.one_of(
        st.builds(lambda name, left, right: Call(name, (left, right)), binary, inner, inner),
        st.builds(lambda node: Call("not", (node,)), inner),
        st.builds(lambda node: Call("length", (node,)), inner),
    )


NODES = st.recursive(LEAVES, calls, max_leaves=8)
FUNCTIONS = ("concat", "startswith", "length")


def written(node: Node) -> str:
    """An expression as text, every part of it in brackets."""
    if isinstance(node, Path):
        return "/".join(node.steps)
    if isinstance(node, Constant):
        match node.value:
            case bool(value):
                return str(value).lower()
            case datetime() as value:
                return value.isoformat().replace("+00:00", "Z")
            case str(value):
                return "'" + value.replace("'", "''") + "'"
            case value:
                return str(value)
    if node.name in FUNCTIONS:
        return f"{node.name}({', '.join(written(each) for each in node.arguments)})"
    if node.name == "not":
        return f"(not ({written(node.arguments[0])}))"
    left, right = (written(each) for each in node.arguments)
    return f"(({left}) {node.name} ({right}))"


@TREES
@given(NODES)
def test_what_is_written_is_read_back(node: Node) -> None:
    assert parse(written(node)) == node


@TREES
@given(st.text(st.sampled_from("abeqndlt 'geo.()/,;=$@:-+0123456789TZ\"\\%é"), max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing but BadQuery ever comes out, whatever the option."""
    for option in ("$filter", "$orderby", "$expand", "$select", "$top", "$count", "$skiptoken"):
        try:
            read_options([(option, text)])
        except BadQuery:
            continue


@TREES
@given(NODES)
def test_values_are_bound_and_never_written_into_sql(node: Node) -> None:
    """Every text of the query leaves as an argument: the SQL holds none of it."""
    text = "'; drop table sensing.thing; --"
    planted = Call("and", (node, Call("eq", (Path(("name",)), Constant("text", text)))))
    thing = TYPES[0]
    table = thing.table.alias()
    try:
        statement = compiled(condition(planted, thing, table))
    except BadQuery:
        return
    assert "drop table" not in statement.sql
    assert text in statement.arguments


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("a or b and c", "a or (b and c)"),
        ("not a and b", "(not a) and b"),
        ("a add b mul c eq d", "(a add (b mul c)) eq d"),
        ("a sub b sub c eq 1", "((a sub b) sub c) eq 1"),
        ("a eq 1 or b eq 2 and not c eq 3", "(a eq 1) or ((b eq 2) and (not (c eq 3)))"),
    ],
)
def test_operators_bind_as_the_standard_has_it(text: str, same: str) -> None:
    """OGC 18-088, table 22."""
    assert parse(text) == parse(same)
