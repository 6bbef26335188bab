"""Pictures of what validation found, beside the page."""

from pathlib import Path
from typing import Any

import numpy as np

from twin.flood.validation.cities import Town, Ward
from twin.flood.validation.ladder import Ladder
from twin.flood.validation.real import Street
from twin.flood.validation.rows import Curves

DPI = 90
COLOURS = {"exact": "black", "full": "tab:blue", "fast": "tab:orange", "inertial": "tab:green"}


def draw(folder: Path, ladder: Ladder) -> None:
    """Draw them. Raises ModuleNotFoundError without matplotlib."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    def save(figure: Any, name: str) -> None:
        figure.tight_layout()
        figure.savefig(folder / f"{name}.png", dpi=DPI, metadata={"Software": None})
        pyplot.close(figure)

    folder.mkdir(parents=True, exist_ok=True)
    for name in dict.fromkeys(each.picture for each in ladder.curves):
        panels = [each for each in ladder.curves if each.picture == name]
        columns = 3 if len(panels) == 3 or len(panels) > 4 else 2
        rows = -(-len(panels) // columns)
        figure, axes = pyplot.subplots(rows, columns, figsize=(10, 2.6 * rows), squeeze=False)
        for axis in axes.flat[len(panels) :]:
            axis.remove()
        for panel, axis in zip(panels, axes.flat, strict=False):
            _panel(panel, axis)
        save(figure, name)
    if ladder.streets:
        figure, axis = pyplot.subplots(figsize=(6.5, 6))
        _map(ladder.streets[0], figure, axis)
        save(figure, "flood-merewether")
    if ladder.towns:
        figure, parts = pyplot.subplot_mosaic([["lyon", "lyon"], ["koto", "scatter"]], figsize=(10, 9))
        _town(ladder.towns[0], figure, parts["lyon"])
        _ward(ladder.wards[0], figure, parts["koto"], parts["scatter"])
        save(figure, "flood-cities")


def _town(found: Town, figure: Any, axis: Any) -> None:
    domain = found.result.domain
    rows, columns = domain.shape
    extent = (0, columns * domain.cell / 1000, 0, rows * domain.cell / 1000)
    axis.imshow(np.where(found.houses, np.nan, domain.levels), extent=extent, cmap="Greys_r", alpha=0.6)
    drawn = axis.imshow(np.where(found.depth > 0.05, found.depth, np.nan), extent=extent, cmap="Blues", vmin=0, vmax=5)
    figure.colorbar(drawn, ax=axis, label="depth over the terrain, m", shrink=0.8)
    axis.set_title(f"Lyon, {found.mode}: both rivers high", fontsize=9)
    axis.set_xlabel("km", fontsize=8)
    axis.tick_params(labelsize=7)


def _ward(found: Ward, figure: Any, place: Any, scatter: Any) -> None:
    off = found.found - found.official
    x, y = ((found.places - found.places.min(axis=0)) / 1000).T
    drawn = place.scatter(x, y, c=off, s=0.4, cmap="RdBu_r", vmin=-1, vmax=1, linewidths=0)
    figure.colorbar(drawn, ax=place, label="found less official, m", shrink=0.8)
    place.set_aspect("equal")
    place.set_title(f"Koto, {found.mode}: {len(off):,} buildings left out of its ground", fontsize=9)
    place.set_xlabel("km", fontsize=8)
    scatter.hist2d(found.official, found.found, bins=90, range=((0, 6), (0, 6)), cmap="Blues", cmin=1, norm="log")
    scatter.axline((0, 0), slope=1, color="black", linewidth=0.8)
    scatter.set_title("Koto: depth at a building, m", fontsize=9)
    scatter.set_xlabel("official", fontsize=8)
    scatter.set_ylabel("found", fontsize=8)
    for axis in (place, scatter):
        axis.tick_params(labelsize=7)


def _panel(panel: Curves, axis: Any) -> None:
    for line in panel.lines:
        if line.exact:
            style = {"color": "black", "linewidth": 0.8}
        else:
            style = {"color": COLOURS.get(line.label), "linewidth": 1.2, "alpha": 0.8}
        if line.samples:
            style = {"color": "black", "linestyle": "none", "marker": ".", "markersize": 4}
        axis.plot(line.x, line.y, label=line.label, **style)
    axis.set_title(panel.title, fontsize=9)
    axis.set_xlabel(panel.x_title, fontsize=8)
    axis.set_ylabel(panel.y_title, fontsize=8)
    axis.tick_params(labelsize=7)
    axis.legend(fontsize=7)


def _map(found: Street, figure: Any, axis: Any) -> None:
    domain = found.result.domain
    rows, columns = domain.shape
    extent = (0, columns * domain.cell, 0, rows * domain.cell)
    axis.imshow(domain.levels - 3.0 * found.houses, extent=extent, cmap="Greys_r", alpha=0.5)
    axis.imshow(np.where(found.houses, 1.0, np.nan), extent=extent, cmap="binary", vmin=0, vmax=2)
    depth = np.where((found.depth > 0.02) & ~found.houses, found.depth, np.nan)
    drawn = axis.imshow(depth, extent=extent, cmap="Blues", vmin=0, vmax=1.5)
    figure.colorbar(drawn, ax=axis, label="depth, m", shrink=0.7)
    south = domain.north - rows * domain.cell
    for each, place in zip(found.stages, found.places, strict=True):
        spot = place[0] - domain.west, place[1] - south
        axis.plot(*spot, "o", color="crimson", markersize=4)
        axis.annotate(
            f"{each.name}: {each.found - each.observed:+.2f} m",
            spot,
            xytext=(7, -3),
            textcoords="offset points",
            fontsize=8,
            bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.75},
        )
    axis.set_xlabel("m", fontsize=8)
    axis.tick_params(labelsize=7)
