"""The twin of this machine: its home, its settings, and the database it lives in."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cim_models.embedded import Cluster, HomeError, twin_home
from twin import TwinError
from twin.settings import Settings, read_settings

if TYPE_CHECKING:
    from twin.directory import Directory

# Two processes keep serving while one is busy or starts again; more than four want a database of their own machine.
FEWEST_WORKERS, MOST_WORKERS = 2, 4


class NoDatabase(TwinError):
    """The home has no database yet."""


@dataclass(frozen=True)
class LocalTwin:
    """cluster: the private PostgreSQL; None where TWIN_DATABASE_URL names the operator's own."""

    home: Path
    settings: Settings
    cluster: Cluster | None

    @property
    def directory(self) -> "Directory":
        # What it takes to lay a city down costs a second to import, which `twin status` need not wait for.
        from twin.directory import Directory

        return Directory(self.settings.database_url, self.settings.data, self.settings.cities)

    @property
    def workers(self) -> int:
        """How many server processes to run."""
        if "workers" in self.settings.model_fields_set:
            return self.settings.workers
        return max(FEWEST_WORKERS, min(MOST_WORKERS, len(os.sched_getaffinity(0))))

    @property
    def log_file(self) -> Path:
        return self.home / "logs" / "twin.log"

    @property
    def token_file(self) -> Path:
        return self.home / "token"

    def make_home(self) -> None:
        """Raises HomeError."""
        try:
            self.home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HomeError(
                f"{self.home}: cannot be made ({error.strerror}); name a home of your own: TWIN_HOME=/path/to/home"
            ) from None

    @contextmanager
    def database(self, *, make: bool = True) -> Iterator[None]:
        """Have the database at work in this block: the private one is started, and stopped with its last user.

        make: lay the private one down if there is none; otherwise raises NoDatabase.
        """
        if self.cluster is None:
            yield
            return
        if not make and not self.cluster.data.exists():
            raise NoDatabase(f"{self.home}: nothing here yet; make the demo city with `twin demo`")
        self.make_home()
        self.cluster.start()
        try:
            yield
        finally:
            self.cluster.stop()


def local_twin(start: Path, environ: Mapping[str, str], **overrides: Any) -> LocalTwin:
    """The twin that a command called in the folder `start` means; overrides are settings that go before TWIN_*.

    Raises SettingsError.
    """
    home = twin_home(start, environ)
    cluster = None if environ.get("TWIN_DATABASE_URL") else Cluster(home)
    placed = {"data": home / "data", "cache": home / "cache"}
    chosen: dict[str, Any] = {name: path for name, path in placed.items() if not environ.get(f"TWIN_{name.upper()}")}
    if cluster is not None:
        chosen["database_url"] = cluster.url("postgres")
    given = {name: value for name, value in overrides.items() if value is not None}
    return LocalTwin(home, read_settings(**(chosen | given)), cluster)
