"""Tables of text as they lie on desks: commas, semicolons or tabs between columns, decimal points or commas."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from twin.traffic.errors import InvalidDemand

SEPARATORS = ";", "\t", ","
# Between groups of three digits besides comma and point: spaces of any width, and the Swiss apostrophe.
BETWEEN_DIGITS = re.compile(r"(?<=\d)[\s\u00a0\u202f'’](?=\d{3})")
POINTS = re.compile(r"[-+]?\d{1,3}(\.\d{3}){2,}")
COMMAS = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d*)?")


@dataclass(frozen=True)
class Row:
    """line: of the file, from 1. texts: by column, without the blanks about them. semicolons: what parts columns."""

    line: int
    texts: dict[str, str]
    semicolons: bool

    def number(self, column: str) -> float:
        """Raises ValueError for what is no number.

        Where semicolons part the columns a comma is the decimal sign. Else it stands between thousands.
        """
        text = BETWEEN_DIGITS.sub("", self.texts[column])
        comma, point = text.rfind(","), text.rfind(".")
        if POINTS.fullmatch(text) or 0 <= point < comma:
            text = text.replace(".", "").replace(",", ".")
        elif COMMAS.fullmatch(text) and (point >= 0 or not self.semicolons):
            text = text.replace(",", "")
        elif self.semicolons:
            text = text.replace(",", ".")
        return float(text)


def read_rows(text: str, name: str, needed: Iterable[str]) -> Iterator[Row]:
    """Rows of a table with a header; upper and lower case of columns are the same, rows without any text are left out.

    name: what the table is called in messages. Raises InvalidDemand where a column is missing.
    """
    text = text.removeprefix("\ufeff")
    header = text.lstrip().partition("\n")[0]
    separator = max(SEPARATORS, key=header.count)
    lines = csv.reader(io.StringIO(text), delimiter=separator)
    columns: list[str] = []
    try:
        for cells in lines:
            texts = [each.strip() for each in cells]
            if not any(texts):
                continue
            if columns:
                told = dict(zip(columns, texts, strict=False))
                yield Row(lines.line_num, {each: told.get(each, "") for each in columns}, separator == ";")
                continue
            columns = [each.lower() for each in texts]
            missing = sorted(each for each in needed if each not in columns)
            if missing:
                raise InvalidDemand(
                    f"{name}: no column {missing[0]}; needed are {', '.join(needed)}, and it has "
                    f"{', '.join(columns)[:200]}"
                )
    except csv.Error as error:
        raise InvalidDemand(f"{name}, line {lines.line_num}: no table of text ({error})") from None
    if not columns:
        raise InvalidDemand(f"{name}: it is empty; needed are {', '.join(needed)}")
