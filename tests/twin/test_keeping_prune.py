"""What the policy no longer keeps is told first, and only that is thrown away."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from tests import town
from tests.conftest import TEST_CITY
from tests.twin.conftest import Home
from twin.directory import CityPlace
from twin.keeping.prune import Policy, prune
from twin.local import LocalTwin, local_twin

# b1 was corrected twice, long ago and lately; b2 was taken out long ago, as a mistake. One change was not seen yet.
FILL = """
    insert into building (object_id, dataset_id, uid, content_hash, class, height, geom, recorded_from, recorded_to)
    select object_id, dataset_id, uid, '', class, height + 0.5, geom, now() - known_from, now() - known_to
    from building,
         (values (interval '900 days', interval '400 days'), ('400 days', '10 days')) known(known_from, known_to)
    where uid = 'b1' and plan_id is null;
    update building set recorded_from = now() - interval '800 days', recorded_to = now() - interval '500 days'
    where uid = 'b2' and plan_id is null;
    insert into change (xid, "table", op, who, at) values
    ('10', 'building', 'update', 'test', now() - interval '400 days'),
    ('10', 'building', 'update', 'test', now() - interval '1 day'),
    ('20', 'building', 'update', 'test', now() - interval '399 days');
    insert into change_consumer (name, xid, seq) values ('slow', '15', 0);
    insert into scenario_run (scenario, inputs, view, seed, principal, role, state, finished_at, expires_at)
    select 'echo', '{}', '{}', 1, 'test', 'editor', 'successful', now() - age, now() + interval '1 year'
    from unnest(array[interval '3 days', '100 days']) age;
"""
# Rasters of the terrain: one that was replaced long ago, one that an older row still names.
RASTERS = """
    insert into terrain (object_id, dataset_id, uid, content_hash, class, path, geom, recorded_from, recorded_to)
    select 7000, 1, 'hill', '', 'dtm', path, st_multi(st_makeenvelope(120.9, 28, 121, 28.1, 4490)), since, until
    from (values ('old.tif', now() - interval '900 days', now() - interval '400 days'),
                 ('kept.tif', now() - interval '400 days', now() - interval '390 days'),
                 ('kept.tif', now() - interval '390 days', 'infinity')) as known(path, since, until);
"""


@pytest.fixture(scope="module")
def twin(memory_home: Callable[..., Home]) -> LocalTwin:
    home = memory_home()
    return local_twin(home.path, home.environ)


def filled(place: CityPlace) -> None:
    town.fill(place.url)
    for name in ("old.tif", "kept.tif"):
        (place.files / name).touch()
    with psycopg.connect(place.url) as connection:
        connection.execute(FILL)
        connection.execute(RASTERS)


def log(twin: LocalTwin, name: str, age: timedelta) -> Path:
    path = twin.home / "logs" / name
    path.parent.mkdir(exist_ok=True)
    path.touch()
    written = (datetime.now(UTC) - age).timestamp()
    os.utime(path, (written, written))
    return path


def test_only_what_is_told_goes(twin: LocalTwin) -> None:
    with twin.database():
        place = twin.directory.create(TEST_CITY, filled)
    old = log(twin, "twin.log.2", timedelta(days=50))
    kept = [log(twin, "twin.log.1", timedelta(days=3)), log(twin, "twin.log", timedelta(days=50))]
    policy = Policy(history=365, results=30, logs=30, archive=30)
    told = [(each.what, each.count) for each in prune(twin, policy, act=False)]
    expected = [("building_past", 1), ("terrain_past", 2), ("change", 1), ("scenario_run", 1), ("logs/twin.log.2", 1)]
    assert told == expected
    assert [(each.what, each.count) for each in prune(twin, policy, act=True)] == expected
    assert prune(twin, policy, act=True) == []

    with twin.database(), psycopg.connect(place.url) as connection:
        past = "select uid, round(extract(epoch from now() - recorded_to) / 86400) from building_past order by uid"
        assert connection.execute(past).fetchall() == [("b1", 10), ("b2", 500)]
        # A reader that is behind still finds what it has not seen.
        left = "select xid::text::int from change where who = 'test' order by seq"
        assert connection.execute(left).fetchall() == [(10,), (20,)]
        runs = "select count(*) filter (where expires_at <= now()), count(*) from scenario_run"
        assert connection.execute(runs).fetchone() == (1, 2)
    assert sorted(path.name for path in place.files.iterdir()) == ["kept.tif"]
    assert not old.exists()
    assert all(path.exists() for path in kept)
    # Without a policy, history is for ever.
    assert prune(twin, Policy(history=None, results=None, logs=None, archive=None), act=True) == []
