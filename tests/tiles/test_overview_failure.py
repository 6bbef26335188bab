"""A layer whose overviews cannot be built is its own trouble: the others stand, and it is drawn from its objects."""

from collections.abc import Sequence

import pytest

from cim_models.database import Connection, Database
from tests import town
from tests.tiles.reading import drawn, features, tile_over
from tests.tiles.test_service import edited
from tiles.overview import follow
from tiles.overview.level import Ints
from tiles.overview.source import Source

TILE = tile_over(town.WEST + 0.0045, town.SOUTH + 0.002, 12)


async def built(database: Database) -> set[str]:
    async with database.reading() as connection:
        return {row["layer"] for row in await connection.fetch("select layer from overview_layer")}


@pytest.mark.parametrize("at_first", [True, False])
async def test_one_layer_s_failure_stalls_no_other(
    own_town: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, at_first: bool
) -> None:
    """Whether it fails when it is first built or after an edit; built again as soon as it can be."""
    build = follow.build_cells

    async def failing(connections: Sequence[Connection], source: Source, cells: Ints) -> None:
        if source.layer.id == "buildings":
            # As a statement that fails in the middle of the work.
            async with connections[0].transaction():
                await connections[0].execute("select 1 / 0")
        await build(connections, source, cells)

    async def layer_failing(connections: Sequence[Connection], source: Source) -> None:
        if source.layer.id == "buildings":
            await connections[0].execute("select 1 / 0")
        await build_layer(connections, source)

    build_layer = follow.build_layer
    if not at_first:
        await follow.catch_up(own_town)
        assert "buildings" in await built(own_town)
    monkeypatch.setattr(follow, "build_cells", failing)
    monkeypatch.setattr(follow, "build_layer", layer_failing)
    await edited(own_town, height=77.0)
    await follow.catch_up(own_town)
    assert "overviews of buildings: could not be built" in caplog.text
    assert "facilities" in await built(own_town)
    assert "buildings" not in await built(own_town)
    shown = features((await drawn(own_town, TILE)).body, "buildings", TILE)
    assert 77 in {feature.properties["height"] for feature in shown}
    monkeypatch.undo()
    await follow.catch_up(own_town)
    assert "buildings" in await built(own_town)
    raw = await drawn(own_town, TILE)
    assert raw.settled
    assert 77 in {feature.properties["height"] for feature in features(raw.body, "buildings", TILE)}
