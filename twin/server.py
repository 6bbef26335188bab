"""A whole server from first to last: database, cities, processes; stopped in order by SIGINT, SIGTERM or SIGHUP."""

import asyncio
import contextlib
import http.client
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NoReturn

from prometheus_client.multiprocess import mark_process_dead

from cim_models.database import migrate
from cim_models.embedded import Cluster
from layers.seeds import seed_layers
from twin.keeping.aftermath import findings, traces
from twin.local import LocalTwin
from twin.logfile import LogFile
from twin.own_token import ensure_own_token
from twin.port import reserved_port
from twin.sensing.broker import private_broker
from twin.serving import sole_server
from twin.supervisor import Program, Supervisor

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
DATABASE_CHECK_S = 2.0

Step = Callable[[str], AbstractContextManager[None]]
Prepare = Callable[[LocalTwin], None]


def run_server(
    twin: LocalTwin,
    step: Step,
    served: Callable[[str], None],
    found: Callable[[str], None],
    prepare: Prepare | None = None,
) -> None:
    """Serve the cities of `twin` until a signal comes.

    step: called around each step with its title. served: called with the URL once it answers. found: called with each
    thing that the last end left behind. prepare: run when the database is there and before anything is served.
    Raises AlreadyServing, PortTaken, StartFailed, and what the database and `prepare` raise; nothing is left running.
    """
    twin.make_home()
    host, port = twin.settings.host, twin.settings.port
    before = traces(twin)
    with (
        _interrupted_by_signals(),
        sole_server(twin.home) as announce,
        reserved_port(host, port) as address,
        contextlib.ExitStack() as stack,
    ):
        with step("database"):
            stack.enter_context(twin.database())
            for place in twin.directory.cities():
                migrate(place.url)
                seed_layers(place.url)
            left = list(findings(twin, before))
        for finding in left:
            found(finding)
        if prepare is not None:
            prepare(twin)
        ensure_own_token(twin.token_file, twin.directory.cities())

        def ready(url: str) -> None:
            announce(url)
            served(url)

        log = LogFile(twin.log_file)
        for finding in left:
            log.event("found at the start", "warning", finding=finding)
        asyncio.run(_supervise(twin, address, step, ready, log))


async def _supervise(
    twin: LocalTwin, address: tuple[str, int], step: Step, ready: Callable[[str], None], log: LogFile
) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _heeded():
        # Not the loop's own handlers: those end with the loop, while the database is still to be stopped.
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stopped.set))
    metrics = _metrics_folder(twin)
    environ = _environment(twin, address) | {"PROMETHEUS_MULTIPROC_DIR": str(metrics)}
    broker = None
    if twin.settings.mqtt_url is None and (broker := private_broker(twin.home, _own_token(twin))) is not None:
        environ |= {"TWIN_MQTT_URL": broker.url, "TWIN_MQTT_PUBLIC_URL": broker.public_url}
    # What a process that is gone had under way is under way no more.
    supervisor = Supervisor(environ, log, ended=lambda pid: mark_process_dead(pid, str(metrics)))  # type: ignore[no-untyped-call]
    watch = asyncio.create_task(_watch_database(twin.cluster, log)) if twin.cluster else None
    try:
        with step("server"):
            if broker is not None:
                supervisor.keep(Program("broker", broker.command))
            for place in range(1, twin.workers + 1):
                supervisor.keep(_program(f"server {place}", "api.serve"))
            starting = asyncio.create_task(supervisor.wait_until(lambda: asyncio.to_thread(_answers, address)))
            ending = asyncio.create_task(stopped.wait())
            await asyncio.wait({starting, ending}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                await starting
            starting.cancel()
        if not stopped.is_set():
            ready(_url(address))
            # After the servers: on few cores it would hold them up.
            supervisor.keep(_program("worker", "twin.worker"))
            for place in range(1, twin.settings.job_workers + 1):
                supervisor.keep(_program(f"jobs {place}", "twin.scenarios"))
        await ending
    finally:
        # What is left takes seconds; a second Ctrl-C would leave the database running.
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        if watch is not None:
            watch.cancel()
        await supervisor.stop()
        log.event("stopped")
        log.close()


def _own_token(twin: LocalTwin) -> str:
    return twin.token_file.read_text(encoding="ascii").strip()


def _program(name: str, module: str) -> Program:
    # -P: a folder "api" or "twin" where the user stands is not ours.
    return Program(name, (sys.executable, "-P", "-m", module))


def _environment(twin: LocalTwin, address: tuple[str, int]) -> dict[str, str]:
    settings = twin.settings
    return os.environ | {
        "TWIN_HOME": str(twin.home),
        "TWIN_DATABASE_URL": settings.database_url,
        "TWIN_DATA": str(settings.data.absolute()),
        "TWIN_CACHE": str((settings.cache or twin.home / "cache").absolute()),
        "TWIN_HOST": address[0],
        "TWIN_PORT": str(address[1]),
        "PYTHONUNBUFFERED": "1",
    }


def _metrics_folder(twin: LocalTwin) -> Path:
    """Where the server processes add up their figures for /metrics; those of an earlier server are forgotten."""
    folder = twin.home / "metrics"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


async def _watch_database(cluster: Cluster, log: LogFile) -> None:
    """Start the private PostgreSQL again when it does not answer."""
    while True:
        await asyncio.sleep(DATABASE_CHECK_S)
        health = await asyncio.to_thread(cluster.health)
        if not health.ready:
            log.event("database does not answer", "warning", reason=health.reason)
            try:
                await asyncio.to_thread(cluster.start)
                log.event("database answers again")
            # Whatever it is, the next round tries again, and the log tells.
            except Exception as error:
                log.event("database not started", "warning", reason=str(error))


def _answers(address: tuple[str, int]) -> bool:
    connection = http.client.HTTPConnection(*address, timeout=2)
    try:
        connection.request("GET", "/health/live")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _url(address: tuple[str, int]) -> str:
    host, port = address
    # An address that means "any" is none to go to.
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextlib.contextmanager
def _interrupted_by_signals() -> Iterator[None]:
    """Treat every way of being asked to stop as Ctrl-C, so that what was started is stopped."""

    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in _heeded()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _heeded() -> list[signal.Signals]:
    """The signals that stop the server; one that the caller has it ignore, as nohup does, does not."""
    return [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
