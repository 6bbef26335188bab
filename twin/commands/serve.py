"""`twin up`, `down` and `status`: the server of this machine."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from twin import TwinError
from twin.commands.console import out, step

if TYPE_CHECKING:
    from twin.local import LocalTwin
    from twin.server import Prepare
    from twin.serving import Serving

NOT_RUNNING = 3
START_TIMEOUT_S = 120.0
FOUND = "  found: "

Port = Annotated[int | None, typer.Option(help="Port to listen on; 0 is any free one. (default: 8000)")]
Host = Annotated[str | None, typer.Option(help="Address to listen on. (default: 127.0.0.1, this machine alone)")]
Workers = Annotated[int | None, typer.Option(min=1, max=64, help="Server processes. (default: one a core, 2 to 4)")]


class NotStarted(TwinError):
    """A server in the background ended before it served."""


def up(
    port: Port = None,
    host: Host = None,
    workers: Workers = None,
    detach: Annotated[bool, typer.Option("--detach", help="Return once it serves; stop it with `twin down`.")] = False,
) -> None:
    """Start the server: database, cities, API and background work. Ctrl-C stops it all."""
    from twin.local import local_twin

    twin = local_twin(Path.cwd(), os.environ, port=port, host=host, workers=workers)
    if detach:
        _start_in_background(twin)
    else:
        serve(twin)


def down() -> None:
    """Stop the server and its private database."""
    from twin.local import local_twin
    from twin.serving import stop_server, who_serves

    twin = local_twin(Path.cwd(), os.environ)
    server = who_serves(twin.home)
    if server is not None:
        with step("server stops"):
            stop_server(server)
    elif twin.cluster is None or not twin.cluster.health().ready:
        out.print(f"nothing is running in {twin.home}", markup=False, soft_wrap=True)
        return
    # After kill -9 the database goes on alone.
    if twin.cluster is not None and not twin.cluster.stop():
        out.print("  the database stays up: another process, perhaps `twin load`, is using it")


def status() -> None:
    """Say what runs here, where, and with which cities; exit status 3 if nothing does."""
    from twin.local import local_twin
    from twin.serving import who_serves

    twin = local_twin(Path.cwd(), os.environ)
    server = who_serves(twin.home)
    out.print(f"home      {twin.home}", markup=False, soft_wrap=True)
    if server is None or not server.url:
        out.print("server    starting" if server else "server    not running; `twin up` starts it")
    else:
        out.print(f"server    {server.url}  (process {server.pid}, up {_duration(time.time() - server.started_at)})")
    out.print(f"database  {_database(twin)}", markup=False, soft_wrap=True)
    if server is None:
        raise typer.Exit(NOT_RUNNING)
    for number, place in enumerate(twin.directory.cities()):
        default = "  (default)" if number == 0 else ""
        out.print(f"city      {place.name}{default}  {place.shown_url}", soft_wrap=True, markup=False)


def serve(twin: "LocalTwin", prepare: "Prepare | None" = None) -> NoReturn:
    """Serve until a signal comes, and end this process. prepare: run before anything is served."""
    from twin.process import leave
    from twin.server import run_server

    def found(what: str) -> None:
        out.print(FOUND + what, style="yellow", markup=False, soft_wrap=True)

    run_server(twin, step, lambda url: show_address(twin, url), found, prepare)
    leave(0)


def show_address(twin: "LocalTwin", url: str) -> None:
    """What a newcomer needs once the server answers."""
    names = [place.name for place in twin.directory.cities()]
    out.print()
    out.print(f"  [bold]CityTwin serves at {url}/viewer/[/bold]")
    out.print(f"  cities    {', '.join(names) or 'none yet; `twin demo` makes one'}")
    out.print(f"  services  {url}/      log  {twin.log_file}", markup=False, soft_wrap=True)


def _start_in_background(twin: "LocalTwin") -> None:
    from twin.serving import who_serves

    twin.make_home()
    settings = twin.settings
    said = twin.home / "start.log"
    with said.open("wb") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-P", "-m", "twin", "up"),
                *("--port", str(settings.port), "--host", settings.host, "--workers", str(twin.workers)),
            ],
            env=os.environ | {"TWIN_HOME": str(twin.home)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    until = time.monotonic() + START_TIMEOUT_S
    with step("server starts"):
        while not (server := _announced(who_serves(twin.home), process.pid)):
            if process.poll() is not None:
                raise NotStarted(_last_words(said))
            if time.monotonic() > until:
                raise NotStarted(f"the server has not answered after {START_TIMEOUT_S:.0f} s; see {twin.log_file}")
            time.sleep(0.05)
    for line in said.read_text(errors="replace").splitlines():
        if line.startswith(FOUND):
            out.print(line, style="yellow", markup=False, soft_wrap=True)
    show_address(twin, server.url)


def _announced(server: "Serving | None", pid: int) -> "Serving | None":
    return server if server and server.pid == pid and server.url else None


def _last_words(said: Path) -> str:
    lines = said.read_text(errors="replace").strip().splitlines()
    last = lines[-1] if lines else "the server ended without a word"
    return last.removeprefix("twin: ")


def _database(twin: "LocalTwin") -> str:
    if twin.cluster is None:
        return "your own, named by TWIN_DATABASE_URL"
    health = twin.cluster.health()
    return f"private PostgreSQL {health.version}" if health.ready else health.reason


def _duration(seconds: float) -> str:
    minutes, hours, days = int(seconds // 60), int(seconds // 3600), int(seconds // 86400)
    if days:
        return f"{days} d {hours % 24} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min {int(seconds % 60)} s"
