"""`python -m bench`: every benchmark, its tables on the screen and in bench/results/."""

import argparse
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from bench import features, imports, maps, peers, tiles
from bench.place import database_server, lay_down
from bench.report import machine
from cim_models.embedded import Cluster
from layers.load import load, recipe_deliveries
from layers.recipe import read_recipe
from twin.demo import generate

RESULTS = Path(__file__).parent / "results"
PAST_AND_FILTER = {
    "now": "",
    "a past day": "?datetime=2021-06-01",
    "height > 20": "?filter=height%20%3E%2020",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--install", action="store_true", help="first put the peers into bench/peers")
    parser.add_argument("--only", choices=["imports", "tiles", "features", "maps"], help="one part alone")
    parser.add_argument("--data", type=Path, help="folder with tokyo_koto/ and osm/, for real data besides")
    parser.add_argument("--buildings", type=int, default=200_000, help="size of the made-up city (200000)")
    parser.add_argument("--workers", type=int, default=2, help="processes of each server (2)")
    chosen = parser.parse_args()
    if chosen.install:
        peers.install()
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{datetime.now(UTC):%Y-%m-%d-%H%M}.md"
    with file.open("w", encoding="utf-8") as out:
        for part in sections(chosen):
            print(part, flush=True)
            out.write(part + "\n\n")
    print(f"written to {file}")


def sections(chosen: argparse.Namespace) -> Iterator[str]:
    """The parts of the report as they are done."""
    yield f"# CityTwin beside its peers\n\n{machine()}"
    with database_server() as cluster, tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        folder.chmod(0o755)
        city = generate(folder, buildings=chosen.buildings)
        recipe, file = imports.demo_footprints(city, folder)
        places = [("made-up city", recipe, folder, file)]
        if chosen.data:
            koto = chosen.data / "tokyo_koto" / "tokyo_koto_ward_13108.fgb"
            places.append(("Koto", imports.CITIES / "koto.yaml", chosen.data, koto))
        for name, recipe, data, file in places:
            if chosen.only in (None, "imports"):
                yield f"## Import: {name}\n\n{imports.footprints(cluster, recipe, data, file)}"
            if chosen.only in (None, "tiles", "features"):
                laid = bed(cluster, recipe, data, chosen.workers)
                if chosen.only != "features":
                    yield from tile_sections(name, laid, folder)
                if chosen.only != "tiles":
                    yield f"## Features of {name}\n\n{features.pages(laid, folder)}"
        if chosen.only in (None, "maps"):
            yield f"## Maps of the made-up city\n\n{maps.beside_mapserver(cluster, city, chosen.workers)}"
        if chosen.data and chosen.only in (None, "imports"):
            extract = chosen.data / "osm" / "liechtenstein-20210505.osm.pbf"
            found = imports.openstreetmap(cluster, imports.CITIES / "liechtenstein.yaml", chosen.data, extract)
            yield f"## Import: Liechtenstein from OpenStreetMap\n\n{found}"


def tile_sections(name: str, bed: tiles.Bed, folder: Path) -> Iterator[str]:
    yield f"## Tiles of {name}\n\n{tiles.same_objects(bed, folder)}"
    yield f"### {name}: one cached tile\n\n{tiles.cached_tile(bed, folder)}"
    yield f"### {name}: uncached tiles\n\n{tiles.uncached_tiles(bed, folder)}"
    yield f"### {name}: a viewer pans and zooms\n\n{tiles.pan_and_zoom(bed, folder)}"
    yield f"### {name}: the heaviest tiles, cold\n\n{tiles.heaviest(bed, PAST_AND_FILTER)}"


def bed(cluster: Cluster, recipe: Path, data: Path, workers: int) -> tiles.Bed:
    """A city with the recipe's buildings and their overviews, ready to be served."""
    read = read_recipe(recipe)
    spec = read.city.spec()
    url = lay_down(cluster, spec)
    # Buildings are shown from z9 on; peers answer at every zoom, and all must do the same work.
    with psycopg.connect(url) as connection:
        connection.execute("update layer set min_zoom = 0 where id = %s", (tiles.LAYER,))
    for deliveries in recipe_deliveries(read, data):
        load(url, deliveries, who="bench", home=cluster.home / "data" / spec.name)
    imports.build_overviews(url)
    west, south, east, north = imports.extent(url)
    return tiles.Bed(
        city=spec.name,
        url=cluster.url(f"city_{spec.name}", tcp=True),
        home=cluster.home,
        centre=((west + east) / 2, (south + north) / 2),
        bbox=(west, south, east, north),
        workers=workers,
    )


if __name__ == "__main__":
    main()
