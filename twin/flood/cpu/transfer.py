"""Water that structures and inflows move between single cells, beside the flow."""

# Compiled loops take arrays by position.
# ruff: noqa: PLR0917

import numpy as np
from numba import njit

from twin.flood.cpu.face import FAST


@njit(**FAST)
def mean_levels(depth, bed, rows, columns, start, levels):  # type: ignore[no-untyped-def]
    """Mean level of the cells start[n] to start[n + 1] of each end; 0 for an end without cells.

    bed: of each cell listed, m above the datum that the levels are wanted in; the bed's level where it is dry.
    """
    for end in range(levels.size):
        first, last = start[end], start[end + 1]
        total = 0.0
        for n in range(first, last):
            total += bed[n] + depth[rows[n], columns[n]]
        levels[end] = total / (last - first) if last > first else 0.0


@njit(**FAST)
def move(water, rows, columns, start, volumes, gone, come, area):  # type: ignore[no-untyped-def]
    """Move a volume (m3) from end 2 n to end 2 n + 1 of each structure, backwards where it is negative.

    Notes what was really taken in `gone` and what arrived, in the precision of the state, in `come`.
    """
    for n in range(volumes.size):
        gone[n], come[n] = 0.0, 0.0
        if volumes[n] == 0.0:
            continue
        giver = 2 * n if volumes[n] > 0.0 else 2 * n + 1
        taker = 4 * n + 1 - giver
        a, b = start[giver], start[giver + 1]
        gone[n] = take(water, rows[a:b], columns[a:b], abs(volumes[n]), area)
        a, b = start[taker], start[taker + 1]
        if b > a:
            come[n] = give(water, rows[a:b], columns[a:b], gone[n], area)


@njit(**FAST)
def give(water, rows, columns, volume, area):  # type: ignore[no-untyped-def]
    """Spread a volume evenly over cells; what really arrived, m3."""
    carry, each = water.carry, volume / (rows.size * area)
    total = 0.0
    for n in range(rows.size):
        before = np.float64(carry[rows[n], columns[n]])
        carry[rows[n], columns[n]] = before + each
        total += np.float64(carry[rows[n], columns[n]]) - before
    return total * area


@njit(**FAST)
def take(water, rows, columns, volume, area):  # type: ignore[no-untyped-def]
    """Take a volume evenly from cells as far as it is there; what was really taken, m3.

    Water that is taken takes its momentum along; left behind it would race in what remains.
    """
    carry, each = water.carry, volume / (rows.size * area)
    total = 0.0
    for n in range(rows.size):
        r, c = rows[n], columns[n]
        before = np.float64(carry[r, c])
        there = water.depth[r, c] + before
        if there <= 0.0:
            continue
        taken = min(there, each)
        carry[r, c] = before - taken
        water.flow_x[r, c] *= 1.0 - taken / there
        water.flow_y[r, c] *= 1.0 - taken / there
        total += before - np.float64(carry[r, c])
    return total * area
