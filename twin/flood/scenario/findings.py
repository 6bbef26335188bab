"""What a run found, gathered for exposure and report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.flood.records import Result
from twin.flood.scenario.ground import Ground
from twin.flood.scenario.inputs import FloodInputs
from twin.flood.scenario.outputs import flooded
from twin.flood.scenario.works import Works
from twin.scenarios.city import City

# Mean error of stages in a surveyed street, docs/flood-accuracy.md, rounded up; more where momentum is not carried on.
KNOWN_ERROR_M = {"full": 0.15, "fast": 0.15, "inertial": 0.20}
DEPTHS_M = (0.05, 0.3, 0.5, 1.0)


@dataclass(frozen=True, eq=False)
class Findings:
    """outputs: seconds since `start` of the states kept; long_deep: hours above 0.3 m.

    pipes_lost: share of the water in the drains that SWMM's routing lost, None where drains are a rate.
    """

    city: City
    inputs: FloodInputs
    ground: Ground
    works: Works
    found: Result
    start: datetime
    outputs: Sequence[float]
    long_deep: npt.NDArray[np.float32]
    pipes_lost: float | None

    @property
    def moments(self) -> list[datetime]:
        """When the states kept are."""
        return [self.start + timedelta(seconds=t) for t in self.outputs]

    def indicators(self, seconds: float) -> dict[str, Any]:
        """Flooded areas, depths, the account of volumes, and how the run was computed."""
        found, ground = self.found, self.ground
        land = flooded(ground, found)
        depth = np.where(land, found.depth, 0.0)
        areas = {
            f"flooded_over_{round(limit * 100)}cm_km2": number(
                float((depth >= limit).sum()) * ground.site.cell**2 / 1e6,
                "km2",
                f"水深超过 {limit:g} 米的面积",
                f"Land flooded deeper than {limit:g} m",
            )
            for limit in DEPTHS_M
        }
        return areas | {
            "greatest_depth_m": number(float(depth.max()), "m", "陆地最大水深", "Greatest depth on land"),
            "account_m3": {"initial": round(found.balance.initial), "stored": round(found.balance.stored)}
            | {term: round(volume) for term, volume in sorted(found.balance.terms.items())},
            "volume_error": number(found.balance.error, "1", "水量误差", "Error of the volume account"),
            "known_error_m": number(
                KNOWN_ERROR_M[self.inputs.mode], "m", "水位已知误差", "Known error of levels (docs/flood-accuracy.md)"
            ),
            **self._drains(),
            "cells": found.domain.levels.size,
            "steps": found.steps,
            "step_s": [round(found.shortest_step, 4), round(found.longest_step, 4)],
            "seconds": round(seconds, 1),
            "notes": [
                *(note._asdict() for note in self.works.notes),
                *({"zh": said, "en": said} for said in found.notes),
            ],
        }

    def _drains(self) -> Mapping[str, Any]:
        if self.pipes_lost is None:
            rate = number(self.works.drained_mm_h, "mm/h", "雨水管网排水能力", "Capacity of the street drains")
            return {"street_drains_mm_h": rate}
        lost = number(
            self.pipes_lost, "1", "管网中尚待溢出的水量占比", "Share of the water in pipes that waits to come up"
        )
        return {"pipes_volume_error": lost}


def number(value: float, unit: str, zh: str, en: str) -> Mapping[str, Any]:
    """One indicator, to four digits."""
    return {"value": float(f"{value:.4g}"), "unit": unit, "title": {"zh": zh, "en": en}}
