"""Addresses turned into places: the finest level at which an index entry fits, and how sure that is."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from layers.addresses import Address, parse_address
from layers.search.entries import AREAS, ROADS
from layers.search.folding import fold
from layers.search.shown import Asker, Shown, shown

Level = Literal["room", "house", "place", "road", "village", "township"]
LEVELS: tuple[Level, ...] = get_args(Level)
# What is found by itself is not looked for by the road that it stands in.
PASSES = (LEVELS[:3], LEVELS[3:])
SCORES: dict[Level, float] = {
    "room": 1.0, "house": 0.95, "place": 0.9, "road": 0.6, "village": 0.4, "township": 0.25,
}  # fmt: skip
# Several that fit as well, further apart than this, are not the same place.
SAME_PLACE_M = 1_000.0
AMBIGUOUS = 0.7
METRES_PER_DEGREE = 111_320.0
# Addresses looked up at once.
BATCH = 500
SUFFIX = ("村委会", "居委会", "行政村", "社区", "村")
# Each way of its own, so that each is a walk in the index that ends after so many, however many houses a road has.
FIND_SQL = """
    select asked.number, asked.level, entry."table", entry.object_id, entry.field, entry.text, entry.area
    from unnest($1::integer[], $2::text[], $3::text[], $4::text[])
         as asked (number, level, key, area)
    cross join lateral (
        (select * from search_entry
         where key = asked.key and "table" = any($5) and (area is null or starts_with(area, asked.area))
           and case asked.level
               when 'road' then field = 'address' or "table" = 'road'
               when 'village' then "table" = 'administrative_area' and length(area) > 9
               when 'township' then "table" = 'administrative_area' and length(area) = 9
               when 'place' then field in ('name', 'name_en', 'address') and "table" <> 'administrative_area'
               else field = 'address' end
         limit 20)
        union all
        (select * from search_entry
         where asked.level in ('house', 'road') and key > asked.key || '/' and key < asked.key || '0'
           and "table" = any($5) and (area is null or starts_with(area, asked.area)) and field = 'address'
         limit 20)
    ) entry
"""
AREAS_SQL = """
    select key, object_id, text, field, area from search_entry
    where "table" = 'administrative_area' and key = any($1) and area is not null
"""


@dataclass(frozen=True)
class Match:
    """Where an address is. level: how finely it was found; score: 0 to 1, less where several places fit.

    matched: the address or name of the object that was found, in its layer.
    """

    level: Level
    score: float
    matched: str
    found: Shown


async def geocode(asker: Asker, addresses: Sequence[str]) -> list[Match | None]:
    """A place for each address that has one among what the asker may see; at most BATCH addresses at once."""
    parsed = [parse_address(text) for text in addresses]
    areas = await _areas(asker, parsed)
    asked = [
        ask for number, text in enumerate(addresses) for ask in _asked(number, text, parsed[number], areas[number])
    ]
    found: list[Match | None] = [None] * len(addresses)
    for levels in PASSES:
        wanted = [ask for ask in asked if ask[1] in levels and found[ask[0]] is None]
        for number, fitting in (await _fitting(asker, wanted)).items():
            found[number] = _best(fitting)
    return found


async def _fitting(
    asker: Asker, asked: Sequence[tuple[int, Level, str, str]]
) -> dict[int, dict[str, list[tuple[str, Shown]]]]:
    """By the number of an address and by level, the texts that fit and what they are of."""
    if not asked:
        return {}
    layers = asker.layers()
    tables = sorted({layer.theme.table for layer in layers})
    rows = await asker.connection.fetch(FIND_SQL, *map(list, zip(*asked, strict=True)), tables)
    seen = await shown(asker, {(row["table"], row["object_id"]) for row in rows}, layers)
    fitting: defaultdict[int, dict[str, list[tuple[str, Shown]]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        one = seen.get((row["table"], row["object_id"]))
        if one is not None and not one.looked_up and one.texts.get(row["field"]) == row["text"]:
            fitting[row["number"]][row["level"]].append((row["text"], one))
    return fitting


async def _areas(asker: Asker, parsed: Iterable[Address]) -> list[str]:
    """For each address the code that all areas begin with which it can mean; empty where it names none."""
    parsed = list(parsed)
    named = [[fold(part) for part in (each.city, each.county, each.township) if part] for each in parsed]
    keys = sorted({key for names in named for key in names})
    if not keys:
        return [""] * len(parsed)
    rows = await asker.connection.fetch(AREAS_SQL, keys)
    layers = [layer for layer in asker.layers() if layer.theme.table == AREAS]
    seen = await shown(asker, {(AREAS, row["object_id"]) for row in rows}, layers)
    codes: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        if (AREAS, row["object_id"]) in seen:
            codes[row["key"]].add(row["area"])
    return [_common([codes[name] for name in names if name in codes]) for names in named]


def _common(levels: Sequence[set[str]]) -> str:
    """The code of the smallest area that lies in all larger ones."""
    found = ""
    for codes in levels:
        inside = [code for code in codes if code.startswith(found)]
        if inside:
            low, high = min(inside), max(inside)
            found = low[: next((at for at, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), len(low))]
    return found


def _asked(number: int, text: str, address: Address, area: str) -> Iterator[tuple[int, Level, str, str]]:
    """What is looked up for an address: number, level, key, and the area in which it is expected."""
    if address.key and address.is_within:
        yield number, "room", address.key, area
    if address.house:
        yield number, "house", address.house, area
    for name in {fold(text), fold(address.place or "")} - {""}:
        yield number, "place", name, area
    if address.road:
        yield number, "road", fold(address.road), area
    if address.village:
        yield from ((number, "village", name, area) for name in _spellings(fold(address.village)))
    if address.township:
        yield number, "township", fold(address.township), area


def _spellings(village: str) -> set[str]:
    """北塘村, 北塘 and 北塘社区 are one village, whoever writes it."""
    bare = next((village.removesuffix(end) for end in SUFFIX if village.endswith(end) and len(village) > len(end) + 1),
                village)  # fmt: skip
    return {village, bare, *(bare + end for end in SUFFIX)}


def _best(fitting: dict[str, list[tuple[str, Shown]]]) -> Match | None:
    for level in LEVELS:
        if found := fitting.get(level):
            roads = [each for each in found if each[1].layer.theme.table == ROADS]
            found = roads if level == "road" and roads else found
            text, one = found[len(found) // 2]
            sure = 1.0 if _spread(one for _, one in found) <= SAME_PLACE_M or level == "road" else AMBIGUOUS
            return Match(level, round(SCORES[level] * sure, 3), text, one)
    return None


def _spread(found: Iterable[Shown]) -> float:
    """Metres from corner to corner of the box around some objects' points."""
    lons, lats = zip(*(one.point for one in found), strict=True)
    east = (max(lons) - min(lons)) * math.cos(math.radians(lats[0]))
    return math.hypot(east, max(lats) - min(lats)) * METRES_PER_DEGREE
