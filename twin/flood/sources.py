"""What comes and goes beside the flow: rain, losses, inflows, structures, drains; each as often as it matters."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from twin.flood import places
from twin.flood.balance import Balance
from twin.flood.cpu import cells
from twin.flood.cpu.face import GRAVITY
from twin.flood.cpu.solver import BLOCK
from twin.flood.cpu.state import GHOSTS, Floats, Ints, Water
from twin.flood.domain import Domain
from twin.flood.drainage import Drainage, DrainNetwork
from twin.flood.errors import InvalidInput
from twin.flood.forcing import MM_PER_HOUR, Inflow, Rain, RainFrames
from twin.flood.losses import Loss, Sink
from twin.flood.plumbing import Plumbing
from twin.flood.structures import Structure

# Rain and losses go over all cells, which costs more than a step of the flow (measured): they are summed up for so long
# (s), or until so much rain (m) has fallen, half of what counts as dry in single precision.
RAIN_EVERY_S, RAIN_AT_ONCE_M = 5.0, 5e-5
# Structures ask each of their gates for its formula, s.
STRUCTURES_EVERY_S = 1.0


class Holder(Protocol):
    """What holds the water."""

    @property
    def water(self) -> Water:
        """The state, which may be changed."""


class Sources:
    """All of a run's sources and sinks at work."""

    def __init__(
        self,
        domain: Domain,
        dtype: np.dtype[np.floating[Any]],
        *,
        rain: Sequence[Rain | RainFrames],
        inflows: Sequence[Inflow],
        structures: Sequence[Structure],
        losses: Sequence[Loss],
        drains: DrainNetwork | None,
    ) -> None:
        self._domain, self._rain, self._inflows = domain, list(rain), list(inflows)
        self.sinks = [Sink(loss, domain.shape, dtype) for loss in losses]
        self.plumbing = Plumbing(domain, structures)
        self.drainage = Drainage(domain, drains) if drains is not None else None
        self._inflow_cells = [places.indices(flow.cells, domain, flow.name) for flow in inflows]
        self._land = places.padded(np.isfinite(domain.levels).astype(dtype))
        self._shares = [self._land * places.padded(_share(each, domain.shape, dtype)) for each in self._rain]
        self._shown = [-2] * len(self._rain)
        rows, columns = domain.shape
        starts = range(GHOSTS, rows + GHOSTS, BLOCK)
        self._everywhere: Ints = np.array(
            [(r, min(r + BLOCK, rows + GHOSTS), GHOSTS, columns + GHOSTS) for r in starts], np.int64
        )
        self._rained, self._moved = 0.0, 0.0

    @property
    def cells(self) -> list[tuple[Ints, Ints]]:
        """Rows and columns of cells into which water may come, with ghosts counted."""
        drains = [self.drainage.cells] if self.drainage is not None else []
        return [*self.steady_cells, *drains]

    @property
    def steady_cells(self) -> list[tuple[Ints, Ints]]:
        """Those of them into which it comes fast."""
        return [*self._inflow_cells, *self.plumbing.outlets]

    def resume(self, t: float) -> None:
        """All is done until a time at which `bring` brought the whole."""
        self._rained = self._moved = t

    def bring(self, solver: Holder, begin: float, end: float, balance: Balance, *, whole: bool) -> None:
        """Bring and take what a step asks for, or, where the whole is wanted, all that is still due until its end.

        The solver is asked for its water only where there is something to do: a card's has to be fetched.
        """
        area = self._domain.area
        for inflow, (rows, columns) in zip(self._inflows, self._inflow_cells, strict=True):
            balance.add(
                inflow.name, places.pour(solver.water, rows, columns, inflow.discharge.integral(begin, end), area)
            )
        if self.plumbing.structures and (whole or end - self._moved >= STRUCTURES_EVERY_S):
            self.plumbing.move(solver.water, self._moved, end - self._moved, balance)
            self._moved = end
        if self.drainage is not None:
            self.drainage.move(solver.water, end, balance)
        if (self._rain or self.sinks) and (whole or self._is_due(end)):
            self._rain_and_lose(solver.water, self._rained, end, balance)
            self._rained = end

    def inflow_speed(self, begin: float, dt: float, courant: float) -> float:
        """Wave speed (m/s) of what an inflow would pile up on dry ground within a step."""
        most = 0.0
        for inflow, (rows, _) in zip(self._inflows, self._inflow_cells, strict=True):
            rate = max(inflow.discharge.integral(begin, begin + dt), 0.0) / (dt * len(rows) * self._domain.area)
            # dt = Courant cell / sqrt(g rate dt), solved for the speed.
            most = max(most, (GRAVITY * rate * courant * self._domain.cell) ** (1 / 3))
        return most

    def next_break(self, t: float) -> float:
        """The next time at which rain jumps, which a step must not blur."""
        times = [r.intensity.next_break(t) for r in self._rain if isinstance(r, Rain)]
        for r in self._rain:
            if isinstance(r, RainFrames):
                later = np.asarray(r.times)[np.asarray(r.times) > t + 1e-9]
                times += [float(later[0])] if len(later) else []
        return min(times, default=np.inf)

    def rains(self, begin: float, end: float) -> bool:
        """Whether rain falls between two times."""
        return any(isinstance(r, RainFrames) or r.intensity.integral(begin, end) > 0 for r in self._rain)

    def _is_due(self, end: float) -> bool:
        since = end - self._rained
        fallen = sum(self._fallen(n, rain, self._rained, end) for n, rain in enumerate(self._rain))
        return since >= RAIN_EVERY_S or fallen >= RAIN_AT_ONCE_M

    def _fallen(self, number: int, rain: Rain | RainFrames, begin: float, end: float) -> float:
        """Depth of rain between two times where most of it falls, m."""
        if isinstance(rain, Rain):
            return rain.intensity.integral(begin, end) * MM_PER_HOUR
        self._show(number, rain, begin)
        return (end - begin) * MM_PER_HOUR * float(self._shares[number].max())

    def _show(self, number: int, rain: RainFrames, t: float) -> None:
        """Take the frame of a time as the rain's shares."""
        frame = int(np.searchsorted(np.asarray(rain.times), t + 1e-9, "right")) - 1
        if frame != self._shown[number]:
            self._shown[number] = frame
            self._shares[number] = self._land * places.padded(rain.frame(frame, self._domain.shape))

    def _rain_and_lose(self, water: Water, begin: float, end: float, balance: Balance) -> None:
        segments, area, dt = self._everywhere, self._domain.area, end - begin
        for n, rain in enumerate(self._rain):
            if isinstance(rain, Rain):
                fallen = rain.intensity.integral(begin, end) * MM_PER_HOUR
            else:
                fallen = dt * MM_PER_HOUR
                self._show(n, rain, begin)
            if fallen > 0:
                share = self._shares[n]
                added = cells.add_rain(water.carry, share, share.dtype.type(fallen), segments)
                balance.add("rain", added * area)
                for sink in self.sinks:
                    balance.add(sink.account, -area * sink.take_of_rain(water, share, fallen, segments))
        for sink in self.sinks:
            balance.add(sink.account, -area * sink.take(water, dt, segments))


def _share(rain: Rain | RainFrames, shape: tuple[int, int], dtype: np.dtype[np.floating[Any]]) -> Floats:
    """Share of the series in each cell; frames set theirs when their time comes."""
    share = rain.share if isinstance(rain, Rain) and rain.share is not None else 1.0
    given = np.asarray(share, dtype)
    if not np.isfinite(given).all() or given.min() < 0 or given.shape not in {(), shape}:
        raise InvalidInput(f"rain: its shares must be numbers from 0 on, one or {shape[0]} x {shape[1]}")
    spread: npt.NDArray[Any] = np.broadcast_to(given, shape)
    return spread
