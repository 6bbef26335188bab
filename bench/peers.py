"""The peers that CityTwin is measured against: where they are, how they are started on the same table."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import venv
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.error import URLError
from urllib.parse import urlsplit

from bench.session import Address

HERE = Path(__file__).parent
PEERS = HERE / "peers"
MARTIN = "1.14.0"
TIPG = "1.6.1"
# Later ones want Python 3.12.
PYGEOAPI = "0.21.0"
START_TIMEOUT_S = 60.0


class Missing(Exception):
    """A peer that cannot be had here; the message says why."""


@dataclass(frozen=True)
class Table:
    """What all servers draw: one table, one geometry column in EPSG:3857, the same properties."""

    url: str
    name: str
    layer: str
    geometry: str = "geom_web"
    key: str = "object_id"
    properties: tuple[tuple[str, str], ...] = ()


class Server(ABC):
    """A server as a child process on a free loopback port."""

    name: str

    def __init__(self) -> None:
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> list[str]:
        """What starts it."""

    def environment(self) -> dict[str, str]:
        return {}

    def ready(self) -> str:
        """A path that answers once the server stands."""
        return "/"

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self.command(),
            env=os.environ | self.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_until(lambda: answers(self.base + self.ready()), self.name)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process
        self._process.terminate()
        self._process.wait(timeout=30)


class TileServer(Server):
    """A server of vector tiles."""

    cached = False

    @abstractmethod
    def path(self, tile: Address) -> str:
        """The path of a tile."""


class FeatureServer(Server):
    """A server of features as GeoJSON."""

    @abstractmethod
    def items(self, limit: int, bbox: tuple[float, float, float, float]) -> str:
        """The path of the first page of features in a box, longitude first."""


class CityTwin(TileServer, FeatureServer):
    """Ours, as `twin up` starts it."""

    name = "CityTwin"
    cached = True

    def __init__(self, home: Path, city: str, layer: str, workers: int) -> None:
        super().__init__()
        self.home, self.city, self.layer, self.workers = home, city, layer, workers

    def command(self) -> list[str]:
        twin = str(Path(sys.executable).parent / "twin")
        return [twin, "up", "--port", str(self.port), "--workers", str(self.workers)]

    def environment(self) -> dict[str, str]:
        return {"TWIN_HOME": str(self.home)}

    def ready(self) -> str:
        return f"/cities/{self.city}/collections/{self.layer}"

    def path(self, tile: Address) -> str:
        return f"/cities/{self.city}/collections/{self.layer}/tiles/WebMercatorQuad/{tile.z}/{tile.y}/{tile.x}"

    def items(self, limit: int, bbox: tuple[float, float, float, float]) -> str:
        return f"/cities/{self.city}/collections/{self.layer}/items?f=json&limit={limit}&bbox={told(bbox)}"


class Martin(TileServer):
    """Martin (Rust), with its memory cache on or off."""

    def __init__(self, table: Table, folder: Path, workers: int, *, cached: bool) -> None:
        super().__init__()
        self.table, self.workers, self.cached = table, workers, cached
        self.name = "Martin" + (", cache on" if cached else "")
        self.binary = find("martin", MARTIN_HELP)
        self.config = folder / f"martin-{self.port}.yaml"

    def command(self) -> list[str]:
        properties = ", ".join(f"{name}: {kind}" for name, kind in self.table.properties)
        self.config.write_text(
            f"""
listen_addresses: 127.0.0.1:{self.port}
worker_processes: {self.workers}
cache: {{size_mb: {512 if self.cached else 0}}}
postgres:
  connection_string: {self.table.url}
  pool_size: 8
  auto_publish: false
  tables:
    {self.table.layer}:
      layer_id: {self.table.layer}
      schema: public
      table: {self.table.name}
      srid: 3857
      geometry_column: {self.table.geometry}
      id_column: {self.table.key}
      geometry_type: GEOMETRY
      extent: 4096
      buffer: 64
      clip_geom: true
      properties: {{{properties}}}
