"""Counters beside a run's volumes: where they stand, which way they look, and what a usual hour of theirs is."""

from collections.abc import Iterator
from math import sqrt
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import ValidationError

from tests.twin.traffic.scenario.test_run import SOUTH, USUAL, WEST, layer, opened, river, run, shown, volumes
from twin.scenarios.protocol import Result
from twin.traffic.scenario import TRAFFIC
from twin.traffic.scenario.errors import TrafficRefused
from twin.traffic.scenario.inputs import TrafficInputs

__all__ = ["river"]
# Name, place, unit, direction, road linked to. The bridge N1-N2 leads east along y = 1000 from x = 950 to 1050.
COUNTERS = (
    ("both ways", (1000, 1005), "{vehicle}/h", None, None),
    ("eastwards", (1000, 1005), "{vehicle}/h", 80, None),
    ("across", (1000, 1005), "{vehicle}/h", 0, None),
    ("apart", (1000, 1100), "{vehicle}/h", None, None),
    ("apart but linked", (1000, 200), "{vehicle}/h", None, "S1-S2"),
    ("speeds", (1000, 1005), "km/h", None, None),
)
COUNTER = """
    with of_thing as (
        insert into sensing.thing (name, properties) select %(name)s, jsonb_build_object('cim', coalesce((
            select jsonb_agg(jsonb_build_object('layer', 'roads', 'object_id', object_id))
            from road where uid = %(road)s), '[]')) returning id
    ), at as (
        insert into sensing.location (name, encoding_type, location, geom) select '', 'application/geo+json', '{}',
            st_transform(st_setsrid(st_point(%(x)s, %(y)s), 4549), 4326) returning id
    ), of_sensor as (
        insert into sensing.sensor (name, encoding_type, metadata) values ('', '', '""') returning id
    ), of_stream as (
        insert into sensing.datastream (thing_id, sensor_id, kind, name, observation_type, units, properties)
        select of_thing.id, of_sensor.id, 'traffic', '', '', jsonb_build_object('symbol', %(unit)s::text),
               jsonb_build_object('direction', %(direction)s::int) from of_thing, of_sensor returning id
    ), linked as (
        insert into sensing.thing_location select of_thing.id, at.id from of_thing, at
    )
    select id from of_stream
"""
# At 7 o'clock of 40 days 300 vehicles/h, by twelve readings; other numbers at weekends, long ago and in a fault.
HOURS = """
    insert into sensing.hourly
    select %(stream)s, at, 12, flow * 12, flow, flow, flow, flow, at, at
    from (select *, case when extract(isodow from day) > 5 or days > 28 then 9999 when days between 8 and 12 then -1
                         else 300 end as flow
          from (select days, day, (day + time '07:00') at time zone 'Asia/Shanghai' as at
                from generate_series(1, 40) days,
                     lateral (select (now() at time zone 'Asia/Shanghai')::date - days as day) d) a) b
"""


@pytest.fixture
def counters(river: tuple[str, Path]) -> Iterator[None]:
    with psycopg.connect(river[0], autocommit=True) as connection:
        for name, (x, y), unit, direction, road in COUNTERS:
            told = {"name": name, "x": WEST + x, "y": SOUTH + y, "unit": unit, "direction": direction, "road": road}
            row = connection.execute(COUNTER, told).fetchone()
            assert row is not None
            connection.execute(HOURS, {"stream": row[0]})
        yield
        connection.execute("delete from sensing.thing")


@pytest.mark.usefixtures("counters")
def test_counts_stand_beside_the_volumes_of_their_links(river: tuple[str, Path]) -> None:
    """The mean of working days against the links that are counted, with GEH by its formula (DMRB volume 12)."""
    with opened(river) as city:
        result = TRAFFIC.run(city, TrafficInputs.model_validate(USUAL), lambda *_: None)
        # Whoever may not read the sensors may not read this run, then.
        assert "sensors" in city.read_layers
    rows = {row["counter"]: row for row in result.tables["counts"].to_pylist()}
    assert rows.keys() == {"both ways", "eastwards", "apart but linked"}
    assert {row["hour"] for row in rows.values()} == {7}
    assert {row["counted"] for row in rows.values()} == {300.0}
    # Four weeks have twenty working days, and three to five of them are lost to the fault.
    assert all(14 <= row["days"] <= 17 for row in rows.values())
    links = {row["uid"]: row for row in layer(result, "traffic").to_pylist()}
    both, east = rows["both ways"], rows["eastwards"]
    assert both["computed"] == pytest.approx(volumes(layer(result, "traffic"))["N1-N2"], abs=1)
    assert both["computed"] == pytest.approx(
        sum(links[both[way]]["volume"] for way in ("link", "link_back") if both[way] in links), abs=1
    )
    assert east["link_back"] is None
    # Homes lie west of the river, offices east of it.
    assert east["computed"] == pytest.approx(links[east["link"]]["volume"], abs=1)
    assert east["computed"] > both["computed"] / 2
    assert rows["apart but linked"]["computed"] == pytest.approx(
        volumes(layer(result, "traffic")).get("S1-S2", 0.0), abs=1
    )
    for row in rows.values():
        assert row["geh"] == pytest.approx(sqrt(2 * (row["computed"] - 300) ** 2 / (row["computed"] + 300)), abs=0.01)
    met = sum(row["geh"] < 5 for row in rows.values()) / len(rows)
    assert result.indicators["counts_met"]["value"] == pytest.approx(100 * met, abs=0.01)


def test_a_city_without_counters_has_no_table_of_them(river: tuple[str, Path]) -> None:
    with opened(river) as city:
        result = TRAFFIC.run(city, TrafficInputs.model_validate(USUAL), lambda *_: None)
        assert "sensors" not in city.read_layers
    assert "counts" not in result.tables
    assert "counts_met" not in result.indicators


