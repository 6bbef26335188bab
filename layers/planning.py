"""How the database plans a statement that is asked again and again with other values."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cim_models.database import Connection


@asynccontextmanager
async def planned_anew(connection: Connection) -> AsyncIterator[None]:
    """A read-only transaction whose statements are planned for the very values they are given.

    After five calls PostgreSQL plans a prepared statement once for all values. That serves tiles, which are all alike;
    but a box may hold one object or all of them, and the plan for a small one sorts the whole city for a page of ten.
    """
    async with connection.transaction(readonly=True):
        await connection.execute("set local plan_cache_mode = force_custom_plan")
        yield
