"""Editions of a data set: what each said stays said of its day, and an object is the same object in all of them."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cim_models.database import Database
from layers.registration import OlderEdition
from tests.cases import Edition
from tests.deliveries import counts, fetch, one, run, survey
from tests.enact import clear, delivery

FIRST = date(2020, 1, 1)
STATE = """
    select uid, height from building
    where recorded_from <= %(known)s and recorded_to > %(known)s and plan_id is null
      and (valid_from is null or valid_from <= %(valid)s) and (valid_to is null or valid_to > %(valid)s)
"""


def state(database: Database, day: date, known: Any) -> dict[str, float]:
    """The city at noon of a day, as known then."""
    query = STATE.replace("%(known)s", "%s::timestamptz").replace("%(valid)s", "%s::timestamptz")
    noon = f"{day} 12:00+08"
    return dict(fetch(database, query, known, known, noon, noon))


def clock(database: Database) -> Any:
    return one(database, "select clock_timestamp()")


def test_a_report_counts_what_became_of_the_objects(empty: Database) -> None:
    first = survey(empty, "2020-01-01", {"a": 1, "b": 2, "c": 3})
    second = survey(empty, "2021-01-01", {"a": 1, "b": 9, "d": 4})
    assert (counts(first), counts(second)) == ((3, 0, 0, 0), (1, 1, 1, 1))
    kept = fetch(empty, "select read, inserted, updated, unchanged, ended, edition_date::text, who from import_run")
    assert kept == [(3, 3, 0, 0, 0, "2020-01-01", "tester"), (3, 1, 1, 1, 1, "2021-01-01", "tester")]


def test_an_older_edition_is_refused(empty: Database) -> None:
    survey(empty, "2021-01-01", {"a": 1})
    with pytest.raises(OlderEdition, match=r"2020-01-01 is older than that of 2021-01-01.*oldest first"):
        survey(empty, "2020-01-01", {"a": 2})
    assert fetch(empty, "select height from building") == [(1,)]


def test_a_file_without_a_date_corrects_what_is_loaded(empty: Database) -> None:
    survey(empty, "2020-01-01", {"a": 1})
    survey(empty, "2021-01-01", {"a": 2})
    survey(empty, None, {"a": 3})
    now = clock(empty)
    assert state(empty, date(2020, 6, 1), now) == {"a": 1}
    assert state(empty, date(2021, 6, 1), now) == {"a": 3}
    assert str(one(empty, "select edition_date from dataset")) == "2021-01-01"


def test_an_object_keeps_its_id(empty: Database) -> None:
    """While it changes, when it comes back, and even after it was corrected away."""
    survey(empty, "2020-01-01", {"a": 1, "b": 1})
    ids = dict(fetch(empty, "select uid, object_id from building"))
    survey(empty, "2020-01-01", {"a": 1})
    survey(empty, "2020-01-01", {"a": 2, "b": 2})
    survey(empty, "2021-01-01", {"b": 3})
    survey(empty, "2022-01-01", {"a": 4, "b": 3})
    assert {(uid, number) for uid, number in fetch(empty, "select uid, object_id from building")} == set(ids.items())


def test_a_load_leaves_other_data_sets_alone(empty: Database) -> None:
    run(empty, delivery(Edition("2020-01-01", {"a": 1}), "one"), delivery(Edition("2020-01-01", {"a": 5}), "other"))
    run(empty, delivery(Edition("2021-01-01", {"c": 7}), "one"), delivery(Edition("2021-01-01", {"b": 6}), "other"))
    by_set = "select d.name, uid, height from building join dataset d on d.id = dataset_id where recorded_to > now()"
    assert set(fetch(empty, by_set + " and valid_to is null")) == {("one", "c", 7), ("other", "b", 6)}
    assert set(fetch(empty, by_set + " and valid_from is null")) == {("one", "a", 1), ("other", "a", 5)}


editions = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.dictionaries(st.sampled_from("abcde"), st.sampled_from([1.0, 2.0, 3.0]), min_size=1),
    ),
    min_size=2,
    max_size=6,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=editions)
async def test_each_edition_is_what_it_was(empty: Database, steps: list[tuple[int, Mapping[str, float]]]) -> None:
    """After any sequence of new (a month or two on) and corrected (the same day) editions, each day between two shows
    the last edition of its time, and each state of knowledge shows what was known then."""
    await clear(empty)
    day = FIRST
    said: list[tuple[date, Mapping[str, float]]] = []
    known: list[tuple[Any, dict[date, Mapping[str, float]]]] = []
    for months, heights in steps:
        day += timedelta(days=30 * months) if said else timedelta()
        survey(empty, day.isoformat(), heights)
        said.append((day, heights))
        known.append((clock(empty), dict(said)))
    for moment, days in known:
        for start, heights in days.items():
            assert state(empty, start + timedelta(days=10), moment) == heights, (moment, start)
        assert state(empty, FIRST - timedelta(days=400), moment) == days[FIRST]
    overlaps = """
        select count(*) from building a join building b on a.uid = b.uid and a.id < b.id
        where a.recorded_from < b.recorded_to and b.recorded_from < a.recorded_to
          and tstzrange(a.valid_from, a.valid_to) && tstzrange(b.valid_from, b.valid_to)
    """
    assert one(empty, overlaps) == 0
