"""The table of cases (docs/time.md): tiles show the same city as every other reader, however they are drawn."""

import pytest

from cim_models.database import Database
from layers.catalog import Catalog
from layers.view import View
from tests.cases import CASES, Case
from tests.enact import enact, footprint
from tests.tiles.reading import drawn, features, tile_over
from tiles.overview.follow import catch_up

# Where the cases build: by hand, and by the names that the data set's buildings have.
PLACES = [footprint(number).centroid for number in (0, *map(ord, "abcd"))]


async def heights(database: Database, catalog: Catalog, view: View, zoom: int) -> list[float]:
    found: dict[int | None, float] = {}
    for tile in {tile_over(place.x, place.y, zoom) for place in PLACES}:
        raw = await drawn(database, tile, view=view, catalog=catalog)
        found |= {feature.id: feature.properties["height"] for feature in features(raw.body, "buildings", tile)}
    return sorted(found.values())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_every_tile_shows_the_case(empty: Database, case: Case) -> None:
    """From all objects, from the largest of them, from overviews that lag behind, and from those that caught up."""
    await catch_up(empty)
    done = await enact(empty, case)
    for zooms in ((16, 14, 13), (13, 12)):
        for look in case.looks:
            for zoom in zooms:
                assert await heights(empty, done.catalog, done.view(look), zoom) == list(look.shows), (
                    zoom,
                    zooms,
                    look,
                )
        await catch_up(empty)
