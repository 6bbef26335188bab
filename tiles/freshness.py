"""What a process knows of recent changes, and so whether something drawn earlier is still true.

A drawing is marked with the horizon it was drawn at: every transaction below that id had ended, so the drawing shows
its work or it changed nothing. What the change feed tells at or above the horizon may be missing from the drawing: if
it touches the drawing's box, the drawing is stale. Nothing is searched when a change comes in; a drawing is checked
when it is wanted, against what has come since it was last checked.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from cim_models.database import Connection
from layers.changes import Change
from tiles.matrix import Box, web_box

# So many boxes are remembered; what was drawn before the oldest is drawn again.
REMEMBERED = 50_000
# Below or at the present place, every transaction has ended or is not yet in the feed.
HORIZON_SQL = "select pg_snapshot_xmin(pg_current_snapshot())"
RECENT_SQL = """
    select xid, "table", bbox_old, bbox_new from change
    where xid < pg_snapshot_xmin(pg_current_snapshot()) order by xid desc, seq desc limit $1
"""


async def horizon(connection: Connection) -> int:
    """The id below which every transaction has ended, as this connection's next statements will see at least."""
    found: int = await connection.fetchval(HORIZON_SQL)
    return found


@dataclass
class _Ring:
    """Changes of one table as they were heard of; `dropped` of them have been forgotten at the front.

    highest: the highest transaction id so far, which finds the first change at or above one in any order.
    """

    highest: list[int] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    dropped: int = 0
    floor: int = 0

    def end(self) -> int:
        return self.dropped + len(self.highest)

    def forget_half(self) -> None:
        half = len(self.highest) // 2
        self.floor = self.highest[half - 1] + 1
        del self.highest[:half], self.boxes[:half]
        self.dropped += half


class Freshness:
    """The changes that a process has heard of, by table."""

    def __init__(self) -> None:
        self._rings: defaultdict[str, _Ring] = defaultdict(_Ring)
        self._floor = 0
        # All that were heard of, in every table.
        self.changes = 0

    async def start(self, connection: Connection) -> None:
        """Learn of the latest changes before following the feed, so that what lies in the file store can be judged."""
        rows = await connection.fetch(RECENT_SQL, REMEMBERED)
        # Changes of the oldest transaction may have been cut off.
        self._floor = rows[-1]["xid"] + 1 if len(rows) == REMEMBERED else 0
        for row in reversed(rows):
            self.add(row["table"], row["xid"], (row["bbox_old"], row["bbox_new"]))

    def learn(self, changes: Iterable[Change]) -> None:
        """Take in changes, in any order."""
        for change in changes:
            self.add(change.table, change.place.xid, (change.bbox_old, change.bbox_new))

    def add(self, table: str, xid: int, degrees: Iterable[Iterable[float] | None]) -> None:
        """Take in that a transaction changed what is in boxes (west, south, east, north in degrees) of a table."""
        ring = self._rings[table]
        for box in degrees:
            if box is not None:
                ring.highest.append(max(xid, ring.highest[-1] if ring.highest else ring.floor))
                ring.boxes.append(web_box(tuple(box)))  # type: ignore[arg-type]
                self.changes += 1
        if len(ring.highest) > REMEMBERED:
            ring.forget_half()

    def heard(self, table: str) -> int:
        """How many changes of a table have been heard of."""
        return self._rings[table].end()

    def mark(self, table: str, at: int) -> int | None:
        """Where in the table's changes a drawing of horizon `at` stands; None if that is no longer known."""
        ring = self._rings[table]
        if at < max(ring.floor, self._floor):
            return None
        return ring.dropped + bisect_left(ring.highest, at)

    def checked(self, table: str, box: Box, mark: int) -> int | None:
        """The new mark of a drawing over `box` (EPSG:3857) that was true at `mark`; None if it is stale."""
        ring = self._rings[table]
        end = ring.end()
        if mark == end:
            return end
        if mark < ring.dropped:
            return None
        west, south, east, north = box
        for left, bottom, right, top in ring.boxes[mark - ring.dropped :]:
            if left <= east and right >= west and bottom <= north and top >= south:
                return None
        return end
