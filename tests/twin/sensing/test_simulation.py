"""A made-up typhoon day: its parts fit together, its events come, and nothing of it is told twice."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from cim_models.database import Database
from layers.changes import Place
from twin.sensing.approach import nearest
from twin.sensing.conditions import reach
from twin.sensing.live import read_arrivals
from twin.sensing.rules import evaluate, read_rule
from twin.sensing.simulation.play import play
from twin.sensing.simulation.signals import Day, Sensor, signal, tide
from twin.sensing.simulation.stations import make_stations, simulated_streams
from twin.sensing.starting_rules import starting_rules
from twin.sensing.typhoons import list_typhoons

MIDNIGHT = datetime(2024, 8, 1, tzinfo=ZoneInfo("Asia/Shanghai"))
DAY = Day(MIDNIGHT.timestamp(), landfall=14.0)
TIMES = MIDNIGHT.timestamp() + np.arange(0, 24 * 3600, 300.0)
SENSORS = """
    insert into dataset (name, themes, title_zh, title_en) values ('s', array['sensor', 'water'], 's', 's');
    insert into water (dataset_id, uid, content_hash, class, geom)
    select id, 'river', '', 'River', st_setsrid(st_makeline(st_point(120.95, 28.1), st_point(120.96, 28.1)), 4490)
    from dataset;
    insert into sensor (dataset_id, uid, content_hash, class, name, kind, observed_property, unit, serves_uid, geom)
    select d.id, k || i, '', 'Sensor', k || ' ' || i, k, k, 'm', 'river', st_setsrid(st_point(120.95, 28.1), 4490)
    from dataset d, generate_series(1, 2) i,
         unnest(array['rain', 'water_level', 'tide', 'wind', 'traffic', 'camera']) k;
    insert into facility (dataset_id, uid, content_hash, class, geom)
    select id, 'car park', '', 'Parking', st_setsrid(st_point(120.95, 28.1), 4490) from dataset;
    insert into sensor (dataset_id, uid, content_hash, class, name, kind, observed_property, unit, serves_uid, geom)
    select id, 'p', '', 'Sensor', 'p', 'parking', 'free places', '{place}', 'car park',
           st_setsrid(st_point(120.95, 28.1), 4490) from dataset;
"""


def test_the_tide_is_a_tide() -> None:
    """Two high waters a day, 12.4 h apart on the average over a month, within the sum of its parts."""
    month = MIDNIGHT.timestamp() + np.arange(0, 29 * 24 * 3600, 300.0)
    level = tide(month, Day(MIDNIGHT.timestamp()))
    high = np.flatnonzero((level[1:-1] > level[:-2]) & (level[1:-1] >= level[2:])) + 1
    assert np.diff(month[high]).mean() / 3600 == pytest.approx(12.42, abs=0.1)
    assert np.abs(level - 0.3).max() < 3.1


def test_a_typhoon_raises_what_it_should_and_keeps_people_at_home() -> None:
    quiet = Day(MIDNIGHT.timestamp())
    for kind, more in (("rain", True), ("wind", True), ("water_level", True), ("tide", True), ("traffic", False)):
        sensor = Sensor(kind, 0.4)
        storm, calm = (signal(sensor, TIMES, day)[132:216].mean() for day in (DAY, quiet))
        assert bool(storm > calm) is more, kind
    rain = signal(Sensor("rain", 0.4), TIMES, DAY)
    assert 150 < rain.sum() < 500
    # The river answers the rain, hours later.
    level = signal(Sensor("water_level", 0.4), TIMES, DAY)
    assert 0.5 < (level.argmax() - np.convolve(rain, np.ones(24), "same").argmax()) / 12 < 8


def test_the_shipped_rules_can_all_be_read() -> None:
    rules = {rule["name"]: read_rule({"id": 0, **rule}) for rule in starting_rules()}
    assert [
        reach(rules[f"rain-{mark}"].watch.when).total_seconds() / 3600 for mark in ("blue", "yellow", "orange")
    ] == [
        12,
        6,
        3,
    ]


async def test_a_typhoon_day_is_played_once_and_raises_events(database: Database) -> None:
    async with database.writing() as connection:
        await connection.execute(SENSORS)
    assert (await make_stations(database), await make_stations(database)) == (11, 0)
    streams = await simulated_streams(database)
    start = MIDNIGHT.astimezone(UTC)
    for _ in range(2):
        assert await play(database, streams, start, start + timedelta(days=1), landfall=14.0) == 11 * 288
    async with database.writing() as connection:
        assert await connection.fetchval("select count(*) from sensing.observation") == 11 * 288
        things = await connection.fetch("select properties -> 'cim' as links from sensing.thing order by id")
        watched = [tuple(link["layer"] for link in row["links"]) for row in things]
        # A camera at each of the four gauges, which shows what they watch.
        assert watched == [*[("sensors", "water")] * 10, ("sensors", "facilities"), *[("water",)] * 4]
        place = Place(0, 0)
        while batch := await read_arrivals(connection, place):
            await evaluate(connection, batch)
            place = batch[-1].place
        kinds = await connection.fetch("select kind, count(*) from sensing.event group by 1")
        (typhoon,) = await list_typhoons(connection, None)
        issued = await connection.fetchval("select count(*) from sensing.signal")
    assert typhoon.simulated
    last = nearest(typhoon.points, (120.95, 28.1))
    assert last.distance_km < 25
    assert abs(last.at - (start + timedelta(hours=14))) < timedelta(hours=1)
    assert issued == 8
    found = {row["kind"]: row["count"] for row in kinds}
    assert {f"rain-{mark}" for mark in ("blue", "yellow", "orange")} <= found.keys()
    assert "level-warning" in found
    assert found["rain-blue"] == 2
