"""Edits: who may, what is refused, what is kept; and that any sequence of them keeps the model whole."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise
from typing import Any

import asyncpg
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cim_models.database import Database
from layers import LayerError
from layers.access import PUBLIC, Forbidden, Principal
from layers.catalog import Catalog, LayerNotFound, load_catalog
from layers.content import ContentError
from layers.edit import (
    Conflict,
    Correct,
    Delete,
    Edit,
    EditError,
    Erase,
    Insert,
    ObjectNotFound,
    PlanNotFound,
    Remove,
    Supersede,
    apply,
    may_edit,
)
from layers.timeline import NoStateThen, Span, SpansOverlap
from tests.enact import EDITOR, footprint

DAY = datetime(2024, 6, 1, tzinfo=UTC)
FIELDS = "object_id, uid, height, name, attributes, village_code, valid_from, valid_to, plan_id, plan_action"


async def catalog_of(database: Database) -> Catalog:
    async with database.reading() as connection:
        return await load_catalog(connection, database.city)


@pytest.fixture
async def catalog(empty: Database) -> Catalog:
    return await catalog_of(empty)


def house(height: float = 10, **asked: Any) -> Insert:
    return Insert(
        **{
            "layer": "buildings",
            "properties": {"class": "Building", "height": height},
            "geometry": footprint(0),
            **asked,
        }
    )


async def edit(database: Database, catalog: Catalog, *edits: Edit, who: Principal = EDITOR) -> int:
    return (await apply(database, catalog, who, edits))[-1]


async def current(database: Database, table: str = "building") -> list[asyncpg.Record]:
    async with database.reading() as connection:
        return await connection.fetch(
            f"select {FIELDS} from {table} where recorded_to = 'infinity' order by valid_from nulls first"
            if table == "building"
            else f"select * from {table} where recorded_to = 'infinity'"
        )


async def changes(database: Database) -> list[asyncpg.Record]:
    async with database.reading() as connection:
        return await connection.fetch("select * from change order by seq")


async def test_an_edit_changes_what_it_names_and_nothing_else(empty: Database, catalog: Catalog) -> None:
    made = await edit(
        empty, catalog, house(properties={"class": "Building", "height": 10, "name": "老宅", "owner": {"since": 1950}})
    )
    await edit(
        empty,
        catalog,
        Correct(layer="buildings", object_id=made, properties={"height": 12, "owner": None, "note": "x"}),
    )
    (row,) = await current(empty)
    assert (row["height"], row["name"], row["attributes"]) == (12, "老宅", {"note": "x"})


async def test_the_change_feed_hears_of_each_edit(empty: Database, catalog: Catalog) -> None:
    """Where it was and is, when it matters, and who did it: the principal, whatever a client says."""
    made = await edit(empty, catalog, house())
    moved = shapely.transform(footprint(0), lambda c: c + 0.001)
    await apply(
        empty,
        catalog,
        EDITOR,
        [Supersede(layer="buildings", object_id=made, geometry=moved, as_of=DAY)],
        why="surveyed again",
    )
    await edit(empty, catalog, Delete(layer="buildings", object_id=made, as_of=DAY + timedelta(days=9)))
    inserted, updated, deleted = await changes(empty)
    assert [c["op"] for c in (inserted, updated, deleted)] == ["insert", "update", "delete"]
    assert inserted["bbox_old"] is None
    assert inserted["bbox_new"] == pytest.approx(footprint(0).bounds)
    assert updated["bbox_old"] == pytest.approx(footprint(0).bounds)
    assert updated["bbox_new"] == pytest.approx(shapely.union_all([footprint(0), moved]).bounds)
    assert (updated["valid_from"], updated["valid_to"], updated["who"]) == (DAY, None, "an editor")
    assert updated["why"] == "surveyed again"
    assert deleted["valid_from"] == DAY + timedelta(days=9)
    assert {c["object_id"] for c in (inserted, updated, deleted)} == {made}


async def test_what_was_believed_moves_to_the_past(empty: Database, catalog: Catalog) -> None:
    made = await edit(empty, catalog, house())
    for height in (11, 12):
        await edit(empty, catalog, Correct(layer="buildings", object_id=made, properties={"height": height}))
    async with empty.reading() as connection:
        parts = await connection.fetch(
            "select tableoid::regclass::text as part, height, recorded_from, recorded_to from building"
            " order by recorded_from"
        )
    assert [(r["part"], r["height"]) for r in parts] == [
        ("building_past", 10),
        ("building_past", 11),
        ("building_current", 12),
    ]
    assert parts[0]["recorded_to"] == parts[1]["recorded_from"]
    assert parts[1]["recorded_to"] == parts[2]["recorded_from"]


async def test_all_edits_of_a_batch_or_none(empty: Database, catalog: Catalog) -> None:
    with pytest.raises(ObjectNotFound):
        await edit(empty, catalog, house(), Erase(layer="buildings", object_id=999_999))
    assert await current(empty) == []
    assert await changes(empty) == []


async def test_an_object_may_be_edited_twice_in_a_batch(empty: Database, catalog: Catalog) -> None:
    made = await edit(empty, catalog, house())
    await edit(
        empty,
        catalog,
        Correct(layer="buildings", object_id=made, properties={"height": 11}),
        Supersede(layer="buildings", object_id=made, properties={"height": 20}, as_of=DAY),
    )
    assert [row["height"] for row in await current(empty)] == [11, 20]


async def test_an_object_learns_its_village(empty: Database, catalog: Catalog) -> None:
    """And learns it again, in place and without a version, when the villages change; the feed is told where."""
    made = await edit(empty, catalog, house())
    west, south, _, _ = footprint(0).bounds
    village = Insert(
        layer="administrative_areas",
        properties={"class": "Village", "level": "village", "code": "330326100201"},
        geometry=shapely.box(west - 0.01, south - 0.01, west + 0.01, south + 0.01),
    )
    area = await edit(empty, catalog, village)
    (row,) = await current(empty)
    assert row["village_code"] == "330326100201"
    second = await edit(empty, catalog, house())
    assert {r["village_code"] for r in await current(empty) if r["object_id"] == second} == {"330326100201"}
    await edit(empty, catalog, Erase(layer="administrative_areas", object_id=area))
    assert {r["village_code"] for r in await current(empty)} == {None}
    told = [c for c in await changes(empty) if c["op"] == "bulk"]
    assert {c["table"] for c in told} == {"building"}
    assert all(c["bbox_new"][0] <= west <= c["bbox_new"][2] for c in told)
    async with empty.reading() as connection:
        assert await connection.fetchval("select count(*) from building where object_id = $1", made) == 1


# --- who may


async def test_the_public_may_not_write(empty: Database, catalog: Catalog) -> None:
    with pytest.raises(Forbidden):
        await edit(empty, catalog, house(), who=PUBLIC)


async def test_a_hidden_layer_is_not_there_to_write_to(empty: Database) -> None:
    async with empty.writing() as connection:
        await connection.execute("update layer set restricted = true where id = 'buildings'")
    try:
        catalog = await catalog_of(empty)
        with pytest.raises(LayerNotFound):
            await edit(empty, catalog, house())
    finally:
        async with empty.writing() as connection:
            await connection.execute("update layer set restricted = false where id = 'buildings'")


async def test_a_row_filter_holds_for_what_was_and_what_will_be(empty: Database, catalog: Catalog) -> None:
    """A role that may write low buildings neither touches a high one nor makes one, and sees no other's secrets."""
    low = {"op": "<=", "args": [{"property": "height"}, 20]}
    async with empty.writing() as connection:
        await connection.execute(
            "insert into permission values ('warden', '*', 'read', null), ('warden', 'buildings', 'write', $1),"
            " ('blind', 'buildings', 'read', $1), ('blind', 'buildings', 'write', null) on conflict do nothing",
            low,
        )
    catalog = await catalog_of(empty)
    warden, blind = Principal("w", "warden"), Principal("b", "blind")
    writable = [layer.id for layer in catalog.layers(warden) if may_edit(layer, catalog, warden)]
    assert writable == ["buildings"]
    small, tall = await apply(empty, catalog, EDITOR, [house(10), house(50)])
    await edit(empty, catalog, Correct(layer="buildings", object_id=small, properties={"height": 20}), who=warden)
    for forbidden in (
        house(30),
        Correct(layer="buildings", object_id=small, properties={"height": 30}),
        Correct(layer="buildings", object_id=small, properties={"height": None}),
        Correct(layer="buildings", object_id=tall, properties={"height": 15}),
        Delete(layer="buildings", object_id=tall, as_of=DAY),
        Erase(layer="buildings", object_id=tall),
    ):
        with pytest.raises(Forbidden):
            await edit(empty, catalog, forbidden, who=warden)
    with pytest.raises(ObjectNotFound):
        await edit(empty, catalog, Erase(layer="buildings", object_id=tall), who=blind)
    assert sorted(row["height"] for row in await current(empty)) == [20, 50]


