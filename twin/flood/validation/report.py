"""What validation found, as a page for people: the ladder as a table, pictures, and two real places told honestly."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from twin.flood.validation import analytic, laws
from twin.flood.validation.real import Street, Valley, street, valley
from twin.flood.validation.rows import Curves, Row

CASES: tuple[Callable[[], Iterable[Row | Curves]], ...] = (
    analytic.at_rest,
    analytic.gentle_rain,
    analytic.dam_breaks,
    analytic.swinging_basins,
    analytic.shock,
    analytic.order,
    laws.volumes,
    laws.symmetries,
    laws.structures,
    laws.walls,
    laws.losses,
)


# How long the real places run: as the benchmark asks; to a steady state; and to see that they run.
VALLEY_HOURS, STREET_SECONDS = 30.0, 900.0
QUICK_HOURS, QUICK_SECONDS = 1.0, 5.0


@dataclass
class Ladder:
    """All that was found."""

    rows: list[Row] = field(default_factory=list)
    curves: list[Curves] = field(default_factory=list)
    valley: Valley | None = None
    street: Street | None = None


def run(data: Path, told: Callable[[Row], None], *, quick: bool) -> Ladder:
    """Every case, told as it is done. data: the folder with flood/; quick: the real places only begin, unjudged."""
    ladder = Ladder()

    def note(found: Iterable[Row | Curves]) -> None:
        for each in found:
            if isinstance(each, Curves):
                ladder.curves.append(each)
            else:
                ladder.rows.append(each)
                told(each)

    hours, seconds = (QUICK_HOURS, QUICK_SECONDS) if quick else (VALLEY_HOURS, STREET_SECONDS)
    # They take longer than all others together, and run beside them.
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        in_valley = pool.submit(valley, data / "flood" / "ea5", hours)
        in_street = pool.submit(street, data / "flood" / "merewether", seconds)
        for case in CASES:
            note(case())
        note(analytic.channels(data / "flood" / "macdonald"))
        ladder.valley, ladder.street = in_valley.result(), in_street.result()
    note(ladder.valley.curves())
    if not quick:
        note([*ladder.valley.rows(), *ladder.street.rows()])
    return ladder


def page(ladder: Ladder) -> str:
    """The page, in Markdown."""
    return "\n\n".join([*_table(ladder.rows), *_street(ladder.street), *_limits()]) + "\n"


def _table(rows: Sequence[Row]) -> Iterator[str]:
    yield "# How far the flood engine may be trusted"
    yield (
        "Written by `twin flood validate --data FOLDER --write docs/flood-accuracy.md` on "
        f"{datetime.now(UTC):%Y-%m-%d}; the command ends with an error if a row is not met. [flood.md](flood.md) says "
        "what the engine computes and what its modes `full`, `fast` and `inertial` are."
    )
    lines = [f"| {r.case} | {r.figure} | {r.expected} | {r.found} | {'yes' if r.good else '**no**'} |" for r in rows]
    yield "\n".join(["| case | figure | should be | found | met |", "| --- | --- | --- | --- | --- |", *lines])
    yield (
        "Local inertia leaves out the advection of momentum: its dam breaks are told and not judged, and its channels "
        "are held to 4 cm, near what others ask of the scheme (3 and 3.5 cm in Itzi's tests)."
    )
    yield "![Dam breaks and a swinging basin](images/flood-dam-breaks.png)"
    yield "![Steady channels](images/flood-steady.png)"
    yield "## A dam fails above a valley"
    yield (
        "Test 5 of the UK Environment Agency (SC120002): 3,000 m3/s at the peak into a valley, on its official terrain "
        "read at 50 m as the benchmark asks, beside LISFLOOD-FP's DG2 on 10 m cells (Zenodo 10.5281/zenodo.4066824). "
        "It is a comparison of models, not with nature."
    )
    yield "![Levels in the valley](images/flood-valley.png)"


def _street(found: Street | None) -> Iterator[str]:
    if found is None:
        return
    yield "## Merewether, June 2007: what was seen"
    yield (
        "A flash flood through a suburb of Newcastle, Australia: 19.7 m3/s between houses, which stand as blocks of "
        "3 m on cells of 1 m. Peak stages at five places (m AHD): the mean of wet cells within 1.5 m, or where all are "
        "dry the level of the nearest water."
    )
    lines = [
        f"| {each.name} | {each.ground:.2f} | {each.observed:.2f} | {each.found:.2f} | "
        f"{each.found - each.observed:+.2f} | {each.tuflow - each.observed:+.2f} | {each.away:.1f} | "
        f"{each.depth:.2f} | {each.speed:.1f} |"
        for each in found.stages
    ]
    head = [
        "| point | ground | seen | found | error | TUFLOW 1 m | nearest water, m | depth there, m | speed, m/s |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    yield "\n".join([*head, *lines])
    below = [each for each in found.stages if each.observed < each.ground]
    for each in below:
        yield (
            f"At point {each.name} the stage that was seen lies {each.ground - each.observed:.2f} m "
            f"**below the ground** that the survey gives for the place ({each.ground:.2f} m): place, stage and terrain "
            "cannot all be right, and no model on this terrain can meet it. It is counted in the mean as it is."
        )
    rest = [abs(each.found - each.observed) for each in found.stages if each not in below]
    yield f"Mean absolute error of the points whose stage lies above the ground: {np.mean(rest):.3f} m."
    yield "![Water in the streets of Merewether](images/flood-merewether.png)"


def _limits() -> Iterator[str]:
    yield "## What this does not show"
    yield (
        "Real floods differ from these by their inputs more than by the scheme: rain between gauges, blocked drains, "
        "terrain that is years old, walls that the survey missed. A run's own error is at best that of Merewether "
        "above, a decimetre in a street whose terrain was surveyed. Use `members` to see what uncertain inputs do."
    )


def draw(folder: Path, ladder: Ladder) -> None:
    """The pictures beside the page. Raises ModuleNotFoundError without matplotlib."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    folder.mkdir(parents=True, exist_ok=True)
    for name in dict.fromkeys(each.picture for each in ladder.curves):
        panels = [each for each in ladder.curves if each.picture == name]
        columns = 2 if len(panels) < 5 else 3
        rows = -(-len(panels) // columns)
        figure, axes = pyplot.subplots(rows, columns, figsize=(10, 2.8 * rows), squeeze=False)
        for axis in axes.flat[len(panels) :]:
            axis.remove()
        for panel, axis in zip(panels, axes.flat, strict=False):
            _panel(panel, axis)
        figure.tight_layout()
        figure.savefig(folder / f"{name}.png", dpi=110, metadata={"Software": None})
        pyplot.close(figure)
    if ladder.street is not None:
        figure, axis = pyplot.subplots(figsize=(8, 6.5))
        _map(ladder.street, figure, axis)
        figure.tight_layout()
        figure.savefig(folder / "flood-merewether.png", dpi=110, metadata={"Software": None})
        pyplot.close(figure)


def _panel(panel: Curves, axis: Any) -> None:
    for line in panel.lines:
        style = {"color": "black", "linewidth": 0.8} if line.exact else {"linewidth": 1.2, "alpha": 0.8}
        axis.plot(line.x, line.y, label=line.label, **style)
    axis.set_title(panel.title, fontsize=9)
    axis.set_xlabel(panel.x_title, fontsize=8)
    axis.set_ylabel(panel.y_title, fontsize=8)
    axis.tick_params(labelsize=7)
    axis.legend(fontsize=7)


def _map(found: Street, figure: Any, axis: Any) -> None:
    domain = found.result.domain
    rows, columns = domain.shape
    extent = (domain.west, domain.west + columns * domain.cell, domain.north - rows * domain.cell, domain.north)
    axis.imshow(domain.levels - 3.0 * found.houses, extent=extent, cmap="Greys_r", alpha=0.5)
    axis.imshow(np.where(found.houses, 1.0, np.nan), extent=extent, cmap="binary", vmin=0, vmax=2)
    depth = np.where((found.depth > 0.02) & ~found.houses, found.depth, np.nan)
    drawn = axis.imshow(depth, extent=extent, cmap="Blues", vmin=0, vmax=1.5)
    figure.colorbar(drawn, ax=axis, label="depth, m", shrink=0.7)
    for each, (x, y) in zip(found.stages, found.places, strict=True):
        axis.plot(x, y, "o", color="darkorange", markersize=4)
        axis.annotate(f"{each.name}: {each.found - each.observed:+.2f} m", (x, y), fontsize=8, color="darkorange")
    axis.tick_params(labelsize=6)
