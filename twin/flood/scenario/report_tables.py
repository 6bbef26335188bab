"""Tables of a report: what a page has room for of a run's tables, in the reader's words."""

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, Literal

import pyarrow as pa

from twin.flood.exposure.rules import rules

Language = Literal["zh", "en"]
Row = dict[str, Any]
MOST_ROWS = 40


def printed(
    table: pa.Table, name: str, words: Mapping[str, Any], *, zone: tzinfo | None, lang: Language
) -> dict[str, Any]:
    """Title, headings and rows without codes, at the city's own time; of a moment where people are most, that one."""
    rows: list[Row] = table.to_pylist()
    title = words["tables"][name][lang]
    if name in ("people_to_move", "exposure"):
        worst, rows = _worst_moment(rows)
        title = title.format(time=f"{worst.astimezone(zone):%m-%d %H:%M}")
    if name == "exposure":
        rows = _by_depth(rows)
    if name == "roads_by_hour":
        rows = _by_vehicle(rows)
    law = rules()
    depths = {text: {"zh": text.replace(" m and more", " m 以上"), "en": text} for text in law.class_names()}
    values = words["values"] | law.table["vehicles"]["titles"] | law.table["damage"]["titles"] | depths
    spoken = dict(words) | {"values": values}
    columns = [each for each in rows[0] if each not in words["codes"]]
    shown = [
        [_cell(column, row[column], spoken, zone=zone, lang=lang) for column in columns] for row in rows[:MOST_ROWS]
    ]
    titles = [(words["columns"] | values).get(each, {}).get(lang, each) for each in columns]
    numeric = [any(row[n][1] for row in shown) for n in range(len(columns))]
    return {
        "title": title,
        "names": list(zip(titles, numeric, strict=True)),
        "rows": shown,
        "more": max(0, len(rows) - MOST_ROWS),
    }


def _cell(
    column: str, value: Any, words: Mapping[str, Any], *, zone: tzinfo | None, lang: Language
) -> tuple[str, bool]:
    """A value as text, and whether it is a number."""
    if value is None:
        return words["missing"].get(column, {}).get(lang, ""), False
    if isinstance(value, datetime):
        return f"{value.astimezone(zone):%m-%d %H:%M}", False
    if isinstance(value, int | float):
        return f"{value:,.2f}".removesuffix(".00") if abs(value) < 1000 else f"{value:,.0f}", True
    return words["values"].get(value, {}).get(lang, str(value)), False


def _by_vehicle(rows: Sequence[Row]) -> list[Row]:
    """Closed roads with a row a moment, km by vehicle."""
    moments: dict[datetime, Row] = {}
    for row in rows:
        moments.setdefault(row["time"], {"time": row["time"]})[row["vehicle"]] = row["closed_km"]
    return list(moments.values())


def _worst_moment(rows: Sequence[Row]) -> tuple[datetime, list[Row]]:
    """When most people are concerned, and its rows without the time, the largest first."""
    people: dict[datetime, int] = {}
    for row in rows:
        people[row["time"]] = people.get(row["time"], 0) + row["people"]
    worst = max(people, key=lambda at: people[at])
    found = sorted((row for row in rows if row["time"] == worst), key=lambda row: -row["people"])
    return worst, [{name: value for name, value in row.items() if name != "time"} for row in found]


def _by_depth(rows: Sequence[Row]) -> list[Row]:
    """A row a township: its buildings in the water, and people by depth class."""
    classes = [name for name in rules().class_names() if any(row["depth"] == name for row in rows)]
    towns: dict[str, Row] = {}
    for row in rows:
        town = towns.setdefault(
            row["township"], {"township": row["township"], "buildings": 0} | dict.fromkeys(classes, 0)
        )
        town["buildings"] += row["buildings"]
        town[row["depth"]] += row["people"]
    return list(towns.values())
