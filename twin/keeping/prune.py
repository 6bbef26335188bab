"""`twin prune`: what the policy no longer keeps, told first and thrown away when it is said."""

import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import psycopg
from psycopg import sql

from cim_models.embedded.archive import Archive
from twin.directory import CityPlace
from twin.keeping import keeping
from twin.keeping.moments import bases, first_segment
from twin.local import LocalTwin

# Where each theme keeps what is no longer believed, and the whole of it.
PAST = """
    select c.relname, p.relname, exists (
        select from pg_attribute where attrelid = c.oid and attname = 'path' and not attisdropped)
    from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent
    where c.relkind = 'r' and c.relname = p.relname || '_past' and c.relnamespace = 'public'::regnamespace
    order by 1
"""
# The last that was known of an object stays: when it comes back, it is the same one.
OLD = """
    recorded_to < %(before)s and exists (
        select from {whole} later where later.object_id = past.object_id and later.recorded_to > past.recorded_to
          and later.plan_id is not distinct from past.plan_id)
"""
# What some reader of the feed has not seen yet is not old.
OLD_CHANGES = """
    at < %(before)s
    and not exists (select from change_consumer place where (past.xid, past.seq) > (place.xid, place.seq))
"""
OF_RUNS = """
    from scenario_run
    where parent is null and finished_at < %(before)s and (expires_at is null or expires_at > now())
"""
COUNT_RUNS = f"select count(*), min(finished_at) {OF_RUNS}"
# The server removes a run that has expired, with its layers and files.
EXPIRE_RUNS = f"update scenario_run set expires_at = now() where id in (select id {OF_RUNS})"
NAMED = "select from terrain where path = %(path)s union all select from coverage where path = %(path)s"

# A segment of the log in an archive, or what PostgreSQL notes of a copy: timeline, then place.
SEGMENT = re.compile(r"[0-9A-F]{24}\b.*\.gz")


@dataclass(frozen=True)
class Policy:
    """Days that things are kept; None is for ever. archive: days back of which every moment can be brought back."""

    history: int | None
    results: int | None
    logs: int | None
    archive: int | None


@dataclass(frozen=True)
class Doomed:
    """Something that the policy does not keep. where: a city's name, or the home. oldest: when it ceased to hold."""

    where: str
    what: str
    count: int
    oldest: datetime
    why: str
    remove: Callable[[], None]


def doomed(twin: LocalTwin, policy: Policy, now: datetime) -> Iterator[Doomed]:
    """What the policy does not keep; the database must be at work."""
    for place in twin.directory.cities():
        if policy.history is not None:
            yield from _history(place, now - timedelta(days=policy.history), policy.history)
        if policy.results is not None:
            yield from _results(place, now - timedelta(days=policy.results), policy.results)
    if policy.logs is not None:
        yield from _logs(twin, now - timedelta(days=policy.logs), policy.logs)
    if policy.archive is not None:
        yield from _archive(twin, now - timedelta(days=policy.archive), policy.archive)


def prune(twin: LocalTwin, policy: Policy, *, act: bool) -> list[Doomed]:
    """Find what the policy does not keep, and remove it if it is to `act`. Raises KeepingError."""
    with twin.database(make=False), keeping(twin.home):
        found = list(doomed(twin, policy, datetime.now(UTC)))
        if act:
            for each in found:
                each.remove()
    return found


@dataclass(frozen=True)
class Past:
    """A table that holds what was believed. whole: the table it is part of. ended: column that says until when."""

    table: str
    whole: str
    has_files: bool = False
    condition: str = OLD
    ended: str = "recorded_to"

    def of(self, what: str) -> sql.Composed:
        """A statement on the rows that are old: what stands before "from"."""
        which = sql.SQL(self.condition).format(whole=sql.Identifier(self.whole))
        return sql.SQL(what).format(sql.Identifier(self.ended)) + sql.SQL(" from {} past where {}").format(
            sql.Identifier(self.table), which
        )


def _history(place: CityPlace, before: datetime, days: int) -> Iterator[Doomed]:
    with psycopg.connect(place.url) as connection:
        tables = [Past(*row) for row in connection.execute(PAST).fetchall()]
        tables.append(Past("change", "change", condition=OLD_CHANGES, ended="at"))
        for past in tables:
            asked = past.of("select count(*), min({})")
            count, oldest = connection.execute(asked, {"before": before}).fetchone() or (0, None)
            if count and oldest is not None:
                why = f"no longer believed for {days} days" if past.condition == OLD else f"{days} days ago and more"
                yield Doomed(place.name, past.table, count, oldest, why, partial(_remove, place, past, before))


def _remove(place: CityPlace, past: Past, before: datetime) -> None:
    with psycopg.connect(place.url) as connection:
        returned = sql.SQL(" returning path" if past.has_files else " returning null")
        rows = connection.execute(past.of("delete") + returned, {"before": before}).fetchall()
        paths = {path for (path,) in rows if path and not connection.execute(NAMED, {"path": path}).rowcount}
    # After the commit: a row never names a file that is gone.
    for path in paths:
        (place.files / path).unlink(missing_ok=True)


def _results(place: CityPlace, before: datetime, days: int) -> Iterator[Doomed]:
    def remove() -> None:
        with psycopg.connect(place.url) as connection:
            connection.execute(EXPIRE_RUNS, {"before": before})

    with psycopg.connect(place.url) as connection:
        count, oldest = connection.execute(COUNT_RUNS, {"before": before}).fetchone() or (0, None)
    if count and oldest is not None:
        yield Doomed(place.name, "scenario_run", count, oldest, f"finished more than {days} days ago", remove)


def _logs(twin: LocalTwin, before: datetime, days: int) -> Iterator[Doomed]:
    """Logs that were put aside; the one that is written to is bounded by itself."""
    for path in (*twin.log_file.parent.glob("*.log.*"), twin.home / "postgres" / "server.log.1"):
        if path.exists() and (written := _written(path)) < before:
            why = f"last written more than {days} days ago"
            yield Doomed("home", str(path.relative_to(twin.home)), 1, written, why, path.unlink)


def _archive(twin: LocalTwin, before: datetime, days: int) -> Iterator[Doomed]:
    """What of the archive leads to no moment since `before`: what is older than the last copy made by then."""
    folder = None if twin.cluster is None else Archive(twin.cluster).folder
    copies = {} if folder is None else bases(folder)
    old = sorted(moment for moment in copies if moment <= before)
    if folder is None or not old:
        return
    why = f"no moment of the last {days} days needs it"
    for moment in old[:-1]:
        what = f"bases/{copies[moment].name}"
        yield Doomed("archive", what, 1, moment, why, partial(shutil.rmtree, copies[moment]))
    first = first_segment(copies[old[-1]])
    log = [path for path in (folder / "wal").glob("*.gz") if SEGMENT.match(path.name) and path.name[8:24] < first]
    if log:
        yield Doomed("archive", "wal", len(log), min(map(_written, log)), why, partial(_unlink, log))


def _unlink(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink()


def _written(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)
