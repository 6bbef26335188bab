"""The cases that have an outside answer, run; each gives rows of what was found beside what should be."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from twin.traffic.access import Router
from twin.traffic.assignment import Assignment, assign
from twin.traffic.demand import Demand
from twin.traffic.gravity import Deterrence, gravity
from twin.traffic.network import Flags, Floats, Network
from twin.traffic.readers import tntp
from twin.traffic.validation import wildau

# Beckmann objectives of the best-known link flows (bstabler/TransportationNetworks).
BEST_KNOWN = {"SiouxFalls": 4231335.28710744, "Anaheim": 1286032.171096032, "Barcelona": 1265654.92203176}
GAP = 1e-10
SHUT = 40


@dataclass(frozen=True)
class Row:
    """One figure: what it is of, what it should be, what was found, and whether that is near enough."""

    case: str
    figure: str
    expected: str
    found: str
    good: bool


@dataclass(frozen=True, eq=False)
class Solved:
    """A published network, solved; and the best-known flows."""

    name: str
    assignment: Assignment
    best: Floats

    @property
    def rising(self) -> Flags:
        """Links whose time depends on flow; on others the equilibrium leaves the flow open."""
        network = self.assignment.network
        return (network.alpha > 0) & (network.beta > 0)


def published(folder: Path) -> Iterator[Solved]:
    """The networks with best-known solutions of a folder of the TNTP collection, to a relative gap of 1e-10."""
    for name in BEST_KNOWN:
        network = tntp.read_network(folder / name / f"{name}_net.tntp", time_unit_s=1.0)
        demand = tntp.read_trips(folder / name / f"{name}_trips.tntp")
        best = tntp.read_flows(folder / name / f"{name}_flow.tntp", network)
        # Once before, so that seconds hold no reading of compiled code.
        assign(network, demand, gap=1e-2)
        yield Solved(name, assign(network, demand, gap=GAP), best)


def of_published(solved: Solved) -> Iterator[Row]:
    """Gap, objective, flows and balances of one of them."""
    found, best = solved.assignment, BEST_KNOWN[solved.name]
    off = abs(found.objective / best - 1)
    worst = float(np.abs(found.flow - solved.best)[solved.rising].max())
    yield Row(
        solved.name, "relative gap", f"<= {GAP:.0e}", f"{found.gap:.1e} in {found.rounds} rounds", found.gap <= GAP
    )
    yield Row(solved.name, "objective", repr(best), f"{found.objective:.6f} ({off:.0e} off)", off <= 1e-9)
    yield Row(solved.name, "greatest difference of a link's flow", "< 0.01 veh/h", f"{worst:.1e} veh/h", worst < 0.01)
    yield _balance(solved.name, found)


def closures(solved: Solved) -> Iterator[Row]:
    """The busiest links shut: nobody is lost."""
    network, demand = solved.assignment.network, solved.assignment.demand[0]
    after = assign(network.closing(np.argsort(solved.assignment.flow)[-SHUT:]), demand, gap=1e-6)
    case = f"{solved.name}, {SHUT} busiest links shut"
    lost = abs(after.served + after.unserved_trips + after.intrazonal - demand.total) / demand.total
    told = f"{after.served:,.0f} served + {after.unserved_trips:,.0f} cut off ({len(after.unserved)} pairs named)"
    yield Row(case, "all trips accounted for", f"{demand.total:,.0f}", told, lost < 1e-9)
    yield _balance(case, after)


def trees(solved: Solved) -> Iterator[Row]:
    """Times at equilibrium from every zone beside scipy's Dijkstra. Raises ModuleNotFoundError without scipy."""
    from scipy.sparse import csr_matrix  # type: ignore[import-untyped]
    from scipy.sparse.csgraph import dijkstra  # type: ignore[import-untyped]

    network, seconds = solved.assignment.network, solved.assignment.time_s
    ids = network.node_ids[network.zone_nodes].tolist()
    found = Router(network, seconds).matrix(ids, ids)
    # Of parallel links a sparse matrix would keep the sum.
    order = np.lexsort((seconds, network.head, network.tail))
    first = np.r_[True, (np.diff(network.tail[order]) != 0) | (np.diff(network.head[order]) != 0)]
    links = order[first]
    passed = network.through[network.tail]
    worst = 0.0
    for row, origin in enumerate(network.zone_nodes.tolist()):
        use = links[passed[links] | (network.tail[links] == origin)]
        ends = network.tail[use], network.head[use]
        graph = csr_matrix((seconds[use], ends), shape=(network.nodes, network.nodes))
        beside = dijkstra(graph, indices=origin)[network.zone_nodes]
        worst = max(worst, float(np.abs(found[row] - beside).max()))
    yield Row(
        f"{solved.name}, all zones",
        "greatest difference from scipy's Dijkstra",
        "< 1e-6 s",
        f"{worst:.0e} s",
        worst < 1e-6,
    )


