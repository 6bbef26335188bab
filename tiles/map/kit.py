"""What maps are made with and used again: connections to the database, data sources, and Mapnik's styles."""

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar

from cachetools import LRUCache
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tiles.map.engine import mapnik
from tiles.map.sources import GEOMETRY, KEY, Group
from tiles.map.symbols import styles_of

# Geometry lies wherever the map's CRS has it; nobody asks Mapnik how far.
EXTENT = "-1e12,-1e12,1e12,1e12"
KEPT = 2_048
Made = TypeVar("Made")


class Kit:
    """Data sources and styles of one database, for any number of threads."""

    def __init__(self, url: str, *, application: str, limit_s: float, connections: int) -> None:
        """application: by which the database knows the connections, of which there are so many at most.

        limit_s: seconds that a statement may take.
        """
        self._connections = str(connections)
        options = f"-c statement_timeout={int(limit_s * 1000)} -c jit=off -c max_parallel_workers_per_gather=0"
        parts = conninfo_to_dict(url)
        name = make_conninfo(dbname=parts.pop("dbname")).removeprefix("dbname=")
        # Mapnik writes dbname=... among the other words of a connection string, so the name may carry them along.
        self._database = f"{name} {make_conninfo('', **parts, application_name=application, options=options)}"
        self._sources: LRUCache[Hashable, Any] = LRUCache(KEPT)
        self._styles: LRUCache[Hashable, dict[str, Any]] = LRUCache(KEPT)
        self._lock = Lock()

    def clear(self) -> None:
        """Forget the styles; data sources are what their statements say."""
        with self._lock:
            self._styles.clear()

    def source(self, sql: str) -> Any:
        """Mapnik's data source of a statement; to make one takes a connection and some 20 ms."""
        return self._kept(self._sources, sql, lambda: self._source(sql))

    def styles(self, name: str, group: Group) -> dict[str, Any]:
        """Mapnik's styles of a group by their names, which begin with `name`."""
        named = {f"{name}/{part.style.id}": (index, part) for index, part in enumerate(group.parts)}
        return self._kept(self._styles, tuple(named), lambda: styles_of(named))

    def _source(self, sql: str) -> Any:
        return mapnik.CreateDatasource(
            type="postgis",
            dbname=self._database,
            table=sql,
            geometry_field=GEOMETRY,
            key_field=KEY,
            # Any number: no box of Mapnik's making is asked for.
            srid="3857",
            extent=EXTENT,
            initial_size="1",
            max_size=self._connections,
        )

    def _kept(self, store: LRUCache[Hashable, Made], key: Hashable, make: Callable[[], Made]) -> Made:
        with self._lock:
            found = store.get(key)
        if found is None:
            found = make()
            with self._lock:
                store[key] = found
        return found
