"""The rim and the walls at work: what lies beyond each face, which crests stand, what passed through."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from twin.flood.balance import Balance
from twin.flood.cpu.face import GRAVITY
from twin.flood.cpu.state import CLOSED, GHOSTS, LEVEL, OPEN, Floats
from twin.flood.cpu.state import Rim as RimFlows
from twin.flood.domain import Domain
from twin.flood.errors import InvalidInput
from twin.flood.forcing import Rim, Side
from twin.flood.series import Series
from twin.flood.walls import Breach, FaceList, Wall, WallFaces, wall_faces

if TYPE_CHECKING:
    from twin.flood.simulation import Simulation

SIDES: tuple[Side, ...] = ("west", "east", "north", "south")
KINDS = {"open": OPEN, "level": LEVEL, "discharge": CLOSED}
# Sign of a flow to the east or south as gain of the domain.
GAIN = (1.0, -1.0, 1.0, -1.0)
# A breach is placed on the map, beside its wall: within so many metres, or ten cells.
FURTHEST_BREACH_M = 500.0


class Edges:
    """Kinds and levels of the rim, special faces, and breaches as they grow."""

    def __init__(
        self,
        *,
        domain: Domain,
        base: float,
        dtype: np.dtype[np.floating[Any]],
        rims: Sequence[Rim],
        walls: Sequence[Wall],
        breaches: Sequence[Breach],
    ) -> None:
        self._domain, self._base, self._rims = domain, base, list(rims)
        rows, columns = (length + 2 * GHOSTS for length in domain.shape)
        self.along = np.array([0, rows, 2 * rows, 2 * rows + columns], np.int64)
        self.kinds = np.full(2 * (rows + columns), CLOSED, np.int64)
        self._owner = np.full(len(self.kinds), -1, np.int64)
        self._levels = np.zeros(len(self.kinds))
        self._stretches = [self._place(n, rim) for n, rim in enumerate(rims)]
        self._lowest = [
            float(np.nan_to_num(self._at_side(rim.side, domain.levels)[first:last], nan=np.inf).min())
            for rim, (first, last) in zip(rims, self._stretches, strict=True)
        ]
        self._sea = self._by_series()
        across, down = FaceList.empty(rows), FaceList.empty(rows)
        self._given = [self._give(rim, across, down) if rim.kind == "discharge" else None for rim in rims]
        self.walls: dict[str, WallFaces] = {}
        numbers: dict[str, npt.NDArray[np.int64]] = {}
        for wall in walls:
            if wall.name in self.walls:
                raise InvalidInput(f"{wall.name}: two walls have this name; breaches could not tell them apart")
            faces = self.walls[wall.name] = wall_faces(domain, wall)
            placed = []
            for upright, row, column, crest in zip(
                faces.upright.tolist(), faces.rows.tolist(), faces.columns.tolist(), faces.crest.tolist(), strict=True
            ):
                target = across if upright else down
                placed.append(len(target.rows))
                target.wall(row, column, crest - base, wall.strength)
            numbers[wall.name] = np.array(placed, np.int64)
        self.across, self._where_across = across.arrays(dtype)
        self.down, self._where_down = down.arrays(dtype)
        self._breaches = [_Growing(breach, self, numbers) for breach in breaches]

    def open_out(self, z: Floats) -> None:
        """Let the bed go on downhill beyond open rims (never uphill), so that water leaves as it came."""
        for rim, (first, last) in zip(self._rims, self._stretches, strict=True):
            if rim.kind != "open":
                continue
            # Turned so that the rim lies in the first rows.
            turned = {"north": z, "south": z[::-1], "west": z.T, "east": z[:, ::-1].T}[rim.side]
            stretch = slice(first + GHOSTS, last + GHOSTS)
            edge, next_in = turned[GHOSTS, stretch], turned[min(GHOSTS + 1, turned.shape[0] - 1 - GHOSTS), stretch]
            fall = np.clip(next_in - edge, 0, None)
            for ghost in range(GHOSTS):
                turned[ghost, stretch] = edge - fall * (GHOSTS - ghost)

    def fed_cells(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Cells beside a rim through which water may come, with ghosts counted."""
        found: list[tuple[int, int]] = []
        for rim, (first, last) in zip(self._rims, self._stretches, strict=True):
            if rim.kind != "open":
                found += [self._cell(rim.side, n) for n in range(first, last)]
        where = np.array(found, np.int64).reshape(-1, 2)
        return where[:, 0] + GHOSTS, where[:, 1] + GHOSTS

    def levels(self, t: float) -> Floats:
        """Levels at the rim at a time, above the lowest bed."""
        for series, faces, _ in self._sea:
            self._levels[faces] = series.at(t) - self._base
        return self._levels

    def speed(self, t: float, dt: float) -> float:
        """The fastest wave that the rim may send in within a step, m/s."""
        most = 0.0
        for series, _, lowest in self._sea:
            deep = max(series.at(t), series.at(t + dt)) - lowest
            most = max(most, (GRAVITY * max(deep, 0.0)) ** 0.5)
        for rim in self._rims:
            if rim.kind == "discharge" and rim.series is not None:
                value = max(rim.series.at(t), rim.series.at(t + dt), key=abs)
                critical = (value * value / GRAVITY) ** (1 / 3)
                deep = min(rim.depth or critical, critical)
                most = max(most, abs(value) / deep + (GRAVITY * deep) ** 0.5 if deep else 0.0)
        return most

    def prepare(self, begin: float, end: float, simulation: "Simulation") -> None:
        """Set given flows to their mean over the step, and let breaches grow."""
        for rim, given, (first, last) in zip(self._rims, self._given, self._stretches, strict=True):
            if given is not None and rim.series is not None:
                mean = rim.series.integral(begin, end) / (end - begin)
                if mean < 0:
                    # No more runs out of a cell than critically: what is to be taken may not be there.
                    deep = self._at_side(rim.side, simulation.depth)[first:last]
                    mean = np.maximum(mean, -deep * np.sqrt(GRAVITY * deep))
                faces = self.across if rim.side in {"west", "east"} else self.down
                where = self._where_across if rim.side in {"west", "east"} else self._where_down
                faces.given[where[given]] = mean * GAIN[SIDES.index(rim.side)]
        for breach in self._breaches:
            breach.grow(begin, end, simulation)

    def account(self, flows: RimFlows, dt: float, balance: Balance) -> None:
        """Count what passed the rim, by name of its stretch."""
        for rim, (first, last) in zip(self._rims, self._stretches, strict=True):
            side = SIDES.index(rim.side)
            passed = flows[side][first + GHOSTS : last + GHOSTS].sum(dtype=np.float64) * GAIN[side]
            balance.add(rim.name, float(passed) * dt * self._domain.cell)

    def _place(self, number: int, rim: Rim) -> tuple[int, int]:
        first, last = rim.stretch(self._domain)
        begin = int(self.along[SIDES.index(rim.side)]) + GHOSTS
        stretch = slice(begin + first, begin + last)
        if (self._owner[stretch] >= 0).any():
            raise InvalidInput(
                f"{rim.name}: part of {first} to {last} of {rim.side} is said to be something else already"
            )
        self.kinds[stretch], self._owner[stretch] = KINDS[rim.kind], number
        return first, last

    def _by_series(self) -> list[tuple[Series, npt.NDArray[np.bool_], float]]:
        """Each series of levels, the faces beyond which it holds, and the lowest bed beside them, m.

        A coast comes to the rim in many stretches, and all have the level of one sea.
        """
        found: dict[int, tuple[Series, npt.NDArray[np.bool_], float]] = {}
        for number, (rim, lowest) in enumerate(zip(self._rims, self._lowest, strict=True)):
            if rim.kind == "level" and rim.series is not None:
                faces = self._owner == number
                _, others, least = found.get(id(rim.series), (rim.series, faces, lowest))
                found[id(rim.series)] = rim.series, faces | others, min(lowest, least)
        return list(found.values())

    @staticmethod
    def _at_side(side: Side, values: Floats) -> Floats:
        """The values of the cells along a side."""
        sides: dict[Side, Floats] = {
            "west": values[:, 0],
            "east": values[:, -1],
            "north": values[0],
            "south": values[-1],
        }
        return sides[side]

    def _cell(self, side: Side, n: int) -> tuple[int, int]:
        rows, columns = self._domain.shape
        return {"west": (n, 0), "east": (n, columns - 1), "north": (0, n), "south": (rows - 1, n)}[side]

    def _give(self, rim: Rim, across: FaceList, down: FaceList) -> npt.NDArray[np.int64]:
        first, last = rim.stretch(self._domain)
        target = across if rim.side in {"west", "east"} else down
        begin = len(target.rows)
        for n in range(first, last):
            row, column = self._cell(rim.side, n)
            target.given(row + (rim.side == "south"), column + (rim.side == "east"), rim.depth or 0.0)
        return np.arange(begin, begin + last - first)


