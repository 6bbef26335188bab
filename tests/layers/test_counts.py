"""Counts that are kept: told again, and never after what they counted has changed."""

import pytest

from cim_models.database import Database
from layers.access import PUBLIC
from layers.catalog import Catalog, load_catalog
from layers.counts import Counts
from layers.edit import Edit, Erase, Insert, apply
from layers.filters import parse_filter
from layers.query import Bbox, Selection
from tests.enact import EDITOR, PLACE, SIDE, footprint


class Counted:
    """A city that is edited and counted in turn; beside each kept count, one by who has kept nothing."""

    def __init__(self, database: Database, catalog: Catalog) -> None:
        self._database, self._catalog, self._kept = database, catalog, Counts()

    async def build(self, number: int, height: float = 10) -> int:
        properties = {"class": "Building", "height": height}
        return await self.edit(Insert(layer="buildings", properties=properties, geometry=footprint(number)))

    async def edit(self, edit: Edit) -> int:
        return (await apply(self._database, self._catalog, EDITOR, [edit]))[0]

    async def count(self, *, where: str | None = None, bbox: Bbox | None = None) -> int:
        chosen = None if where is None else parse_filter(where)
        selection = Selection(self._catalog.layer("buildings", PUBLIC), filter=chosen, bbox=bbox)
        async with self._database.reading() as connection:
            kept = await self._kept.count(connection, selection, self._catalog, PUBLIC)
            assert kept == await Counts().count(connection, selection, self._catalog, PUBLIC)
        return kept.number


@pytest.fixture
async def counted(empty: Database) -> Counted:
    async with empty.reading() as connection:
        return Counted(empty, await load_catalog(connection, empty.city))


async def test_an_edit_is_counted_at_once(counted: Counted) -> None:
    assert await counted.count() == 0
    first = await counted.build(0)
    assert await counted.count() == 1
    await counted.build(1, height=30)
    assert await counted.count() == await counted.count() == 2
    assert await counted.count(where="height > 20") == 1
    await counted.edit(Erase(layer="buildings", object_id=first))
    assert await counted.count() == 1


async def test_a_box_around_everything_counts_what_lies_in_it_alone(counted: Counted) -> None:
    """A box that held all the city's objects holds it no more when one is built outside."""
    west, south = PLACE[0] - SIDE, PLACE[1] - SIDE
    box = (west, south, west + 4 * SIDE, south + 4 * SIDE)
    await counted.build(0)
    assert await counted.count(bbox=box) == 1
    await counted.build(50)
    assert await counted.count(bbox=box) == 1
    await counted.build(1)
    assert await counted.count(bbox=box) == 2
    assert await counted.count() == 3