# --- what is refused


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({}, "class is missing"),
        ({"class": None}, "class is missing"),
        ({"class": "Building", "height": "ten"}, "height.*finite number in m"),
        ({"class": "Building", "height": float("nan")}, "finite number"),
        ({"class": "Building", "height": True}, "finite number"),
        ({"class": "Building", "storeys": 2.5}, "whole number"),
        ({"class": "Building", "storeys": 2**31}, "whole number"),
        ({"class": "Building", "cim_level": 40_000}, "whole number"),
        ({"class": "Building", "name": "a\0b"}, "without a null"),
        ({"class": "Building", "name": "\ud800"}, "without a null"),
        ({"class": "Building", "note": "a\0b"}, "no JSON"),
        ({"class": "Building", "note": object()}, "no JSON"),
        ({"class": "Building", "uid": "x"}, "cannot be written"),
        ({"class": "Building", "object_id": 5}, "no property 'object_id'"),
        ({"class": "Building", "village_code": "1"}, "cannot be written"),
    ],
)
async def test_properties_are_typed(empty: Database, catalog: Catalog, properties: dict[str, Any], said: str) -> None:
    with pytest.raises(ContentError, match=said):
        await edit(empty, catalog, house(properties=properties))


BOW_TIE = shapely.Polygon([(120.9, 28), (121, 28.1), (121, 28), (120.9, 28.1)])