"""
        )
        return [self.binary, "--config", str(self.config)]

    def ready(self) -> str:
        return "/health"

    def path(self, tile: Address) -> str:
        return f"/{self.table.layer}/{tile.z}/{tile.x}/{tile.y}"


class TiPg(TileServer, FeatureServer):
    """TiPg (Python), under uvicorn with uvloop."""

    name = "TiPg"

    def __init__(self, table: Table, workers: int) -> None:
        super().__init__()
        self.table, self.workers = table, workers
        self.python = PEERS / "tipg" / "bin" / "python"
        if not self.python.exists():
            raise Missing("not installed; `python -m bench --install` puts it into bench/peers")

    def command(self) -> list[str]:
        serve = ["-m", "uvicorn", "tipg.main:app", "--port", str(self.port), "--workers", str(self.workers)]
        return [str(self.python), *serve, "--log-level", "error"]

    def environment(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.table.url,
            "TIPG_DB_SCHEMAS": '["public"]',
            "TIPG_DB_TABLES": f'["public.{self.table.name}"]',
            "DB_MAX_CONN_SIZE": "8",
            "TIPG_MAX_FEATURES_PER_QUERY": "10000",
            "TIPG_MAX_FEATURES_PER_TILE": "1000000",
        }

    def ready(self) -> str:
        return f"/collections/public.{self.table.name}"

    def path(self, tile: Address) -> str:
        names = ",".join(name for name, _ in self.table.properties)
        return (
            f"/collections/public.{self.table.name}/tiles/WebMercatorQuad/{tile.z}/{tile.x}/{tile.y}"
            f"?geom-column={self.table.geometry}&properties={names}"
        )

    def items(self, limit: int, bbox: tuple[float, float, float, float]) -> str:
        names = ",".join(("object_id", *(name for name, _ in self.table.properties)))
        return (
            f"/collections/public.{self.table.name}/items"
            f"?f=geojson&limit={limit}&bbox={told(bbox)}&geom-column=geom&properties={names}"
        )


class PyGeoApi(FeatureServer):
    """pygeoapi (Python), its Starlette application under uvicorn."""

    name = "pygeoapi"

    def __init__(self, table: Table, folder: Path, workers: int) -> None:
        super().__init__()
        self.table, self.workers = table, workers
        self.python = PEERS / "pygeoapi" / "bin" / "python"
        self.config, self.openapi = (folder / f"pygeoapi-{self.port}-{part}.yml" for part in ("config", "openapi"))
        if not self.python.exists():
            raise Missing("not installed; `python -m bench --install` puts it into bench/peers")

    def command(self) -> list[str]:
        self.config.write_text(json.dumps(self._configuration()))
        # It reads YAML, of which JSON is a part, and wants its own description written beforehand.
        program = str(self.python.parent / "pygeoapi")
        write = [program, "openapi", "generate", str(self.config), "--output-file", str(self.openapi)]
        subprocess.run(write, env=os.environ | self.environment(), check=True, capture_output=True)
        serve = ["-m", "uvicorn", "pygeoapi.starlette_app:APP", "--port", str(self.port)]
        return [str(self.python), *serve, "--workers", str(self.workers), "--log-level", "error"]

    def environment(self) -> dict[str, str]:
        return {"PYGEOAPI_CONFIG": str(self.config), "PYGEOAPI_OPENAPI": str(self.openapi)}

    def ready(self) -> str:
        return f"/collections/{self.table.layer}?f=json"

    def items(self, limit: int, bbox: tuple[float, float, float, float]) -> str:
        return f"/collections/{self.table.layer}/items?f=json&limit={limit}&bbox={told(bbox)}"

    def _configuration(self) -> dict[str, Any]:
        url = urlsplit(self.table.url)
        english = {"en": "Benchmark"}
        named = {"title": english, "description": english, "keywords": {"en": ["benchmark"]}}
        provider = {
            "type": "feature",
            "name": "PostgreSQL",
            "data": {
                "host": url.hostname,
                "port": url.port,
                "dbname": url.path.lstrip("/"),
                "user": url.username or "twin",
                "password": url.password or "-",
                "search_path": ["public"],
            },
            "id_field": self.table.key,
            "table": self.table.name,
            "geom_field": "geom",
            "properties": [self.table.key, *(name for name, _ in self.table.properties)],
        }
        return {
            "server": {
                "bind": {"host": "127.0.0.1", "port": self.port},
                "url": self.base,
                "mimetype": "application/json; charset=UTF-8",
                "encoding": "utf-8",
                "languages": ["en-US"],
                "limits": {"default_items": 10, "max_items": 10_000},
                "map": {"url": "", "attribution": ""},
            },
            "logging": {"level": "ERROR"},
            "metadata": {
                "identification": named | {"terms_of_service": "-", "url": self.base},
                "license": {"name": "-", "url": self.base},
                "provider": {"name": "-", "url": self.base},
                "contact": {"name": "-"},
            },
            "resources": {
                self.table.layer: named
                | {
                    "type": "collection",
                    "links": [],
                    "extents": {"spatial": {"bbox": [-180, -90, 180, 90]}},
                    "providers": [provider],
                }
            },
        }


class Bare(TileServer):
    """A bare ASGI application that sends given bytes whatever is asked: the ceiling of a Python process."""

    name = "bare ASGI"

    def __init__(self, body: Path, workers: int) -> None:
        super().__init__()
        self.body, self.workers = body, workers

    def command(self) -> list[str]:
        serve = ["--interface", "asgi", "--port", str(self.port), "--workers", str(self.workers)]
        return [str(Path(sys.executable).parent / "granian"), *serve, "--no-ws", "bench.bare:application"]

    def environment(self) -> dict[str, str]:
        return {"BENCH_BODY": str(self.body), "PYTHONPATH": str(HERE.parent)}

    def path(self, tile: Address) -> str:
        return f"/{tile.z}/{tile.x}/{tile.y}"


MARTIN_HELP = "`python -m bench --install` builds it with cargo (ten minutes)"


def install() -> None:
    """Put the peers that package registries have into bench/peers."""
    if not (PEERS / "tipg").exists():
        venv.create(PEERS / "tipg", with_pip=True)
        python = str(PEERS / "tipg" / "bin" / "python")
        subprocess.run([python, "-m", "pip", "install", f"tipg=={TIPG}", "uvicorn[standard]"], check=True)
    if not (PEERS / "pygeoapi").exists():
        venv.create(PEERS / "pygeoapi", with_pip=True)
        python = str(PEERS / "pygeoapi" / "bin" / "python")
        needed = ["psycopg2-binary", "geoalchemy2", "starlette", "uvicorn[standard]"]
        subprocess.run([python, "-m", "pip", "install", f"pygeoapi=={PYGEOAPI}", *needed], check=True)
    if not shutil.which("martin") and not (PEERS / "bin" / "martin").exists():
        if not shutil.which("cargo"):
            print("Martin needs cargo to be built; skipped")
            return
        features = ["--no-default-features", "--features", "postgres"]
        target = ["cargo", "install", "martin", "--version", MARTIN, "--locked", "--root", str(PEERS)]
        subprocess.run([*target, *features], check=True)


def find(program: str, otherwise: str) -> str:
    """Path of a peer's program. Raises Missing."""
    found = shutil.which(program) or shutil.which(program, path=str(PEERS / "bin"))
    if not found:
        raise Missing(f"not installed; {otherwise}")
    return found


def told(bbox: tuple[float, float, float, float]) -> str:
    """A box as a parameter's value."""
    return ",".join(map(repr, bbox))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status < 400)
    except (URLError, OSError):
        return False


def wait_until(done: Callable[[], bool], what: str) -> None:
    limit = time.monotonic() + START_TIMEOUT_S
    while not done():
        if time.monotonic() > limit:
            raise RuntimeError(f"{what} did not start within {START_TIMEOUT_S:g} s")
        time.sleep(0.1)
