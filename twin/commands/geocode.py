"""`twin geocode`: a table of addresses becomes a table with places."""

import csv
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from twin.commands.console import out, print_table, progress
from twin.commands.read import City, Url

ENCODINGS = ("utf-8-sig", "gb18030")
ADDED = ("match_level", "match_score", "match_address", "match_layer", "match_object_id", "longitude", "latitude")


def geocode(
    file: Annotated[Path, typer.Argument(help="A CSV with a column of addresses, in UTF-8 or GB 18030.")],
    *,
    column: Annotated[str | None, typer.Option(help="Heading of the addresses. (default: 地址, address, ...)")] = None,
    to: Annotated[Path | None, typer.Option(help="File to write. (default: FILE with .places.csv)")] = None,
    city: City = None,
    url: Url = None,
) -> None:
    """Find the places of a table's addresses.

    Writes the table again with longitude, latitude, and how each was found: match_level (room, house, place, road,
    village, township) and match_score (0 to 1). Rows that nothing fits keep these empty.
    """
    from twin.sdk import connect
    from twin.sdk.finding import address_column

    headings, rows = _read(file)
    index = headings.index(address_column(headings, column))
    target = to or file.with_suffix(".places.csv")
    levels: Counter[str] = Counter()
    with connect(url, city=city) as found, target.open("w", encoding="utf-8-sig", newline="") as written:
        table = csv.writer(written)
        table.writerow([*headings, *ADDED])
        with progress(file.name, len(rows)) as passed:
            for row, match in zip(passed(rows), found.match_addresses([row[index] for row in rows]), strict=True):
                table.writerow([_harmless(cell) for cell in (*row, *(match.values() if match else [""] * len(ADDED)))])
                levels[match["level"] if match else "unmatched"] += 1
    print_table(("level", "rows"), [(level, f"{count:,}") for level, count in levels.most_common()])
    out.print(f"{len(rows):,} rows in {target}", markup=False, soft_wrap=True)


def _read(file: Path) -> tuple[list[str], list[list[str]]]:
    for encoding in ENCODINGS:
        try:
            with file.open(encoding=encoding, newline="") as table:
                headings, *rows = [row for row in csv.reader(table, strict=True) if row] or [[]]
        except UnicodeDecodeError:
            continue
        except csv.Error as error:
            raise typer.BadParameter(f"{file.name}: is no CSV ({error})") from None
        width = len(headings)
        if wrong := next((number for number, row in enumerate(rows, 2) if len(row) != width), None):
            raise typer.BadParameter(f"{file.name}: row {wrong} has another number of columns than the heading")
        return headings, rows
    raise typer.BadParameter(f"{file.name}: is neither UTF-8 nor GB 18030; save it as UTF-8")


def _harmless(cell: Any) -> Any:
    """A text that a spreadsheet would run as a formula, with an apostrophe before it."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in tuple("=+-@") and not _is_number(cell) else cell


def _is_number(text: str) -> bool:
    return text[1:].replace(".", "", 1).isdecimal() and text[0] in "+-"
