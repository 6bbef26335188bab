"""/processes: what can be run, and running it."""

import asyncio
import secrets
import time
from typing import Any
from uuid import UUID

from fastapi import Request, Response

from api.answers import json_answer, language, wants_html
from api.bodies import read_json
from api.documentation import described, page_or
from api.errors import BadRequest, Unauthorized
from api.exchange import city, exchange
from api.links import HTML, JSON, link
from api.pages import city_title, page
from api.parameters import FORMAT, Parameter, Query, whole_number
from api.processes.documents import OUTPUT, description, spoken, summary
from api.processes.outcome import result_answer
from api.processes.pages import LIMIT, OFFSET, next_link
from api.routing import PartRouter
from api.views import VIEW_PARAMETERS, take_view
from layers.access import Forbidden
from tiles.remote.outside import AllowList
from twin.scenarios.describe import read_inputs
from twin.scenarios.documents import status_of
from twin.scenarios.inputs import Inputs
from twin.scenarios.protocol import Scenario
from twin.scenarios.registry import find_scenario, scenarios
from twin.scenarios.runs import Asked, Run, enqueue, find_run
from twin.settings import Settings

SEED = Parameter[int | None](
    "seed",
    "Of the run's randomness, so that it can be repeated; drawn by default.",
    whole_number(0, 2**53),
    None,
    {"type": "integer", "minimum": 0, "maximum": 2**53},
)
# Who waits for the answer waits so long; then the job goes on, and its address is the answer.
LONGEST_WAIT_S, SPARED_S, LOOK_EVERY_S = 30.0, 5.0, 0.1
MEMBERS = {"inputs", "outputs", "response", "subscriber", "mode"}
QUALIFIED = {"value", "mediaType", "encoding", "schema", "format"}
CALLBACKS = {"successUri", "inProgressUri", "failedUri"}
BODY = {
    "required": True,
    "content": {
        JSON: {
            "schema": {
                "type": "object",
                "properties": {
                    "inputs": {"type": "object"},
                    "outputs": {"type": "object"},
                    "response": {"type": "string", "enum": ["raw", "document"]},
                    "subscriber": {"type": "object"},
                },
            },
            "example": {"inputs": {"text": "hello", "pause": 1}, "response": "document"},
        }
    },
}
STATUS = {"jobID": "6c1c…", "processID": "echo", "type": "process", "status": "accepted", "progress": 0, "links": []}

router = PartRouter(tags=["Scenarios"])


@router.get("/processes", **page_or(LIMIT, OFFSET, operation_id="getProcesses"))
async def processes(request: Request) -> Response:
    """The scenarios that can be run."""
    query = Query(request)
    html, limit, offset = wants_html(request, query.take(FORMAT)), query.take(LIMIT), query.take(OFFSET)
    query.finish()
    base, said = exchange(request).base, language(request)
    known = list(scenarios().values())
    found = [summary(scenario, base, said) for scenario in known[offset : offset + limit]]
    links = [
        link("self", f"{base}/processes?f=json", JSON, "This document"),
        link("alternate", f"{base}/processes?f=html", HTML, "This document as a page"),
    ]
    if offset + limit < len(known):
        links.append(next_link(request, f"{base}/processes", offset + limit, "More of them"))
    if html:
        cards = [{"href": f"{base}/processes/{p['id']}", "title": p["title"], "text": p["description"]} for p in found]
        title = await _city_title(request)
        heading = "情景" if said == "zh" else "Scenarios"
        return page(request, "cards.html", links=links, city_title=title, heading=heading, cards=cards)
    return json_answer({"processes": found, "links": links})


@router.get("/processes/{name}", **page_or(operation_id="getProcess"))
async def process(request: Request, name: str) -> Response:
    """A scenario with its inputs as JSON schemas, and its presets."""
    query = Query(request)
    html = wants_html(request, query.take(FORMAT))
    query.finish()
    scenario, said = find_scenario(name), language(request)
    told = description(scenario, exchange(request).base, said)
    if html:
        rows = [
            (key, " · ".join(filter(None, (each["title"], each["description"], each["twin"]["schema"].get("x-unit")))))
            for key, each in told["inputs"].items()
        ]
        heading, title = spoken(scenario.title, said), await _city_title(request)
        return page(
            request, "facts.html", links=told["links"], city_title=title, heading=heading, facts=rows,
            text=" ".join(filter(None, (told["description"], (told["twin"]["missing"] or {}).get(said)))),
        )  # fmt: skip
    return json_answer(told)


