"""Rules: evaluated on every batch that arrives and by the clock, each raising one event while it holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import ValidationError

from cim_models.database import Connection
from layers.access import SYSTEM
from twin.sensing import BadEntity
from twin.sensing.conditions import (
    Applies,
    Condition,
    Gap,
    Truth,
    Watch,
    check,
    measure,
    nearness,
    parts_of,
    reach,
    silence_of,
    truth,
)
from twin.sensing.events import NewEvent, Severity, end_event, escalate_overdue, raise_event
from twin.sensing.live import Arrival
from twin.sensing.watched import Gauged, Spans, Stream, Values, areas_of, series_of, series_of_area, streams_of

RULES = """
    select id, name, title_zh, title_en, severity, due_after, applies, condition
    from sensing.rule where enabled order by id
"""
STATES = """
    select datastream_id, holds_since, event_id from sensing.rule_state
    where rule_id = $1 and datastream_id = any($2::bigint[])
"""
KEEP = """
    insert into sensing.rule_state (rule_id, datastream_id, holds_since, event_id)
    select $1, * from unnest($2::bigint[], $3::timestamptz[], $4::bigint[])
    on conflict (rule_id, datastream_id) do update set holds_since = excluded.holds_since, event_id = excluded.event_id
"""
# An area has no datastream that its state could be kept with: it holds while an event of it is not over.
OF_AREA = """
    select id from sensing.event
    where rule_id = $1 and evidence ->> 'area' = $2 and ended_at is null order by id limit 1
"""
# What a client has said of the quality stays; the content's hash is that of what was sent, which counts once.
MARK = """
    update sensing.observation set quality = case
            when quality is null then '{}' when jsonb_typeof(quality) = 'object' then quality - 'checks'
            else jsonb_build_object('given', quality) end
        || jsonb_build_object('checks', case when jsonb_typeof(quality -> 'checks') = 'array'
                                             then quality -> 'checks' else '[]' end || to_jsonb($3::text))
    where datastream_id = $1 and time = any($2::timestamptz[]) and number is not null
      and not coalesce(jsonb_typeof(quality -> 'checks') = 'array' and quality -> 'checks' ? $3, false)
"""
SILENT = """
    select l.datastream_id, l.arrived_at, s.event_id from sensing.latest l
    left join sensing.rule_state s on s.datastream_id = l.datastream_id and s.rule_id = $2
    where l.datastream_id = any($1::bigint[]) and l.arrived_at is not null
