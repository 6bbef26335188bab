"""The table of cases of docs/time.md as data: what was done to a building, and what each reader must then show of it.

Any reader runs them: `tests.enact.enact` does what a case says in an empty city; then for each look the reader's view
of the layer `buildings` must hold exactly these heights.

    done = await enact(database, case)
    for look in case.looks:
        assert heights_read_by(reader, done.parameters(look)) == list(look.shows)
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Act:
    """One edit of the building. day: on which the world changed. plan: in the plan "tower"."""

    kind: str
    height: float | None = None
    day: str | None = None
    until: str | None = None
    plan: bool = False


@dataclass(frozen=True)
class Edition:
    """One load of the data set: its date if it has one, and the buildings in it by their heights."""

    day: str | None
    heights: Mapping[str, float]


@dataclass(frozen=True)
class Look:
    """What a reader is asked, and the heights it must show. recorded: as known after that many acts."""

    shows: tuple[float, ...]
    datetime: str | None = None
    recorded: int | None = None
    plan: bool = False


@dataclass(frozen=True)
class Case:
    name: str
    acts: tuple[Act | Edition, ...]
    looks: tuple[Look, ...]


def look(*shows: float, at: str | None = None, recorded: int | None = None, plan: bool = False) -> Look:
    return Look(shows, at, recorded, plan)


BUILT = Act("insert", 10)
CASES = (
    Case("an object stands for ever", (BUILT,), (look(10), look(10, at="1900-01-01"), look(10, at="2100-01-01"))),
    Case(
        "an object stands for a while",
        (Act("insert", 10, "2010-01-01", "2020-01-01"),),
        (
            look(),
            look(at="2009-12-31"),
            look(10, at="2010-01-01"),
            look(10, at="2019-12-31"),
            look(at="2020-01-01"),
            look(10, at="2019-06-01/2021-06-01"),
            look(10, at="../2010-01-01"),
            look(at="2020-01-01/.."),
        ),
    ),
    Case(
        "correct: we were wrong, at all times",
        (BUILT, Act("correct", 12)),
        (
            look(12),
            look(12, at="2000-01-01"),
            look(10, recorded=1),
            look(10, at="2000-01-01", recorded=1),
            look(12, recorded=2),
            look(recorded=0),
        ),
    ),
    Case(
        "correct: the dates were wrong",
        (BUILT, Act("correct", 10, "2015-01-01", "2099-01-01")),
        (
            look(10),
            look(at="2014-12-31"),
            look(10, at="2015-01-01"),
            look(at="2099-01-01"),
            look(10, at="2014-12-31", recorded=1),
        ),
    ),
    Case(
        "supersede: the world changed on a day",
        (BUILT, Act("supersede", 20, "2024-06-01")),
        (
            look(20),
            look(10, at="2024-05-31"),
            look(20, at="2024-06-01"),
            look(20, at="2024-01-01/2024-12-31"),
            look(10, at="2024-01-01/2024-05-31"),
            look(10, recorded=1),
            look(10, at="2024-06-01", recorded=1),
            look(20, recorded=2),
            look(10, at="2024-05-31", recorded=2),
        ),
    ),
    Case(
        "supersede: the world will change",
        (BUILT, Act("supersede", 20, "2099-01-01")),
        (look(10), look(10, at="2098-12-31"), look(20, at="2099-01-01"), look(10, at="2099-01-01", recorded=1)),
    ),
    Case(
        "supersede twice, the later day first",
        (BUILT, Act("supersede", 30, "2020-01-01"), Act("supersede", 20, "2015-01-01")),
        (
            look(30),
            look(10, at="2014-12-31"),
            look(20, at="2015-01-01"),
            look(20, at="2019-12-31"),
            look(30, recorded=2),
        ),
    ),
    Case(
        "supersede, then correct what was before",
        (BUILT, Act("supersede", 20, "2024-06-01"), Act("correct before", 11, "2024-05-31")),
        (look(20), look(11, at="2024-05-31"), look(10, at="2024-05-31", recorded=2), look(20, recorded=2)),
    ),
    Case(
        "supersede on the day of an earlier change replaces it",
        (BUILT, Act("supersede", 20, "2024-06-01"), Act("supersede", 21, "2024-06-01")),
        (look(21), look(10, at="2024-05-31"), look(20, recorded=2), look(21, at="2024-06-01")),
    ),
    Case(
        "delete: it ended on a day",
        (BUILT, Act("delete", day="2024-06-01")),
        (look(), look(10, at="2024-05-31"), look(at="2024-06-01"), look(10, recorded=1), look(recorded=2)),
    ),
    Case(
        "delete takes later states with it",
        (BUILT, Act("supersede", 20, "2024-06-01"), Act("delete", day="2020-01-01")),
        (look(), look(10, at="2019-12-31"), look(at="2024-06-01"), look(20, recorded=2)),
    ),
    Case(
        "delete: it will end",
        (BUILT, Act("delete", day="2099-01-01")),
        (look(10), look(10, at="2098-12-31"), look(at="2099-01-01")),
    ),
    Case(
        "erase: it never was",
        (BUILT, Act("supersede", 20, "2024-06-01"), Act("erase")),
        (look(), look(at="2000-01-01"), look(20, recorded=2), look(10, at="2000-01-01", recorded=2), look(recorded=3)),
    ),
    Case(
        "a plan adds",
        (BUILT, Act("insert", 30, plan=True)),
        (look(10), look(10, 30, plan=True), look(10, 30, at="2000-01-01", plan=True), look(10, plan=True, recorded=1)),
    ),
    Case(
        "a plan replaces",
        (BUILT, Act("correct", 30, plan=True)),
        (look(10), look(30, plan=True), look(30, at="2000-01-01", plan=True), look(10, plan=True, recorded=1)),
    ),
    Case(
        "a plan replaces from a day on",
        (BUILT, Act("supersede", 30, "2099-01-01", plan=True)),
        (look(10), look(10, plan=True), look(30, at="2099-01-01", plan=True), look(10, at="2099-01-01")),
    ),
    Case(
        "a plan removes",
        (BUILT, Act("remove", plan=True)),
        (look(10), look(plan=True), look(at="2000-01-01", plan=True), look(10, plan=True, recorded=1)),
    ),
    Case(
        "a plan ends an object on a day",
        (BUILT, Act("delete", day="2099-01-01", plan=True)),
        (look(10), look(10, plan=True), look(at="2099-01-01", plan=True), look(10, at="2099-01-01")),
    ),
    Case(
        "a plan is withdrawn",
        (BUILT, Act("correct", 30, plan=True), Act("erase", plan=True)),
        (look(10), look(10, plan=True), look(30, plan=True, recorded=2)),
    ),
    Case(
        "a plan corrects what it added",
        (BUILT, Act("insert", 30, plan=True), Act("correct", 40, plan=True)),
        (look(10), look(10, 40, plan=True), look(10, 30, plan=True, recorded=2)),
    ),
    Case(
        "the city changes under a plan that replaces",
        (BUILT, Act("correct", 30, plan=True), Act("supersede", 20, "2024-06-01")),
        (look(20), look(30, plan=True), look(10, at="2024-05-31"), look(30, at="2024-05-31", plan=True)),
    ),
    Case(
        "a first edition says nothing of when its objects began",
        (Edition("2020-01-01", {"a": 10, "b": 11}),),
        (look(10, 11), look(10, 11, at="1990-01-01"), look(10, 11, at="2019-12-31")),
    ),
    Case(
        "the same edition again",
        (Edition("2020-01-01", {"a": 10}), Edition("2020-01-01", {"a": 10})),
        (look(10), look(10, at="1990-01-01"), look(10, recorded=1)),
    ),
    Case(
        "a newer edition supersedes, ends and adds",
        (Edition("2020-01-01", {"a": 10, "b": 11, "c": 12}), Edition("2023-01-01", {"a": 10, "b": 21, "d": 13})),
        (
            look(10, 13, 21),
            look(10, 11, 12, at="2022-12-31"),
            look(10, 13, 21, at="2023-01-01"),
            look(10, 11, 12, at="2023-06-01", recorded=1),
            look(10, 11, 12, recorded=1),
        ),
    ),
    Case(
        "a corrected first edition",
        (Edition("2020-01-01", {"a": 10, "b": 11}), Edition("2020-01-01", {"a": 15, "c": 12})),
        (look(12, 15), look(12, 15, at="1990-01-01"), look(10, 11, recorded=1)),
    ),
    Case(
        "a corrected second edition leaves the first alone",
        (
            Edition("2020-01-01", {"a": 10, "b": 11}),
            Edition("2023-01-01", {"a": 10, "b": 21, "c": 12}),
            Edition("2023-01-01", {"a": 16, "b": 22}),
        ),
        (
            look(16, 22),
            look(10, 11, at="2022-12-31"),
            look(16, 22, at="2023-01-01"),
            look(10, 12, 21, recorded=2),
            look(10, 11, at="2022-12-31", recorded=2),
        ),
    ),
    Case(
        "editions without a date correct each other",
        (Edition(None, {"a": 10, "b": 11}), Edition(None, {"a": 15})),
        (look(15), look(15, at="1990-01-01"), look(10, 11, recorded=1)),
    ),
    Case(
        "an object comes back",
        (
            Edition("2020-01-01", {"a": 10, "b": 11}),
            Edition("2021-01-01", {"a": 10}),
            Edition("2022-01-01", {"a": 10, "b": 11}),
        ),
        (look(10, 11), look(10, 11, at="2020-12-31"), look(10, at="2021-06-01"), look(10, 11, at="2022-01-01")),
    ),
    Case(
        "an edit outlives an edition that tells nothing new",
        (Edition("2020-01-01", {"a": 10}), Act("supersede", 14, "2021-01-01"), Edition("2023-01-01", {"a": 10})),
        (look(14), look(10, at="2020-06-01"), look(14, at="2023-01-01")),
    ),
    Case(
        "an edit ends with an edition that tells something new",
        (Edition("2020-01-01", {"a": 10}), Act("supersede", 14, "2021-01-01"), Edition("2023-01-01", {"a": 18})),
        (look(18), look(14, at="2022-12-31"), look(10, at="2020-06-01")),
    ),
    Case(
        "what was deleted by hand stays so while its source tells nothing new",
        (
            Edition("2020-01-01", {"a": 10, "b": 11}),
            Act("delete", day="2021-01-01"),
            Edition("2023-01-01", {"a": 10, "b": 11}),
        ),
        (look(11), look(10, 11, at="2020-12-31")),
    ),
)
