"""A flood as it runs: the water on a domain brought forward in time with all that feeds and drains it."""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from twin.flood import checks, places
from twin.flood.balance import Balance
from twin.flood.cpu import cells
from twin.flood.cpu.face import GRAVITY
from twin.flood.cpu.solver import LOOK_EVERY, Mode, Solver
from twin.flood.cpu.state import GHOSTS, Floats
from twin.flood.domain import Domain
from twin.flood.drainage import Drainage, DrainNetwork
from twin.flood.edges import Edges
from twin.flood.errors import Cancelled, InvalidInput, Unstable
from twin.flood.forcing import Inflow, Rain, RainFrames, Rim
from twin.flood.losses import Loss
from twin.flood.records import NEVER, Frame, Records, Result
from twin.flood.sections import Section
from twin.flood.sources import Sources
from twin.flood.structures import Structure
from twin.flood.walls import Breach, Wall

if TYPE_CHECKING:
    from twin.flood.cuda.solver import CardSolver

log = logging.getLogger(__name__)
# Courant numbers: of both finite volume modes, and of local inertia (alpha of de Almeida et al. 2012). At first order
# the limit is 1/2: each step multiplies a checkerboard of still water's depths by 1 - 4 Courant.
COURANT: dict[Mode, float] = {"full": 0.45, "fast": 0.49, "inertial": 0.6}
FASTEST_M_S = 150.0
# Rain wakes dry ground within this time, though steps are long where nothing moves, s.
LOOK_EVERY_S = 10.0
SHORTEST_S = 1e-5
# The same formulas in the same order: what is further apart is a fault, not rounding.
AGREED_M = 1e-4
Device = Literal["auto", "processor", "card"]
Progress = Callable[[float, float], None]