@pytest.mark.usefixtures("counters")
def test_who_may_not_read_the_sensors_gets_a_run_without_counts(river: tuple[str, Path]) -> None:
    restrict = "update layer set restricted = %s where id = 'sensors'"
    with psycopg.connect(river[0], autocommit=True) as connection:
        assert connection.execute(restrict, (True,)).rowcount == 1
        with opened(river) as city:
            result = TRAFFIC.run(city, TrafficInputs.model_validate(USUAL), lambda *_: None)
        connection.execute(restrict, (False,))
    assert "counts" not in result.tables


@pytest.mark.usefixtures("counters")
def test_trips_are_fitted_to_what_sensors_count(river: tuple[str, Path]) -> None:
    """The bridges are met, by the same trips that are told pair by pair; what nobody counts stays as it was."""
    result = fitted(river, trips_total=4000)
    counts = {row["counter"]: row for row in result.tables["counts"].to_pylist()}
    # Both ways of the bridge were counted as 300, and eastwards alone as 300: no trips answer to both.
    assert counts["both ways"]["geh_prior"] > 10 > counts["both ways"]["geh"]
    assert counts["both ways"]["prior"] == pytest.approx(computed(run(river, trips_total=4000)), rel=0.01)
    told = result.tables["fit"].to_pylist()[0]
    assert (told["hour"], told["counts"]) == (7, 3)
    assert told["rmse"] < told["rmse_prior"] / 2
    assert told["unreached"] == (counts["apart but linked"]["computed"] == 0)
    pairs = result.tables["fitted_trips"].to_pylist()
    moved = [row["trips"] - row["trips_prior"] for row in pairs]
    assert told["changed"] == pytest.approx(100 * sum(map(abs, moved)) / told["trips_prior"], abs=0.01)
    assert told["trips"] == pytest.approx(sum(row["trips"] for row in pairs), abs=0.1)
    assert abs(moved[0]) == max(map(abs, moved)) > 1
    assert result.indicators["trips"]["value"] == pytest.approx(told["trips"], rel=1e-4)
    assert result.indicators["trips_changed"]["value"] == pytest.approx(told["changed"], abs=0.01)
    same = {"990381001001", "990381001002"}
    kept = [row for row in pairs if {row["origin"], row["destination"]} <= same]
    assert kept
    assert all(row["trips"] == row["trips_prior"] for row in kept)


def test_trips_are_fitted_to_a_file(river: tuple[str, Path]) -> None:
    """By road and direction, by link and by place, in an hour; the mean of two days; a run that follows drives them."""
    at = shown(river, [(1000, 1003)])[0]
    usual = run(river)
    north = next(row["uid"] for row in layer(usual, "traffic").to_pylist() if row["name"] == "N1-N2")
    text = f"""link;road;lon;lat;direction;hour;vehicles;name
        ;N1-N2;;;80;7;380;road
        ;N1-N2;;;80;7;420;road
        ;;{at[0]};{at[1]};265;07:00;100,5;place
        {north};;;;;8;999;another hour
        ;;{at[0]};{at[1]};0;7;1;astray
    """
    result = fitted(river, counts="file", counts_csv=text, count_error=0.001)
    counts = {row["counter"]: row for row in result.tables["counts"].to_pylist()}
    assert counts.keys() == {"road", "place"}
    assert (counts["road"]["counted"], counts["road"]["days"], counts["road"]["datastream"]) == (400, 2, None)
    assert counts["road"]["computed"] == pytest.approx(400, abs=3)
    assert counts["place"]["computed"] == pytest.approx(100.5, abs=3)
    assert counts["road"]["link"] != counts["place"]["link"]
    assert volumes(layer(result, "traffic"))["N1-N2"] == pytest.approx(500.5, abs=5)
    assert any("astray" in note["en"] for note in result.indicators["notes"])
    assert result.indicators["counts_rmse_prior"]["value"] > 10 > result.indicators["counts_rmse"]["value"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("road,vehicles\nN1-N2,-1\n", "line 2: vehicles is '-1'"),
        ("road,vehicles\nN1-N9,1\n", "line 2: road 'N1-N9' is none"),
        ("link,vehicles\n9-9,1\n", "line 2: link '9-9' is none"),
        ("name,vehicles\nx,1\n", "line 2: no place"),
        ("road,hour,vehicles\nN1-N2,24,1\n", "line 2: hour is '24'"),
        ("road,count\nN1-N2,24\n", "no column vehicles"),
        ("lon,lat,vehicles\n1,1,24\n", "no count is within 25 m"),
        ("road,hour,vehicles\nN1-N2,9,100\n", "fit_counts: no counter counts"),
        ("road,vehicles\n", "0 places"),
    ],
)
def test_counts_that_cannot_be_read_are_refused(river: tuple[str, Path], text: str, said: str) -> None:
    with pytest.raises(TrafficRefused, match=said):
        fitted(river, counts="file", counts_csv=text)


@pytest.mark.parametrize(
    "inputs", [{"counts": "file"}, {"counts_csv": "x"}, {"counts": "none", "fit_counts": True}, {"count_error": -1}]
)
def test_inputs_of_counts_that_do_not_go_together(inputs: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TrafficInputs.model_validate(inputs)


def fitted(river: tuple[str, Path], **inputs: Any) -> Result:
    return run(river, fit_counts=True, **inputs)


def computed(result: Result) -> float:
    return next(row["computed"] for row in result.tables["counts"].to_pylist() if row["counter"] == "both ways")
