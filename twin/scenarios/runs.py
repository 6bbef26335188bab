"""Runs as rows: written by the server that takes them in, the worker that tends them, the process that computes them.

A run is `accepted`, `running`, and then `successful`, `failed` or `dismissed` (OGC 18-062r2, statusCode). Who computes
it holds an attempt: when another worker has taken it over, or it was dismissed, nothing that the old one writes counts.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from cim_models.database import Connection
from layers.access import SYSTEM, Principal
from layers.catalog import Catalog
from twin.scenarios import NoSuchRun, TooManyRuns
from twin.scenarios.inputs import Words

State = Literal["accepted", "running", "successful", "failed", "dismissed"]
OPEN: tuple[State, ...] = ("accepted", "running")
ADMINISTRATOR = "administrator"
RUNS, MEMBERS = "runs", "members"
TASK = "run"
# What a dismissed run was is remembered this long.
DISMISSED_KEPT = "1 day"

COLUMNS = """
    r.id, r.parent, r.scenario, r.inputs, r.view, r.seed, r.principal, r.role, r.response, r.callback, r.told, r.state,
    r.attempt, r.progress, r.message, r.versions, r.changes, r.readers, r.outcome, r.log, r.created_at, r.started_at,
    r.updated_at, r.finished_at, r.expires_at
"""
QUEUED = "select count(*) from scenario_run where principal = $1 and parent is null and state = any($2)"
INSERT = """
    insert into scenario_run (parent, scenario, inputs, view, seed, principal, role, response, callback)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning id
"""
DEFER = """
    update public.scenario_run set job = (procrastinate_defer_jobs_v1(
        array[row($2, $3, 0, null, null, $4::jsonb, null)::procrastinate_job_to_defer_v1]))[1]
    where id = $1
"""
LIST = f"""
    select {COLUMNS} from scenario_run r
    where r.parent is null
      and ($1::text[] is null or r.scenario = any($1)) and ($2::text[] is null or r.state = any($2))
      and ($3 or r.principal = $4 or (r.finished_at is not null and (r.readers is null or $5 = any(r.readers))))
      and ($6::timestamptz is null or r.created_at >= $6) and ($7::timestamptz is null or r.created_at <= $7)
      and ($8::float8 is null or coalesce(r.finished_at, now()) - r.started_at >= make_interval(secs => $8))
      and ($9::float8 is null or coalesce(r.finished_at, now()) - r.started_at <= make_interval(secs => $9))
    order by r.created_at desc, r.id limit $10 offset $11
"""
START = """
    update scenario_run set state = 'running', attempt = attempt + 1, started_at = now(), updated_at = now(),
           seen_at = now(), progress = 0, message = null
    where id = $1 and state in ('accepted', 'running') returning attempt
"""
BEAT = """
    update scenario_run set progress = $3, message = coalesce($4, message),
           updated_at = case when progress = $3 and message is not distinct from coalesce($4, message)
                             then updated_at else now() end
    where id = $1 and attempt = $2 and state = 'running' returning true
"""
FINISH = """
    update scenario_run set state = 'successful', progress = 1, message = null, outcome = $3, versions = $4,
           changes = $5, readers = $6, finished_at = now(), updated_at = now(), seen_at = now(),
           expires_at = now() + make_interval(secs => $7)
    where id = $1 and attempt = $2 and state = 'running' returning true
"""
FAIL = """
    update scenario_run set state = 'failed', message = $3, finished_at = now(), updated_at = now(),
           readers = array[role], expires_at = now() + make_interval(secs => $4)
    where id = $1 and attempt = $2 and state in ('accepted', 'running') returning true
"""
DISMISS = f"""
    update scenario_run set finished_at = coalesce(finished_at, now()), updated_at = now(), readers = array[role],
           expires_at = case when finished_at is null then now() + interval '{DISMISSED_KEPT}' else now() end,
           state = 'dismissed'
    where (id = $1 or parent = $1) and state <> 'dismissed'
"""


@dataclass(frozen=True)
class Asked:
    """What a run is to be. view: datetime, recorded, plan as asked for. callback: addresses by OGC's names."""

    scenario: str
    inputs: Mapping[str, Any]
    view: Mapping[str, Any]
    seed: int
    principal: Principal
    parent: UUID | None = None
    response: str = "document"
    callback: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Run:
    """A run as it stands."""

    id: UUID
    parent: UUID | None
    scenario: str
    inputs: dict[str, Any]
    view: dict[str, Any]
    seed: int
    principal: str
    role: str
    response: str
    callback: dict[str, str] | None
    told: str | None
    state: State
    attempt: int
    progress: float
    message: dict[str, str] | None
    versions: dict[str, str] | None
    changes: dict[str, int] | None
    readers: list[str] | None
    outcome: dict[str, Any] | None
    log: str | None
    created_at: datetime
    started_at: datetime | None
    updated_at: datetime
    finished_at: datetime | None
    expires_at: datetime | None

    @property
    def is_over(self) -> bool:
        return self.state not in OPEN

    @property
    def indicators(self) -> dict[str, Any] | None:
        """In the scenario's order; None where there is no result."""
        return None if self.outcome is None else dict(self.outcome["indicators"])

    @property
    def words(self) -> Words | None:
        return Words(self.message["zh"], self.message["en"]) if self.message else None

    def owned_by(self, principal: Principal) -> bool:
        """Whether a principal may dismiss it."""
        return principal == SYSTEM or principal.role == ADMINISTRATOR or principal.name == self.principal

    def seen_by(self, principal: Principal) -> bool:
        """Whether a principal may know of it: who asked for it, and, once it is over, who may read what it read."""
        if self.owned_by(principal):
            return True
        return self.is_over and self.read_by(principal.role)

    def read_by(self, role: str) -> bool:
        """Whether all of a role may read its results."""
        return self.readers is None or role in self.readers


