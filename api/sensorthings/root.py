"""The service's front page: its entity sets, what it conforms to, its limits and its broker (OGC 18-088, 9.2.1)."""

from typing import Any

from twin.sensing.model import TYPES
from twin.sensing.odata.options import DEFAULT_TOP, MAX_EXPAND_DEPTH, MAX_EXPANDS, MAX_TOP

REQUIREMENTS = "http://www.opengis.net/spec/iot_sensing/1.1/req/"
CONFORMANCE = (
    *(f"datamodel/{name}" for name in (
        "thing", "location", "historical-location", "datastream", "sensor", "observed-property", "observation",
        "feature-of-interest", "entity-control-information",
    )),
    "resource-path/resource-path-to-entities",
    *(f"request-data/{name}" for name in (
        "order", "expand", "select", "status-code", "query-status-code", "orderby", "top", "skip", "count", "filter",
        "built-in-filter-operations", "built-in-query-functions", "pagination",
    )),
    *(f"create-update-delete/{name}" for name in (
        "create-entity", "link-to-existing-entities", "deep-insert", "deep-insert-status-code", "update-entity",
        "delete-entity", "historical-location-auto-creation",
    )),
    "batch-request/batch-request",
    "multi-datastream/properties",
    "multi-datastream/relations",
    "multi-datastream/constraints",
    "data-array/data-array",
    "create-observations-via-mqtt/observations-creation",
    "receive-updates-via-mqtt/receive-updates",
)  # fmt: skip
MQTT = tuple(each for each in CONFORMANCE if "mqtt" in each)


def front_page(base: str, broker: str | None) -> dict[str, Any]:
    """broker: address of the MQTT broker that clients may use; None where there is none."""
    offered = [f"{REQUIREMENTS}{each}" for each in CONFORMANCE if broker is not None or each not in MQTT]
    settings: dict[str, Any] = {
        "conformance": offered,
        "limits": {
            "top": MAX_TOP,
            "defaultTop": DEFAULT_TOP,
            "expands": MAX_EXPANDS,
            "expandDepth": MAX_EXPAND_DEPTH,
        },
    }
    if broker is not None:
        for each in MQTT:
            settings[f"{REQUIREMENTS}{each}"] = {"endpoints": [broker]}
    return {
        "value": [{"name": each.plural, "url": f"{base}/{each.plural}"} for each in TYPES],
        "serverSettings": settings,
    }
