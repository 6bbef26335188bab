"""Keeping a city safe: backup and restore, an archive of every moment, pruning, and what a fall left behind."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from twin import TwinError
from twin.directory import first_line

LOCK = "keeping.lock"


class KeepingError(TwinError):
    """Something cannot be kept, brought back or thrown away like this."""


@contextmanager
def keeping(home: Path) -> Iterator[None]:
    """Be the only one who backs up, restores or prunes in `home`; the lock ends with the process.

    Raises KeepingError, also where the database cannot go on, as on a full disk.
    """
    descriptor = os.open(home / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise KeepingError(f"{home}: another backup, restore or prune is at work here; wait for it") from None
        yield
    except psycopg.OperationalError as error:
        reason = first_line(error)
        raise KeepingError(f"{home}: PostgreSQL cannot go on ({reason}); see postgres/server.log there") from None
    finally:
        os.close(descriptor)