async def enqueue(connection: Connection, asked: Asked, *, most: int) -> UUID:
    """Take a run in, in the caller's transaction. Raises TooManyRuns where the principal has `most` under way."""
    if asked.parent is None:
        # Two requests at once would both count one less than there are.
        await connection.execute("select pg_advisory_xact_lock(hashtext($1))", f"runs of {asked.principal.name}")
        under_way = await connection.fetchval(QUEUED, asked.principal.name, list(OPEN))
        if under_way >= most:
            raise TooManyRuns(f"{asked.principal.name} has {under_way} runs under way; wait for one, or dismiss it")
    run_id: UUID = await connection.fetchval(
        INSERT,
        asked.parent,
        asked.scenario,
        dict(asked.inputs),
        dict(asked.view),
        asked.seed,
        asked.principal.name,
        asked.principal.role,
        asked.response,
        None if asked.callback is None else dict(asked.callback),
    )
    queue = RUNS if asked.parent is None else MEMBERS
    # By the queue's own function, in this transaction: no run without its job, and no job without its run.
    await connection.execute("set local search_path to procrastinate, public")
    await connection.execute(DEFER, run_id, queue, TASK, {"run": str(run_id)})
    await connection.execute("set local search_path to default")
    return run_id


async def find_run(connection: Connection, run_id: UUID | str, principal: Principal = SYSTEM) -> Run:
    """Raises NoSuchRun, in the same words whether it is absent or hidden."""
    try:
        wanted = UUID(str(run_id))
    except ValueError:
        wanted = None
    row = wanted and await connection.fetchrow(f"select {COLUMNS} from scenario_run r where r.id = $1", wanted)
    run = as_run(row) if row else None
    if run is None or not run.seen_by(principal):
        raise NoSuchRun(f"no job {str(run_id)[:60]!r}; /jobs lists those there are")
    return run


async def list_runs(
    connection: Connection,
    principal: Principal,
    *,
    scenarios: Sequence[str] | None = None,
    states: Sequence[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    shortest_s: float | None = None,
    longest_s: float | None = None,
    limit: int = 100,
    offset: int = 0,
) -> list[Run]:
    """Runs that a principal may know of, the newest first. since, until: when they were asked for."""
    sees_all = principal == SYSTEM or principal.role == ADMINISTRATOR
    rows = await connection.fetch(
        LIST,
        *(scenarios, states, sees_all, principal.name, principal.role, since, until, shortest_s, longest_s),
        *(limit, offset),
    )
    return [as_run(row) for row in rows]


async def list_members(connection: Connection, parent: UUID) -> list[Run]:
    """The members of a run, in the order they were asked for."""
    rows = await connection.fetch(f"select {COLUMNS} from scenario_run r where r.parent = $1 order by r.job", parent)
    return [as_run(row) for row in rows]


async def start(connection: Connection, run_id: UUID) -> int | None:
    """Begin a new attempt; its number. None where the run is over already."""
    number: int | None = await connection.fetchval(START, run_id)
    return number


async def hold(connection: Connection, run_id: UUID) -> None:
    """Say that a worker has a run in hand, whether or not it is its turn yet."""
    await connection.execute("update scenario_run set seen_at = now() where id = $1", run_id)


async def beat(
    connection: Connection, run_id: UUID, attempt: int, progress: float, message: Mapping[str, str] | None
) -> bool:
    """Say how far a run is. False where this attempt counts no more: end it."""
    told = None if message is None else dict(message)
    return bool(await connection.fetchval(BEAT, run_id, attempt, progress, told))


async def finish(
    connection: Connection,
    run: Run,
    *,
    outcome: Mapping[str, Any],
    versions: Mapping[str, str],
    changes: Mapping[str, int],
    readers: Sequence[str] | None,
    kept_s: float,
) -> bool:
    """Keep what a run gave, in the caller's transaction. False where this attempt counts no more: undo it all."""
    arguments = (dict(outcome), dict(versions), dict(changes), None if readers is None else list(readers), kept_s)
    return bool(await connection.fetchval(FINISH, run.id, run.attempt, *arguments))


async def fail(connection: Connection, run_id: UUID, attempt: int, reason: Words, kept_s: float) -> bool:
    """Say why a run failed. False where this attempt counts no more."""
    return bool(await connection.fetchval(FAIL, run_id, attempt, reason._asdict(), kept_s))


async def dismiss(connection: Connection, run_id: UUID) -> None:
    """End a run with its members. One that is over is removed with its results by the next round of the worker."""
    await connection.execute(DISMISS, run_id)


def readers_of(layers: Sequence[str], role: str, catalog: Catalog) -> list[str] | None:
    """The roles that may read all that was read of some layers by `role`; None for everybody."""
    roles = sorted({grant.role for grant in catalog.policy.grants})
    found = {each for each in roles if all(_reads_whole(each, layer, catalog) for layer in layers)}
    return None if "public" in found else sorted(found | {role})


def _reads_whole(role: str, layer_id: str, catalog: Catalog) -> bool:
    layer = next((layer for layer in catalog.layers(SYSTEM) if layer.id == layer_id), None)
    return layer is not None and catalog.reads_whole(layer, Principal(role, role))


def as_run(row: Any) -> Run:
    """A run from a row of `COLUMNS`."""
    return Run(**{name: row[name] for name in Run.__dataclass_fields__})


def plain(value: Any) -> Any:
    """A value as JSON keeps it. Raises ValueError for NaN and infinity, TypeError for what JSON cannot say."""
    return json.loads(json.dumps(value, allow_nan=False, ensure_ascii=False))