@pytest.mark.parametrize(
    ("geometry", "said"),
    [
        (shapely.Point(121, 28), "is a Point; give a Polygon or MultiPolygon"),
        (shapely.Polygon(), "empty"),
        (BOW_TIE, "not valid: Self-intersection"),
        (shapely.box(500_000, 3_000_000, 500_010, 3_000_010), "outside the globe"),
        (shapely.transform(footprint(0), lambda xy: xy * float("inf")), "outside the globe"),
        (shapely.set_srid(footprint(0), 4549), "EPSG:4549; transform it to EPSG:4490"),
    ],
)
async def test_geometry_is_checked(empty: Database, catalog: Catalog, geometry: shapely.Geometry, said: str) -> None:
    with pytest.raises(ContentError, match=said):
        await edit(empty, catalog, house(geometry=geometry))


async def test_dates_must_make_sense(empty: Database, catalog: Catalog) -> None:
    with pytest.raises(EditError, match="begin before it ends"):
        await edit(empty, catalog, house(span=Span(DAY, DAY)))
    made = await edit(empty, catalog, house(span=Span(DAY, DAY + timedelta(days=1))))
    with pytest.raises(NoStateThen, match=r"it is there from 2024-06-01.* to 2024-06-02"):
        await edit(empty, catalog, Supersede(layer="buildings", object_id=made, as_of=DAY - timedelta(days=1)))
    with pytest.raises(NoStateThen):
        await edit(empty, catalog, Delete(layer="buildings", object_id=made, as_of=DAY + timedelta(days=1)))
    with pytest.raises(NoStateThen):
        await edit(empty, catalog, Correct(layer="buildings", object_id=made, properties={"height": 1}))


async def test_an_object_is_not_two_things_at_once(empty: Database, catalog: Catalog) -> None:
    made = await edit(empty, catalog, house())
    await edit(empty, catalog, Supersede(layer="buildings", object_id=made, properties={"height": 20}, as_of=DAY))
    with pytest.raises(SpansOverlap):
        await edit(empty, catalog, Correct(layer="buildings", object_id=made, span=Span(DAY - timedelta(days=1), None)))


async def test_a_plan_must_exist(empty: Database, catalog: Catalog) -> None:
    with pytest.raises(PlanNotFound):
        await edit(empty, catalog, house(plan=12345))


async def test_a_uid_is_taken_once(empty: Database, catalog: Catalog) -> None:
    await edit(empty, catalog, house(uid="a"))
    with pytest.raises(Conflict, match="taken"):
        await edit(empty, catalog, house(uid="a", span=Span(DAY, None)))


# --- at the same time


async def test_the_second_of_two_writers_is_told(empty: Database, catalog: Catalog) -> None:
    made = await edit(empty, catalog, house())
    async with empty.writing() as connection:
        await connection.execute("select from building where object_id = $1 for update", made)
        with pytest.raises(Conflict, match="being edited"):
            await edit(empty, catalog, Correct(layer="buildings", object_id=made, properties={"height": 11}))


async def test_what_changed_since_it_was_read_is_not_overwritten(empty: Database, catalog: Catalog) -> None:
    made = await edit(empty, catalog, house())
    async with empty.reading() as connection:
        read_at = await connection.fetchval("select clock_timestamp()")
    await edit(empty, catalog, Correct(layer="buildings", object_id=made, properties={"height": 11}, read_at=read_at))
    with pytest.raises(Conflict, match="changed since"):
        await edit(
            empty, catalog, Correct(layer="buildings", object_id=made, properties={"height": 12}, read_at=read_at)
        )


