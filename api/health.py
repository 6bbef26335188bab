"""Whether the server lives, whether it is ready, and why not."""

import asyncio
import shutil
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response

from api.answers import json_answer
from api.cities import Cities, ServedCity
from api.documentation import described
from api.metrics import CONTENT_TYPE, exposition
from api.parameters import Query
from api.routing import PartRouter
from cim_models import __version__
from cim_models.database import newest_schema
from twin.settings import Settings

# Below this the next import or tile may fail.
ENOUGH_DISK = 2**30
PATIENCE_S = 3.0
# A consumer of the change feed that has not come this far is late.
LATE_S = 60
LAG_SQL = """
    select name, seconds from change_consumer k cross join lateral (
        select extract(epoch from now() - at)::int as seconds from change c
        where (c.xid, c.seq) > (k.xid, k.seq) order by c.xid, c.seq limit 1
    ) oldest
    where seconds > $1 order by 1
"""
FRESH = {"Cache-Control": "no-store"}

router = PartRouter(tags=["Health"])


@dataclass(frozen=True)
class Check:
    """One thing looked at. ok: false makes the server not ready; reason says what is wrong and what to do.

    What is ok may have a reason too: something to know that keeps nobody from being served.
    """

    name: str
    ok: bool
    reason: str = ""

    def document(self) -> dict[str, Any]:
        return {"name": self.name, "ok": self.ok} | ({"reason": self.reason} if self.reason else {})


@router.get("/health", **described("getHealth"))
@router.get("/health/ready", **described("getReadiness"))
async def ready(request: Request) -> Response:
    """Whether requests are answered well, with each thing that was looked at; 503 if not."""
    Query(request).finish()
    cities: Cities = request.app.state.cities
    checks = [_disk(request.app.state.settings), *await _cities(cities)]
    well = all(check.ok for check in checks)
    document = {
        "status": "ready" if well else "not ready",
        "version": __version__,
        "checks": [check.document() for check in checks],
    }
    return json_answer(document, status=200 if well else 503, headers=FRESH)


@router.get("/health/live", **described("getLiveness"))
async def live(request: Request) -> Response:
    """That the process answers; it asks nothing else."""
    Query(request).finish()
    return json_answer({"status": "alive", "version": __version__}, headers=FRESH)


@router.get("/metrics", **described("getMetrics", kinds=(CONTENT_TYPE,)))
async def metrics(request: Request) -> Response:
    """Figures in Prometheus' text format."""
    Query(request).finish()
    return Response(exposition(), media_type=CONTENT_TYPE, headers=FRESH)


async def _cities(cities: Cities) -> list[Check]:
    try:
        async with asyncio.timeout(PATIENCE_S):
            places = await cities.places()
    except Exception as error:
        return [Check("cities", False, f"cannot be listed: {_words(error)}")]
    if not places:
        return [Check("cities", True, "no city yet; `twin demo` or `twin init` makes one")]
    return [check for place in places for check in await _city(cities, place.name)]


async def _city(cities: Cities, name: str) -> list[Check]:
    """A city's database answers and has this version's schema."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            served = await cities.city(name)
            return [await _schema(served), *await _feed(served)]
    # A check reports what is wrong, whatever it is.
    except Exception as error:
        return [Check(f"{name}: database", False, f"does not answer: {_words(error)}")]


async def _schema(served: ServedCity) -> Check:
    async with served.reading() as connection:
        version = await connection.fetchval("select version_num from alembic_version")
    wanted = newest_schema()
    if version == wanted:
        return Check(f"{served.name}: database", True)
    return Check(
        f"{served.name}: database",
        False,
        f"its schema is {version}, this server needs {wanted}; restart with `twin up`",
    )


async def _feed(served: ServedCity) -> list[Check]:
    """How far those who follow the change feed are behind it; what they keep is drawn without them meanwhile."""
    async with served.reading() as connection:
        behind = await connection.fetch(LAG_SQL, LATE_S)
    return [
        Check(
            f"{served.name}: {row['name']}",
            True,
            f"{row['seconds']} s behind the change feed; does the worker run? `twin status` tells",
        )
        for row in behind
    ]


def _disk(settings: Settings) -> Check:
    folder = next(parent for parent in (settings.data.absolute(), *settings.data.absolute().parents) if parent.exists())
    free = shutil.disk_usage(folder).free
    if free >= ENOUGH_DISK:
        return Check("disk", True)
    return Check("disk", False, f"{folder}: {free // 2**20} MiB are left; free at least {ENOUGH_DISK // 2**20} MiB")


def _words(error: Exception) -> str:
    return str(error).strip() or type(error).__name__
