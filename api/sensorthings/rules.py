"""/rules: what is watched, and what a rule would have raised."""

import re
from datetime import timedelta
from typing import Any

import asyncpg
from fastapi import Request, Response
from pydantic import Field

from api.answers import json_answer
from api.documentation import described
from api.errors import BadRequest
from api.exchange import exchange
from api.links import JSON
from api.parameters import Parameter, Query
from api.routing import PartRouter
from api.sensorthings.bodies import Body, json_body, read_body
from api.sensorthings.service import readable, writable
from layers.view import parse_interval
from twin.sensing import EntityNotFound
from twin.sensing.events import Severity
from twin.sensing.rules import dry_run, read_rule

RULE = """
    select id, name, title_zh, title_en, enabled, severity, hazard, due_after, applies, condition, updated_by,
           updated_at
    from sensing.rule
"""
SAVE = """
    insert into sensing.rule (name, title_zh, title_en, enabled, severity, hazard, due_after, applies, condition,
                              updated_by)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    on conflict (name) do update set title_zh = excluded.title_zh, title_en = excluded.title_en,
        enabled = excluded.enabled, severity = excluded.severity, hazard = excluded.hazard,
        due_after = excluded.due_after, applies = excluded.applies,
        condition = excluded.condition, updated_by = excluded.updated_by, updated_at = now()
"""
NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}\Z")
DATETIME = Parameter[str | None]("datetime", "The span to try a rule over: start/end.", str, None)

EXAMPLE = {
    "title_zh": "超警戒水位",
    "title_en": "Above the warning level",
    "severity": "orange",
    "due_after": "PT1H",
    "applies": {"kinds": ["water_level"]},
    "condition": {"when": {"type": "threshold", "level": "warning"}, "hold": "PT10M"},
}

router = PartRouter(tags=["Events"])


class RuleBody(Body):
    """A rule; its name is in the address.

    hazard: of whose official signal it measures the mark. due_after: an event of it that is not dealt with by then is
    escalated.
    """

    title_zh: str = Field(min_length=1, max_length=200)
    title_en: str = Field(min_length=1, max_length=200)
    severity: Severity
    enabled: bool = True
    hazard: str | None = Field(default=None, min_length=1, max_length=100)
    due_after: timedelta | None = Field(default=None, gt=timedelta(0))
    applies: dict[str, Any]
    condition: dict[str, Any]


@router.get("/rules", **described("getRules", kinds=(JSON,)))
async def rules(request: Request) -> Response:
    """All rules."""
    service, query = await readable(request), Query(request)
    query.finish()
    async with service.city.reading() as connection:
        found = await connection.fetch(f"{RULE} order by name")
    return json_answer({"rules": [_told(row) for row in found]})


@router.put("/rules/{name}", **described("putRule", kinds=(JSON,), body=json_body(EXAMPLE)))
async def put_rule(request: Request, name: str) -> Response:
    """Make a rule, or change it."""
    service = await writable(request)
    body = await _rule(name, request)
    async with service.city.database.writing() as connection:
        await connection.execute(
            SAVE,
            *(name, body.title_zh, body.title_en, body.enabled, body.severity, body.hazard, body.due_after),
            *(body.applies, body.condition),
            exchange(request).principal.name,
        )
        row = await connection.fetchrow(f"{RULE} where name = $1", name)
    assert row is not None, "it was just written"
    return json_answer(_told(row))


@router.delete("/rules/{name}", **described("deleteRule", kinds=(JSON,)))
async def delete_rule(request: Request, name: str) -> Response:
    """Delete a rule; its events stay, and are over."""
    service = await writable(request)
    async with service.city.database.writing() as connection:
        await connection.execute(
            "update sensing.event e set ended_at = now() from sensing.rule r"
            " where r.name = $1 and e.rule_id = r.id and e.ended_at is null",
            name,
        )
        found = await connection.fetchval("delete from sensing.rule where name = $1 returning id", name)
    if found is None:
        raise EntityNotFound(f"no rule {name[:60]!r}")
    return Response(status_code=204)


@router.post("/rules/{name}/trial", **described("tryRule", DATETIME, kinds=(JSON,), body=json_body(EXAMPLE)))
async def trial(request: Request, name: str) -> Response:
    """What a rule would have raised over a time that is past: nothing is written."""
    service, query = await writable(request), Query(request)
    text = query.take(DATETIME)
    query.finish()
    interval = None if text is None else parse_interval(text, service.zone)
    if interval is None or interval.start is None or interval.end is None:
        raise BadRequest("datetime: start/end is wanted")
    body = await _rule(name, request)
    rule = read_rule({"id": 0, "name": name, **body.model_dump()})
    async with service.city.reading() as connection:
        return json_answer({"events": await dry_run(connection, rule, interval.start, interval.end)})


def _told(row: asyncpg.Record) -> dict[str, Any]:
    due = row["due_after"]
    return dict(row) | {"due_after": None if due is None else f"PT{due.total_seconds():g}S"}


async def _rule(name: str, request: Request) -> RuleBody:
    if NAME.match(name) is None:
        raise BadRequest(f"{name[:60]!r}: a rule is named by a-z, 0-9, _ and -, a letter first")
    body = await read_body(request, RuleBody)
    read_rule({"id": 0, "name": name, **body.model_dump()})
    return body
