"""Rules: evaluated on every batch that arrives and by the clock, each raising one event while it holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from pydantic import ValidationError

from cim_models.database import Connection
from layers.access import SYSTEM
from twin.sensing import BadEntity
from twin.sensing.conditions import Applies, Floats, Levels, Truth, Watch, check, measure, reach, silence_of, truth
from twin.sensing.events import NewEvent, Severity, end_event, escalate_overdue, raise_event
from twin.sensing.live import Arrival

RULES = """
    select id, name, title_zh, title_en, severity, due_after, applies, condition
    from sensing.rule where enabled order by id
"""
STREAMS = """
    select d.id, d.name, t.name as thing, d.units ->> 'symbol' as unit,
           sensing.levels_at(d.properties -> 'levels', current_date) as levels,
           coalesce(t.properties -> 'cim', '[]') as objects, st_asgeojson(st_pointonsurface(f.geom), 7)::jsonb as place
    from sensing.datastream d join sensing.thing t on t.id = d.thing_id
    left join sensing.feature f on f.id = d.feature_id
    where ($1::text[] is null or d.kind = any($1)) and ($2::bigint[] is null or d.id = any($2))
      and ($3::float8[] is null or f.geom && st_makeenvelope($3[1], $3[2], $3[3], $3[4], 4326))
"""
VALUES = """
    select extract(epoch from time)::float8 as at, number from sensing.observation
    where datastream_id = $1 and time >= $2 and time <= $3 and number is not null order by time, id
"""
STATE = "select holds_since, event_id from sensing.rule_state where rule_id = $1 and datastream_id = $2"
KEEP = """
    insert into sensing.rule_state (rule_id, datastream_id, holds_since, event_id) values ($1, $2, $3, $4)
    on conflict (rule_id, datastream_id) do update set holds_since = excluded.holds_since, event_id = excluded.event_id
"""
SILENT = """
    select l.datastream_id, l.arrived_at, s.event_id from sensing.latest l
    left join sensing.rule_state s on s.datastream_id = l.datastream_id and s.rule_id = $2
    where l.datastream_id = any($1::bigint[]) and l.arrived_at is not null
