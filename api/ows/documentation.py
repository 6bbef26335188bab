"""Operations whose refusals are exception reports, as the OpenAPI document tells of them."""

from collections.abc import Sequence
from typing import Any

from api.documentation import described
from api.parameters import Parameter
from api.problem import MEDIA_TYPE

XML = "application/xml"
REFUSAL: dict[str, Any] = {
    "description": "An exception report (OGC 06-121r3, 8); what comes no further than the door, as problem details",
    "content": {XML: {}, MEDIA_TYPE: {}},
}


def described_with_reports(
    operation_id: str, *parameters: Parameter[Any], kinds: Sequence[str], body: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Arguments of a route whose refusals are reports in XML."""
    found = described(operation_id, *parameters, kinds=kinds, body=body)
    found["responses"]["default"] = REFUSAL
    return found
