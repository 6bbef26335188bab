"""A run as OGC API Processes tells it (18-062r2, statusInfo.yaml), and what it gave."""

from typing import Any

from twin.scenarios.runs import Run

MEDIA_TYPES = {
    "json": "application/json",
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
RESULTS = "http://www.opengis.net/def/rel/ogc/1.0/results"


def status_of(run: Run, base: str) -> dict[str, Any]:
    """The status of a job. base: address of the city."""
    address = f"{base}/jobs/{run.id}"
    links = [
        _link("self", address, "application/json", "This job"),
        _link("monitor", f"{address}/events", "text/event-stream", "Its progress as it is made"),
    ]
    if run.state == "successful":
        links.append(_link(RESULTS, f"{address}/results", "application/json", "Its results"))
    outcome = run.outcome or {}
    told: dict[str, Any] = {
        "jobID": str(run.id),
        "processID": run.scenario,
        "type": "process",
        "status": run.state,
        "progress": round(run.progress * 100),
        "created": _time(run.created_at),
        "updated": _time(run.updated_at),
        "links": links,
        "twin": {
            "scenario": run.scenario,
            "inputs": run.inputs,
            "view": run.view,
            "seed": run.seed,
            "principal": run.principal,
            "message": run.message,
            "attempt": run.attempt,
            "versions": run.versions,
            "changes": run.changes,
            "indicators": run.indicators,
            "layers": outcome.get("layers", []),
            "tables": outcome.get("tables", []),
            "files": list(outcome.get("files", ())),
            "expires": _time(run.expires_at),
        },
    }
    for name, value in (("started", _time(run.started_at)), ("finished", _time(run.finished_at))):
        if value is not None:
            told[name] = value
    if run.message is not None:
        told["message"] = run.message["en"]
    return told


def result_of(run: Run, base: str) -> dict[str, Any]:
    """The one output of a scenario. base: address of the city."""
    outcome, address = run.outcome or {}, f"{base}/jobs/{run.id}"
    return {
        "indicators": run.indicators or {},
        "layers": [layer | {"href": f"{base}/collections/{layer['id']}"} for layer in outcome.get("layers", ())],
        "tables": [
            {"name": name, "href": f"{address}/tables/{name}", "formats": list(MEDIA_TYPES)}
            for name in outcome.get("tables", ())
        ],
        "files": [{"name": name, "href": f"{address}/files/{name}"} for name in outcome.get("files", ())],
    }


def _link(rel: str, href: str, media_type: str, title: str) -> dict[str, str]:
    return {"rel": rel, "href": href, "type": media_type, "title": title}


def _time(moment: Any) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
