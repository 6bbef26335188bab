"""Figures for Prometheus: requests by operation, never by address, so that their number stays small."""

import os
from functools import cache

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

SECONDS = (0.001, 0.005, 0.02, 0.05, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
CONTENT_TYPE = CONTENT_TYPE_LATEST

REQUESTS = Counter("citytwin_requests", "Requests answered", ("operation", "status"))
DURATION = Histogram("citytwin_request_seconds", "Time to the whole answer", ("operation",), buckets=SECONDS)


def count(operation: str, status: int, seconds: float) -> None:
    """Count an answered request."""
    requests, duration = _figures(operation, f"{status // 100}xx")
    requests.inc()
    duration.observe(seconds)


@cache
def _figures(operation: str, status: str) -> tuple[Counter, Histogram]:
    # To look a labelled figure up takes longer than to count with it.
    return REQUESTS.labels(operation, status), DURATION.labels(operation)


def exposition() -> bytes:
    """All figures; of every server process where they share PROMETHEUS_MULTIPROC_DIR."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
