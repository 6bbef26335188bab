"""Figures for Prometheus: requests by operation, never by address, so that their number stays small."""

import os

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

SECONDS = (0.001, 0.005, 0.02, 0.05, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)

REQUESTS = Counter("citytwin_requests_total", "Requests answered", ("operation", "status"))
DURATION = Histogram("citytwin_request_seconds", "Time to the whole answer", ("operation",), buckets=SECONDS)
BYTES = Counter("citytwin_response_bytes_total", "Bytes of bodies sent", ("operation",))
UNDER_WAY = Gauge("citytwin_requests_in_progress", "Requests not yet answered", multiprocess_mode="livesum")

CONTENT_TYPE = CONTENT_TYPE_LATEST


def exposition() -> bytes:
    """All figures; of every server process where they share PROMETHEUS_MULTIPROC_DIR."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
