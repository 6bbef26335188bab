"""Hills shaped by running water: the stream power law, solved implicitly (Braun & Willett 2013)."""

import numpy as np

from twin.demo.grid import Bools, Floats, Ints

# Drainage area exponent of the stream power law; slope exponent 1.
AREA_EXPONENT = 0.45
# Erodibility of the rock, for areas in m2; with so many steps the hills are near their balance.
ERODIBILITY, STEPS = 0.35, 36


def erode(start: Floats, uplift: Floats, fixed: Bools, *, cell: float) -> tuple[Floats, Floats, Ints]:
    """Height near the balance of uplift and river erosion, m; drainage area, m2; the cell each drains to (flat index).

    start: height to begin with, m. uplift: m a step. fixed: cells whose height stays (plain, sea, river bed).
    cell: width, m. A cell that nothing is lower than drains to itself.
    """
    height = start.astype(float).ravel()
    raised = np.where(fixed, 0.0, uplift).ravel()
    for _ in range(STEPS):
        height += raised
        receiver, length = _steepest(height.reshape(start.shape), cell)
        receiver[fixed.ravel()] = np.flatnonzero(fixed)
        factor = ERODIBILITY * _drained(receiver, cell) ** AREA_EXPONENT / length
        height = _settle(height, factor, receiver)
    receiver, _ = _steepest(height.reshape(start.shape), cell)
    receiver[fixed.ravel()] = np.flatnonzero(fixed)
    return height.reshape(start.shape), _drained(receiver, cell).reshape(start.shape), receiver


def _steepest(height: Floats, cell: float) -> tuple[Ints, Floats]:
    """For each cell the neighbour of steepest descent and the way there, m."""
    rows, columns = height.shape
    padded = np.pad(height, 1, constant_values=np.inf)
    best = np.zeros(height.shape)
    receiver = np.arange(height.size).reshape(height.shape)
    own = receiver.copy()
    length = np.full(height.shape, cell)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            if not (down or right):
                continue
            way = cell * np.hypot(down, right)
            beside = padded[1 + down : 1 + down + rows, 1 + right : 1 + right + columns]
            fall = (height - beside) / way
            steeper = fall > best
            best = np.where(steeper, fall, best)
            receiver = np.where(steeper, own + down * columns + right, receiver)
            length = np.where(steeper, way, length)
    return receiver.ravel(), length.ravel()


def _drained(receiver: Ints, cell: float) -> Floats:
    """Area that drains through each cell, m2.

    Pointer doubling: after k rounds a cell has gathered all that lies within 2^k cells upstream.
    """
    area = np.full(receiver.size, cell * cell)
    pointer = receiver.copy()
    own = np.arange(receiver.size)
    while True:
        flowing = pointer != own
        if not flowing.any():
            return area
        area = area + np.bincount(pointer[flowing], weights=area[flowing], minlength=area.size)
        # Where the next outlet is nearer than the doubled way, all has been handed on: the cell points to itself.
        pointer = np.where(flowing[pointer], pointer[pointer], own)


def _settle(height: Floats, factor: Floats, receiver: Ints) -> Floats:
    """Solution of h = (h_old + factor h_receiver) / (1 + factor), from the outlets up.

    Each cell's height is a linear function of its receiver's; pointer doubling composes these functions.
    """
    outlet = receiver == np.arange(receiver.size)
    constant = np.where(outlet, height, height / (1 + factor))
    slope = np.where(outlet, 0.0, factor / (1 + factor))
    pointer = receiver
    while slope.any():
        constant = constant + slope * constant[pointer]
        slope = slope * slope[pointer]
        slope[slope < 1e-12] = 0.0
        pointer = pointer[pointer]
    return constant
