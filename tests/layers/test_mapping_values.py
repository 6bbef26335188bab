"""Fields to columns: numbers, units, words and codes as the recipe says; what cannot be one rejects its row by name."""

import json
import math
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.mapping import mapped, properties
from layers.recipe import RecipeError
from tests.layers.sources import PINGYANG, column, one, part, reasons, source, square

SQUARES = [square(120.5 + i / 100, 27.6) for i in range(8)]
BUILDING = {"theme": "building", "class": "Building", "uid": "id"}


def buildings(rows: int = 8, **columns: object) -> object:
    return source(SQUARES[:rows], id=[str(i) for i in range(1, rows + 1)], **columns)  # type: ignore[arg-type]


def test_numbers_are_parsed_and_converted() -> None:
    rows = buildings(h=["10", "12.5", " 3 ", "1e1", "+7", ".5", "", None])
    batch = one(rows, part(**BUILDING, fields={"height": {"field": "h", "unit": "ft"}}))
    expected = [feet * 0.3048 if feet is not None else None for feet in (10, 12.5, 3, 10, 7, 0.5, None, None)]
    assert column(batch, "height") == [None if e is None else pytest.approx(e) for e in expected]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("high", "height: 'high' is no number"),
        ("12,5", "height: '12,5' is no number"),
        ("nan", "height: 'nan' is no number"),
        ("0x10", "height: '0x10' is no number"),
        ("1e999", "height: an infinite number"),
        ("三", "height: '三' is no number"),
    ],
)
def test_text_in_a_number_field_rejects_its_row_alone(bad: str, why: str) -> None:
    batch = one(buildings(3, h=["1", bad, "3"]), part(**BUILDING, fields={"height": "h"}))
    assert column(batch, "uid") == ["1", "3"]
    (reject,) = batch.rejects
    assert (reject.row, reject.uid, reject.reason) == (2, "2", why)


def test_whole_numbers_fit_their_column() -> None:
    batch = one(buildings(4, n=[3.0, 3.5, 3e9, math.nan]), part(**BUILDING, fields={"storeys": "n"}))
    assert column(batch, "storeys") == [3, None]
    assert reasons(batch) == {
        2: "storeys: 3.5 is no whole number of 32 bits",
        3: "storeys: 3000000000 is no whole number of 32 bits",
    }


def test_infinity_is_rejected_and_nan_is_nothing() -> None:
    batch = one(buildings(3, h=[math.inf, math.nan, 2.0]), part(**BUILDING, fields={"ground_z": "h"}))
    assert column(batch, "ground_z") == [None, 2.0]
    assert reasons(batch) == {1: "ground_z: an infinite number"}


def test_words_for_yes_and_no() -> None:
    rows = source(["LINESTRING (120 27, 120.1 27)"] * 5, id=list("abcde"), o=["yes", "F", "是", None, "perhaps"])
    batch = one(rows, part(theme="road", **{"class": "residential"}, uid="id", fields={"oneway": "o"}))
    assert column(batch, "oneway") == [True, False, True, None]
    assert reasons(batch) == {5: "oneway: 'perhaps' is neither yes nor no"}


def test_values_are_mapped_and_the_rest_is_the_default() -> None:
    rule = {"field": "use", "map": {"1": "residential", "no": "office"}, "default": "other"}
    batch = one(buildings(4, use=["1", "no", "9", None]), part(**BUILDING, fields={"function": rule}))
    assert column(batch, "function") == ["residential", "office", "other", "other"]


def test_numbers_are_mapped_by_their_text() -> None:
    for codes in ([1, 2, 3], [1.0, 2.0, 3.0], ["1", "2", "3"]):
        batch = one(
            buildings(3, use=codes), part(**BUILDING, fields={"function": {"field": "use", "map": {"2": "office"}}})
        )
        assert column(batch, "function") == [None, "office", None]


def test_a_class_that_is_not_known_rejects_its_row() -> None:
    how = part(theme="water", uid="id", **{"class": {"field": "kind", "map": {"河": "River"}}})
    batch = one(buildings(3, kind=["河", "湖", None]), how)
    assert column(batch, "class") == ["River"]
    assert reasons(batch) == {
        2: "no class for kind '湖'; add it to the recipe's map or give a default",
        3: "no class for kind None; add it to the recipe's map or give a default",
    }