@router.post(
    "/processes/{name}/execution",
    **described(
        "execute", *VIEW_PARAMETERS, SEED, kinds=(JSON,), status=201, title="The job", body=BODY, example=STATUS
    ),
)
async def execution(request: Request, name: str) -> Response:
    """Run a scenario. `Prefer: respond-async` answers at once with the job; otherwise the answer is the result."""
    principal, query = exchange(request).principal, Query(request)
    if principal.is_anonymous:
        raise Unauthorized("running a scenario needs a token: send Authorization: Bearer TOKEN")
    scenario = find_scenario(name)
    catalog = await city(request).catalog()
    if catalog.policy.grant(principal, "run", scenario.name, restricted=False) is None:
        raise Forbidden(f"{principal.name} may not run {scenario.name}")
    # Read to be checked; the run reads it again when it is computed.
    take_view(query, catalog)
    seed = query.take(SEED)
    query.finish()
    settings: Settings = request.app.state.settings
    inputs, response, callback = _read(await read_json(request, JSON), scenario, settings)
    asked = Asked(
        scenario=scenario.name,
        inputs=inputs.model_dump(mode="json"),
        view={key: request.query_params[key] for key in ("datetime", "recorded") if key in request.query_params}
        | ({"plan": int(request.query_params["plan"])} if "plan" in request.query_params else {}),
        seed=secrets.randbelow(2**31) if seed is None else seed,
        principal=principal,
        response=response,
        callback=callback,
    )
    async with city(request).database.writing() as connection:
        run_id = await enqueue(connection, asked, most=settings.jobs_queued)
    if "respond-async" in request.headers.get("prefer", "").lower():
        return await _job(request, run_id, {"Preference-Applied": "respond-async"})
    until = time.monotonic() + min(LONGEST_WAIT_S, settings.request_timeout - SPARED_S)
    while time.monotonic() < until:
        run = await _look(request, run_id)
        if run.is_over:
            return result_answer(run, exchange(request).base)
        await asyncio.sleep(LOOK_EVERY_S)
    return await _job(request, run_id, {})


def _read(body: Any, scenario: Scenario, settings: Settings) -> tuple[Inputs, str, dict[str, str] | None]:
    """Inputs, response and callback of a request to execute (execute.yaml). Raises BadRequest, BadInputs."""
    if not isinstance(body, dict) or not isinstance(body.get("inputs", {}), dict):
        raise BadRequest('the body is an object such as {"inputs": {}}')
    if unknown := body.keys() - MEMBERS:
        raise BadRequest(f"{', '.join(sorted(unknown))[:100]}: unknown; there are {', '.join(sorted(MEMBERS))}")
    outputs = body.get("outputs", {})
    if not isinstance(outputs, dict) or outputs.keys() - {OUTPUT}:
        raise BadRequest(f"outputs: there is one, {OUTPUT}")
    if any(isinstance(each, dict) and each.get("transmissionMode", "value") != "value" for each in outputs.values()):
        raise BadRequest("outputs: results are given by value")
    response = body.get("response", "raw")
    if response not in ("raw", "document"):
        raise BadRequest("response: raw or document is wanted")
    inputs = {name: _value(name, value) for name, value in body.get("inputs", {}).items()}
    return read_inputs(scenario, inputs), response, _callback(body.get("subscriber"), settings)


def _value(name: str, value: Any) -> Any:
    """An input as it is meant: a qualified value is what it holds (qualifiedInputValue.yaml)."""
    if isinstance(value, dict) and "href" in value:
        raise BadRequest(f"{name}: give the value itself, not its address")
    if isinstance(value, dict) and "value" in value and not value.keys() - QUALIFIED:
        return value["value"]
    return value


def _callback(given: Any, settings: Settings) -> dict[str, str] | None:
    if given is None:
        return None
    if not isinstance(given, dict) or not given.get("successUri") or given.keys() - CALLBACKS:
        raise BadRequest("subscriber: successUri is wanted, and inProgressUri and failedUri may be given")
    if settings.callback_key is None:
        raise Forbidden("callbacks are not sent here: the operator has not set TWIN_CALLBACK_KEY")
    allowed = AllowList(settings.remote_hosts, settings.remote_networks)
    for url in given.values():
        allowed.check(str(url))
    return {name: str(url) for name, url in given.items()}


async def _look(request: Request, run_id: UUID) -> Run:
    # Not from a replica, which may not know of it yet.
    async with city(request).database.writing() as connection:
        return await find_run(connection, run_id)


async def _job(request: Request, run_id: UUID, headers: dict[str, str]) -> Response:
    base = exchange(request).base
    told = status_of(await _look(request, run_id), base)
    return json_answer(told, status=201, headers={"Location": f"{base}/jobs/{run_id}", **headers})


async def _city_title(request: Request) -> str:
    title = city_title(await city(request).catalog())
    return title.zh if language(request) == "zh" else title.en
