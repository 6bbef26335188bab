"""What a start finds of an end that was not in order: a power cut, kill -9, a clock that was set back."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import psycopg

from twin.local import LocalTwin
from twin.serving import fell

LAST_CHANGE = "select max(at) - now() from change where at > now() + interval '5 seconds'"


@dataclass(frozen=True)
class Traces:
    """What is seen before anything is started. server, database: whether it ended without being stopped in order."""

    server: bool
    database: bool


def traces(twin: LocalTwin) -> Traces:
    """Look at the home as the last server left it."""
    cluster = twin.cluster
    left = cluster is not None and (cluster.data / "postmaster.pid").exists() and not cluster.health().ready
    return Traces(fell(twin.home), left)


def findings(twin: LocalTwin, before: Traces) -> Iterator[str]:
    """Say, now that the database answers, what was found; what nobody will finish is cleared away."""
    if before.database:
        yield "PostgreSQL had not been stopped in order; it has recovered, and every acknowledged change is there"
    elif before.server:
        yield "the last server had not been stopped in order; its database went on without it"
    for name in twin.directory.clear_unfinished():
        yield f"city {name} was being laid down when that was interrupted; it is removed, lay it down again"
    for place in twin.directory.cities():
        with psycopg.connect(place.url) as connection:
            (ahead,) = connection.execute(LAST_CHANGE).fetchone() or (None,)
        if isinstance(ahead, timedelta):
            yield (
                f"the clock stands {ahead.total_seconds() / 60:,.0f} min before the last change of {place.name};"
                " set it right: what is edited meanwhile is dated by it"
            )
