"""Tables of trips as other programs and other countries write them."""

from pathlib import Path

import pytest

from twin.traffic.demand import read_csv
from twin.traffic.errors import InvalidDemand

WRITTEN = [
    "origin,destination,trips\n1,2,1234.5\n",
    "\ufefforigin;destination;trips\r\n1;2;1234,5\r\n",
    "Origin;Destination;Trips\n1;2;1.234,5\n",
    "origin;destination;trips\n1;2;1,234.5\n",
    'origin,destination,trips\n"1","2","1,234.5"\n',
    "trips\tdestination\torigin\tnote\n1\u00a0234.5\t2\t1\n",
    "origin;destination;trips\n 1 ; 2 ;1'234.5\n\n;;\n",
]


@pytest.mark.parametrize("text", WRITTEN)
def test_a_number_is_the_same_however_it_is_written(tmp_path: Path, text: str) -> None:
    file = tmp_path / "od.csv"
    file.write_text(text, encoding="utf-8")
    assert read_csv(file, [1, 2]).matrix().tolist() == [[0, 1234.5], [0, 0]]


@pytest.mark.parametrize(
    ("trips", "read"),
    [("1,234", 1234), ("12,345,678", 12345678), ("1.234", 1.234), ("1e3", 1000), ("1.234.567", 1234567)],
)
def test_commas_part_thousands_where_columns_are_parted_by_them(tmp_path: Path, trips: str, read: float) -> None:
    file = tmp_path / "od.csv"
    file.write_text(f'origin,destination,trips\n1,2,"{trips}"\n', encoding="utf-8")
    assert read_csv(file).total == read


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("origin;trips\n1;2\n", "no column destination"),
        ("origin,destination,trips\n1,2,many\n", "line 2: 'many' is no number"),
        ("origin,destination,trips\n\n1,2,-4\n", "line 3: -4.0 trips"),
        ("origin,destination,trips\n1,2,nan\n", "line 2"),
        ("origin,destination,trips\n1,2\n", "line 2: '' is no number"),
        ("origin,destination,trips\n1,9,1\n", "zone '9' is unknown"),
    ],
)
def test_what_is_no_table_of_trips_is_told(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "od.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidDemand, match=said):
        read_csv(file, [1, 2])


def test_text_that_is_not_utf_8_is_told(tmp_path: Path) -> None:
    file = tmp_path / "od.csv"
    file.write_bytes("origin,destination,trips\n东,西,1\n".encode("gb18030"))
    with pytest.raises(InvalidDemand, match="save it as CSV in UTF-8"):
        read_csv(file)