class _Growing:
    """A breach and how wide it is."""

    def __init__(self, breach: Breach, edges: Edges, numbers: dict[str, npt.NDArray[np.int64]]) -> None:
        if breach.wall not in edges.walls:
            known = ", ".join(edges.walls) or "none"
            raise InvalidInput(f"breach: there is no wall {breach.wall!r}; walls are: {known}")
        self.breach, self.width = breach, 0.0
        self._edges, self._faces = edges, edges.walls[breach.wall]
        self._numbers = numbers[breach.wall]
        domain = edges._domain
        xs, ys = domain.centres()
        x = xs[self._faces.columns] - np.where(self._faces.upright, domain.cell / 2, 0)
        y = ys[self._faces.rows] + np.where(self._faces.upright, 0, domain.cell / 2)
        away = np.hypot(x - breach.at[0], y - breach.at[1])
        if away.min() > max(FURTHEST_BREACH_M, 10 * domain.cell):
            raise InvalidInput(
                f"breach: {breach.at} is {away.min():.0f} m away from wall {breach.wall!r}; see its CRS",
                f"breach：溃口 {breach.at} 距堤防 {breach.wall} 达 {away.min():.0f} 米；请检查其位置与坐标系",
            )
        here = self._faces.along[int(np.argmin(away))]
        self._order = np.argsort(np.abs(self._faces.along - here), kind="stable")
        self._whole = self._faces.crest.copy()

    def grow(self, begin: float, end: float, simulation: "Simulation") -> None:
        """Sink the crest, then widen the gap by the fall of the water through it."""
        breach = self.breach
        if end <= breach.start:
            return
        since = end - breach.start
        if since <= breach.fall or self.width == 0:
            self.width = min(breach.first_width, breach.widest)
        else:
            hours = (since - breach.fall) / 3600
            self.width += breach.growth(self._drop(simulation), hours) * (end - begin) / 3600
            self.width = min(self.width, breach.widest)
        sunk = min(since / breach.fall, 1.0) if breach.fall > 0 else 1.0
        base, cell = self._edges._base, self._edges._domain.cell
        left = self.width
        for n in self._order:
            if left <= 0:
                break
            crest = self._whole[n] + (min(breach.bottom, self._whole[n]) - self._whole[n]) * sunk
            upright = bool(self._faces.upright[n])
            faces = self._edges.across if upright else self._edges.down
            where = (self._edges._where_across if upright else self._edges._where_down)[self._numbers[n]]
            faces.crest[where] = crest - base
            # A gap narrower than the cell passes its share of what the whole face would.
            faces.strength[where] = min(left / cell, 1.0)
            left -= cell

    def _drop(self, simulation: "Simulation") -> float:
        """Difference of levels across the middle of the breach, m, above its bottom."""
        n = int(self._order[0])
        row, column, upright = int(self._faces.rows[n]), int(self._faces.columns[n]), bool(self._faces.upright[n])
        other = (row, column - 1) if upright else (row - 1, column)
        bed, deep = self._edges._domain.levels, simulation.depth
        sides = [max(float(bed[at] + deep[at]), self.breach.bottom) for at in ((row, column), other)]
        return abs(sides[0] - sides[1])
