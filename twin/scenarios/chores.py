"""What runs need done beside being computed: taken up where a worker fell, told to callbacks, removed in the end."""

import asyncio
import shutil
import time
from importlib import import_module
from pathlib import Path
from typing import Self
from uuid import UUID

import orjson
import structlog

from cim_models.database import Database
from tiles import TileError
from tiles.remote.outside import AllowList, Outside
from twin.scenarios.documents import result_of, status_of
from twin.scenarios.record import folder_of
from twin.scenarios.runs import COLUMNS, Run, as_run
from twin.settings import Settings
from twin.signing import signed

# A worker says several times a second that it tends a run; one that is silent so long has fallen.
SILENT = "10 seconds"
STRANDED = f"""
    select r.id, r.job from scenario_run r
    join procrastinate.procrastinate_jobs j on j.id = r.job
    where j.status = 'doing' and greatest(r.seen_at, (
        select max(e.at) from procrastinate.procrastinate_events e where e.job_id = j.id and e.type = 'started'
    )) < now() - interval '{SILENT}'
    for update of j skip locked
"""
AGAIN = "select procrastinate_retry_job_v2($1, now(), null, null, null)"
LOST = f"""
    update scenario_run r set state = 'failed', finished_at = now(), updated_at = now(), readers = array[role],
           expires_at = now() + make_interval(secs => $1),
           message = '{{"zh": "任务已从队列中丢失", "en": "its job is gone from the queue"}}'
    where state in ('accepted', 'running') and coalesce(seen_at, created_at) < now() - interval '{SILENT}'
      and not exists (select from procrastinate.procrastinate_jobs j where j.id = r.job)
"""
ORPHANS = """
    update scenario_run m set state = 'dismissed', finished_at = now(), updated_at = now()
    from scenario_run r
    where r.id = m.parent and m.state in ('accepted', 'running') and r.state in ('successful', 'failed', 'dismissed')
"""
EXPIRED = """
    select id, principal from scenario_run where parent is null and expires_at < now() order by expires_at limit 20
"""
UNTOLD = f"""
    select {COLUMNS} from scenario_run r
    where r.callback is not null and r.told is distinct from r.state and r.state <> 'accepted'
      and r.updated_at > now() - interval '1 day'
    order by r.updated_at limit 20
"""
EVENTS = {"running": "inProgressUri", "successful": "successUri", "failed": "failedUri", "dismissed": "failedUri"}
FIRST_DELAY_S, LONGEST_DELAY_S = 5.0, 3_600.0
LOGGER = structlog.get_logger()


async def mend(database: Database, kept_s: float) -> None:
    """Have runs that nobody tends any more computed again; end those that can never be."""
    async with database.writing() as connection:
        await connection.execute(LOST, kept_s)
        await connection.execute(ORPHANS)
        await connection.execute("set local search_path to procrastinate, public")
        for row in await connection.fetch(STRANDED):
            LOGGER.warning("run taken up again", run=str(row["id"]))
            await connection.execute(AGAIN, row["job"])


async def remove_expired(database: Database, files: Path) -> None:
    """Remove runs whose time is over, with their layers, their files and their members."""
    async with database.reading() as connection:
        expired = await connection.fetch(EXPIRED)
    if not expired:
        return
    # It takes seconds to load, most of the time nothing expires, and meanwhile runs are to be heard.
    results = await asyncio.to_thread(import_module, "layers.results")
    for row in expired:
        async with database.writing() as connection:
            await results.remove_run(connection, str(row["id"]), row["principal"])
            members = await connection.fetch("select id from scenario_run where parent = $1", row["id"])
            await connection.execute("delete from scenario_run where id = $1", row["id"])
        for run_id in (row["id"], *(member["id"] for member in members)):
            await asyncio.to_thread(shutil.rmtree, folder_of(files, run_id).path, ignore_errors=True)
        LOGGER.info("run removed", run=str(row["id"]))


class Callbacks:
    """Tells each run's callback of its states, at least once each; tries again, later each time, for a day."""

    def __init__(self, outside: Outside, key: str | None, base: str) -> None:
        self._outside = outside
        self._key = key
        self._base = base
        self._later: dict[UUID, tuple[float, float]] = {}

    @classmethod
    def of(cls, settings: Settings) -> Self:
        allowed = AllowList(settings.remote_hosts, settings.remote_networks)
        base = settings.public_url or f"http://{settings.host}:{settings.port}"
        return cls(Outside(allowed, limit_s=settings.remote_timeout), settings.callback_key, base)

    async def tell(self, database: Database, path: str) -> None:
        """path: what stands before the city's addresses."""
        async with database.reading() as connection:
            runs = [as_run(row) for row in await connection.fetch(UNTOLD)]
        for run in runs:
            due, delay = self._later.get(run.id, (0.0, FIRST_DELAY_S))
            if time.monotonic() < due:
                continue
            if await self._told(run, path):
                self._later.pop(run.id, None)
                async with database.writing() as connection:
                    await connection.execute("update scenario_run set told = $2 where id = $1", run.id, run.state)
            else:
                self._later[run.id] = (time.monotonic() + delay, min(2 * delay, LONGEST_DELAY_S))

    async def _told(self, run: Run, path: str) -> bool:
        """Whether the callback has heard; also where it does not want to."""
        url = (run.callback or {}).get(EVENTS[run.state])
        if url is None or self._key is None:
            return True
        told = result_of(run, self._base + path) if run.state == "successful" else status_of(run, self._base + path)
        body = orjson.dumps(told)
        try:
            status = await self._outside.post(url, body, signed(body, self._key, time.time()))
        except TileError as error:
            LOGGER.warning("callback not told", run=str(run.id), reason=str(error))
            return False
        return 200 <= status < 300
