"""A process's own eye on the change feed: what commits is known here within a second, to judge what lies in caches.

Unlike a consumer of the feed it does not wait for transactions that still run, or one long import would leave the
tiles of all other edits stale. It needs no order, only that nothing is missed: each poll reads again from the oldest
transaction that ran at the poll before, and skips what it has seen.
"""

import asyncio
import contextlib
import logging
import time

import asyncpg

from cim_models.database import Connection, Database
from layers.changes import CHANNEL
from tiles.freshness import Freshness, horizon

POLL_S = 0.5
# What was heard is taken for all there is for so long; then whoever asks waits for the next poll.
FRESH_S = 1.5
RECONNECT_S = 0.5
HANGS_S = 5.0
# How often a replica is asked whether it has come as far as what was heard from the primary, and how long.
REPLAY_POLL_S = 0.02
REPLAY_LIMIT_S = 2.0
POLL_SQL = """
    with seen as materialized (select pg_current_snapshot() as snapshot)
    select pg_snapshot_xmin(s.snapshot) as horizon, pg_current_wal_lsn()::text as lsn,
           c.xid, c.seq, c."table", c.bbox_old, c.bbox_new
    from seen s left join change c on c.xid >= $1
    order by c.xid, c.seq
"""

logger = logging.getLogger(__name__)


class Watch:
    """Tells `freshness` of changes as they commit, over a connection of its own to the primary."""

    def __init__(self, database: Database, freshness: Freshness) -> None:
        self._database = database
        self._freshness = freshness
        self._horizon = 0
        self._seen: set[tuple[int, int]] = set()
        self._fresh_until = 0.0
        self._polled = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.lsn = "0/0"

    @property
    def is_fresh(self) -> bool:
        """Whether all that committed until a moment ago is known."""
        return time.monotonic() < self._fresh_until

    async def start(self) -> None:
        """Learn what changed lately, and follow from there. Raises what a lost connection raises."""
        connection = await self._connect()
        try:
            self._horizon = await horizon(connection)
            await self._freshness.start(connection)
            await self._poll(connection)
        finally:
            await connection.close()
        self._task = asyncio.create_task(self._follow())

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def until_fresh(self) -> bool:
        """Wait a moment for the next poll, if the last is too long ago; whether it came."""
        if not self.is_fresh:
            self._polled.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FRESH_S):
                    await self._polled.wait()
        return self.is_fresh

    async def replayed(self, connection: Connection) -> None:
        """On a replica, wait until it has what was heard of from the primary, or what is read would be stale again."""
        if not self._database.has_replica:
            return
        lsn, rounds = self.lsn, int(REPLAY_LIMIT_S / REPLAY_POLL_S)
        for _ in range(rounds):
            if await connection.fetchval("select pg_last_wal_replay_lsn() >= $1::text::pg_lsn", lsn) is not False:
                return
            await asyncio.sleep(REPLAY_POLL_S)

    async def _follow(self) -> None:
        while True:
            try:
                connection = await self._connect()
                try:
                    await self._listen(connection)
                finally:
                    connection.terminate()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
                logger.warning("tiles: no sight of changes (%s); trying again", error)
                await asyncio.sleep(RECONNECT_S)

    async def _listen(self, connection: asyncpg.Connection) -> None:
        woken = asyncio.Event()
        await connection.add_listener(CHANNEL, lambda *_: woken.set())
        while True:
            woken.clear()
            await self._poll(connection)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_S):
                    await woken.wait()

    async def _connect(self) -> asyncpg.Connection:
        settings = {"application_name": "citytwin tiles"}
        return await asyncpg.connect(self._database.url, timeout=HANGS_S, server_settings=settings)

    async def _poll(self, connection: Connection) -> None:
        begun = time.monotonic()
        rows = await connection.fetch(POLL_SQL, self._horizon, timeout=HANGS_S)
        for row in rows:
            if row["xid"] is not None and (row["xid"], row["seq"]) not in self._seen:
                self._freshness.add(row["table"], row["xid"], (row["bbox_old"], row["bbox_new"]))
        self._horizon, self.lsn = rows[0]["horizon"], rows[0]["lsn"]
        self._seen = {
            (row["xid"], row["seq"]) for row in rows if row["xid"] is not None and row["xid"] >= self._horizon
        }
        self._fresh_until = begun + FRESH_S
        self._polled.set()
