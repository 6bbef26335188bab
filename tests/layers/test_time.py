"""The table of cases (docs/time.md): every reader of the layers shows the same city for the same moment and plan."""

from collections.abc import Awaitable, Callable

import orjson
import pytest
from sqlalchemy import literal_column

from cim_models.database import Database
from layers.access import PUBLIC
from layers.catalog import Catalog
from layers.counts import count
from layers.features import read_page
from layers.query import Selection, rows
from layers.statement import compiled
from tests.cases import CASES, Case
from tests.enact import enact

Reader = Callable[[Database, Catalog, Selection], Awaitable[list[float]]]


async def by_query(database: Database, catalog: Catalog, selection: Selection) -> list[float]:
    statement = compiled(rows(selection, catalog, PUBLIC).add_columns(literal_column("height")))
    async with database.reading() as connection:
        return [row["height"] for row in await connection.fetch(statement.sql, *statement.arguments)]


async def by_features(database: Database, catalog: Catalog, selection: Selection) -> list[float]:
    async with database.reading() as connection:
        page = await read_page(connection, selection, catalog, PUBLIC, limit=100)
    return [orjson.loads(feature)["properties"]["height"] for feature in page.features]


async def test_counts_agree_with_rows(empty: Database) -> None:
    done = await enact(empty, CASES[0])
    async with empty.reading() as connection:
        found = await count(connection, Selection(done.catalog.layer("buildings", PUBLIC)), done.catalog, PUBLIC)
    assert (found.number, found.exact) == (1, True)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_every_reader_shows_the_case(empty: Database, case: Case) -> None:
    done = await enact(empty, case)
    layer = done.catalog.layer("buildings", PUBLIC)
    for look in case.looks:
        selection = Selection(layer, done.view(look))
        for reader in (by_query, by_features):
            assert sorted(await reader(empty, done.catalog, selection)) == list(look.shows), (reader.__name__, look)
