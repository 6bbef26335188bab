"""What an operator may set: read once at start, from the environment (TWIN_*), and passed down."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from twin import TwinError

Network = IPv4Network | IPv6Network
# "a,b" in the environment, as people write lists there.
Listed = Annotated[tuple[str, ...], NoDecode]


class SettingsError(TwinError):
    """A setting that cannot be meant; the message names the variable."""


class Settings(BaseSettings):
    """Settings of one server. Each is the environment variable TWIN_ and its name in capitals."""

    model_config = SettingsConfigDict(env_prefix="TWIN_", frozen=True)

    # --- the cities
    database_url: str = Field(description="postgresql:// URL of the default city's database")
    database_read_url: str | None = Field(default=None, description="a replica of the default city for readers")
    cities: Listed = Field(
        default=(), description="names of the cities to serve, the first at the root; by default all on that server"
    )
    data: Path = Field(
        default=Path("data"), description="folder with a folder of files (terrain, imagery) for each city"
    )

    # --- the server
    host: str = Field(default="127.0.0.1", description="address to listen on; only this machine by default")
    port: int = Field(default=8000, ge=0, le=65535)
    workers: int = Field(default=1, ge=1, le=64, description="server processes")
    public_url: str | None = Field(
        default=None, description="address by which others reach the server, for links; by default as asked for"
    )
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode] = Field(
        default=(), description="networks whose X-Forwarded headers are believed"
    )
    cors_origins: Listed = Field(
        default=(), description="web origins whose pages may read the city, or *; none by default"
    )
    contact_organization: str | None = Field(default=None, description="who runs the service, for its capabilities")
    contact_person: str | None = Field(default=None, description="whom to ask about it")
    contact_email: str | None = Field(default=None, description="where to write to")
    viewer: Path | None = Field(default=None, description="folder of the built viewer; by default the one that ships")
    ways_ahead: bool = Field(
        default=True, description="whether the default city's road network is built at start, so that no one waits"
    )

    # --- maps of other services
    remote_hosts: Listed = Field(
        default=(), description="hosts whose maps this server fetches for the viewer: name, *.name, name:port"
    )
    remote_networks: Annotated[tuple[Network, ...], NoDecode] = Field(
        default=(), description="private networks in which such hosts may be"
    )
    remote_keys: Annotated[dict[str, dict[str, str]], NoDecode] = Field(
        default={}, description="keys that the server adds: host?name=value, with commas between"
    )
    remote_timeout: float = Field(default=10.0, gt=0, le=60, description="seconds that such a host may take to answer")

    # --- sensors
    mqtt_url: str | None = Field(
        default=None,
        description="mqtt:// or mqtts:// address of the broker, with user and password; `twin up` starts one otherwise",
    )
    mqtt_public_url: str | None = Field(default=None, description="address by which clients reach the broker")
    event_hooks: Listed = Field(
        default=(), description="addresses, at hosts of remote_hosts, to which each step of an event is sent"
    )

    # --- scenarios
    job_workers: int = Field(default=1, ge=0, le=64, description="processes that compute scenarios; 0 where others do")
    cores: int | None = Field(default=None, ge=1, le=1024, description="cores that they share; by default all")
    job_memory: int = Field(default=4 * 2**30, ge=2**28, description="bytes of memory that one run may take")
    job_timeout: float = Field(default=6 * 3600.0, gt=0, description="seconds that one run may take")
    job_disk: int = Field(default=10 * 2**30, ge=2**20, description="bytes of files that one run may write")
    jobs_queued: int = Field(default=20, ge=1, le=10_000, description="runs of one principal that wait or are computed")
    results_kept: float = Field(default=30.0, gt=0, description="days that a run and its results are kept")
    callback_key: str | None = Field(
        default=None,
        min_length=16,
        validate_default=True,
        description="signs what is sent to a job's callback and of events; none is sent without",
    )

    # --- limits
    connections: int = Field(default=8, ge=1, le=200, description="database connections of a process to a city")
    statement_timeout: float = Field(default=30.0, gt=0, le=600, description="seconds that one statement may take")
    connection_timeout: float = Field(
        default=5.0, gt=0, le=60, description="seconds to wait for a free connection before 503"
    )
    request_timeout: float = Field(default=60.0, gt=0, le=3600, description="seconds that a whole request may take")
    require_if_match: bool = Field(
        default=False, description="whether a change must say by If-Match which state of the object it changes"
    )
    max_body: int = Field(default=4 * 2**20, ge=1024, description="bytes of a request's body")
    tile_queue: int = Field(default=2_000, ge=0, description="tiles of a city that may wait to be drawn before 503")
    map_threads: int = Field(default=4, ge=1, le=64, description="maps of a city that a process draws at once")
    map_queue: int = Field(default=200, ge=0, description="maps of a city that may wait to be drawn before 503")
    map_timeout: float = Field(default=20.0, gt=0, le=600, description="seconds that one map may take")
    cache: Path | None = Field(default=None, description="folder of the tile cache that the processes share")
    cache_memory: int = Field(default=128 * 2**20, ge=0, description="bytes of tiles in a process's memory")
    cache_disk: int = Field(default=2 * 2**30, ge=0, description="bytes of tiles in the cache folder")

    # --- what `twin prune` keeps
    keep_history: int | None = Field(default=None, ge=1, description="days that past beliefs are kept; for ever")
    keep_results: int | None = Field(default=None, ge=1, description="days that results are kept; until they expire")
    keep_logs: int | None = Field(default=30, ge=1, description="days that logs put aside are kept")
    keep_archive: int | None = Field(default=None, ge=1, description="days that an archive brings back; for ever")

    # --- logs
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"

    @field_validator("cities", "cors_origins", "remote_hosts", "event_hooks", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("trusted_proxies", "remote_networks", mode="before")
    @classmethod
    def _networks(cls, value: object) -> object:
        return tuple(ip_network(part) for part in value.replace(",", " ").split()) if isinstance(value, str) else value

    @field_validator("remote_keys", mode="before")
    @classmethod
    def _keys(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        parts = [part.strip().partition("?") for part in value.split(",") if part.strip()]
        if not all(host and parse_qsl(key) for host, _, key in parts):
            raise ValueError("write host?name=value, with commas between, such as *.tianditu.gov.cn?tk=0123")
        return {host: dict(parse_qsl(key)) for host, _, key in parts}

    @field_validator("callback_key")
    @classmethod
    def _signs(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("event_hooks"):
            raise ValueError("wanted where TWIN_EVENT_HOOKS is set: it signs what is sent there")
        return value

    @field_validator("public_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value and value.rstrip("/")

    def files(self, city: str) -> Path:
        """Folder of a city's own files; `path` in the terrain table is relative to it."""
        return self.data / city


def read_settings(**given: Any) -> Settings:
    """The settings of this process; what is `given` goes before the environment.

    Raises SettingsError naming each variable that is missing or wrong.
    """
    try:
        return Settings(**given)
    except ValidationError as error:
        faults = "; ".join(f"TWIN_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        raise SettingsError(faults) from None
