"""A drawing is called fresh only if no change at or after its horizon touches it."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from layers.changes import Change, Place
from tiles import freshness
from tiles.freshness import Freshness
from tiles.matrix import Box, web_box

DEGREES = st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 3), st.integers(0, 3)).map(
    lambda b: (float(b[0]), float(b[1]), float(b[0] + b[2]), float(b[1] + b[3]))
)


def change(xid: int, box: Box, table: str = "building") -> Change:
    moment = datetime(2025, 1, 1, tzinfo=UTC)
    return Change(Place(xid, 0), table, 1, 1, None, "update", None, box, None, None, "t", None, moment)


def touches(one: Box, other: Box) -> bool:
    return one[0] <= other[2] and one[2] >= other[0] and one[1] <= other[3] and one[3] >= other[1]


@given(
    changes=st.lists(st.tuples(st.integers(1, 30), DEGREES), max_size=30),
    horizon=st.integers(0, 31),
    box=DEGREES,
    heard=st.integers(0, 30),
)
def test_fresh_is_what_brute_force_says(changes: list[tuple[int, Box]], horizon: int, box: Box, heard: int) -> None:
    """Whatever part of the feed was heard before the drawing was kept, and whatever came after."""
    feed = [change(xid, where) for xid, where in sorted(changes)]
    known = Freshness()
    known.learn(feed[:heard])
    mark = known.mark("building", horizon)
    assert mark is not None
    mark = known.checked("building", web_box(box), mark)
    known.learn(feed[heard:])
    if mark is not None:
        mark = known.checked("building", web_box(box), mark)
    # A change below the horizon that is heard after the drawing was kept only costs a new drawing.
    late = [c for c in feed[heard:] if c.place.xid < horizon]
    stale = any(c.place.xid >= horizon and touches(web_box(c.bbox_new or box), web_box(box)) for c in feed)
    if stale:
        assert mark is None
    elif not late:
        assert mark is not None


def test_another_table_touches_nothing() -> None:
    known = Freshness()
    mark = known.mark("road", 1)
    assert mark is not None
    known.learn([change(5, (0, 0, 9, 9))])
    assert known.checked("road", web_box((0, 0, 1, 1)), mark) is not None
    assert known.checked("building", web_box((0, 0, 1, 1)), 0) is None


def test_what_is_forgotten_counts_as_changed() -> None:
    known = Freshness()
    early = known.mark("building", 1)
    assert early is not None
    count = freshness.REMEMBERED + 1
    known.learn([change(xid, (5, 5, 6, 6)) for xid in range(2, count + 2)])
    assert known.checked("building", web_box((0, 0, 1, 1)), early) is None
    assert known.mark("building", 1) is None
    assert known.mark("building", count + 2) is not None