"""


@dataclass(frozen=True)
class Rule:
    """A rule as it stands in the database. due_after: by when an event of it must be dealt with."""

    id: int
    name: str
    title: str
    severity: Severity
    applies: Applies
    watch: Watch
    due_after: timedelta | None = None


@dataclass(frozen=True)
class Stream:
    """A datastream that a rule watches."""

    id: int
    title: str
    unit: str
    levels: Levels
    objects: list[Any]
    place: dict[str, Any] | None


@dataclass(frozen=True)
class State:
    """How a rule stands for a stream. since: when its condition became true without a break; holds: it has raised."""

    since: datetime | None = None
    holds: bool = False


@dataclass(frozen=True)
class Values:
    """A series of a stream: seconds since 1970, rising, and values; with its reference levels."""

    times: Floats
    numbers: Floats
    levels: Levels


@dataclass(frozen=True)
class Turn:
    """A moment at which a rule begins or ceases to hold."""

    at: datetime
    begins: bool


def read_rule(row: Mapping[str, Any]) -> Rule:
    """A rule from its row. Raises BadEntity."""
    try:
        applies, watch = Applies.model_validate(row["applies"]), Watch.model_validate(row["condition"])
    except ValidationError as error:
        first = error.errors()[0]
        raise BadEntity(f"rule: {'.'.join(str(part) for part in first['loc'])}: {first['msg']}") from None
    check(watch.when)
    if watch.until is not None:
        check(watch.until)
    title = row["title_zh"] or row["title_en"]
    return Rule(row["id"], row["name"], title, row["severity"], applies, watch, row.get("due_after"))


async def streams_of(connection: Connection, applies: Applies) -> dict[int, Stream]:
    """The datastreams that a rule watches."""
    found = {}
    for row in await connection.fetch(STREAMS, applies.kinds, applies.datastreams, applies.bbox):
        levels = {name: float(level) for name, level in (row["levels"] or {}).items()}
        title = f"{row['thing']} · {row['name']}"
        found[row["id"]] = Stream(row["id"], title, row["unit"] or "", levels, row["objects"], row["place"])
    return found


def follow(watch: Watch, series: Values, state: State, start: datetime) -> tuple[list[Turn], State]:
    """When a rule begins and ceases to hold from `start` on, and how it stands at the end of the series.

    What lies before `start` is looked back at, and judged no more.
    """
    given = series.times, series.numbers, series.levels, start.timestamp()
    when = truth(watch.when, *given)
    over: Truth = ~when if watch.until is None else truth(watch.until, *given)
    found = []
    since, on = state.since, state.holds
    for at, is_true, is_over in zip(series.times.tolist(), when.tolist(), over.tolist(), strict=True):
        if at < start.timestamp():
            continue
        if on:
            if is_over:
                found.append(Turn(_moment(at), begins=False))
                since, on = None, False
            continue
        since = (since or _moment(at)) if is_true else None
        if since is not None and at - since.timestamp() >= watch.hold.total_seconds():
            found.append(Turn(_moment(at), begins=True))
            on = True
    return found, State(since, on)


async def dry_run(
    connection: Connection, rule: Rule, start: datetime, end: datetime, limit: int = 1_000
) -> list[dict[str, Any]]:
    """What a rule would have raised over a time that is past."""
    found: list[dict[str, Any]] = []
    for stream in (await streams_of(connection, rule.applies)).values():
        series = await _values(connection, stream, start - _reach(rule), end)
        for turn in follow(rule.watch, series, State(), start)[0]:
            if turn.begins:
                found.append({"datastream": stream.id, "title": stream.title, "from": turn.at.isoformat(), "to": None})
            else:
                found[-1]["to"] = turn.at.isoformat()
        if len(found) >= limit:
            break
    return found[:limit]


async def evaluate(connection: Connection, batch: Sequence[Arrival]) -> None:
    """Judge what has arrived by all rules."""
    spans: dict[int, tuple[datetime, datetime]] = {}
    for arrival in batch:
        for stream, time in zip(arrival.datastreams, arrival.times, strict=True):
            first, last = spans.get(stream, (time, time))
            spans[stream] = min(first, time), max(last, time)
    for row in await connection.fetch(RULES):
        rule = read_rule(dict(row))
        watched = await streams_of(connection, rule.applies)
        for number in sorted(spans.keys() & watched.keys()):
            await _judge(connection, rule, watched[number], *spans[number])


async def _judge(connection: Connection, rule: Rule, stream: Stream, first: datetime, last: datetime) -> None:
    """Judge a stream from the first new value to the last, with what lies before as far as the rule looks back."""
    if silence_of(rule.watch.when) is not None:
        await _heard(connection, rule, stream, last)
        return
    series = await _values(connection, stream, first - _reach(rule), last)
    row = await connection.fetchrow(STATE, rule.id, stream.id)
    since, event = (None, None) if row is None else (row["holds_since"], row["event_id"])
    found, state = follow(rule.watch, series, State(since, event is not None), first)
    for turn in found:
        if turn.begins:
            until = series.times <= turn.at.timestamp()
            figure = measure(rule.watch.when, series.times[until], series.numbers[until])
            event = await raise_event(connection, _event(rule, stream, turn.at, figure), SYSTEM.name)
        elif event is not None:
            await end_event(connection, event, turn.at, SYSTEM.name)
            event = None
    await connection.execute(KEEP, rule.id, stream.id, state.since, event)


async def tick(connection: Connection, now: datetime) -> None:
    """What time alone brings about: streams that fall silent, events that are overdue."""
    await escalate_overdue(connection, SYSTEM.name)
    for row in await connection.fetch(RULES):
        rule = read_rule(dict(row))
        after = silence_of(rule.watch.when)
        if after is None:
            continue
        watched = await streams_of(connection, rule.applies)
        for each in await connection.fetch(SILENT, sorted(watched), rule.id):
            silent = now - each["arrived_at"] > after
            if silent and each["event_id"] is None:
                stream = watched[each["datastream_id"]]
                event = await raise_event(connection, _event(rule, stream, each["arrived_at"], None), SYSTEM.name)
                await connection.execute(KEEP, rule.id, stream.id, None, event)


async def _heard(connection: Connection, rule: Rule, stream: Stream, at: datetime) -> None:
    state = await connection.fetchrow(STATE, rule.id, stream.id)
    if state is not None and state["event_id"] is not None:
        await end_event(connection, state["event_id"], at, SYSTEM.name)
        await connection.execute(KEEP, rule.id, stream.id, None, None)


def _event(rule: Rule, stream: Stream, at: datetime, figure: float | None) -> NewEvent:
    evidence: dict[str, Any] = {"rule": rule.name, "datastream": stream.id}
    text = None
    if figure is not None:
        evidence |= {"figure": round(figure, 6), "unit": stream.unit}
        # Measured here is not issued by an authority: the words must leave no doubt.
        text = f"实测达到 {figure:g} {stream.unit} · reached by measurement: {figure:g} {stream.unit}"
    return NewEvent(
        kind=rule.name,
        severity=rule.severity,
        title=f"{rule.title}: {stream.title}",
        began_at=at,
        text=text,
        rule_id=rule.id,
        datastream_id=stream.id,
        place=stream.place,
        objects=stream.objects,
        evidence=evidence,
        due_after=rule.due_after,
    )


async def _values(connection: Connection, stream: Stream, start: datetime, end: datetime) -> Values:
    rows = await connection.fetch(VALUES, stream.id, start, end)
    times, numbers = (np.array([row[i] for row in rows], dtype=float) for i in (0, 1))
    return Values(times, numbers, stream.levels)


def _reach(rule: Rule) -> timedelta:
    return max(reach(rule.watch.when), reach(rule.watch.until), rule.watch.hold)


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
