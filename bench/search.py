"""How long a search takes in a city of many names: `python -m bench.search --names 1000000`.

A private PostgreSQL, buildings with made-up Chinese names, the index as the worker writes it, and questions as people
type them. Prints the time to write the index, and p50, p95 and p99 of each kind of question, one asker at a time.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from cim_models.database import CitySpec, Database, migrate
from cim_models.embedded import Cluster
from layers.access import PUBLIC
from layers.catalog import load_catalog
from layers.search import Asker, catch_up, search
from layers.seeds import seed_layers

CITY = CitySpec("names", "名城", "Names", 4490, 4549, time_zone="Asia/Shanghai", made_up=True)
LETTERS = "海晏平安和福清泉松柏虹桥柳市北塘人民医院中学小区路东西南北大成新城国际广场花园白石岭盐盆翁垟蒲岐"
FILL = """
    insert into building (dataset_id, uid, content_hash, class, name, attributes, geom)
    select 1, 'b' || n, '', 'Building', name.text || n % 900, jsonb_build_object('address', name.street || '路' || n % 700 || '号'),
           st_multi(st_expand(st_setsrid(st_point(120.6 + random() * 0.6, 27.9 + random() * 0.5), 4490), 0.0001))
    from generate_series(1, $1::integer) n cross join lateral (
        select string_agg(substr($2, 1 + floor(random() * length($2))::integer, 1), '') as text,
               min(substr($2, 1 + floor(random() * (length($2) - 2))::integer, 2)) as street
        from generate_series(1, 4 + n % 3)
    ) name
"""  # noqa: E501  # one column a line
DATASET = """
    insert into dataset (name, themes, title_zh, title_en, loaded_at, extent)
    values ('names', array['building'], '名', 'Names', now(), array[120.6, 27.9, 121.2, 28.4])
"""
NEAR = (120.9, 28.1)
WARM, ASKED = 20, 200


async def measure(url: str, names: int) -> None:
    """Fill the city, write its index, and ask."""
    database = await Database.open(url, statement_timeout_s=3600)
    async with database.writing() as connection:
        await connection.execute(DATASET)
        await connection.execute(FILL, names // 2, LETTERS)
        await connection.execute("analyze building")
    started = time.perf_counter()
    await catch_up(database)
    took = time.perf_counter() - started
    async with database.reading() as connection:
        count = await connection.fetchval("select count(*) from search_entry")
        print(f"{count:,} names and addresses written in {took:.1f} s, {took / count * 1e5:.2f} s per 100,000")
        asker = Asker(connection, await load_catalog(connection, database.city), PUBLIC)
        some = [
            row["text"]
            for row in await connection.fetch("select text from search_entry where field = 'name' limit 5000")
        ]
        streets = [
            row["text"]
            for row in await connection.fetch("select text from search_entry where field = 'address' limit 5000")
        ]
        latin = [row["latin"].split()[0] for row in await connection.fetch("select latin from search_entry limit 5000")]
        for kind, question in questions(some, streets, latin).items():
            for near in (None, NEAR):
                await _ask(asker, kind, question, near)
    await database.close()


def questions(names: list[str], streets: list[str], latin: list[str]) -> dict[str, Callable[[], str]]:
    """What people type, by its kind."""
    return {
        "two letters": lambda: "".join(random.sample(LETTERS, 2)),
        "begins a name": lambda: random.choice(names)[:3],
        "whole name": lambda: random.choice(names),
        "initials": lambda: "".join(random.sample("hyapfqsbhqlsbt", 3)),
        "pinyin": lambda: random.choice(latin)[:8],
        "one letter wrong": lambda: misspelt(random.choice(names)),
        "nothing": lambda: random.choice(latin)[:8] + "zz",
        "address": lambda: random.choice(streets),
    }


def misspelt(name: str) -> str:
    """A name with another letter for one of its first four."""
    at = random.randrange(4)
    return name[:at] + random.choice(LETTERS) + name[at + 1 :]


async def _ask(asker: Asker, kind: str, question: Callable[[], str], near: tuple[float, float] | None) -> None:
    for _ in range(WARM):
        await search(asker, question(), limit=10, near=near)
    times, found = [], 0
    for _ in range(ASKED):
        started = time.perf_counter()
        found += bool(await search(asker, question(), limit=10, near=near))
        times.append((time.perf_counter() - started) * 1000)
    cuts = statistics.quantiles(times, n=100)
    told = f"p50 {cuts[49]:6.1f}  p95 {cuts[94]:6.1f}  p99 {cuts[98]:6.1f} ms, {found} of {ASKED} found something"
    print(f"{kind + (', near' if near else ''):22} {told}")


def main() -> None:
    """Read the command line and measure in a cluster that is thrown away."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--names", type=int, default=1_000_000, help="names and addresses together")
    names = parser.parse_args().names
    random.seed(1)
    with tempfile.TemporaryDirectory(prefix="citytwin-bench-") as folder:
        Path(folder).chmod(0o755)
        cluster = Cluster(Path(folder) / "cluster", durable=False)
        cluster.start()
        try:
            cluster.create_database("names")
            url = cluster.url("names")
            migrate(url, CITY)
            seed_layers(url)
            asyncio.run(measure(url, names))
        finally:
            cluster.stop(force=True)


if __name__ == "__main__":
    main()
