"""Search: objects by name, id or source id, and places by coordinates."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Float,
    Integer,
    Select,
    String,
    and_,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    union_all,
)

from cim_models.database import Connection
from layers.access import Principal
from layers.catalog import Catalog, Layer
from layers.query import Selection, objects, rows
from layers.statement import compiled
from layers.view import NOW, View

# Candidates of one layer: enough to rank, few enough to sort at once.
CANDIDATES = 200
# Of one step; a name that stands in every street is found before the last step is through.
STEP_TIMEOUT_S = 2.0
EXACT, PREFIX, WITHIN = 3, 2, 1
COORDINATES = re.compile(r"\s*(-?\d{1,3}(?:\.\d{1,15})?)(?:\s*[,，;；]\s*|\s+)(-?\d{1,3}(?:\.\d{1,15})?)\s*\Z")


@dataclass(frozen=True)
class Hit:
    """An object found. score: 3 for an equal name or id, 2 for a name that begins so, 1 for one that holds it, plus a
    share that prefers short names. point: on the object; bbox: around it; degrees.
    """

    layer: Layer
    object_id: int
    name: str | None
    name_en: str | None
    uid: str | None
    kind: str | None
    score: float
    point: tuple[float, float]
    bbox: tuple[float, float, float, float]


async def search(
    connection: Connection, text: str, catalog: Catalog, principal: Principal, *, limit: int, view: View = NOW
) -> list[Hit]:
    """The objects that `text` names, the closest first; an object without a name is found by its ids.

    view: moment and plan to look at; the city as it is now by default.
    Raises TimeoutError if nothing at all was found in time.
    """
    wanted = " ".join(text.split())
    selections = [Selection(layer, view) for layer in catalog.layers(principal)]
    found: dict[tuple[str, int], Hit] = {}
    for rank in (EXACT, PREFIX, WITHIN):
        try:
            hits = await _step(
                connection, rank, wanted, selections=selections, catalog=catalog, principal=principal, limit=limit
            )
        except TimeoutError:
            if not found:
                raise
            break
        for hit in hits:
            found.setdefault((hit.layer.id, hit.object_id), hit)
        if len(found) >= limit:
            break
    return list(found.values())[:limit]


def coordinates(text: str, extent: tuple[float, float, float, float] | None) -> list[tuple[float, float]]:
    """The places that two numbers may mean, as longitude, latitude.

    Both orders are in use; the one that lies in `extent` is meant, or either if that does not decide.
    """
    if not (match := COORDINATES.match(text)):
        return []
    one, two = float(match[1]), float(match[2])
    places = [(lon, lat) for lon, lat in ((one, two), (two, one)) if abs(lon) <= 180 and abs(lat) <= 90]
    if extent is not None:
        west, south, east, north = extent
        inside = [(lon, lat) for lon, lat in places if west <= lon <= east and south <= lat <= north]
        places = inside or places
    return list(dict.fromkeys(places))


async def _step(
    connection: Connection,
    rank: int,
    text: str,
    *,
    selections: Iterable[Selection],
    catalog: Catalog,
    principal: Principal,
    limit: int,
) -> list[Hit]:
    known = {selection.layer.id: selection.layer for selection in selections}
    parts = [_candidates(rank, text, selection, catalog, principal) for selection in selections]
    if not parts:
        return []
    found = union_all(*parts).subquery("found")
    length = func.coalesce(func.least(func.length(found.c.name), func.length(found.c.name_en)), 0)
    score = (literal_column(str(rank), Integer) + literal_column("1.0", Float) / (length + 1)).label("score")
    best = select(*found.c, score).order_by(score.desc(), found.c.object_id).limit(limit).subquery("best")
    point = func.ST_PointOnSurface(best.c.geom)
    box = (function(best.c.geom) for function in (func.ST_XMin, func.ST_YMin, func.ST_XMax, func.ST_YMax))
    told = (column for column in best.c if column.name != "geom")
    statement = compiled(
        select(*told, func.ST_X(point), func.ST_Y(point), *box).order_by(best.c.score.desc(), best.c.object_id)
    )
    rows_found = await connection.fetch(statement.sql, *statement.arguments, timeout=STEP_TIMEOUT_S)
    return [_hit(tuple(row), known) for row in rows_found]


def _candidates(rank: int, text: str, selection: Selection, catalog: Catalog, principal: Principal) -> Select[Any]:
    """Some objects of a layer that match in this way; only what the layer shows is searched and told."""
    layer = selection.layer
    table = objects(layer, catalog)
    shown = {name: table.c[name] for name in ("name", "name_en", "uid", "class") if layer.property(name) is not None}
    pattern = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    pattern = {EXACT: pattern, PREFIX: f"{pattern}%", WITHIN: f"%{pattern}%"}[rank]
    matches: list[ColumnElement[bool]] = [
        shown[name].ilike(literal(pattern, String)) for name in ("name", "name_en") if name in shown
    ]
    if rank == EXACT:
        if text.isascii() and text.isdigit() and len(text) < 19:
            matches.append(table.c.object_id == literal(int(text), BigInteger))
        if "uid" in shown:
            # The data sets are named so that the unique index, which begins with them, is of use.
            datasets = select(catalog.city.tables.tables["dataset"].c.id)
            matches.append(and_(table.c.dataset_id.in_(datasets), shown["uid"] == literal(text, String)))
    nothing = literal_column("null::text", String)
    return (
        rows(selection, catalog, principal)
        .add_columns(
            literal_column(f"'{layer.id}'", String).label("layer"),
            table.c.object_id,
            *(shown.get(name, nothing).label(name) for name in ("name", "name_en", "uid", "class")),
            table.c.geom,
        )
        .where(or_(false(), *matches))
        .limit(literal_column(str(CANDIDATES)))
    )


def _hit(row: tuple[Any, ...], layers: dict[str, Layer]) -> Hit:
    layer, object_id, name, name_en, uid, kind, score, x, y, *box = row
    west, south, east, north = box
    return Hit(layers[layer], object_id, name, name_en, uid, kind, float(score), (x, y), (west, south, east, north))