def test_missing_heights_are_guessed_and_marked() -> None:
    rows = buildings(4, h=[20.0, None, None, None], n=[4, 5, 0, None])
    how = {**BUILDING, "fields": {"height": "h", "storeys": "n"}}
    batch = one(rows, part(**how, missing_height={"per_storey": 2.8, "default": 6}))
    assert column(batch, "height") == [20.0, 14.0, 6.0, 6.0]
    assert column(batch, "height_source") == ["measured", "storeys", "default", "default"]
    batch = one(rows, part(**how))
    assert column(batch, "height") == [20.0, 15.0, None, None]
    assert column(batch, "height_source") == ["measured", "storeys", None, None]


def test_further_fields_become_json() -> None:
    moment = pa.array([datetime(2024, 5, 1, 8, 30, tzinfo=UTC)], pa.timestamp("us", "Asia/Shanghai"))
    rows = source(
        SQUARES[:1],
        text=['quoted "楼"\n\\ \x01'],
        big=pa.array([2**62], pa.int64()),
        real=[0.1],
        there=[True],
        day=[date(2024, 5, 1)],
        moment=moment,
        none=pa.array([None], pa.string()),
        listed=[[1, 2]],
        raw=[b"\x00"],
    )
    assert json.loads(column(one(rows, part()), "attributes")[0]) == {
        "text": 'quoted "楼"\n\\ \x01',
        "big": 2**62,
        "real": 0.1,
        "there": True,
        "day": "2024-05-01",
        "moment": "2024-05-01T08:30:00.000Z",
        "listed": [1, 2],
    }
    kinds = {each.name: each.type for each in properties(rows, part())}
    assert kinds["big"] == "integer"
    assert kinds["moment"] == "datetime"
    assert kinds["listed"] == "json"
    assert "raw" not in kinds


def test_rows_without_any_further_value_stay_rows() -> None:
    rows = source(SQUARES[:3], a=["x", None, None], b=[None, None, 1.0])
    batch = one(rows, part())
    assert [json.loads(text) for text in column(batch, "attributes")] == [{"a": "x"}, {}, {"b": 1.0}]
    assert [json.loads(text) for text in column(one(rows, part(keep=["a"])), "attributes")] == [{"a": "x"}, {}, {}]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.none() | st.text(st.characters(exclude_characters="\x00", codec="utf-8")), min_size=1, max_size=6))
def test_any_text_survives_in_json(texts: list[str | None]) -> None:
    rows = source([SQUARES[0]] * len(texts), note=pa.array(texts, pa.string()))
    batch = one(rows, part())
    kept = [json.loads(text).get("note") for text in column(batch, "attributes")]
    # Space around a text says nothing.
    assert kept == [((text or "").strip(WHITE) or None) for text in texts]


# What Unicode calls white space, which Arrow trims.
WHITE = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680"
    + "".join(map(chr, range(0x2000, 0x200B)))
    + "\u2028\u2029\u202f\u205f\u3000"
)


def test_fields_are_kept_renamed_dropped_and_read_as_json() -> None:
    rows = buildings(3, a=["1", "2", "3"], b=["x", "y", "z"], doc=['{"d": [1]}', "{broken", None])
    keep = {"number": {"field": "a", "type": "integer"}, "doc": {"field": "doc", "type": "json"}}
    batch = one(rows, part(**BUILDING, keep=keep))
    assert [json.loads(text) for text in column(batch, "attributes")] == [
        {"number": 1, "doc": {"d": [1]}},
        {"number": 3},
    ]
    assert reasons(batch) == {2: "doc: no JSON"}
    batch = one(rows, part(**BUILDING, drop=["a", "doc"]))
    assert column(batch, "attributes")[0] == '{"b":"x"}'


def test_text_that_no_database_can_hold() -> None:
    raw = pa.array([b"good", b"\xff\xfe", b"nul\x00"], pa.binary())
    broken = pa.StringArray.from_buffers(3, raw.buffers()[1], raw.buffers()[2])
    batch = one(buildings(3, label=broken), part(**BUILDING, fields={"name": "label"}))
    assert column(batch, "name") == ["good"]
    assert reasons(batch) == {2: "label: text that is not UTF-8", 3: "label: a NUL character in the text"}


