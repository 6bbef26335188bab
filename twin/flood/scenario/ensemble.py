"""What uncertain inputs do: members with other rain, sea and roughness, how often a cell is deep, how figures vary."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.flood.raster import read_grid, write_grid
from twin.flood.scenario.ground import Ground
from twin.flood.scenario.inputs import FloodInputs
from twin.scenarios.city import City
from twin.scenarios.ensemble import spread
from twin.scenarios.inputs import Words
from twin.scenarios.protocol import Progress, RasterLayer, RunRecord

QUANTILES = {"p10": 0.1, "p50": 0.5, "p90": 0.9}
# Members further out than this many standard deviations are not drawn.
FURTHEST = 2.5
# What says how a run was computed, not what the water did.
FIXED = {"volume_error", "known_error_m", "street_drains_mm_h"}


@dataclass(frozen=True)
class Ensemble:
    """Members that were computed beside the run itself."""

    inputs: FloodInputs
    records: Sequence[RunRecord]

    def probability(self, ground: Ground, folder: Path, vertical_datum: str) -> RasterLayer:
        """Share of the members whose greatest depth passes the one asked for, on land."""
        limit = self.inputs.probability_depth_m
        over = np.zeros(ground.site.shape, np.float32)
        for record in self.records:
            ((_, path),) = record.rasters["max_depth"]
            over += np.nan_to_num(read_grid(path)) > limit
        path = folder / "probability.tif"
        title = Words(f"水深超 {limit:g} 米的概率", f"Probability of more than {limit:g} m")
        shown = np.where(over > 0, over / len(self.records), np.nan)
        write_grid(path, shown, ground.domain(vertical_datum), unit="1", description=title.en)
        return RasterLayer("probability", title, "1", [(None, path)], "probability")

    def spread_of(self, indicators: Mapping[str, Any]) -> dict[str, Any]:
        """Indicators with the spread of the members beside each number."""
        told = dict(indicators)
        for name in [name for name, each in indicators.items() if _is_figure(each) and name not in FIXED]:
            values = [record.indicators[name]["value"] for record in self.records if name in record.indicators]
            if values:
                least, *quantiles, most = np.quantile(values, [0.0, *QUANTILES.values(), 1.0])
                range_ = {"least": least, **dict(zip(QUANTILES, quantiles, strict=True)), "most": most}
                rounded = {key: float(f"{value:.4g}") for key, value in range_.items()}
                told[name] = {**indicators[name], "spread": {"members": len(values)} | rounded}
        return told


def _is_figure(indicator: Any) -> bool:
    """Whether it is one number under a title, and not an account, a list or a note."""
    return isinstance(indicator, Mapping) and {"title", "value"} <= indicator.keys()


def compute_members(city: City, inputs: FloodInputs, progress: Progress) -> Ensemble:
    """Have the members computed as jobs of their own, and wait. Raises ScenarioError where one fails."""
    return Ensemble(inputs, spread(city, members_of(inputs, city.seed), progress))


def members_of(inputs: FloodInputs, seed: int) -> list[FloodInputs]:
    """Inputs of the members: a Latin hypercube over the three uncertainties, the same for the same seed.

    Rain and roughness are multiplied by log-normal factors of median 1, the sea is shifted by a normal amount, all
    within what the inputs allow.
    """
    rain, sea, rough = _hypercube(inputs.members, 3, seed).T
    return [
        inputs.model_copy(
            update={
                "members": 0,
                "rain_factor": min(float(inputs.rain_factor * np.exp(inputs.rain_spread * rain[n])), 20.0),
                "sea_shift_m": float(np.clip(inputs.sea_shift_m + inputs.sea_spread_m * sea[n], -5, 5)),
                "roughness_factor": float(
                    np.clip(inputs.roughness_factor * np.exp(inputs.roughness_spread * rough[n]), 0.3, 3)
                ),
            }
        )
        for n in range(inputs.members)
    ]


def _hypercube(members: int, axes: int, seed: int) -> npt.NDArray[np.float64]:
    """Standard normal numbers [member, axis], one in each of as many equally likely classes along every axis."""
    random = np.random.default_rng(seed)
    classes = np.stack([random.permutation(members) for _ in range(axes)], axis=1)
    shares = (classes + random.random((members, axes))) / members
    drawn = [NormalDist().inv_cdf(share) for share in np.clip(shares, 1e-9, 1 - 1e-9).ravel().tolist()]
    table: npt.NDArray[np.float64] = np.clip(np.array(drawn).reshape(members, axes), -FURTHEST, FURTHEST)
    return table
