"""User equilibrium on link flows: bi-conjugate Frank-Wolfe (Mitradjieva & Lindberg 2013), for little memory."""

import time as clock
from collections.abc import Callable

import numpy as np

from twin.traffic.equilibrium import Found, Pairs, Told, Trees
from twin.traffic.errors import Cancelled
from twin.traffic.graph import Compact
from twin.traffic.kernels.delays import update
from twin.traffic.kernels.loading import load_trees
from twin.traffic.network import Floats

# Steps nearer to the corner than this end a direction's life.
WHOLE = 0.99999


def on_links(
    graph: Compact,
    pairs: Pairs,
    *,
    gap: float,
    most: int,
    threads: int,
    told: Told | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[Found, None, Floats]:
    """Equilibrium to a relative gap, or as near as `most` rounds bring it; flows of each class."""
    began = clock.perf_counter()
    links, rows = len(graph.delays.kind), len(graph.fixed)
    trees = Trees(graph, pairs, threads)
    reach = np.isfinite(graph.fixed)
    fixed = np.where(reach, graph.fixed, 0.0)
    time, slope = np.empty(links), np.empty(links)
    found = Found(np.zeros(links), time, np.empty(len(pairs.demand)))

    def set_times(flows: Floats) -> None:
        update(graph.delays, flows.sum(axis=0), time, slope)

    def all_or_nothing() -> Floats:
        flows = np.zeros((rows, links))
        for part in trees.batches():
            dist, pred = trees.grow(part, time + graph.fixed)
            firsts = pairs.ends_first[part.start : part.stop + 1]
            load_trees(
                dist, pred, graph.graph.tail, pairs.ends, firsts, pairs.rows[part], pairs.demand, found.least, flows
            )
        return flows

    set_times(np.zeros((rows, links)))
    flows = all_or_nothing()
    older: list[Floats] = []
    step = 1.0
    for number in range(most):
        set_times(flows)
        target = all_or_nothing()
        served = np.isfinite(found.least)
        found.total_cost = float((flows * (time + fixed)).sum())
        least = float(pairs.demand[served] @ found.least[served])
        found.gap = (found.total_cost - least) / found.total_cost if found.total_cost > 0 else 0.0
        found.history.append((clock.perf_counter() - began, found.gap))
        if told is not None:
            told(found.gap, number)
        if found.gap <= gap:
            break
        if cancelled is not None and cancelled():
            raise Cancelled(f"stopped at a gap of {found.gap:.1e} as asked")
        point = _conjugate(flows, target, older, slope, step)
        if ((point - flows) * (time + fixed)).sum() >= 0:
            point, older = target, []
        step = _line_search(graph, flows, point, fixed)
        # Two points are remembered, and none from before a step to the corner.
        older = [point, *older[:1]] if step < WHOLE else []
        flows = np.maximum(flows + step * (point - flows), 0.0)
    found.flow = flows.sum(axis=0)
    return found, None, flows


def _conjugate(flows: Floats, target: Floats, older: list[Floats], slope: Floats, step: float) -> Floats:
    """The point to go towards, so that the direction is conjugate to the last one or two by the Hessian."""
    if not older:
        return target

    def product(a: Floats, b: Floats) -> float:
        # The Hessian is that of the classes' sum.
        return float((a.sum(axis=0) * slope) @ b.sum(axis=0))

    towards = target - flows
    last = older[0] - flows
    if len(older) == 1:
        below = product(last, target - older[0])
        share = product(last, towards) / below if below else 0.0
        share = min(max(share, 0.0), WHOLE)
        return share * older[0] + (1 - share) * target
    before = step * older[0] + (1 - step) * older[1] - flows
    below_mu, below_nu = product(before, older[1] - older[0]), product(last, last)
    if not below_mu or not below_nu:
        return target
    mu = max(0.0, -product(before, towards) / below_mu)
    nu = max(0.0, -product(last, towards) / below_nu + mu * step / (1 - step))
    return (target + nu * older[0] + mu * older[1]) / (1 + mu + nu)


def _line_search(graph: Compact, flows: Floats, point: Floats, fixed: Floats) -> float:
    """The share of the way at which the objective is least: a root of its slope, by safeguarded Newton steps."""
    way = point - flows
    total, total_way = flows.sum(axis=0), way.sum(axis=0)
    still = float((way * fixed).sum())
    time, slope = np.empty(len(total)), np.empty(len(total))
    low, high, at = 0.0, 1.0, 1.0
    for _ in range(60):
        update(graph.delays, np.maximum(total + at * total_way, 0.0), time, slope)
        rise = float(total_way @ time) + still
        if at == 1.0 and rise <= 0:
            return 1.0
        low, high = (low, at) if rise > 0 else (at, high)
        curve = float((total_way * total_way) @ slope)
        new = at - rise / curve if curve > 0 else -1.0
        new = new if low < new < high else 0.5 * (low + high)
        if abs(new - at) < 1e-13:
            break
        at = new
    return new
