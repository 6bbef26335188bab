"""How many objects there are: exactly where that is cheap, else as the planner estimates. Never a full count."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, literal_column, select

from cim_models.database import Connection
from layers.access import Principal
from layers.catalog import Catalog, Layer
from layers.planning import planned_anew
from layers.query import Selection, rows
from layers.statement import compiled

EXACT_BELOW = 100_001
# For the catalogue, which asks for all layers at once.
EXACT_IN_CATALOG = 1_001


@dataclass(frozen=True)
class Count:
    """A number of objects; an estimate where `exact` is false."""

    number: int
    exact: bool


async def count(
    connection: Connection,
    selection: Selection,
    catalog: Catalog,
    principal: Principal,
    *,
    exact_below: int = EXACT_BELOW,
) -> Count:
    """Objects in the selection: exact where a probe ends before `exact_below` rows."""
    chosen = rows(selection, catalog, principal).add_columns(literal_column("1"))
    probe = compiled(select(func.count()).select_from(chosen.limit(literal_column(str(exact_below))).subquery()))
    async with planned_anew(connection):
        number = await connection.fetchval(probe.sql, *probe.arguments)
    if number < exact_below:
        return Count(number, exact=True)
    statement = compiled(chosen)
    plan = await connection.fetchval("explain (format json) " + statement.sql, *statement.arguments)
    return Count(max(number, int(plan[0]["Plan"]["Plan Rows"])), exact=False)


async def layer_counts(
    connection: Connection, layers: Iterable[Layer], catalog: Catalog, principal: Principal
) -> dict[str, int]:
    """About how many objects each layer has now."""
    found = {}
    for layer in layers:
        counted = await count(connection, Selection(layer), catalog, principal, exact_below=EXACT_IN_CATALOG)
        found[layer.id] = counted.number
    return found
