"""Import of footprints with history, checks and overviews, beside a bare COPY, ogr2ogr and osm2pgsql."""

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pyarrow as pa
import pyogrio

from bench.place import lay_down
from bench.report import table
from cim_models.database import Database
from cim_models.embedded import Cluster
from layers.recipe import Recipe, read_recipe
from tiles.overview.follow import catch_up
from twin.demo import DemoCity

CITIES = Path(__file__).resolve().parents[1] / "twin" / "recipes"
HEAD = ["what", "rows", "seconds", "rows/s", "of bare COPY", "peak MB"]


@dataclass(frozen=True)
class Run:
    """One import. copied: seconds of the bare COPY of the same rows, None where there is none to compare with."""

    what: str
    rows: float
    seconds: float
    copied: float | None = None
    megabytes: float | None = None

    def row(self) -> list[str]:
        share = f"{self.copied / self.seconds:.2f}" if self.copied else ""
        memory = f"{self.megabytes:.0f}" if self.megabytes else ""
        return [
            self.what,
            f"{self.rows:,.0f}",
            f"{self.seconds:.2f}",
            f"{self.rows / self.seconds:,.0f}",
            share,
            memory,
        ]


def footprints(cluster: Cluster, recipe: Path, data: Path, file: Path, source_layer: str | None = None) -> str:
    """Import one file of buildings every way there is; a Markdown table."""
    url = lay_down(cluster, read_recipe(recipe).city.spec())
    with tempfile.TemporaryDirectory() as folder:
        changed = _one_percent_higher(read_recipe(recipe), data, file, Path(folder))
        first = _ours(url, recipe, data)
        copied = _bare_copy(url)
        overviews = build_overviews(url)
        again = _ours(url, recipe, data)
        edited = _ours(url, *changed)
    rows = first["inserted"]
    runs = [
        Run("bare COPY into the same table and indexes", rows, copied, copied),
        Run("CityTwin, first load", rows, first["seconds"], copied, first["megabytes"]),
        Run("CityTwin, first load and overviews", rows, first["seconds"] + overviews, copied),
        Run("CityTwin, the same file again", rows, again["seconds"], copied, again["megabytes"]),
        Run(
            f"CityTwin, an edition with {edited['updated']:,} changed",
            rows,
            edited["seconds"],
            copied,
            edited["megabytes"],
        ),
    ]
    if shutil.which("ogr2ogr"):
        runs.append(Run("ogr2ogr, plain table with one index", rows, _ogr2ogr(cluster, file, source_layer)))
    return table(HEAD, [run.row() for run in runs])


def openstreetmap(cluster: Cluster, recipe: Path, data: Path, file: Path) -> str:
    """Import an OSM extract; osm2pgsql with its default style beside it."""
    url = lay_down(cluster, read_recipe(recipe).city.spec())
    ours = _ours(url, recipe, data)
    runs = [Run("CityTwin, all themes with a road graph", ours["inserted"], ours["seconds"], None, ours["megabytes"])]
    if shutil.which("osm2pgsql"):
        runs.append(_osm2pgsql(cluster, file))
    return table(HEAD, [run.row() for run in runs])


def demo_footprints(city: DemoCity, folder: Path) -> tuple[Path, Path]:
    """The demo city's buildings as FlatGeobuf with a recipe that reads them; both are written into `folder`."""
    source = city.source("building")
    file, recipe = folder / "buildings.fgb", folder / "buildings.yaml"
    fields = [name for name in source.schema.names if name not in ("geometry", "attributes", "village_code")]
    batches = [batch.select([*fields, "geometry"]) for batch in source.read()]
    pyogrio.write_arrow(
        pa.Table.from_batches(batches),
        file,
        driver="FlatGeobuf",
        layer="buildings",
        geometry_name="geometry",
        geometry_type="Unknown",
        crs=source.crs,
    )
    mapped = "".join(f"      {name}: {name}\n" for name in ("height", "ground_z", "storeys", "year_built", "function"))
    recipe.write_text(
        f"""
city:
  name: benchdemo
  title: {{zh: 测速, en: Bench}}
  srid: 4490
  metric_crs: EPSG:4549
  vertical_datum: "1985"
  time_zone: Asia/Shanghai
datasets:
  - name: buildings
    title: {{zh: 建筑, en: Buildings}}
    file: buildings.fgb
    theme: building
    class: Building
    uid: uid
    edition_date: 2020-01-01
    made_up: true
    fields:
{mapped}"""
    )
    return recipe, file


