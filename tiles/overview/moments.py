"""The moments at which something begins or ends in a cell, and the spans between them in which nothing does.

A cell may know thousands of such moments, for each building its first day; a mass for each would be without end. So a
cell is exact for the moments next to now, and says so; further off the objects themselves are read.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise

import numpy as np

from tiles.overview.level import FIRST, LAST, Coverage, Ints, Span

PAST_MOMENTS = 6
MOMENTS_TO_COME = 2


def limited(coverage: Coverage, limits: Mapping[int, Span], now: int) -> tuple[Coverage, dict[int, Span]]:
    """Coverage without what begins or ends beyond the moments next to `now` (microseconds), and each cell's limits.

    limits: those that hold already; cells without any are exact for ever.
    """
    timed = (coverage.start != FIRST) | (coverage.end != LAST)
    found = dict(limits)
    cells = coverage.cell[timed]
    moments = np.concatenate([coverage.start[timed], coverage.end[timed]])
    pairs = np.unique(np.stack([np.tile(cells, 2), moments]), axis=1)
    pairs = pairs[:, (pairs[1] != FIRST) & (pairs[1] != LAST)]
    cells, starts, counts = np.unique(pairs[0], return_index=True, return_counts=True)
    start, end = coverage.start.copy(), coverage.end.copy()
    keep = np.ones(len(coverage), dtype=bool)
    for cell, first, count in zip(cells.tolist(), starts.tolist(), counts.tolist(), strict=True):
        known = limits.get(cell, (FIRST, LAST))
        begin, finish = _limits(pairs[1, first : first + count], now)
        begin, finish = max(begin, known[0]), min(finish, known[1])
        if (begin, finish) == (FIRST, LAST):
            continue
        found[cell] = begin, finish
        # Entries stand ordered by cell.
        here = slice(*np.searchsorted(coverage.cell, [cell, cell + 1]))
        keep[here] = (end[here] > begin) & (start[here] < finish)
        start[here] = np.where(start[here] <= begin, FIRST, start[here])
        end[here] = np.where(end[here] >= finish, LAST, end[here])
    cut = Coverage(**vars(coverage) | {"start": start, "end": end})
    return Coverage.join([cut[keep]]), found


def _limits(moments: Ints, now: int) -> Span:
    past, to_come = moments[moments <= now], moments[moments > now]
    begin = int(past[-PAST_MOMENTS]) if len(past) > PAST_MOMENTS else FIRST
    finish = int(to_come[MOMENTS_TO_COME]) if len(to_come) > MOMENTS_TO_COME else LAST
    return begin, finish


def calm_spans(coverage: Coverage, limits: Mapping[int, Span]) -> Iterator[tuple[int, Span, Ints]]:
    """Each cell and span in which nothing begins or ends, with the entries of `coverage` that are there then."""
    cells, starts = np.unique(coverage.cell, return_index=True)
    ends = np.append(starts, len(coverage))[1:]
    for cell, first, last in zip(cells.tolist(), starts.tolist(), ends.tolist(), strict=True):
        begin, finish = limits.get(cell, (FIRST, LAST))
        entries = np.arange(first, last)
        start, end = coverage.start[first:last], coverage.end[first:last]
        if not ((start != FIRST) | (end != LAST)).any():
            yield cell, (begin, finish), entries
            continue
        inner = {int(v) for v in np.concatenate([start, end])} - {FIRST, LAST, begin, finish}
        for span in pairwise([begin, *sorted(inner), finish]):
            there = entries[(start <= span[0]) & (end >= span[1])]
            if len(there):
                yield cell, span, there
