"""Street drains as a network of pipes: SWMM computes the pipes, gullies and manholes exchange water with the surface.

SWMM 5 (US EPA) by swmm-toolkit, the core that pyswmm wraps. It keeps its state in the process: one network at a time.
"""

import math
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from twin.flood import places
from twin.flood.balance import Balance
from twin.flood.cpu import transfer
from twin.flood.cpu.state import Water
from twin.flood.domain import Domain
from twin.flood.errors import InvalidInput

Floats = npt.NDArray[np.float64]
GRAVITY = 9.81
# A grate in a sag (FHWA, HEC-22, third edition 2009, section 4.4.4.2): weir, m^0.5/s, and orifice.
GRATE_WEIR, GRATE_ORIFICE = 1.66, 0.67
# What leads into one manhole: two gullies of 750 mm x 450 mm, three sides of each free; half of it is open.
GRATE_SIDES_M, GRATE_AREA_M2 = 3.3, 0.34
# The surface and the pipes exchange water so often; SWMM routes by the same step, s.
STEP_S = 2.0
CUBIC_FOOT_M3 = 0.3048**3
SHORTEST_PIPE_M = 5.0
Cell = tuple[int, int]


@dataclass(frozen=True)
class Manhole:
    """A node that water enters through grates and leaves over its rim. invert, rim: m above the terrain's datum."""

    name: str
    cell: Cell
    invert: float
    rim: float


@dataclass(frozen=True)
class Outfall:
    """Where a network ends, behind a flap that lets no water in. cell: None gives its water out of the domain."""

    name: str
    cell: Cell | None
    invert: float


@dataclass(frozen=True)
class Pipe:
    """A round pipe between two nodes. Inverts in m above the terrain's datum, length and diameter in m."""

    name: str
    start: str
    end: str
    length: float
    diameter: float
    invert_start: float
    invert_end: float
    manning: float = 0.013


@dataclass(frozen=True, eq=False)
class DrainNetwork:
    """Manholes and outfalls joined by pipes. open_share: of the grates that are not blocked, 0 to 1.

    Raises InvalidInput for a network without pipes or outfalls, or with a pipe to nowhere.
    """

    manholes: Sequence[Manhole]
    outfalls: Sequence[Outfall]
    pipes: Sequence[Pipe]
    open_share: float = 1.0

    def __post_init__(self) -> None:
        names = Counter([*(each.name for each in self.manholes), *(each.name for each in self.outfalls)])
        if not self.pipes or not self.outfalls:
            raise InvalidInput("drains: a network needs pipes and an outfall")
        if twice := [name for name, count in names.items() if count > 1]:
            raise InvalidInput(f"drains: node {twice[0]} stands there twice")
        for pipe in self.pipes:
            if not {pipe.start, pipe.end} <= names.keys():
                raise InvalidInput(f"drains: pipe {pipe.name} leads from or to a node that is not there")
            if not (pipe.length > 0 and pipe.diameter > 0):
                raise InvalidInput(f"drains: pipe {pipe.name} needs a length and a diameter above 0")


class Totals(NamedTuple):
    """Volumes by SWMM's account, m3: what it was given, what left at outfalls, what is in nodes and pipes."""

    external: float
    outflow: float
    stored: float


def grate_inflow(depth: Floats, open_share: float = 1.0) -> Floats:
    """Water that the grates of a manhole take under a depth (m), m3/s: the less of weir and orifice (HEC-22)."""
    over = np.maximum(depth, 0.0)
    weir = GRATE_WEIR * GRATE_SIDES_M * over**1.5
    orifice = GRATE_ORIFICE * GRATE_AREA_M2 * np.sqrt(2 * GRAVITY * over)
    taken: Floats = open_share * np.minimum(weir, orifice)
    return taken


