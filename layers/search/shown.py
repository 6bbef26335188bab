"""Of what an index offers, what the asker may see: asked of the objects themselves, by the one predicate."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Select, String, func, literal, literal_column, select, union_all
from sqlalchemy.dialects.postgresql import ARRAY

from cim_models.database import Connection
from layers.access import Principal
from layers.catalog import Catalog, Layer
from layers.query import Selection, objects, rows
from layers.search.entries import AREAS, LOOKED_UP, searched
from layers.statement import compiled
from layers.view import NOW, View

Bbox = tuple[float, float, float, float]


@dataclass(frozen=True)
class Asker:
    """Who asks, of which city, at which moment and in which plan; the city as it is now by default."""

    connection: Connection
    catalog: Catalog
    principal: Principal
    view: View = NOW

    def layers(self, layer: str | None = None) -> list[Layer]:
        """The layers in which there is something to find: all that may be read, or the one named.

        Raises LayerNotFound.
        """
        named = [self.catalog.layer(layer, self.principal)] if layer else self.catalog.layers(self.principal)
        return [each for each in named if not each.is_raster and each.published is None]

    def rows(self, layer: Layer) -> Select[Any]:
        """`select ... from` the layer's objects that the asker may see; the caller adds its columns."""
        return rows(Selection(layer, self.view), self.catalog, self.principal)


@dataclass(frozen=True)
class Shown:
    """An object as the asker sees it. texts: by the fields that it is searched by. point: on it; degrees.

    looked_up: it came with an address alone, and lies where that was found: no evidence of where the address is.
    """

    layer: Layer
    object_id: int
    texts: dict[str, str | None]
    uid: str | None
    kind: str | None
    area: str | None
    looked_up: bool
    point: tuple[float, float]
    bbox: Bbox

    @property
    def key(self) -> tuple[str, int]:
        return self.layer.theme.table, self.object_id


async def shown(asker: Asker, ids: Iterable[tuple[str, int]], layers: Sequence[Layer]) -> dict[tuple[str, int], Shown]:
    """Those of the objects (theme, object_id) that stand in one of the layers, each in the first that has it."""
    wanted: defaultdict[str, set[int]] = defaultdict(set)
    for table, object_id in ids:
        wanted[table].add(object_id)
    parts = [
        _part(number, asker, layer, sorted(wanted[layer.theme.table]))
        for number, layer in enumerate(layers)
        if layer.theme.table in wanted
    ]
    if not parts:
        return {}
    found = union_all(*parts).subquery("found")
    point = func.ST_PointOnSurface(func.ST_Force2D(found.c.geom))
    box = (function(found.c.geom) for function in (func.ST_XMin, func.ST_YMin, func.ST_XMax, func.ST_YMax))
    told = [column for column in found.c if column.name != "geom"]
    statement = compiled(select(*told, func.ST_X(point), func.ST_Y(point), *box).order_by(found.c.number))
    kept: dict[tuple[str, int], Shown] = {}
    for row in await asker.connection.fetch(statement.sql, *statement.arguments):
        number, object_id, uid, kind, area, looked_up, texts, x, y, *corners = tuple(row)
        west, south, east, north = corners
        layer = layers[number]
        told_texts = dict(zip((field.name for field in searched(layer)), texts, strict=True))
        one = Shown(layer, object_id, told_texts, uid, kind, area, looked_up, (x, y), (west, south, east, north))
        kept.setdefault(one.key, one)
    return kept


def _part(number: int, asker: Asker, layer: Layer, ids: list[int]) -> Select[Any]:
    table = objects(layer, asker.catalog)
    columns = {name: table.c[name] for name in ("uid", "class") if layer.property(name) is not None}
    nothing = literal_column("null::text", String)
    texts = ", ".join(field.sql.replace("object.", f"{table.name}.") for field in searched(layer))
    area = table.c.code if layer.theme.table == AREAS else table.c.village_code
    return (
        asker.rows(layer)
        .add_columns(
            literal_column(str(number)).label("number"),
            table.c.object_id,
            *(columns.get(name, nothing).label(name) for name in ("uid", "class")),
            area.label("area"),
            table.c.attributes.has_key(LOOKED_UP).label("looked_up"),
            literal_column(f"array[{texts}]::text[]").label("texts"),
            table.c.geom,
        )
        .where(table.c.object_id == func.any(literal(ids, ARRAY(BigInteger))))
    )
