"""Whatever a value is, PostgreSQL reads it back as that value and nothing else, through Mapnik too."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import ARRAY, DateTime, Float, LargeBinary, String, func, literal, literal_column, select
from sqlalchemy.types import BigInteger, NullType

from cim_models.database import Database
from layers.access import PUBLIC
from layers.filters import Filter
from layers.query import Selection, rows
from tests.tiles.reading import catalog_of
from tiles.map.engine import mapnik
from tiles.map.inline import TOKEN, CannotInline, inline

# What has broken such functions before, mixed with anything else.
SPITE = st.sampled_from(
    ["''", "\\'", "E'", "$$", "$1", "%s", "%(x)s", ";--", "/*", "*/", "!bbox!", "!@request!", "null", "x'or'1'='1"]
)
TEXTS = st.lists(
    st.one_of(
        SPITE,
        st.sampled_from("'\\%!@\n\t\r\ufeff\u2028\uff07\x7f\x01海😀"),
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    )
).map("".join)
VALUES = st.one_of(
    TEXTS,
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.booleans(),
    st.binary(max_size=40),
    st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)),
    st.lists(TEXTS, min_size=1, max_size=4),
)


@pytest.fixture(scope="module")
def connection(town_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(town_url, autocommit=True) as opened:
        yield opened


def bound(value: Any) -> Any:
    kinds = {str: String(), float: Float(), bytes: LargeBinary(), datetime: DateTime(timezone=True), int: BigInteger()}
    kind = ARRAY(String()) if isinstance(value, list) else kinds.get(type(value))
    return literal(value, kind) if kind is not None else literal(value)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(VALUES)
@example("!bbox!")
@example("!@near!' or true --")
@example("\\'; drop table building; --")
@example("100%s %(x)s %%")
@example(-1)
@example(-1.5)
@example(float("inf"))
def test_a_value_comes_back_as_it_is(connection: psycopg.Connection[Any], value: Any) -> None:
    sql = inline(select(bound(value).label("v"), literal(1).label("one")))
    assert TOKEN.search(sql) is None
    for conforming in ("on", "off"):
        connection.execute(f"set standard_conforming_strings = {conforming}")
        # Sent as it stands, in the simple protocol: psycopg looks for no placeholders without arguments.
        row = connection.execute(sql.encode()).fetchone()
        assert row == (value, 1)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS)
@example("!bbox!")
@example("a!@near!b")
def test_mapnik_changes_nothing_of_a_value(town_url: str, value: str) -> None:
    """The text is read back from a feature that Mapnik fetched, with every token of the maps set."""
    sql = inline(select(literal(value, String()).label("v"), literal_column("1").label("key"), _point()))
    (found,) = _fetched(town_url, f"({sql}) q")
    # Reading, Mapnik takes a byte order mark at the beginning for no letter.
    assert found == value.removeprefix("\ufeff")


def _point() -> Any:
    return func.ST_SetSRID(func.ST_Point(literal(0.0), literal(0.0)), literal_column("3857"), type_=NullType()).label(
        "geom"
    )


def _fetched(url: str, table: str) -> list[str]:
    parts = psycopg.conninfo.conninfo_to_dict(url)
    source = mapnik.CreateDatasource(
        type="postgis",
        **{"dbname": parts["dbname"], "user": parts["user"], "host": parts["host"]},
        table=table,
        geometry_field="geom",
        key_field="key",
        srid="3857",
        extent="-10,-10,10,10",
    )
    return [feature["v"] for feature in source]


async def test_a_hostile_filter_selects_nothing_and_harms_nothing(town_database: Database) -> None:
    """The whole way from a filter to a statement, with the values that would end a literal."""
    catalog = await catalog_of(town_database)
    layer = catalog.layer("buildings", PUBLIC)
    for hostile in ("x' or 1=1 --", "\\' or true; drop table building; --", "!bbox!", "%(class_1)s", "海'晏"):
        named = [{"op": op, "args": [{"property": "name"}, hostile + end]} for op, end in (("=", ""), ("like", "%"))]
        found = rows(Selection(layer, filter=Filter({"op": "or", "args": named})), catalog, PUBLIC).add_columns(
            literal_column("object_id")
        )
        sql = inline(found)
        async with town_database.reading() as connection:
            assert await connection.fetch(sql) == []
            assert await connection.fetchval("select count(*) from building") > 0


@pytest.mark.parametrize("value", ["nul\0", "half \ud83d", {"a": 1}, object()])
def test_what_has_no_literal_is_refused(value: Any) -> None:
    with pytest.raises(CannotInline):
        inline(select(literal(value, String())))


def test_a_statement_that_mapnik_would_change_is_refused() -> None:
    """A token is Mapnik's only where the caller says so."""
    place = literal_column("!@near!::geometry")
    assert "!@near!" in inline(select(place), tokens=("@near",))
    with pytest.raises(CannotInline, match="@near"):
        inline(select(place))
