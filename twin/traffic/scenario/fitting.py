"""Trips of a run fitted to counts, hour by hour, and what that has changed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from twin.scenarios.inputs import Words
from twin.traffic.counts import Fit, fit, geh, rmse
from twin.traffic.network import Floats
from twin.traffic.scenario.counters import GOOD_GEH, Counted
from twin.traffic.scenario.errors import TrafficRefused
from twin.traffic.scenario.states import State
from twin.traffic.scenario.tables import Rows, typed
from twin.traffic.scenario.trips import Trips
from twin.traffic.scenario.zoning import Zones

# Ways change from round to round by more than a finer gap would tell.
COARSE_GAP = 1e-4
# A share of this is missed at least, vehicles/h: a count of 0 is none of a road without any traffic.
FEW = 10.0
MOST_ROWS = 50_000
FILE = "fitted_trips.npz"
FITTED = Words(
    "出行已按计数校正；计数未覆盖的出行保持原样，改动见结果表 fit 与 fitted_trips",
    "trips were fitted to counts; those that none saw are as before: the tables fit and fitted_trips tell the change",
)


@dataclass(frozen=True, eq=False)
class Fitted:
    """fits: by hour. keys: the links of each count of an hour's fit. before, after: vehicles from zone to zone."""

    fits: Mapping[int, Fit]
    keys: Mapping[int, list[tuple[int, ...]]]
    before: Mapping[int, Floats]
    after: Mapping[int, Floats]

    def prior_flows(self) -> dict[tuple[int, tuple[int, ...]], float]:
        """Vehicles/h at each count with the trips of before, by hour and links."""
        return {
            (hour, key): float(flow)
            for hour, keys in self.keys.items()
            for key, flow in zip(keys, self.fits[hour].before, strict=True)
        }


def fit_trips(
    trips: Trips,
    usual: Sequence[State],
    counted: Sequence[Counted],
    *,
    error: float,
    gap: float,
    threads: int,
    notes: list[Words],
    tell: Callable[[float], None],
) -> Fitted:
    """Fit the trips of each hour that has counts, on the city as it is. Raises TrafficRefused where none has."""
    states = {state.moment.hour: state for state in usual}
    counts = {hour: flows for hour in states if (flows := _flows(counted, hour))}
    if not counts:
        raise TrafficRefused(
            "fit_counts: no counter counts in the hours of this run; give other hours, or counts_csv",
            "fit_counts：本次计算的时段没有计数，请改时段或提供计数表",
        )
    fits: dict[int, Fit] = {}
    for number, (hour, flows) in enumerate(counts.items()):
        state = states[hour]
        fits[hour] = fit(
            state.network,
            trips.demands(hour, state.car, state.lorry),
            flows,
            slack=error * np.maximum(list(flows.values()), FEW),
            gap=max(gap, COARSE_GAP),
            threads=threads,
            progress=partial(_part, tell, number, len(counts)),
        )
    notes.append(FITTED)
    without = sorted(states.keys() - counts.keys())
    if without:
        hours = ", ".join(map(str, without))
        notes.append(
            Words(f"{hours} 时没有计数，出行未校正", f"hours {hours} have no counts; their trips are as before")
        )
    return Fitted(
        fits=fits,
        keys={hour: list(flows) for hour, flows in counts.items()},
        before={hour: trips.matrix(hour) for hour in fits},
        after={hour: np.sum([each.matrix() for each in found.demands], axis=0) for hour, found in fits.items()},
    )


def _part(tell: Callable[[float], None], done: int, of: int, share: float) -> None:
    tell((done + share) / of)


def write_fitted(folder: Path, fitted: Fitted) -> None:
    """Keep the trips of the fitted hours for runs that begin with this one."""
    np.savez_compressed(folder / FILE, hours=list(fitted.after), trips=np.stack(list(fitted.after.values())))