class Simulation:
    """A run of the flood engine.

    initial: depth in m, or with initial_level the level of still water (m above the terrain's datum), one number or
        one a cell. mode: "full" (second order), "fast" (first order), "inertial" (no advection of momentum; gentle
        floods only). precision: of the state; accounts are always in double precision.
    gauges: named places (x, y) whose depth is noted each `series_step` seconds; sections: named lines through which
        the discharge is noted, positive to the right of the line's direction.
    device: where the flow is computed; "auto" takes a graphics card if one answers, the grid is large enough for it and
        the mode is "fast" or "inertial" ("full" runs on the processor), "card" insists on it.
    wet_m: depth above which a cell counts as flooded. record_step: seconds between two looks at maxima.

    Raises InvalidInput for what cannot be computed, naming the field.
    """

    def __init__(
        self,
        domain: Domain,
        *,
        mode: Mode = "full",
        initial: npt.ArrayLike = 0.0,
        initial_level: npt.ArrayLike | None = None,
        rain: Sequence[Rain | RainFrames] = (),
        inflows: Sequence[Inflow] = (),
        rims: Sequence[Rim] = (),
        walls: Sequence[Wall] = (),
        breaches: Sequence[Breach] = (),
        structures: Sequence[Structure] = (),
        losses: Sequence[Loss] = (),
        drains: DrainNetwork | None = None,
        gauges: Mapping[str, tuple[float, float]] | None = None,
        sections: Mapping[str, Sequence[tuple[float, float]]] | None = None,
        series_step: float = 60.0,
        record_step: float = 5.0,
        wet_m: float = 0.05,
        longest_step: float = 10.0,
        precision: Literal["single", "double"] = "single",
        threads: int = 2,
        device: Device = "auto",
    ) -> None:
        checks.one_of("mode", mode, COURANT)
        checks.one_of("precision", precision, ("single", "double"))
        checks.one_of("device", device, get_args(Device))
        for name, seconds in (("series_step", series_step), ("longest_step", longest_step)):
            checks.positive(name, seconds, "s")
        checks.within("record_step", record_step, 0.0, unit="s")
        checks.within("wet_m", wet_m, 0.0, unit="m")
        checks.within("threads", threads, 1)
        if initial_level is not None and np.any(initial):
            raise InvalidInput("initial: depths and initial_level are both given; one of them is meant")
        self.domain, self.mode, self.time, self.steps = domain, mode, 0.0, 0
        self._wet_m, self._longest = wet_m, longest_step
        self._record_step, self._series_step = record_step, series_step
        dtype: np.dtype[np.floating[Any]] = np.dtype(np.float32 if precision == "single" else np.float64)
        self.base, z = places.ground(domain, dtype)
        self._edges = Edges(domain=domain, base=self.base, dtype=dtype, rims=rims, walls=walls, breaches=breaches)
        inside = np.isfinite(domain.levels)
        self._edges.open_out(z)
        self.sources = Sources(
            domain, dtype, rain=rain, inflows=inflows, structures=structures, losses=losses, drains=drains
        )
        marked, steady = np.zeros((2, *z.shape), np.bool_)
        for rows, columns in [*self.sources.steady_cells, self._edges.fed_cells()]:
            steady[rows, columns] = True
        for rows, columns in self.sources.cells:
            marked[rows, columns] = True
        manning = places.padded(np.where(inside, domain.roughness, 0.03))
        edges = self._edges
        ground: dict[str, Any] = {"z": z, "manning": manning, "cell": domain.cell, "mode": mode, "kinds": edges.kinds}
        ground |= {"along": edges.along, "across": edges.across, "down": edges.down}
        self.solver = _on_card(device, ground) or Solver(
            **ground, sources=marked | steady, steady=steady, threads=threads
        )
        depth = places.initial_depth(domain, initial, initial_level, self.base, z)
        self.solver.water.depth[:] = depth
        self.balance = Balance(initial=self._volume())
        self.records = Records.empty(domain.shape)
        self.gauges = {name: domain.cell_at(x, y, f"gauge {name}") for name, (x, y) in (gauges or {}).items()}
        self.sections = {
            name: Section(domain, line, name, z=z, edges=edges, mode=mode) for name, line in (sections or {}).items()
        }
        self._noted: list[list[float]] = []
        self._next_note, self._last_record, self._looked = 0.0, 0.0, 0.0
        self.solver.begin()
        self._step_range = [np.inf, 0.0]

    @property
    def depth(self) -> Floats:
        """Depth in m now, rows from the north; 0 outside."""
        return self.solver.water.depth[GHOSTS:-GHOSTS, GHOSTS:-GHOSTS]

    @property
    def drainage(self) -> Drainage | None:
        """The network of street drains at work, if there is one."""
        return self.sources.drainage

    def frame(self) -> Frame:
        """The water now."""
        x, y = places.cell_flows(self.solver.water, self.solver.staggered)
        deep = self.depth
        over = np.where(deep > self.solver.k.dry, 1 / np.maximum(deep, self.solver.k.dry), 0)
        outside = np.isnan(self.domain.levels)
        parts = [np.where(outside, np.nan, part).astype(np.float32) for part in (deep, x * over, -y * over)]
        return Frame(self.time, *parts)

    def run(
        self,
        until: float,
        *,
        frames: Sequence[float] = (),
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
        on_frame: Callable[[Frame], None] | None = None,
    ) -> Result:
        """Go on until a time (s), and tell what was found since the start.

        frames: times at which the water is kept, or given to on_frame instead. progress: called with the share done
        and the time; cancelled: asked now and then, True ends the run with Cancelled, after which it can go on.
        Raises Unstable if the numbers run away.
        """
        begin = self.time
        until = checks.within("until", until, begin, unit=f"s (the run stands at {begin:g} s)")
        wanted = [t for t in sorted(checks.within("frames", t, 0.0, until, "s") for t in frames) if t >= begin]
        kept: list[Frame] = []
        while True:
            while wanted and self.time >= wanted[0] - 1e-9:
                wanted.pop(0)
                (on_frame or kept.append)(self.frame())
            if self.time >= self._next_note:
                self._note()
            if self.time >= until - 1e-9:
                break
            if self.solver.steps_since_look >= LOOK_EVERY or self.time - self._looked >= LOOK_EVERY_S - 1e-9:
                self._look()
                if cancelled is not None and cancelled():
                    raise Cancelled(f"stopped at {self.time:.0f} s of {until:.0f} s as asked")
                if progress is not None:
                    progress((self.time - begin) / max(until - begin, 1e-9), self.time)
            self.step(min(until, wanted[0] if wanted else until, self._next_note))
        self._record()
        return self.result(kept)

    def step(self, until: float) -> None:
        """One step, not beyond a time."""
        until = min(until, self.sources.next_break(self.time))
        dt = min(self._longest, until - self.time)
        inflow = self.sources.inflow_speed(self.time, dt, COURANT[self.mode])
        speed = max(self._edges.speed(self.time, dt), inflow)
        if speed > 0:
            dt = min(dt, COURANT[self.mode] * self.domain.cell / speed)
        dt = min(dt, self.solver.longest_step(COURANT[self.mode]))
        if not dt > SHORTEST_S and until - self.time > 2 * SHORTEST_S:
            raise self._unstable(f"the step fell to {dt:.1e} s", f"计算步长降至 {dt:.1e} 秒")
        end = self.time + dt
        whole = end >= min(until, self._looked + LOOK_EVERY_S) - 1e-9
        self.sources.bring(self.solver, self.time, end, self.balance, whole=whole)
        self._edges.prepare(self.time, end, self)
        rim = self.solver.step(dt, self._edges.levels(self.time), self._edges.levels(end), whole=whole)
        self._edges.account(rim, dt, self.balance)
        self.time, self.steps = end, self.steps + 1
        self._step_range = [min(self._step_range[0], dt), max(self._step_range[1], dt)]
        if end - self._last_record >= self._record_step:
            self._record()

    def result(self, frames: Sequence[Frame] = ()) -> Result:
        """What was found since the start."""
        self.balance.stored = self._volume()
        outside = np.isnan(self.domain.levels)
        r = self.records

        def shown(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
            return np.where(outside, np.float32(np.nan), values)

        peak = shown(r.peak)
        noted = np.array(self._noted).reshape(len(self._noted), 1 + len(self.gauges) + len(self.sections)).T
        depths, flows = noted[1 : 1 + len(self.gauges)], noted[1 + len(self.gauges) :]
        return Result(
            domain=self.domain,
            time=self.time,
            depth=peak,
            level=np.where(peak > 0, self.domain.levels + peak, np.nan).astype(np.float32),
            speed=shown(r.speed),
            rating=shown(r.rating),
            arrival=np.where(outside | (r.arrival >= NEVER), np.float32(np.nan), r.arrival),
            duration=shown(r.duration),
            balance=self.balance,
            frames=list(frames),
            series_times=noted[0],
            series=dict(zip(self.gauges, depths, strict=True)),
            sections=dict(zip(self.sections, flows, strict=True)),
            steps=self.steps,
            shortest_step=float(self._step_range[0]),
            longest_step=float(self._step_range[1]),
            notes=self._notes(),
        )

    def save(self, path: Path) -> None:
        """Write all that `restore` needs; a run restored goes on bit by bit as if it had never stopped.

        Raises InvalidInput for a run with a network of drains: SWMM cannot write its whole state.
        """
        if self.drainage is not None:
            raise InvalidInput("drains: a run with a network of pipes cannot be saved and gone on with")
        from twin.flood.checkpoint import save

        save(self, path)

    def restore(self, path: Path) -> None:
        """Take the state of a run of the same inputs. Raises InvalidInput if the file belongs to another domain."""
        from twin.flood.checkpoint import restore

        restore(self, path)

    def _look(self) -> None:
        self._looked = self.time
        self.solver.look(self.sources.rains(self.time, self.time + LOOK_EVERY * self._longest))
        total = float(cells.sums(self.solver.water, self.solver.segments))
        if not np.isfinite(total) or not self.solver.speed < FASTEST_M_S:
            raise self._unstable(f"waves of {self.solver.speed:.0f} m/s", f"波速达 {self.solver.speed:.0f} 米/秒")

    def _record(self) -> None:
        r, t = self.records, np.float32(self.time)
        since = np.float32(self.time - self._last_record)
        self._last_record = self.time
        cells.record(
            self.solver.water, self.solver.staggered, t, since, np.float32(self._wet_m), r.peak, r.speed, r.rating,
            r.arrival, r.duration, self.solver.k, self.solver.segments,
        )  # fmt: skip

    def _note(self) -> None:
        deep, solver = self.depth, self.solver
        row = [self.time, *(float(deep[cell]) for cell in self.gauges.values())]
        self._noted.append(row + [section.discharge(solver.water, solver.k) for section in self.sections.values()])
        while self._next_note <= self.time:
            self._next_note += self._series_step

    def _volume(self) -> float:
        water, inner = self.solver.water, slice(GHOSTS, -GHOSTS)
        total = water.depth[inner, inner].sum(dtype=np.float64) + water.carry[inner, inner].sum(dtype=np.float64)
        return float(total * self.domain.area)

    def _unstable(self, what: str, zh: str) -> Unstable:
        frame = self.frame()
        speed = np.nan_to_num(np.hypot(frame.velocity_x, frame.velocity_y), nan=np.inf)
        row, column = np.unravel_index(int(np.argmax(np.where(np.isnan(self.domain.levels), -1, speed))), speed.shape)
        xs, ys = self.domain.centres()
        place = f"({xs[column]:g}, {ys[row]:g})"
        return Unstable(
            f"{what} at {self.time:.1f} s near {place}, row {row}, column {column}; "
            "look for a spike in the terrain or an inflow given in the wrong unit there",
            f"{self.time:.1f} 秒时 {place}（第 {row} 行第 {column} 列）附近{zh}；请检查该处地形尖点与入流单位",
        )

    def _notes(self) -> list[str]:
        if self.mode != "inertial":
            return []
        frame = self.frame()
        fast = np.hypot(frame.velocity_x, frame.velocity_y) > 0.5 * np.sqrt(GRAVITY * np.maximum(frame.depth, 0.05))
        share = float(np.mean(fast[frame.depth > self._wet_m])) if (frame.depth > self._wet_m).any() else 0.0
        return [f"inertial: Froude number above 0.5 in {share:.1%} of the wet cells at the end"] if share > 0.01 else []


@cache
def _card_agrees(mode: Mode) -> bool:
    """Whether the card finds for a small dam break what the processor finds: unasked it is believed only then."""
    bed = 0.1 * np.sin(np.arange(80.0)).reshape(8, 10)
    water = np.where(np.arange(10) < 5, 1.0, 0.0) + np.zeros((8, 1))
    devices: tuple[Device, ...] = ("card", "processor")
    ponds = [Simulation(Domain(bed, 10.0), mode=mode, initial=water, device=device, threads=1) for device in devices]
    for pond in ponds:
        pond.run(6.0)
    return bool(np.abs(ponds[0].depth - ponds[1].depth).max() < AGREED_M)


def _on_card(device: Device, ground: dict[str, Any]) -> "CardSolver | None":
    """The solver on a graphics card, if it is to be used and can be."""
    if device == "processor":
        return None
    from twin.flood.cuda.solver import CELLS_WORTH_A_CARD, MODES, CardSolver, card_answers

    fits = ground["mode"] in MODES
    if device == "card" and not fits:
        raise InvalidInput(f"device: mode {ground['mode']!r} runs on the processor; take {' or '.join(MODES)}")
    worth = device == "card" or (fits and ground["z"].size >= CELLS_WORTH_A_CARD)
    if not worth or not card_answers():
        if device == "card":
            raise InvalidInput("device: no graphics card answers; take the processor")
        return None
    try:
        if device == "auto" and not _card_agrees(ground["mode"]):
            log.warning("the graphics card is not used: it finds other depths than the processor")
            return None
        return CardSolver(**ground)
    except Exception as error:
        if device == "card":
            raise
        # Too little memory there, a driver that does not fit: the processor does it too.
        log.warning("the graphics card is not used: %s", error)
        return None
