"""The data files that a flood goes by: storms, tides, roughness and curve numbers, each with its source."""

import csv
import itertools
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from twin.flood.series import Series
from twin.flood.storms import IntensityFormula
from twin.scenarios.inputs import Words

HERE = Path(__file__).parent


def formulas() -> dict[str, IntensityFormula]:
    """Rainstorm intensity formulas by name."""
    return {
        name: IntensityFormula(
            a=row["a"],
            c=row["c"],
            b=row["b"],
            n=row["n"],
            source=row["source"],
            edition=row["edition"],
            durations=tuple(row["durations_min"]),
            periods=tuple(row["periods_years"]),
            made_up=row["made_up"],
        )
        for name, row in _read("storms.yaml")["formulas"].items()
    }


def patterns() -> dict[str, dict[str, Any]]:
    """Temporal patterns by name: rows of hour and share fallen under `fallen`, with their source."""
    found: dict[str, dict[str, Any]] = _read("storms.yaml")["patterns"]
    return found


def pattern_storm(name: str, depth: float, hours: float) -> Series:
    """Rain of a depth (mm) that falls by a pattern stretched to so many hours, mm/h."""
    rows = patterns()[name]["fallen"]
    stretch = hours / rows[-1][0]
    times = [row[0] * stretch for row in rows]
    rates = [depth * (b[1] - a[1]) / ((b[0] - a[0]) * stretch) for a, b in itertools.pairwise(rows)]
    return Series([t * 3600 for t in times], [*rates, 0.0], "steps", "storm")


def tides() -> dict[str, dict[str, Any]]:
    """Tidal constituents by place: mean_m, datum, constituents {name: amplitude m}, source."""
    found: dict[str, dict[str, Any]] = _read("tides.yaml")["tides"]
    return found


def titles(file: str, kind: str) -> dict[str, Words]:
    """What the rows of a data file are called, by their names."""
    return {name: Words(**row["title"]) for name, row in _read(file)[kind].items()}


@dataclass(frozen=True)
class GroundRow:
    """Manning's n (s/m^(1/3)) and curve numbers by soil group of one kind of ground."""

    manning: float
    curve_number: dict[str, float]


@cache
def ground() -> dict[tuple[str, str], GroundRow]:
    """Kinds of ground by scheme and code; without a scheme: "water", "roof", and "" where nothing is known."""
    with (HERE / "ground.csv").open(encoding="utf-8", newline="") as file:
        return {
            (row["scheme"], row["code"]): GroundRow(
                float(row["manning"]), {group: float(row[f"cn_{group.lower()}"]) for group in "ABCD"}
            )
            for row in csv.DictReader(file)
        }


def ground_of(scheme: str | None, code: str | None) -> GroundRow:
    """The row of the longest beginning of a land use code; that of unknown land if there is none."""
    table = ground()
    for length in range(len(code or ""), 0, -1):
        found = table.get((scheme or "", (code or "")[:length]))
        if found is not None and scheme:
            return found
    return table["", ""]


@cache
def _read(name: str) -> Any:
    return yaml.safe_load((HERE / name).read_text(encoding="utf-8"))