def test_uids_of_fields_and_of_content() -> None:
    rows = buildings(3, part_no=["a", "b", None])
    batch = one(rows, part(**BUILDING | {"uid": ["id", "part_no"]}))
    assert column(batch, "uid") == ["1/a", "2/b"]
    assert reasons(batch) == {3: "no uid: id or part_no is empty"}
    hashed = column(one(rows, part(**BUILDING | {"uid": {"hash": ["id", "geometry"]}})), "uid")
    assert len(set(hashed)) == 3
    moved = source(SQUARES[1:4], id=["1", "2", "3"], part_no=["a", "b", None])
    assert not set(hashed) & set(column(one(moved, part(**BUILDING | {"uid": {"hash": ["id", "geometry"]}})), "uid"))


def test_the_hash_tells_what_changed() -> None:
    def hashes(h: list[float], how: dict[str, object], noise: str = "a", crs: str = "EPSG:4490") -> list[bytes]:
        rows = source(SQUARES[:2], crs, id=["1", "2"], h=h, noise=[noise, noise])
        return column(
            one(rows, part(**{**BUILDING, "fields": {"height": "h"}, "drop": "noise", **how})), "content_hash"
        )

    first = hashes([1, 2], {})
    assert hashes([1, 2], {}) == first
    assert hashes([1, 2], {}, noise="b") == first
    assert [a == b for a, b in zip(hashes([1, 3], {}), first, strict=True)] == [True, False]
    assert not set(hashes([1, 2], {"drop": []})) & set(first)
    assert not set(hashes([1, 2], {}, crs="EPSG:4326")) & set(first)


def test_only_the_rows_that_are_wanted() -> None:
    rows = buildings(4, kind=["a", "b", None, "a"], n=[1, 2, 1, 2])
    batch = one(rows, part(**BUILDING, where={"kind": "a", "n": ["2", "3"]}))
    assert (batch.read, column(batch, "uid")) == (1, ["4"])
    assert list(mapped(rows, part(**BUILDING, where={"kind": "c"}), PINGYANG)) == []


@pytest.mark.parametrize(
    "keys",
    [
        {"fields": {"height": "absent"}},
        {"uid": "absent"},
        {"uid": {"hash": ["absent"]}},
        {"keep": ["absent"]},
        {"drop": ["absent"]},
        {"where": {"absent": "1"}},
        {"class": {"field": "absent"}},
    ],
)
def test_a_field_that_is_not_there_is_told_before_anything_is_read(keys: dict[str, object]) -> None:
    with pytest.raises(RecipeError, match="rows: the recipe names a field 'absent', the source has h, id"):
        one(buildings(h=[1.0] * 8), part(**BUILDING | keys))


def test_a_source_in_the_models_terms_maps_itself() -> None:
    rows = source(
        SQUARES[:3],
        name="building",
        uid=["a", "b", "c"],
        **{"class": ["Building"] * 3, "height": [3.0, None, None], "storeys": [1, 2, None]},
        attributes=['{"k": 1}', None, "[]"],
        extra=["x", "y", "z"],
    )
    batch = one(rows, part())
    assert batch.theme.table == "building"
    assert column(batch, "height") == [3.0, 6.0]
    assert [json.loads(text) for text in column(batch, "attributes")] == [{"k": 1, "extra": "x"}, {"extra": "y"}]
    assert reasons(batch) == {3: "attributes: no JSON object"}


def test_an_unknown_table_is_generic_with_a_typed_schema() -> None:
    rows = buildings(2, h=[1.5, 2.5], n=pa.array([1, 2], pa.int16()))
    batch = one(rows, part())
    assert batch.theme.table == "generic_object"
    assert column(batch, "class") == ["GenericObject"] * 2
    assert {each.name: each.type for each in properties(rows, part())} == {"id": "text", "h": "number", "n": "integer"}
    assert len(set(column(batch, "uid"))) == 2


def test_a_theme_without_class_is_told() -> None:
    with pytest.raises(RecipeError, match="no class for its buildings; say it"):
        one(buildings(), part(theme="building"))
