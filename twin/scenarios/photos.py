"""Photos of what people saw, as rows: kept beside the runs whose inputs name them.

Inputs name a photo as `photos/{id}`. It is for who uploaded it, and for who may read a run that shows it; it goes when
no run names it any more.
"""

import re
from uuid import UUID

from cim_models.database import Connection, Database
from layers.access import Principal
from twin.scenarios import ScenarioError
from twin.scenarios.runs import ADMINISTRATOR

NAME = re.compile(r"photos/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
# Of a principal, that no run has named yet.
MOST_UNUSED = 100
UNUSED_KEPT = "1 day"

NAMED = "(r.inputs -> 'seen') @> jsonb_build_array(jsonb_build_object('photo', 'photos/' || p.id))"
INSERT = "insert into photo (principal, body) values ($1, $2) returning id"
UNUSED = f"""
    select count(*) from photo p
    where p.principal = $1 and not exists (select from scenario_run r where {NAMED})
"""
READ = f"""
    select p.body from photo p
    where p.id = $1 and ($2 or p.principal = $3 or exists (
        select from scenario_run r
        where {NAMED} and r.state = 'successful' and (r.principal = $3 or r.readers is null or $4 = any(r.readers))
    ))
"""
REMOVE = f"""
    delete from photo p
    where p.uploaded_at < now() - interval '{UNUSED_KEPT}' and not exists (select from scenario_run r where {NAMED})
"""


class NoSuchPhoto(ScenarioError):
    """No photo of that name, or none that the principal may see: both read the same."""


class TooManyPhotos(ScenarioError):
    """The principal has uploaded many photos that no run shows."""


async def keep_photo(connection: Connection, body: bytes, principal: Principal) -> str:
    """Keep a prepared photo; the name that inputs give it. Raises TooManyPhotos."""
    if await connection.fetchval(UNUSED, principal.name) >= MOST_UNUSED:
        raise TooManyPhotos(
            f"{principal.name} has {MOST_UNUSED} photos that no run shows; they go after a day",
            f"{principal.name} 已有 {MOST_UNUSED} 张未用于计算的照片，一天后自动删除",
        )
    return f"photos/{await connection.fetchval(INSERT, principal.name, body)}"


async def read_photo(connection: Connection, name: str, principal: Principal) -> bytes:
    """The JPEG of a photo by its name, `photos/{id}`. Raises NoSuchPhoto."""
    match = NAME.fullmatch(name)
    sees_all = principal.role == ADMINISTRATOR
    body: bytes | None = match and await connection.fetchval(
        READ, UUID(match[1]), sees_all, principal.name, principal.role
    )
    if body is None:
        raise NoSuchPhoto(
            f"no photo {name[:60]!r} here for {principal.name}; upload it again",
            f"{principal.name} 没有照片 {name[:60]}，请重新上传",
        )
    return body


async def remove_unused(database: Database) -> None:
    """Remove what no run has named for a day, or names any more."""
    async with database.writing() as connection:
        await connection.execute(REMOVE)
