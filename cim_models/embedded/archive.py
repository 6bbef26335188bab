"""An archive of the cluster's every moment: a copy of its data now and then, and of its log all the time.

Archiving is on while `postgres/archive/` is there, with two links in it: `folder`, where to, and `files`, what the rows
of the cities name. PostgreSQL need not start again for it.
"""

import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg import sql

from cim_models.embedded import postgres
from cim_models.embedded.cluster import Cluster, EmbeddedError
from cim_models.embedded.home import Owner, environment, service_user
from cim_models.embedded.process import wait

ARCHIVED_WITHIN_S = 120.0
# A day's log is replayed in minutes.
REPLAYED_WITHIN_S = 4 * 3600.0
BASE, CHECKSUMS = "base.tar.gz", "backup_manifest"
ENDS = "the archive ends before that moment; leave --to out to have all that is in it"
# How PostgreSQL says it.
TOO_EARLY = "recovery ended before configured recovery target was reached"
RECOVERY = ("restore_command", "recovery_target_time", "recovery_target_action")


class ArchiveError(EmbeddedError):
    """The archive cannot be written, or not be read back like this."""


class ArchiveEnds(ArchiveError):
    """The archive does not reach the moment that is asked for."""


@dataclass(frozen=True)
class Archiving:
    """How archiving goes. failed_at: of the last attempt, None where none failed since the last segment arrived."""

    folder: Path
    archived_at: datetime | None
    failed_at: datetime | None


