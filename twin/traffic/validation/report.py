"""What validation found, as a page for people: a table, pictures, and Lyon told honestly."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from twin.traffic.assignment import Assignment
from twin.traffic.generation import WORKDAY
from twin.traffic.validation import cases, dynamics, lyon
from twin.traffic.validation.cases import Row, Solved
from twin.traffic.validation.lyon import Counter


def run(data: Path, told: Callable[[Row], None]) -> tuple[list[Row], list[Solved], Assignment, list[Counter]]:
    """Every case, told as it is done. data: the folder with traffic/ and lyon/."""
    rows: list[Row] = []
    solved: list[Solved] = []

    def note(found: Iterator[Row]) -> None:
        for row in found:
            rows.append(row)
            told(row)

    for each in cases.published(data / "traffic" / "tntp"):
        solved.append(each)
        note(cases.of_published(each))
    note(cases.closures(solved[1]))
    note(cases.trees(solved[1]))
    for case in (cases.braess, cases.turns, cases.gravity_example):
        note(case())
    note(dynamics.queues())
    note(cases.wildau_counts(data / "traffic" / "wildau"))
    simulated = lyon.simulated(data / "lyon")
    return rows, solved, simulated, lyon.compared(data / "lyon", simulated)


def page(rows: Sequence[Row], solved: Sequence[Solved], simulated: Assignment, counters: Sequence[Counter]) -> str:
    """The page, in Markdown."""
    return "\n\n".join([*_published(rows, solved), *_lyon(simulated, counters), *_limits()]) + "\n"


def _published(rows: Sequence[Row], solved: Sequence[Solved]) -> Iterator[str]:
    yield "# How far the traffic engine may be trusted"
    yield (
        "Written by `twin traffic validate --data FOLDER --write docs/traffic-accuracy.md` on "
        f"{datetime.now(UTC):%Y-%m-%d}; the command ends with an error if a row is not met. [traffic.md](traffic.md) "
        "says what the engine computes."
    )
    yield table(
        ["case", "figure", "should be", "found", "met"],
        [[r.case, r.figure, r.expected, r.found, "yes" if r.good else "**no**"] for r in rows],
    )
    yield (
        "The relative gap is (cost of all trips - cost if each went the cheapest way) / cost of all trips, at the "
        "final travel times. Best-known flows and Beckmann objectives: github.com/bstabler/TransportationNetworks, for "
        "research; none of its data is part of CityTwin. Flows are compared on links whose time depends on flow: on "
        "others the equilibrium leaves them open. Wildau: network and counts of DLR-TS/sumo-scenarios, which also "
        "tells what other tools left."
    )
    yield "![Relative gap by seconds](images/traffic-convergence.png)"
    yield table(
        ["network", "rounds to 1e-10", "seconds here"],
        [[s.name, str(s.assignment.rounds), f"{s.assignment.seconds:.2f}"] for s in solved],
    )
    yield (
        "A round grows every tree once. Versions differ by some rounds, for equally short ways are found in another "
        "order, and by more where the flow of few pairs is slow to settle; the flows that they end at do not."
    )
    yield "![Flows beside the best known](images/traffic-flows.png)"


def _limits() -> Iterator[str]:
    yield "## What it does not know"
    yield (
        "A static equilibrium has no queues that spill back and no time of day; delays come from the volume-delay "
        "function alone, and those of signals only in the capacity guessed for a class. What UXsim simulates "
        "has queues and signals; no real city's have been laid beside them."
    )


def _lyon(simulated: Assignment, counters: Sequence[Counter]) -> Iterator[str]:
    network = simulated.network
    yield "## Lyon: real trips, real counters"
    yield (
        f"{simulated.served:,.0f} trips that leave between 8 and 9 o'clock in the published demand of Lyon 3e/6e and "
        f"Villeurbanne (MnMS, LICIT), on its {network.links:,} sections with {len(network.turns):,} banned movements, "
        f"beside the car counters that stand within {lyon.NEAR_M:.0f} m of a section: {len(counters)} of the 29. "
        "Counted: the mean day of the last twelve months times the hour's share of a made-up day "
        f"({100 * WORKDAY[lyon.HOUR] / WORKDAY.sum():.1f} %); simulated: both directions of the nearest street."
    )
    yield table(
        ["counter", "counted, veh/h", "simulated, veh/h"],
        [[c.name, f"{c.counted:,.0f}", f"{c.simulated:,.0f}"] for c in counters],
    )
    yield (
        "**This shows no agreement, and so few counters could not.** The published demand is a part of the traffic: "
        "trips within the area, from a source that is not told; a counter at its rim sees through traffic that the "
        "demand lacks, and the network holds no streets west of the Rhône. Speeds and capacities of the sections are "
        "guessed from one class. The network, its banned movements and its trips are a test of the engine, not of Lyon."
    )
    shut = lyon.bridge_shut(simulated)
    yield (
        f"**A bridge shut.** Two bridges over the Rhône lie whole in the network. {shut.over:,.0f} vehicles an hour "
        "use Pont Raymond-Poincaré, both ways; where it is shut, the ring road's viaduct has "
        f"{shut.next_after:,.0f} instead of {shut.next_before:,.0f}, and {shut.stranded:,.0f} trips have no way: the "
        "source knows no other street to where they begin or end."
    )
    yield "![Simulated volumes in Lyon](images/traffic-lyon.png)"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def draw(folder: Path, solved: Sequence[Solved], simulated: Assignment) -> None:
    """The pictures beside the page. Raises ModuleNotFoundError without matplotlib."""
    import matplotlib

    matplotlib.use("Agg")
    # UXsim has settings of its own for all pictures.
    matplotlib.rcdefaults()
    from matplotlib import pyplot
    from matplotlib.collections import LineCollection
    from matplotlib.ticker import FixedLocator, NullLocator

    folder.mkdir(parents=True, exist_ok=True)

    def save(name: str) -> None:
        pyplot.tight_layout()
        pyplot.savefig(folder / f"traffic-{name}.png", dpi=110, metadata={"Software": None})
        pyplot.close()

    pyplot.figure(figsize=(7, 3.6))
    for each in solved:
        seconds, gaps = np.array(each.assignment.history).T
        pyplot.loglog(seconds, gaps, marker=".", label=each.name)
    pyplot.xlabel("seconds")
    axis = pyplot.gca()
    # Less than two decades: the usual labels between powers of ten would lie over each other.
    axis.xaxis.set_major_locator(FixedLocator([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50]))
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_locator(NullLocator())
    pyplot.ylabel("relative gap")
    pyplot.legend()
    save("convergence")
    _, axes = pyplot.subplots(1, len(solved), figsize=(9, 3.2))
    for axis, each in zip(axes, solved, strict=True):
        axis.plot(each.best[each.rising], each.assignment.flow[each.rising], ".", markersize=3)
        axis.set_title(each.name, fontsize=9)
        axis.set_xlabel("best known, veh/h", fontsize=8)
        axis.tick_params(labelsize=7)
        axis.locator_params(nbins=5)
    axes[0].set_ylabel("found, veh/h", fontsize=8)
    save("flows")
    lines = simulated.network.geometry
    assert lines is not None
    pyplot.figure(figsize=(7, 5))
    widths = 0.3 + simulated.flow / max(float(simulated.flow.max()), 1.0) * 5
    axis = pyplot.gca()
    axis.add_collection(LineCollection([np.asarray(line.coords) for line in lines], linewidths=widths))
    axis.autoscale()
    axis.set_aspect("equal")
    axis.ticklabel_format(useOffset=False, style="plain")
    axis.set_title(
        f"Lyon, {lyon.HOUR} to {lyon.HOUR + 1} o'clock: width by volume, at most {simulated.flow.max():,.0f} veh/h"
    )
    axis.tick_params(labelsize=7)
    save("lyon")
