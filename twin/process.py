"""How the life of a process that the supervisor starts begins and ends."""

import ctypes
import os
import signal
import sys
from typing import NoReturn

PR_SET_PDEATHSIG = 1
PARENT = "TWIN_SUPERVISOR"


def die_with_supervisor() -> None:
    """Have the kernel end this process when the supervisor ends, even by kill -9, so that no server is orphaned.

    A no-op in a process that no supervisor started.
    """
    parent = os.environ.get(PARENT)
    if parent is None:
        return
    die_with_parent()
    # It may have ended before the kernel was told.
    if os.getppid() != int(parent):
        os._exit(1)


def die_with_parent() -> None:
    """Have the kernel end this process when the thread that started it ends."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def leave(status: int) -> NoReturn:
    """End this process now that its work is done: taking the interpreter apart, piece by piece, takes seconds."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