class Archive:
    """The archiving of one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._links = cluster.directory / "archive"
        # Of the role that owns the databases.
        self._password = cluster.directory / "password"

    @property
    def folder(self) -> Path | None:
        """Where the log is archived to, None where it is not."""
        try:
            return Path(os.readlink(self._links / "folder"))
        except FileNotFoundError:
            return None

    def begin(self, folder: Path, files: Path) -> None:
        """Archive to `folder` from now on; files: the folder that holds the files of all cities."""
        owner = self._owner
        for part in (folder, folder / "wal", folder / "files", folder / "bases"):
            owner.private_directory(part)
        if not owner.can_enter(folder):
            raise ArchiveError(f"{folder}: PostgreSQL runs as {owner.name}, who cannot enter it; name another folder")
        owner.write(folder / "password", self._password.read_text())
        staging = self._links.with_name("archive.new")
        shutil.rmtree(staging, ignore_errors=True)
        owner.private_directory(staging)
        (staging / "folder").symlink_to(folder)
        (staging / "files").symlink_to(files)
        staging.rename(self._links)

    def end(self) -> None:
        """Archive what is there by now, and no more."""
        try:
            self.flush()
        finally:
            shutil.rmtree(self._links)

    def flush(self) -> None:
        """Bring the log so far into the archive. Raises ArchiveError where that does not come to pass."""
        with self._cluster.connect() as connection:
            # A segment without a record in it is not closed.
            connection.execute("select pg_create_restore_point('flush')")
            row = connection.execute("select pg_walfile_name(pg_switch_wal())").fetchone()
        assert row is not None
        arrived = Path(self._links, "folder", "wal", f"{row[0]}.gz")
        if not wait(arrived.exists, ARCHIVED_WITHIN_S):
            raise ArchiveError(f"{self.folder}: nothing arrives there; see {self._cluster.directory / 'server.log'}")

    def state(self) -> Archiving | None:
        """How archiving goes; None where it is off."""
        folder = self.folder
        if folder is None:
            return None
        with self._cluster.connect() as connection:
            asked = "select last_archived_time, last_failed_time from pg_stat_archiver"
            archived, failed = connection.execute(asked).fetchone() or (None, None)
        return Archiving(folder, archived, failed if failed and (archived is None or failed > archived) else None)

    def copy_base(self, target: Path) -> None:
        """Copy the cluster's data, as a place to replay the log from, into `target`, in place of what is there."""
        owner = self._owner
        shutil.rmtree(target, ignore_errors=True)
        owner.private_directory(target)
        program = self._program("pg_basebackup", self._cluster.data)
        where = ("--host", str(self._cluster.runtime), "--port", str(self._cluster.port), "--username", "postgres")
        # With the log that was written meanwhile: it can be restored by itself.
        how = ("--format", "tar", "--compress", "1", "--wal-method", "fetch", "--checkpoint", "fast", "--no-password")
        self._run([program, *where, *how, "--pgdata", str(target)], owner)

    def lay_down(self, base: Path, folder: Path, to: datetime | None) -> None:
        """Make the data directory from a copy of it, and replay the log in `folder` up to a moment, or all of it.

        The cluster runs afterwards. Where it fails there is no data directory. Raises ArchiveError.
        """
        owner = self._cluster.claim_directory()
        staging, log = self._cluster.directory / "data.new", self._cluster.directory / "restored-from"
        shutil.rmtree(staging, ignore_errors=True)
        owner.private_directory(staging)
        with (base / BASE).open("rb") as packed:
            self._run(["tar", "--extract", "--gzip", "--directory", str(staging)], owner, stdin=packed.fileno())
        owner.write(self._password, (folder / "password").read_text())
        owner.write(staging / CHECKSUMS, (base / CHECKSUMS).read_text())
        self._run([self._program("pg_verifybackup", staging), "--no-parse-wal", "--quiet", str(staging)], owner)
        log.unlink(missing_ok=True)
        log.symlink_to(folder)
        _plan_recovery(staging, owner, to)
        staging.rename(self._cluster.data)
        try:
            self._replay()
        except BaseException:
            self._cluster.stop(force=True)
            shutil.rmtree(self._cluster.data)
            raise
        finally:
            log.unlink()

    def _replay(self) -> None:
        try:
            self._cluster.start()
            until = time.monotonic() + REPLAYED_WITHIN_S
            while not self._replayed():
                if time.monotonic() > until:
                    raise ArchiveError(f"the log is not replayed after {REPLAYED_WITHIN_S / 3600:.0f} hours")
                time.sleep(0.1)
        except (EmbeddedError, psycopg.OperationalError) as error:
            log = self._cluster.directory / "server.log"
            if TOO_EARLY in log.read_text(errors="replace"):
                raise ArchiveEnds(
                    "the archive ends before that moment; leave --to out to have all that is in it"
                ) from None
            raise ArchiveError(f"the log cannot be replayed: {error}") from None

    def _replayed(self) -> bool:
        with self._cluster.connect() as connection:
            if connection.execute("select pg_is_in_recovery()").fetchone() == (True,):
                return False
            for name in RECOVERY:
                connection.execute(sql.SQL("alter system reset {}").format(sql.Identifier(name)))
        return True

    @property
    def _owner(self) -> Owner:
        return service_user(self._cluster.directory)

    def _program(self, name: str, data: Path) -> str:
        """A program of the version that made a data directory."""
        return str(postgres.choose(int((data / "PG_VERSION").read_text())).binaries / name)

    def _run(self, command: list[str], owner: Owner, stdin: int = subprocess.DEVNULL) -> None:
        done = subprocess.run(
            command, **owner.identity(), env=environment(), stdin=stdin, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ArchiveError(f"{Path(command[0]).name} failed: {done.stderr.strip()}")


def _plan_recovery(data: Path, owner: Owner, to: datetime | None) -> None:
    lines = ['restore_command = \'gzip -dc "../restored-from/wal/%f.gz" > "%p"\'']
    if to is not None:
        lines.append(f"recovery_target_time = '{to.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}+00'")
        lines.append("recovery_target_action = 'promote'")
    own = (data / "postgresql.auto.conf").read_text()
    owner.write(data / "postgresql.auto.conf", own + "\n".join(lines) + "\n")
    owner.write(data / "recovery.signal", "")