async def test_many_writers_of_one_object_lose_nothing(empty: Database, catalog: Catalog) -> None:
    """Each of eight writers either conflicts or leaves its belief on record."""
    made = await edit(empty, catalog, house())

    async def write(height: int) -> int | None:
        try:
            await edit(empty, catalog, Correct(layer="buildings", object_id=made, properties={"height": height}))
            return height
        except Conflict:
            return None

    written = [height for height in await asyncio.gather(*map(write, range(100, 108))) if height is not None]
    async with empty.reading() as connection:
        rows = await connection.fetch("select height from building order by recorded_from")
    assert written
    assert sorted(row["height"] for row in rows) == [10, *sorted(written)]
    assert len(await current(empty)) == 1


async def test_an_edit_does_not_wait_for_a_long_import(empty: Database, catalog: Catalog) -> None:
    async with empty.writing() as connection:
        await connection.execute("lock table building in share row exclusive mode")
        with pytest.raises(Conflict, match="loaded, right now"):
            await edit(empty, catalog, house())


# --- any sequence

moments = st.sampled_from([DAY + timedelta(days=30 * n) for n in range(-4, 5)])
spans = st.tuples(moments, moments).filter(lambda ends: ends[0] < ends[1]).map(lambda ends: Span(*ends))
# What ends an object comes seldom, so that most sequences go on.
kinds = st.sampled_from([Supersede] * 5 + [Correct] * 5 + [Delete, Erase, Remove])
acts = st.lists(
    st.tuples(kinds, moments, st.one_of(st.none(), spans), st.sampled_from([False, False, True])),
    min_size=3,
    max_size=10,
)


def edit_of(kind: type, at: datetime, span: Span | None, object_id: int, plan: int | None) -> Edit:
    same: dict[str, Any] = {"layer": "buildings", "object_id": object_id, "plan": plan}
    if kind is Correct:
        return Correct(**same, properties={"height": at.month}, at=at, span=span)
    if kind is Supersede:
        return Supersede(**same, properties={"height": at.month}, as_of=at)
    if kind is Delete:
        return Delete(**same, as_of=at)
    return Remove(**same) if kind is Remove and plan is not None else Erase(**same)


def overlapping(spans: Iterable[Span]) -> bool:
    return any(end > start for (_, end), (start, _) in pairwise(sorted(span.bounds for span in spans)))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sequence=acts)
async def test_any_sequence_of_edits_keeps_the_model_whole(empty: Database, sequence: list[Any]) -> None:
    """No two current states of an object overlap; no two beliefs of one moment do; nothing that was known is lost."""
    async with empty.writing() as connection:
        plan = await connection.fetchval(
            "insert into plan (name, title_zh, title_en, who)"
            " select 'p' || count(*), '计划', 'Plan', 'test' from plan returning id"
        )
    catalog = await catalog_of(empty)
    made = await edit(empty, catalog, house(1))
    rows = await everything(empty, made)
    for kind, at, span, planned in sequence:
        before = rows
        try:
            await edit(empty, catalog, edit_of(kind, at, span, made, plan if planned else None))
        except LayerError:
            assert await everything(empty, made) == before
            continue
        rows = await everything(empty, made)
        assert {replace(row, believed=row.believed.start) for row in before} <= {
            replace(row, believed=row.believed.start) for row in rows
        }
    for plan_id in {row.plan for row in rows}:
        own = [row for row in rows if row.plan == plan_id]
        assert not overlapping(row.valid for row in own if row.believed.end is None)
        for one, other in combinations(own, 2):
            assert not (one.valid.overlaps(other.valid) and one.believed.overlaps(other.believed))


@dataclass(frozen=True)
class Row:
    id: int
    plan: int | None
    height: float
    valid: Span
    believed: Any


async def everything(database: Database, object_id: int) -> set[Row]:
    """Every row of an object, current and past."""
    async with database.reading() as connection:
        rows = await connection.fetch(
            "select id, plan_id, height, valid_from, valid_to, recorded_from, nullif(recorded_to, 'infinity') as until"
            " from building where object_id = $1",
            object_id,
        )
    return {
        Row(
            row["id"],
            row["plan_id"],
            row["height"],
            Span(row["valid_from"], row["valid_to"]),
            Span(row["recorded_from"], row["until"]),
        )
        for row in rows
    }
