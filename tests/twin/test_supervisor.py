"""Processes kept alive and ended: small programs that fall, linger or refuse to go."""

import asyncio
import os
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from twin.logfile import LogFile
from twin.supervisor import Program, StartFailed, Supervisor


@pytest.fixture
def log(tmp_path: Path) -> LogFile:
    return LogFile(tmp_path / "logs" / "twin.log")


@pytest.fixture
def supervisor(log: LogFile) -> Supervisor:
    return Supervisor(os.environ, log)


def program(script: str) -> Program:
    return Program("test", (sys.executable, "-c", script))


async def said(log: LogFile, text: str, times: int = 1) -> None:
    async with asyncio.timeout(10):
        while log.path.read_text().count(text) < times:  # noqa: ASYNC110  # a file has no event
            await asyncio.sleep(0.02)


async def test_what_ends_is_started_again_later_each_time(supervisor: Supervisor, log: LogFile) -> None:
    supervisor.keep(program("import time; print('began', time.monotonic(), flush=True)"))
    await said(log, "began", times=4)
    await supervisor.stop()
    began = [float(line.split()[1]) for line in log.path.read_text().splitlines() if line.startswith("began")]
    pauses = [later - earlier for earlier, later in pairwise(began)]
    assert pauses[0] > 0.25
    assert pauses[2] > pauses[0] + 0.5


async def test_a_hopeless_program_ends_the_start_with_its_last_words(supervisor: Supervisor) -> None:
    async def never() -> bool:
        return False

    supervisor.keep(program("raise SystemExit('no such thing')"))
    with pytest.raises(StartFailed, match="no such thing"):
        await supervisor.wait_until(never)
    await supervisor.stop()


async def test_what_does_not_answer_in_time_is_a_failed_start(supervisor: Supervisor) -> None:
    async def never() -> bool:
        return False

    supervisor.keep(program("import time; time.sleep(60)"))
    with pytest.raises(StartFailed, match="does not answer"):
        await supervisor.wait_until(never, timeout_s=0.3)
    await supervisor.stop()


async def test_a_program_that_ignores_sigterm_is_killed(supervisor: Supervisor, log: LogFile) -> None:
    stubborn = program(
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    supervisor.keep(stubborn)
    await said(log, "deaf")
    began = time.monotonic()
    await supervisor.stop(timeout_s=0.5)
    assert 0.5 < time.monotonic() - began < 5
    assert stubborn.process is not None
    assert stubborn.process.returncode == -9


async def test_lines_of_two_programs_do_not_mix(supervisor: Supervisor, log: LogFile) -> None:
    for letter in "ab":
        write = f"os.write(1, b'{letter}' * 300); os.write(1, b'\\n')"
        supervisor.keep(program(f"import os, time\nfor _ in range(200): {write}\ntime.sleep(60)"))
    await said(log, "a" * 300, times=200)
    await said(log, "b" * 300, times=200)
    await supervisor.stop()
    lines = [line for line in log.path.read_text().splitlines() if not line.startswith("{")]
    assert set(lines) == {"a" * 300, "b" * 300}


def test_a_full_log_begins_anew_and_the_oldest_is_dropped(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "twin.log", limit=100)
    for number in range(60):
        log.write(b"%02d %s\n" % (number, b"x" * 30))
    log.close()
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["twin.log", *(f"twin.log.{number}" for number in range(1, 5))]
    assert all(file.stat().st_size <= 100 for file in files)
    assert (tmp_path / "twin.log").read_bytes().endswith(b"59 " + b"x" * 30 + b"\n")
