"""The OpenAPI 3.0 document: FastAPI's, with the raw routes, problems and tokens that FastAPI does not know."""

import re
from copy import deepcopy
from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api import tiles
from api.gateway import is_server_wide
from api.links import JSON
from api.problem import MEDIA_TYPE
from cim_models import __version__

# OGC API Features Part 1, class oas30, is about 3.0; FastAPI writes 3.1 unless told.
OPENAPI_VERSION = "3.0.3"
# Under these tags, what is no plain read writes and needs a token; a question may be POSTed by anybody.
WRITING = {"Editing", "Events", "Scenarios", "Sensors"}
PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "request_id": {"type": "string"},
    },
}
REFUSAL = {
    "description": "A refusal, as RFC 9457 problem details",
    "content": {kind: {"schema": {"$ref": "#/components/schemas/Problem"}} for kind in (MEDIA_TYPE, JSON)},
}


def openapi_document(app: FastAPI, *, title: str, address: str, whole_server: bool) -> dict[str, Any]:
    """The document of a city's service at `address`; whole_server: with what concerns all cities."""
    described = _described(app)
    paths = {path: item for path, item in described["paths"].items() if whole_server or not is_server_wide(path)}
    return described | {"info": {"title": title, "version": __version__}, "servers": [{"url": address}], "paths": paths}


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    """One row for each operation, for the page."""
    return [
        {
            "method": method.upper(),
            "path": path,
            "summary": operation.get("description") or operation["summary"],
            "secured": "security" in operation,
            "parameters": [p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"],
        }
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]


@cache
def _described(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title="", version="", openapi_version=OPENAPI_VERSION, routes=app.routes)
    document["paths"] |= deepcopy(tiles.PATHS)
    for path, item in document["paths"].items():
        for method, operation in item.items():
            # FastAPI documents its own validation, which is not used here.
            operation["responses"].pop("422", None)
            operation["responses"].setdefault("default", REFUSAL)
            _name_places(path, operation)
            if method != "get" and WRITING & set(operation.get("tags", ())):
                operation["security"] = [{"token": []}]
    document["components"] = {
        "schemas": {"Problem": PROBLEM},
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
    }
    return document


def _name_places(path: str, operation: dict[str, Any]) -> None:
    """The parameters in an address that a handler reads by itself, which FastAPI does not know of."""
    parameters = operation.setdefault("parameters", [])
    known = {parameter["name"] for parameter in parameters if parameter["in"] == "path"}
    for name in re.findall(r"\{(\w+)\}", path):
        if name not in known:
            parameters.append({"name": name, "in": "path", "required": True, "schema": {"type": "string"}})
