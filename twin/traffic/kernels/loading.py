"""All-or-nothing loading: every pair on its shortest path."""

# Compiled loops take arrays by position.
# ruff: noqa: PLR0917

import numpy as np
from numba import njit

from twin.traffic.kernels.delays import COMPILED


@njit(**COMPILED)
def load_trees(dist, pred, tail, ends, ends_first, rows, demand, least, flows):  # type: ignore[no-untyped-def]
    """Add the demand of some roots along their trees to flows [class, link], and note least costs (s)."""
    for n in range(dist.shape[0]):
        for pair in range(ends_first[n], ends_first[n + 1]):
            node = ends[pair]
            least[pair] = dist[n, node]
            if least[pair] == np.inf:
                continue
            while pred[n, node] != -1:
                flows[rows[n], pred[n, node]] += demand[pair]
                node = tail[pred[n, node]]