def braess() -> Iterator[Row]:
    """Braess (1968): a bridge that makes everybody slower."""
    rise = np.array([10.0, 1, 1, 1, 10])
    free = np.array([1e-9, 50, 50, 10, 1e-9])
    network = Network.build([1, 2, 3, 4], [0, 0, 2, 2, 3], [2, 3, 1, 3, 1], free, 1.0, alpha=rise / free, beta=1.0)
    demand = Demand.from_pairs([1], [2], [6.0])
    for title, total, roads in (("without the bridge", 498, network.closing([3])), ("with it", 552, network)):
        found = assign(roads, demand, gap=1e-9)
        time = float(found.flow @ found.time_s)
        yield Row("Braess", f"total time {title}", str(total), f"{time:.4f}", abs(time - total) < 1e-3)


def turns() -> Iterator[Row]:
    """A square with a quick and a slow side: a turn that is banned, or dear, sends all to the slow side."""
    network = Network.build(
        list("abcd"), [0, 1, 0, 2], [1, 3, 2, 3], [10, 10, 15, 15], 1.0, alpha=0, link_ids=["ab", "bd", "ac", "cd"]
    )
    demand = Demand.from_pairs(["a", "a"], ["d", "b"], [1.0, 1.0])
    for title, penalty, flows in (
        ("banned", np.inf, [1, 0, 1, 1]),
        ("12 s", 12.0, [1, 0, 1, 1]),
        ("8 s", 8.0, [2, 1, 0, 0]),
    ):
        found = assign(network.with_turns([("ab", "bd", penalty)]), demand).flow
        good = bool(np.allclose(found, flows))
        yield Row("a turn solved by hand", title, str(flows), str([round(float(each), 6) for each in found]), good)


def gravity_example() -> Iterator[Row]:
    """Mathew & Krishna Rao (NPTEL 105101087), lecture 8: three zones, 1/c, one round with three digits."""
    cost = np.array([[1.0, 1.2, 1.8], [1.2, 1.0, 1.5], [1.8, 1.5, 1.0]])
    printed = np.array([[48.01, 34.10, 27.56], [42.43, 43.53, 35.21], [29.53, 30.32, 55.15]])
    found = gravity([110, 122, 114], [120, 108, 118], cost, Deterrence(1.0, "power"))
    off = float(np.abs(found - printed).max())
    yield Row(
        "gravity, worked example",
        "greatest difference of a cell",
        "< 1 trip (printed after one round)",
        f"{off:.2f}",
        off < 1,
    )


def wildau_counts(folder: Path) -> Iterator[Row]:
    """18 counts fitted, with the change of the prior."""
    fit, hours = wildau.fitted(folder)
    error = fit.rmse * hours
    best = min(wildau.PUBLISHED, key=lambda each: wildau.PUBLISHED[each])
    others = ", ".join(f"{name} {value:g}" for name, value in wildau.PUBLISHED.items())
    yield Row("Wildau, 18 counts", "RMSE, vehicles in 2 h", others, f"{error:.1e}", error <= wildau.PUBLISHED[best])
    yield Row("Wildau, 18 counts", "GEH < 5", "100 %", f"{100 * np.mean(fit.geh < 5):.0f} %", bool((fit.geh < 5).all()))
    changed = f"{100 * fit.changed:.0f} % of {fit.assignment.demand[0].total:,.0f} trips/h"
    yield Row("Wildau, 18 counts", "what the made-up prior had to change", "told, not judged", changed, True)


def _balance(case: str, found: Assignment) -> Row:
    worst = max(found.node_error, found.demand_error)
    return Row(case, "conservation at nodes and of demand", "< 1e-9 of all trips", f"{worst:.0e}", worst < 1e-9)
