"""A private database and a city of its own for a benchmark, gone afterwards."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cim_models.database import CitySpec, migrate
from cim_models.embedded import Cluster
from layers.seeds import seed_layers


@contextmanager
def database_server() -> Iterator[Cluster]:
    """A private PostgreSQL as `twin up` makes it, listening on a loopback port too, for peers that need one."""
    from bench.peers import free_port

    folder = Path(tempfile.mkdtemp(prefix="citytwin-bench-"))
    folder.chmod(0o755)
    cluster = Cluster(folder / "home", port=free_port())
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.stop(force=True)
        shutil.rmtree(folder, ignore_errors=True)


def lay_down(cluster: Cluster, spec: CitySpec) -> str:
    """A fresh city called by the spec's name; the URL of its database."""
    name = f"city_{spec.name}"
    if name in cluster.databases():
        cluster.drop_database(name)
    cluster.create_database(name)
    url = cluster.url(name)
    migrate(url, spec)
    seed_layers(url)
    return url
