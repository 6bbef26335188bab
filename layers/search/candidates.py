"""What the search index offers for a text, the best first; nothing here says who may see it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cim_models.database import Connection
from layers.addresses import parse_address
from layers.search.entries import PLACE
from layers.search.folding import HAN, fold, wanted_grams

Bbox = tuple[float, float, float, float]
EXACT, PREFIX, WITHIN, READ, ALIKE = 3.0, 2.0, 1.0, 0.5, 0.25
# Of one way to match: enough to rank, few enough to sort at once.
MOST = 300
FENCED = 3_000
WORDS = 8
# Letters of a text that is compared with one of them wrong: fewer are everywhere, more are no name.
CHINESE, LATIN, LONGEST_ALIKE = 4, 8, 16
# At this distance in metres, nearness counts half.
NEAR_M = 1_000.0
METRES_PER_DEGREE = 111_320.0


@dataclass(frozen=True)
class Wanted:
    """What is looked for. tables: themes that the asker may read of. near: longitude, latitude in degrees.

    loosely: it may have one letter wrong. bbox: west, south, east, north in degrees, of the point on an object.
    """

    text: str
    tables: Sequence[str]
    loosely: bool = False
    near: tuple[float, float] | None = None
    bbox: Bbox | None = None


@dataclass(frozen=True)
class Candidate:
    """An entry that matches. score: by how it matches, what it is, and how near it lies."""

    table: str
    object_id: int
    field: str
    text: str
    score: float


async def candidates(connection: Connection, wanted: Wanted, srid: int, most: int) -> list[Candidate]:
    """At most `most` entries for a text, the best first."""
    statement = candidates_sql(wanted, srid, most)
    if statement is None:
        return []
    sql, arguments = statement
    return [
        Candidate(row["table"], row["object_id"], row["field"], row["text"], row["score"])
        for row in await connection.fetch(sql, *arguments)
    ]


def candidates_sql(wanted: Wanted, srid: int, most: int) -> tuple[str, list[object]] | None:
    """The statement that asks for candidates, and its arguments; None for a text of which nothing can be asked.

    Each way to match is a query with a bound of its own, so that a name that stands in every street takes no longer
    than one that stands nowhere.
    """
    folded = fold(wanted.text)
    if not folded:
        return None
    arguments = _Arguments()
    keys = [key for key in (folded, parse_address(wanted.text).key) if key]
    conditions = [f'"table" = any({arguments.add(list(wanted.tables), "text[]")})']
    if wanted.bbox is not None:
        corners = ", ".join(arguments.add(value, "float8") for value in wanted.bbox)
        conditions.append(f"point && ST_MakeEnvelope({corners}, {srid})")
    order = ""
    far = "0"
    if wanted.near is not None:
        lon, lat = (arguments.add(value, "float8") for value in wanted.near)
        near = f"ST_SetSRID(ST_Point({lon}, {lat}), {srid})"
        order = f"order by point <-> {near}"
        far = f"(point <-> {near}) * {METRES_PER_DEGREE} / {NEAR_M}"
    exactly = f"key = any({arguments.add(keys, 'text[]')})"
    first, last = arguments.add(folded, "text"), arguments.add(folded + "\U0010ffff", "text")
    begins = f"key >= {first} and key < {last}"
    limit = max(MOST, most)
    if wanted.loosely:
        if (matches := _alike(folded, arguments)) is None:
            return None
        within, ways = str(ALIKE), [(matches, order)]
    else:
        matches, is_read = _within(wanted.text, folded, arguments)
        within = f"case when field <> 'name_en' and {is_read} then {READ} else {WITHIN} end"
        ways = [
            (exactly, order),
            (begins, order),
            (f"weight >= {PLACE} and {matches}", order),
            (matches, order),
        ]
    # How often Latin letters stand together nobody counts, so that the planner would walk from the nearest entry to the
    # furthest: of these the nearest are taken among a bounded number.
    fence = "" if HAN.search(folded) else f"limit {FENCED}"
    parts = " union ".join(
        f"(select * from (select * from search_entry where {' and '.join([condition, *conditions])} {fence}) way"
        f" {by} limit {limit})"
        for condition, by in ways
    )
    rank = f"case when {exactly} then {EXACT} when {begins} then {PREFIX} else {within} end"
    nearness = f"0.4 / (1 + {far})" if wanted.near is not None else "0.4 / (1 + length(text))"
    sql = f"""
        select "table", object_id, field, text, {rank} + 0.5 * weight + {nearness} as score
        from ({parts}) found order by score desc, object_id limit {arguments.add(most, "integer")}
    """
    return sql, arguments.values


def _within(text: str, folded: str, arguments: "_Arguments") -> tuple[str, str]:
    """SQL: whether an entry holds the text, and whether it does so only when it is read aloud."""
    if HAN.search(folded):
        # Each word of its own: 乐清 医院 finds 乐清市人民医院.
        words = [word for part in text.split()[:WORDS] if (word := fold(part))] or [folded]
        pairs = arguments.add([gram for word in words for gram in wanted_grams(word)], "text[]")
        exact = " and ".join(f"position({arguments.add(word, 'text')} in key) > 0" for word in words if len(word) > 2)
        return f"grams @> {pairs}" + (f" and (field = 'address' or {exact})" if exact else ""), "false"
    tests = []
    for word in folded.split()[:WORDS]:
        # Two letters are only looked for at the beginning of words: in the midst of them they are everywhere.
        pattern = f"%{word}%" if len(word) > 2 else f"% {word}%"
        tests.append(f"latin like {arguments.add(pattern, 'text')}")
    read = arguments.add(re.sub(r"[^a-z]", "", folded), "text")
    return " and ".join(tests), f"position({read} in key) = 0"


def _alike(folded: str, arguments: "_Arguments") -> str | None:
    """SQL: whether an entry holds the text with another letter in one place; None for a text too short to tell.

    A digit is never another: 12 is no slip of 13.
    """
    is_chinese = bool(HAN.search(folded))
    if not (CHINESE if is_chinese else LATIN) <= len(folded) <= LONGEST_ALIKE:
        return None
    tests = []
    for at, letter in enumerate(folded):
        # Without its first or last letter, a word in Latin ones is the beginning or the end of far too many.
        is_edge = at in (0, len(folded) - 1) and not is_chinese
        if letter.isdigit() or letter == " " or is_edge:
            continue
        before, after = folded[:at], folded[at + 1 :]
        pattern = arguments.add(f"%{before}_{after}%", "text")
        if is_chinese:
            pairs = arguments.add([gram for part in (before, after) if part for gram in wanted_grams(part)], "text[]")
            tests.append(f"(grams @> {pairs} and key like {pattern})")
        else:
            tests.append(f"latin like {pattern}")
    return f"({' or '.join(tests)})" if tests else None


class _Arguments:
    """Values of a statement, each written as $1, $2, ... with its type."""

    def __init__(self) -> None:
        self.values: list[object] = []

    def add(self, value: object, kind: str) -> str:
        self.values.append(value)
        return f"${len(self.values)}::{kind}"