def read_fitted(folder: Path) -> dict[int, Floats]:
    """Vehicles from zone to zone by hour that a run in this folder was fitted to; none where it fitted nothing."""
    if not (folder / FILE).is_file():
        return {}
    with np.load(folder / FILE, allow_pickle=False) as kept:
        return dict(zip(kept["hours"].tolist(), kept["trips"], strict=True))


def _flows(counted: Sequence[Counted], hour: int) -> dict[tuple[int, ...], float]:
    """Counts of an hour by links; counters of the same links are averaged."""
    found: dict[tuple[int, ...], list[float]] = {}
    for each in counted:
        count = each.counter.usual.get(hour)
        if count is not None:
            found.setdefault(each.key, []).append(count.flow)
    return {key: float(np.mean(flows)) for key, flows in found.items()}


def fit_tables(fitted: Fitted, zones: Zones) -> dict[str, pa.Table]:
    """How well counts are met before and after, hour by hour, and how trips changed, pair by pair, the most first.

    unreached: counts that no trip passes. geh_met: % of counts with a GEH below 5. changed: % of the trips of before.
    """
    rows: Rows = []
    trips: Rows = []
    for hour, found in fitted.fits.items():
        before, after = fitted.before[hour], fitted.after[hour]
        rows.append(
            {
                "hour": hour, "counts": len(found.counts), "unreached": len(found.unreached),
                "rmse_prior": round(rmse(found.before, found.counts), 2), "rmse": round(found.rmse, 2),
                "geh_met_prior": _met(found.before, found.counts), "geh_met": _met(found.after, found.counts),
                "trips_prior": round(float(before.sum()), 1), "trips": round(float(after.sum()), 1),
                "changed": round(100 * found.changed, 2),
            }
        )  # fmt: skip
        origin, destination = np.nonzero(before)
        most = np.argsort(-np.abs(after - before)[origin, destination], kind="stable")
        for a, b in zip(origin[most].tolist(), destination[most].tolist(), strict=True):
            if len(trips) == MOST_ROWS:
                break
            trips.append(
                {
                    "hour": hour, "origin": zones.ids[a], "origin_name": zones.names[a], "destination": zones.ids[b],
                    "destination_name": zones.names[b], "trips_prior": round(float(before[a, b]), 3),
                    "trips": round(float(after[a, b]), 3),
                }
            )  # fmt: skip
    numbers = ("rmse_prior", "rmse", "geh_met_prior", "geh_met", "trips_prior", "trips", "changed")
    texts = ("origin", "origin_name", "destination", "destination_name")
    whole = dict.fromkeys(("hour", "counts", "unreached"), pa.int64())
    return {
        "fit": typed(rows, **whole, **dict.fromkeys(numbers, pa.float64())),
        "fitted_trips": typed(
            trips, hour=pa.int64(), **dict.fromkeys(texts, pa.string()), trips_prior=pa.float64(), trips=pa.float64()
        ),
    }


def _met(flow: Floats, count: Floats) -> float:
    return round(100 * float((geh(flow, count) < GOOD_GEH).mean()), 1)


def fit_indicators(fitted: Fitted, number: Callable[[float, str, str, str], dict[str, Any]]) -> dict[str, Any]:
    """Root mean square error of all hours before and after, and by how much trips changed."""
    counts, before, after = (
        np.concatenate([getattr(each, name) for each in fitted.fits.values()]) for name in ("counts", "before", "after")
    )
    moved = sum(float(np.abs(fitted.after[hour] - fitted.before[hour]).sum()) for hour in fitted.fits)
    trips = sum(float(each.sum()) for each in fitted.before.values())
    return {
        "counts_rmse_prior": number(
            rmse(before, counts), "1/h", "计数均方根误差（校正前）", "RMSE of counts, before the fit"
        ),
        "counts_rmse": number(rmse(after, counts), "1/h", "计数均方根误差（校正后）", "RMSE of counts, after the fit"),
        "trips_changed": number(100 * moved / trips, "%", "出行改动比例", "Trips changed by the fit"),
    }