class Drainage:
    """A network at work under a run's surface. Volumes so far, m3: taken, returned (over rims), let_out (at outfalls).

    What is taken from a cell is what SWMM is given as inflow. SWMM's dynamic wave keeps volume only to some hundredths
    where pipes surcharge: what comes back over rims is therefore what is neither in the pipes nor has left them at
    outfalls, so that nothing is lost. A manhole overflows when its head reaches the rim; while it does, it takes less
    by what comes back.
    """

    def __init__(self, domain: Domain, network: DrainNetwork) -> None:
        try:
            from swmm.toolkit import shared_enum, solver
        except ModuleNotFoundError:
            raise InvalidInput(
                "drains: pipes as a network take SWMM, which is not installed: pip install 'citytwin[drains]'"
            ) from None
        self._swmm, self._of, self._area, self._time = solver, shared_enum.NodeResult, domain.area, 0.0
        self._open_share = network.open_share
        self.taken = self.returned = self.let_out = 0.0
        self._rows, self._columns = places.indices([each.cell for each in network.manholes], domain, "drains")
        self._ends = [
            (n, places.indices([each.cell], domain, "drains"), float(domain.levels[each.cell]))
            for n, each in enumerate(network.outfalls)
            if each.cell is not None
        ]
        self._folder = tempfile.TemporaryDirectory(prefix="citytwin-drains-")
        file = Path(self._folder.name) / "drains.inp"
        file.write_text(swmm_input(network), encoding="ascii")
        solver.swmm_open(str(file), str(file.with_suffix(".rpt")), str(file.with_suffix(".out")))
        solver.swmm_start(0)
        kind = shared_enum.ObjectType.NODE
        self._nodes = [solver.project_get_index(kind, f"M{n}") for n in range(len(network.manholes))]
        self._outfalls = [solver.project_get_index(kind, f"O{n}") for n in range(len(network.outfalls))]
        self._over, self._entering = np.zeros(len(self._nodes)), np.zeros(len(self._nodes))

    @property
    def cells(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Rows and columns, ghosts counted, of all cells that may be given water."""
        ends = [cells for _, cells, _ in self._ends]
        rows = np.concatenate([self._rows, *(rows for rows, _ in ends)])
        return rows, np.concatenate([self._columns, *(columns for _, columns in ends)])

    def routing_totals(self) -> Totals:
        """SWMM's own account so far."""
        told = self._swmm.system_get_routing_totals()
        # Storages alone come in SWMM's own cubic feet.
        return Totals(float(told.exInflow), float(told.outflow), (told.finalStorage - told.initStorage) * CUBIC_FOOT_M3)

    @property
    def on_its_way(self) -> float:
        """What was taken and SWMM has not counted yet, m3: it takes inflows as the mean of two steps."""
        return float(self._entering.sum()) * STEP_S / 2

    @property
    def lost_share(self) -> float:
        """What has entered the pipes and is neither in them nor has left them, a share of it: not returned yet."""
        return abs(self._unaccounted(self.routing_totals())) / self.taken if self.taken else 0.0

    def _unaccounted(self, totals: Totals) -> float:
        return totals.external - totals.outflow - totals.stored - self.returned

    def move(self, water: Water, until: float, balance: Balance) -> None:
        """Bring the pipes up to a time (s), exchanging water with the surface at each of their steps."""
        while self._time < until - 1e-9:
            entered = self._enter(water)
            for n, cell, bed in self._ends:
                depth = float(water.depth[cell][0])
                if depth > 0:
                    self._swmm.outfall_set_stage(self._outfalls[n], bed + depth)
            self._swmm.swmm_step()
            self._over[:] = [self._swmm.node_get_result(node, self._of.FLOOD) for node in self._nodes]
            flows = np.array([self._swmm.node_get_result(node, self._of.TOTAL_INFLOW) for node in self._outfalls])
            # By SWMM's rates is told where it comes up, not how much.
            totals = self.routing_totals()
            over = _shared(self._unaccounted(totals), self._over)
            let_out = _shared(totals.outflow - self.let_out, flows)
            returned = self._give(water, over)
            reached = sum(transfer.give(water, *cell, let_out[n], self._area) for n, cell, _ in self._ends)
            for term, volume in (("drains", -entered), ("drains_returned", returned), ("drains_outfalls", reached)):
                balance.add(term, float(volume))
            self.taken += entered
            self.returned += float(over.sum())
            self.let_out += float(let_out.sum())
            self._time += STEP_S

    def close(self) -> float:
        """End it, so that another network can begin in this process; what `lost_share` was."""
        lost = self.lost_share
        self._swmm.swmm_end()
        self._swmm.swmm_close()
        self._folder.cleanup()
        return lost

    def _enter(self, water: Water) -> float:
        """Take from the surface what the grates let in, and give it to the pipes; m3."""
        depth = water.depth[self._rows, self._columns].astype(np.float64)
        most = np.where(self._over > 0, np.maximum(self._entering - self._over, 0.0), np.inf)
        wanted = np.minimum(grate_inflow(depth, self._open_share), most) * STEP_S
        total = 0.0
        for n, node in enumerate(self._nodes):
            rows, columns = self._rows[n : n + 1], self._columns[n : n + 1]
            taken = float(transfer.take(water, rows, columns, wanted[n], self._area)) if wanted[n] > 0 else 0.0
            self._swmm.node_set_total_inflow(node, taken / STEP_S)
            self._entering[n] = taken / STEP_S
            total += taken
        return total

    def _give(self, water: Water, volumes: Floats) -> float:
        total = 0.0
        for n in np.flatnonzero(volumes > 0):
            rows, columns = self._rows[n : n + 1], self._columns[n : n + 1]
            total += float(transfer.give(water, rows, columns, volumes[n], self._area))
        return total


def _shared(volume: float, flows: Floats) -> Floats:
    """A volume divided as flows are; nothing while none flows, or while there is none."""
    ahead = np.maximum(flows, 0.0)
    total = float(ahead.sum())
    shared: Floats = ahead * (max(volume, 0.0) / total) if total > 0 else ahead
    return shared


def swmm_input(network: DrainNetwork) -> str:
    """The network as SWMM's input file: nodes M0, M1, ... and O0, O1, ... in the order given, dynamic wave."""
    names = {each.name: f"M{n}" for n, each in enumerate(network.manholes)}
    names |= {each.name: f"O{n}" for n, each in enumerate(network.outfalls)}
    junctions = [f"M{n} {m.invert:.4f} {max(m.rim - m.invert, 0.1):.4f} 0 0 0" for n, m in enumerate(network.manholes)]
    outfalls = [f"O{n} {o.invert:.4f} FREE YES" for n, o in enumerate(network.outfalls)]
    lines = [(names[p.start], names[p.end], p) for p in network.pipes]
    joins = Counter(node for start, end, _ in lines for node in (start, end))
    # An outfall of SWMM has one pipe: where several end, they meet in a sealed node just before it.
    for n, outfall in enumerate(network.outfalls):
        if joins[f"O{n}"] > 1:
            bores = [p.diameter for start, end, p in lines if f"O{n}" in {start, end}]
            junctions.append(f"J{n} {outfall.invert:.4f} 3 0 1000 0")
            swap = {f"O{n}": f"J{n}"}
            lines = [(swap.get(start, start), swap.get(end, end), p) for start, end, p in lines]
            wide = math.sqrt(sum(bore**2 for bore in bores))
            lines.append(
                (f"J{n}", f"O{n}", Pipe("", "", "", 2 * SHORTEST_PIPE_M, wide, outfall.invert, outfall.invert))
            )
    conduits = [
        f"P{n} {start} {end} {max(p.length, SHORTEST_PIPE_M):.3f} {p.manning:g} {p.invert_start:.4f} {p.invert_end:.4f}"
        for n, (start, end, p) in enumerate(lines)
    ]
    sections: dict[str, list[Any]] = {
        "OPTIONS": [
            "FLOW_UNITS CMS", "FLOW_ROUTING DYNWAVE", "LINK_OFFSETS ELEVATION", "ALLOW_PONDING NO",
            "IGNORE_RAINFALL YES", "START_DATE 01/01/2000", "END_DATE 12/31/2000", "REPORT_STEP 24:00:00",
            f"ROUTING_STEP {STEP_S:g}", "VARIABLE_STEP 0", f"LENGTHENING_STEP {STEP_S:g}", "INERTIAL_DAMPING PARTIAL",
            "MAX_TRIALS 20", "HEAD_TOLERANCE 0.0005", "THREADS 1",
        ],
        "JUNCTIONS": junctions,
        "OUTFALLS": outfalls,
        "CONDUITS": conduits,
        "XSECTIONS": [f"P{n} CIRCULAR {p.diameter:.4f} 0 0 0 1" for n, (_, _, p) in enumerate(lines)],
        "REPORT": ["INPUT NO", "NODES NONE", "LINKS NONE"],
    }  # fmt: skip
    return "\n\n".join("\n".join([f"[{name}]", *rows]) for name, rows in sections.items()) + "\n"
