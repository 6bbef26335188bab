"""Readings from files, other databases and services: all of them, once, also late and corrected ones."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import psycopg
import pytest

from cim_models.database import Database
from tests.twin.sensing.streams import make_streams
from twin.sensing.feeds import FeedError
from twin.sensing.feeds.recipe import load_set, read_recipe
from twin.sensing.feeds.replay import read_csv, replay
from twin.sensing.feeds.rows import Taken
from twin.sensing.feeds.source import HttpSource, SqlSource, follow_http, follow_sql, read_source

SHANGHAI = ZoneInfo("Asia/Shanghai")
KEYED = "update sensing.datastream set properties = jsonb_build_object('key', 'gauge-' || $2::text) where id = $1"


@pytest.fixture
async def gauges(database: Database) -> list[int]:
    """Datastreams with the keys gauge-0 and gauge-1."""
    streams = await make_streams(database, "water_level", 2)
    async with database.writing() as connection:
        await connection.execute("update sensing.datastream set properties = null")
        for place, number in enumerate(streams):
            await connection.execute(KEYED, number, str(place))
    return streams


async def told(database: Database, stream: int) -> list[tuple[datetime, float]]:
    async with database.reading() as connection:
        rows = await connection.fetch(
            "select time, number from sensing.observation where datastream_id = $1 order by time", stream
        )
    return [(row["time"], row["number"]) for row in rows]


async def test_a_csv_is_sent_as_it_was_or_as_if_it_came_now(
    database: Database, gauges: list[int], tmp_path: Path
) -> None:
    file = tmp_path / "history.csv"
    lines = [f"gauge-{i % 2},2019-08-10 0{i // 2}:00,{i / 10}" for i in range(6)]
    file.write_text("\n".join(["key,time,value", *lines, "nobody,2019-08-10 00:00,1", "gauge-0,2019-08-10 09:00,"]))
    for _ in range(2):
        assert await replay(database, read_csv(file, SHANGHAI), speed=None) == Taken(6, 0, 2)
    found = await told(database, gauges[0])
    assert found == [(datetime(2019, 8, 9, 16 + i, tzinfo=UTC), i / 5) for i in range(3)]
    began = datetime.now(UTC)
    assert (await replay(database, read_csv(file, SHANGHAI), speed=100_000)).written == 6
    live = [at for at, _ in await told(database, gauges[0]) if at >= began]
    assert len(live) == 3
    assert live[1] - live[0] == timedelta(milliseconds=36)
    for bad in ("a,b\n1,2\n", "key,time,value\ngauge-0,yesterday,1\n"):
        file.write_text(bad)
        with pytest.raises(FeedError):
            await replay(database, read_csv(file, SHANGHAI), speed=None)


async def test_a_database_is_polled_from_where_it_was_left(
    database: Database, gauges: list[int], tmp_path: Path, new_city: Callable[..., str]
) -> None:
    url = new_city()
    with psycopg.connect(url, autocommit=True) as bureau:
        bureau.execute("create table st_river_r (id serial, stcd text, tm timestamp, z numeric)")
        insert = "insert into st_river_r (stcd, tm, z) values (%s, %s, %s)"
        for hour in range(5):
            bureau.execute(insert, ("0", f"2024-08-01 0{hour}:00", hour / 10))
        mapping = tmp_path / "bureau.yaml"
        mapping.write_text(
            f"url: '{url.replace('postgresql://', 'postgresql+psycopg://')}'\n"
            "query: select id, stcd, tm, z from st_river_r where id > :place order by id limit 2\n"
            "again: select id, stcd, tm, z from st_river_r\nplace: id\n"
            "key: 'gauge-{stcd}'\ntime: tm\nvalue: z\nzone: Asia/Shanghai\n"
        )
        source = read_source(mapping, SqlSource)
        assert (await follow_sql(database, "bureau", source, once=True)).written == 5
        # A late row, a corrected one, and one of a gauge that nobody knows.
        bureau.execute(insert, ("0", "2024-07-31 12:00", 7))
        bureau.execute("update st_river_r set z = 9 where tm = '2024-08-01 01:00'")
        bureau.execute(insert, ("x", "2024-08-01 00:00", 1))
        assert await follow_sql(database, "bureau", source, once=True) == Taken(1, 1, 1)
    found = await told(database, gauges[0])
    assert [number for _, number in found] == [7, 0, 9, 0.2, 0.3, 0.4]
    assert found[0][0] == datetime(2024, 7, 31, 4, tzinfo=UTC)
    async with database.reading() as connection:
        assert await connection.fetchval("select sum(sum) from sensing.daily") == pytest.approx(16.9)
    with pytest.raises(FeedError):
        await follow_sql(database, "bad", source.model_copy(update={"query": "select nothing"}), once=True)


@contextmanager
def service(document: Any) -> Iterator[str]:
    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(document).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


async def test_a_service_is_polled(database: Database, gauges: list[int]) -> None:
    rows = [{"code": 1, "at": "2024-08-01T00:00:00Z", "level": 2.5}, {"code": 1, "at": "x", "level": 1}]
    with service({"data": {"rows": rows}}) as url:
        source = HttpSource(url=url, list="data.rows", key="gauge-{code}", time="at", value="level")
        for _ in range(2):
            assert await follow_http(database, source, once=True) == Taken(1, 0, 0)
        with pytest.raises(FeedError):
            await follow_http(database, source.model_copy(update={"list": "data"}), once=True)
    assert await told(database, gauges[1]) == [(datetime(2024, 8, 1, tzinfo=UTC), 2.5)]


@pytest.mark.parametrize("chosen", [("beijing", "Dongsi", "PM2.5"), ("la", "773869", "773869")])
async def test_a_real_set_is_loaded_as_pandas_reads_it(
    database: Database, shared_data: Path, tmp_path: Path, chosen: tuple[str, str, str]
) -> None:
    """Two days of the real sets; the daily means are those of pandas."""
    name, station, column = chosen
    recipe = read_recipe(name)
    folder = shared_data / "sensors"
    places = pd.read_csv(folder / recipe.stations.file, dtype=str)
    values = pd.read_csv(folder / recipe.values.file, low_memory=False)
    days = values[recipe.values.time].str[:10].isin(sorted(set(values[recipe.values.time].str[:10]))[:2])
    places = places[places[recipe.stations.key] == station]
    values = values[days & (values[recipe.values.station] == station if recipe.values.station else True)]
    places.to_csv(tmp_path / recipe.stations.file, index=False)
    values.to_csv(tmp_path / recipe.values.file, index=False)
    wanted = values[[each for each in values.columns if each in {each.column for each in recipe.properties} | {column}]]
    for _ in range(2):
        assert await load_set(database, recipe, tmp_path) == int(wanted.notna().sum().sum())
    async with database.reading() as connection:
        got = await connection.fetchval(
            "select avg(number) from sensing.observation o join sensing.datastream d on d.id = o.datastream_id"
            " where d.properties ->> 'key' = $1",
            f"{station}/{recipe.properties[0].column}",
        )
    assert got == pytest.approx(values[column].astype(float).mean())
