"""When what a city offers last changed: a layer's definition, or a data set that was loaded."""

from datetime import datetime

from cim_models.database import Connection

CHANGED_SQL = """
    select greatest((select max(updated_at) from layer), (select max(loaded_at) from dataset),
                    (select created_at from city))
"""


async def changed_at(connection: Connection) -> datetime:
    """The last change of the catalogue; no object is looked at."""
    changed: datetime = await connection.fetchval(CHANGED_SQL)
    return changed
