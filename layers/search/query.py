"""Search: objects by name, address, division code or id, the best first, as the asker may see them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, String, and_, literal, literal_column, or_, select, union_all

from layers.catalog import Layer
from layers.query import objects
from layers.search.candidates import EXACT, Bbox, Candidate, Wanted, candidates
from layers.search.entries import AREAS
from layers.search.folding import HAN
from layers.search.shown import Asker, Shown, shown
from layers.statement import compiled

# Candidates looked at, and again if the asker may see too few of them.
FIRST, AGAIN = 100, 5_000
TIMEOUT_S = 10.0
# An id is nobody's name: it stands above all that only begin so.
BY_ID = EXACT + 0.6
TOWNSHIP = 9


# By theme and object: the score, the text that matched, and the object.
Ranked = dict[tuple[str, int], tuple[float, str | None, Shown]]


@dataclass(frozen=True)
class Hit:
    """An object found. score: above 3 for an equal name, address or id, above 2 for one that begins so, above 1 for one
    that holds it, less where it only sounds so or has
    one letter wrong. matched: the text by which it was found. township: where it lies, as
    the city names it. point: on the object; bbox: around it; degrees.
    """

    layer: Layer
    object_id: int
    name: str | None
    name_en: str | None
    uid: str | None
    kind: str | None
    matched: str | None
    township: tuple[str | None, str | None] | None
    score: float
    point: tuple[float, float]
    bbox: Bbox


async def search(
    asker: Asker,
    text: str,
    *,
    limit: int,
    layer: str | None = None,
    near: tuple[float, float] | None = None,
    bbox: Bbox | None = None,
) -> list[Hit]:
    """The objects that `text` names, the best first; an object without a name is found by its ids.

    layer: look only there. near: longitude, latitude; of what matches alike, the nearest comes first. bbox: only what
    lies in it, degrees. Raises LayerNotFound, and TimeoutError if it takes too long.
    """
    layers = asker.layers(layer)
    wanted = Wanted(text, sorted({each.theme.table for each in layers}), near=near, bbox=bbox)
    async with asyncio.timeout(TIMEOUT_S):
        by_id = await _by_id(asker, text.strip(), layers)
        found = await _found(asker, wanted, by_id, layers, limit)
        if not found:
            found = await _found(asker, replace(wanted, loosely=True), by_id, layers, limit)
        best = sorted(found.values(), key=lambda each: -each[0])[:limit]
        townships = await _townships(asker, [one for _, _, one in best])
    return [_hit(score, matched, one, townships) for score, matched, one in best]


async def _found(
    asker: Asker, wanted: Wanted, by_id: Sequence[tuple[str, int]], layers: Sequence[Layer], limit: int
) -> Ranked:
    """What is offered and seen; more is looked at where the asker may see too few of the first."""
    for most in (FIRST, AGAIN):
        offered = await candidates(asker.connection, wanted, asker.catalog.city.srid, most)
        ids = {*by_id, *((each.table, each.object_id) for each in offered)}
        found = _ranked(by_id, offered, await shown(asker, ids, layers), wanted.bbox)
        if len(found) >= limit or len(offered) < most:
            break
    return found


def _ranked(
    by_id: Sequence[tuple[str, int]],
    offered: Sequence[Candidate],
    seen: dict[tuple[str, int], Shown],
    bbox: Bbox | None,
) -> Ranked:
    """What is both offered and seen, each object once, by that of its texts which matches best."""
    found = {key: (BY_ID, seen[key].uid, seen[key]) for key in by_id if key in seen and _in(seen[key].point, bbox)}
    for each in offered:
        key = each.table, each.object_id
        one = seen.get(key)
        # Another state of the object may be called so, or it may stand in a field that the layer does not show.
        if one is not None and key not in found and one.texts.get(each.field) == each.text:
            found[key] = each.score, each.text, one
    return found


def _in(point: tuple[float, float], bbox: Bbox | None) -> bool:
    return bbox is None or (bbox[0] <= point[0] <= bbox[2] and bbox[1] <= point[1] <= bbox[3])


async def _by_id(asker: Asker, text: str, layers: Sequence[Layer]) -> list[tuple[str, int]]:
    """Objects whose id, or whose id in their source, is the text; an id has a digit, and no Chinese."""
    if HAN.search(text) or not any(letter.isdigit() for letter in text):
        return []
    parts = [part for layer in layers if (part := _with_id(asker, layer, text)) is not None]
    if not parts:
        return []
    statement = compiled(union_all(*parts))
    found = await asker.connection.fetch(statement.sql, *statement.arguments)
    return [(row["table"], row["object_id"]) for row in found]


def _with_id(asker: Asker, layer: Layer, text: str) -> Select[Any] | None:
    table = objects(layer, asker.catalog)
    matches: list[ColumnElement[bool]] = []
    if text.isascii() and text.isdigit() and len(text) < 19:
        matches.append(table.c.object_id == literal(int(text), BigInteger))
    if layer.property("uid") is not None:
        # The data sets are named so that the unique index, which begins with them, is of use.
        datasets = select(asker.catalog.city.tables.tables["dataset"].c.id)
        matches.append(and_(table.c.dataset_id.in_(datasets), table.c.uid == literal(text, String)))
    if not matches:
        return None
    return (
        asker.rows(layer)
        .add_columns(literal_column(f"'{layer.theme.table}'", String).label("table"), table.c.object_id)
        .where(or_(*matches))
        .limit(literal_column(str(FIRST)))
    )


async def _townships(asker: Asker, found: Sequence[Shown]) -> dict[str, tuple[str | None, str | None]]:
    """The names of the townships in which objects lie, as far as the asker may see them, by their codes."""
    codes = sorted({code for one in found if (code := _township(one))})
    layer = next((each for each in asker.layers() if each.theme.table == AREAS and each.property("name")), None)
    if not codes or layer is None:
        return {}
    table = objects(layer, asker.catalog)
    english = table.c.name_en if layer.property("name_en") else literal_column("null::text", String)
    query = asker.rows(layer).add_columns(table.c.code, table.c.name, english).where(table.c.code.in_(codes))
    statement = compiled(query)
    return {code: (zh, en) for code, zh, en in await asker.connection.fetch(statement.sql, *statement.arguments)}


def _township(one: Shown) -> str | None:
    """The code of the township that an object lies in; none of what is one itself, or larger."""
    return one.area[:TOWNSHIP] if one.area and len(one.area) > TOWNSHIP else None


def _hit(score: float, matched: str | None, one: Shown, townships: dict[str, tuple[str | None, str | None]]) -> Hit:
    return Hit(
        layer=one.layer,
        object_id=one.object_id,
        name=one.texts.get("name"),
        name_en=one.texts.get("name_en"),
        uid=one.uid,
        kind=one.kind,
        matched=matched,
        township=townships.get(_township(one) or ""),
        score=score,
        point=one.point,
        bbox=one.bbox,
    )