def _ours(url: str, recipe: Path, data: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.loading", url, str(recipe), str(data)]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1])
    found: dict[str, float] = json.loads(run.stdout.splitlines()[-1])
    return found


def _bare_copy(url: str) -> float:
    """Seconds to COPY the rows that were loaded, out of a file's bytes, into a table with the same indexes."""
    with psycopg.connect(url) as connection, tempfile.TemporaryFile() as rows:
        connection.execute("create table bare (like building_current including all)")
        columns = connection.execute(
            "select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute"
            " where attrelid = 'bare'::regclass and attnum > 0 and attgenerated = ''"
        ).fetchone()
        assert columns
        with connection.cursor().copy(
            f"copy (select {columns[0]} from building_current) to stdout (format binary)"
        ) as out:
            for part in out:
                rows.write(part)
        connection.commit()
        rows.seek(0)
        started = time.perf_counter()
        with connection.cursor().copy(f"copy bare ({columns[0]}) from stdin (format binary)") as copy:
            while part := rows.read(1 << 20):
                copy.write(part)
        connection.commit()
        seconds = time.perf_counter() - started
        connection.execute("drop table bare")
    return seconds


def extent(url: str) -> tuple[float, float, float, float]:
    """West, south, east, north of the buildings, degrees."""
    with psycopg.connect(url) as connection:
        row = connection.execute("select extent from dataset where 'building' = any(themes)").fetchone()
    assert row
    west, south, east, north = row[0]
    return west, south, east, north


def build_overviews(url: str) -> float:
    """Build all overviews that are not there yet; the seconds it took."""

    async def build() -> float:
        database = await Database.open(url)
        started = time.perf_counter()
        await catch_up(database)
        await database.close()
        return time.perf_counter() - started

    return asyncio.run(build())


def _one_percent_higher(recipe: Recipe, data: Path, file: Path, folder: Path) -> tuple[Path, Path]:
    """A newer edition of the file in which every hundredth building is a metre higher, and its recipe."""
    dataset = recipe.datasets[0]
    field = "height_m" if recipe.city.name == "koto" else "height"
    relative = file.relative_to(data)
    (folder / relative).parent.mkdir(parents=True, exist_ok=True)
    meta, batches = pyogrio.read_arrow(file)
    heights = batches.column(field).to_numpy(zero_copy_only=False).copy()
    heights[::100] += 1
    changed = batches.set_column(batches.schema.get_field_index(field), field, pa.array(heights))
    pyogrio.write_arrow(
        changed,
        folder / relative,
        driver="FlatGeobuf",
        geometry_name=meta["geometry_name"] or "wkb_geometry",
        geometry_type="Unknown",
        crs=meta["crs"],
    )
    text = (CITIES / "koto.yaml" if recipe.city.name == "koto" else data / "buildings.yaml").read_text()
    newer = folder / "newer.yaml"
    newer.write_text(text.replace(f"edition_date: {dataset.edition_date}", "edition_date: 2024-01-01"))
    return newer, folder


def _ogr2ogr(cluster: Cluster, file: Path, layer: str | None) -> float:
    url = lay_empty(cluster, "bench_ogr")
    command = ["ogr2ogr", "-f", "PostgreSQL", f"PG:{url}", str(file), *([layer] if layer else [])]
    started = time.perf_counter()
    subprocess.run(
        [*command, "-nln", "buildings", "-nlt", "PROMOTE_TO_MULTI", "--config", "PG_USE_COPY", "YES"], check=True
    )
    return time.perf_counter() - started


def _osm2pgsql(cluster: Cluster, file: Path) -> Run:
    url = lay_empty(cluster, "bench_osm")
    started = time.perf_counter()
    subprocess.run(["osm2pgsql", "-d", url, "--slim", "--drop", str(file)], check=True, capture_output=True)
    seconds = time.perf_counter() - started
    with psycopg.connect(url) as connection:
        counts = [
            (connection.execute(f"select count(*) from planet_osm_{kind}").fetchone() or (0,))[0]
            for kind in ("point", "line", "polygon")
        ]
    return Run("osm2pgsql, its default tables", sum(counts), seconds)


def lay_empty(cluster: Cluster, name: str) -> str:
    """A database with PostGIS and nothing else."""
    if name in cluster.databases():
        cluster.drop_database(name)
    cluster.create_database(name)
    return cluster.url(name, tcp=True)