"""

# Streams whose series are read together: many of a few hours, few of weeks.
MOST_AT_ONCE, FEW_AT_ONCE = 500, 20
SHORT = timedelta(days=1)


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
class State:
    """How a rule stands for a stream. since: when its condition became true without a break; holds: it has raised."""

    since: datetime | None = None
    holds: bool = False


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
    check(watch, applies)
    title = row["title_zh"] or row["title_en"]
    return Rule(row["id"], row["name"], title, row["severity"], applies, watch, row.get("due_after"))


def follow(watch: Watch, series: Values, state: State, start: datetime) -> tuple[list[Turn], State]:
    """When a rule begins and ceases to hold from `start` on, and how it stands at the end of the series.

    What lies before `start` is looked back at, and judged no more.
    """
    when = _truth(watch.when, series, start)
    over: Truth = ~when if watch.until is None else _truth(watch.until, series, start)
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
    subjects: Sequence[Stream | Gauged]
    if rule.applies.areas is not None:
        subjects = await areas_of(connection, rule.applies)
    else:
        subjects = list((await streams_of(connection, rule.applies)).values())
    found: list[dict[str, Any]] = []
    for subject in subjects:
        if isinstance(subject, Gauged):
            told: dict[str, Any] = {"area": subject.key}
            series = await _series_of_area(connection, rule, subject, start, end)
        else:
            told = {"datastream": subject.id}
            (series,) = await _series(connection, rule, [subject], {subject.id: (start, end)})
        for turn in follow(rule.watch, series, State(), start)[0]:
            if turn.begins:
                found.append({**told, "title": subject.title, "from": turn.at.isoformat(), "to": None})
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
        if rule.applies.areas is not None:
            for area in await areas_of(connection, rule.applies):
                heard = [spans[each] for each in area.members if each in spans]
                if heard:
                    span = min(first for first, _ in heard), max(last for _, last in heard)
                    await _judge_area(connection, rule, area, *span)
            continue
        streams = list((await streams_of(connection, rule.applies, list(spans))).values())
        if silence_of(rule.watch.when) is not None:
            await _heard(connection, rule, streams, spans)
            continue
        number = MOST_AT_ONCE if _looks_back(rule) <= SHORT else FEW_AT_ONCE
        for place in range(0, len(streams), number):
            await _judge(connection, rule, streams[place : place + number], spans)


def _looks_back(rule: Rule) -> timedelta:
    return max(reach(rule.watch.when), reach(rule.watch.until), rule.watch.hold)


async def _series(connection: Connection, rule: Rule, streams: Sequence[Stream], spans: Spans) -> list[Values]:
    """The series of each stream over its span, with what lies before as far as the rule looks back."""
    back = _looks_back(rule)
    longer = {each.id: (spans[each.id][0] - back, spans[each.id][1]) for each in streams}
    has_gap = any(isinstance(each, Gap) for each in parts_of(rule.watch.when) + parts_of(rule.watch.until))
    return await series_of(connection, streams, longer, within_m=nearness(rule.watch), with_before=has_gap)


async def _series_of_area(connection: Connection, rule: Rule, area: Gauged, first: datetime, last: datetime) -> Values:
    return await series_of_area(connection, area, first - _looks_back(rule) - rule.watch.hold, last)


async def _judge_area(connection: Connection, rule: Rule, area: Gauged, first: datetime, last: datetime) -> None:
    """Judge an area from the first new value to the last."""
    event = await connection.fetchval(OF_AREA, rule.id, area.key)
    series = await _series_of_area(connection, rule, area, first, last)
    # Since when it has been true is seen anew.
    turns, _ = follow(rule.watch, series, State(holds=event is not None), first - rule.watch.hold)
    await _tell(connection, rule, area, series, turns, event=event)


async def _judge(connection: Connection, rule: Rule, streams: Sequence[Stream], spans: Spans) -> None:
    """Judge each stream from its first new value to its last."""
    rows = await connection.fetch(STATES, rule.id, [each.id for each in streams])
    states = {row["datastream_id"]: (row["holds_since"], row["event_id"]) for row in rows}
    changed: dict[int, tuple[datetime | None, int | None]] = {}
    for stream, series in zip(streams, await _series(connection, rule, streams, spans), strict=True):
        first = spans[stream.id][0]
        since, event = states.get(stream.id, (None, None))
        turns, state = follow(rule.watch, series, State(since, event is not None), first)
        now = state.since, await _tell(connection, rule, stream, series, turns, event=event)
        if now != (since, event):
            changed[stream.id] = now
        if rule.watch.marks:
            await _mark(connection, rule, stream, series, first)
    await _keep(connection, rule, changed)


async def _keep(connection: Connection, rule: Rule, states: Mapping[int, tuple[datetime | None, int | None]]) -> None:
    """Keep since when a rule has been true for streams, and the event that is on."""
    if states:
        since, events = (list(column) for column in zip(*states.values(), strict=True))
        await connection.execute(KEEP, rule.id, list(states), since, events)


async def _tell(
    connection: Connection,
    rule: Rule,
    subject: Stream | Gauged,
    series: Values,
    turns: Sequence[Turn],
    *,
    event: int | None,
) -> int | None:
    """Raise and end events; the one that is on in the end."""
    for turn in turns:
        if turn.begins:
            until = series.times <= turn.at.timestamp()
            figure = measure(rule.watch.when, series.times[until], series.numbers[until], series.others)
            event = await raise_event(connection, _event(rule, subject, turn.at, figure), SYSTEM.name)
        elif event is not None:
            await end_event(connection, event, turn.at, SYSTEM.name)
            event = None
    return event


async def _mark(connection: Connection, rule: Rule, stream: Stream, series: Values, start: datetime) -> None:
    """Tell each new observation for which the condition holds so in its quality."""
    holds = _truth(rule.watch.when, series, start) & (series.times >= start.timestamp())
    moments = [_moment(at) for at in series.times[holds].tolist()]
    if moments:
        await connection.execute(MARK, stream.id, moments, rule.name)


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
                await _keep(connection, rule, {stream.id: (None, event)})


async def _heard(connection: Connection, rule: Rule, streams: Sequence[Stream], spans: Spans) -> None:
    """End the silence of streams that have told something."""
    over: dict[int, tuple[datetime | None, int | None]] = {}
    for row in await connection.fetch(STATES, rule.id, [each.id for each in streams]):
        if row["event_id"] is not None:
            await end_event(connection, row["event_id"], spans[row["datastream_id"]][1], SYSTEM.name)
            over[row["datastream_id"]] = None, None
    await _keep(connection, rule, over)


def _event(rule: Rule, subject: Stream | Gauged, at: datetime, figure: float | None) -> NewEvent:
    evidence: dict[str, Any] = {"rule": rule.name}
    if isinstance(subject, Gauged):
        datastream = None
        evidence |= {"area": subject.key, "datastreams": subject.members}
    else:
        datastream = subject.id
        evidence |= {"datastream": datastream}
    text = None
    if figure is not None:
        evidence |= {"figure": round(figure, 6), "unit": subject.unit}
        # Measured here is not issued by an authority: the words must leave no doubt.
        text = f"实测达到 {figure:g} {subject.unit} · reached by measurement: {figure:g} {subject.unit}"
    return NewEvent(
        kind=rule.name,
        severity=rule.severity,
        title=f"{rule.title}: {subject.title}",
        began_at=at,
        text=text,
        rule_id=rule.id,
        datastream_id=datastream,
        place=subject.place,
        objects=subject.objects,
        evidence=evidence,
        due_after=rule.due_after,
    )


def _truth(condition: Condition, series: Values, start: datetime) -> Truth:
    return truth(condition, series.times, series.numbers, series.levels, since=start.timestamp(), others=series.others)


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
