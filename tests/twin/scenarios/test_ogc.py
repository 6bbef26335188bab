"""OGC API Processes Part 1 (18-062r2), clause by clause, and OWSLib's client from outside."""

import json
import re
from importlib.resources import files
from typing import Any

import httpx
import owslib.ogcapi
import pytest
from jsonschema import Draft4Validator, Draft202012Validator
from openapi_schema_validator import OAS30Validator
from owslib.ogcapi.processes import Processes

from tests.twin.scenarios.conftest import Hook

CONF = "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf"
OPENAPI = json.loads((files("openapi_spec_validator") / "resources/schemas/v3.0/schema.json").read_text())
# schema.yaml of 18-062r2 is OpenAPI 3.0's schema object without its extensions.
DIALECT = Draft4Validator({"$ref": "#/definitions/Schema", "definitions": OPENAPI["definitions"]})
EXCEPTIONS = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0"


def read(hook: Hook, path: str, **headers: str) -> httpx.Response:
    return httpx.get(hook.url + path, headers=headers)


def test_the_service_says_what_it_follows(hook: Hook) -> None:
    conforms = read(hook, "/conformance").json()["conformsTo"]
    for part in ("core", "ogc-process-description", "json", "html", "oas30", "job-list", "callback", "dismiss"):
        assert f"{CONF}/{part}" in conforms
    links = {each["rel"]: each["href"] for each in read(hook, "/?f=json").json()["links"]}
    assert links["http://www.opengis.net/def/rel/ogc/1.0/processes"] == f"{hook.url}/processes"
    assert links["http://www.opengis.net/def/rel/ogc/1.0/job-list"] == f"{hook.url}/jobs"


def test_a_process_is_described(hook: Hook) -> None:
    """7.9 and 7.10: every summary leads to its description, whose inputs are JSON schemas that hold."""
    for summary in read(hook, "/processes").json()["processes"]:
        told = read(hook, f"/processes/{summary['id']}").json()
        assert {"id", "version", "title", "jobControlOptions", "outputTransmission", "inputs", "outputs"} <= told.keys()
        for name, each in told["inputs"].items():
            whole = each["twin"]["schema"]
            Draft202012Validator.check_schema(whole)
            assert "$ref" not in str(whole), name
            assert set(whole["x-title"]) == {"zh", "en"}
            DIALECT.validate(each["schema"])
            assert not re.search(r"'(x-\w+|const|prefixItems)':", str(each["schema"])), name
        for preset in told["twin"]["presets"].values():
            for name, value in preset["inputs"].items():
                Draft202012Validator(told["inputs"][name]["twin"]["schema"]).validate(value)
                OAS30Validator(told["inputs"][name]["schema"]).validate(value)
    assert read(hook, "/processes/echo", **{"Accept-Language": "zh"}).json()["title"] == "回声"
    for path in ("/processes", "/processes/echo", "/jobs"):
        assert read(hook, path, Accept="text/html").headers["content-type"].startswith("text/html")


def test_processes_come_by_the_page(hook: Hook) -> None:
    """7.9.2: no more than `limit`, and a link to where the list goes on."""
    every = [each["id"] for each in read(hook, "/processes").json()["processes"]]
    found, address = [], "/processes?limit=1"
    while address:
        page = read(hook, address).json()
        assert len(page["processes"]) == 1
        found.append(page["processes"][0]["id"])
        following = [link["href"] for link in page["links"] if link["rel"] == "next"]
        address = following[0].removeprefix(hook.url) if following else ""
    assert found == every
    assert read(hook, "/processes?limit=0").status_code == 400


def test_a_refusal_is_plain_json_for_who_takes_nothing_else(hook: Hook) -> None:
    for accepted, kind in (
        ("application/json", "application/json"),
        ("application/json, application/problem+json", "application/problem+json"),
        ("application/json, */*;q=0.5", "application/problem+json"),
        ("text/html", "application/problem+json"),
    ):
        answer = read(hook, "/processes/none", Accept=accepted)
        assert (answer.status_code, answer.headers["content-type"]) == (404, kind)


def test_what_is_not_there_has_the_standards_type(hook: Hook) -> None:
    for path, kind in (
        ("/processes/none", "no-such-process"),
        ("/jobs/none", "no-such-job"),
        ("/jobs/00000000-0000-0000-0000-000000000000", "no-such-job"),
        ("/jobs/none/results", "no-such-job"),
    ):
        answer = read(hook, path)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"] == f"{EXCEPTIONS}/{kind}"


def test_synchronous_execution_answers_with_the_result(hook: Hook) -> None:
    """7.11.4: raw by default, a document where one is asked for."""
    body: dict[str, Any] = {"inputs": {"text": "now", "place": {"value": {"type": "Point", "coordinates": [121, 28]}}}}
    raw = hook.ask("POST", "/processes/echo/execution", json=body)
    assert raw.status_code == 200, raw.text
    assert raw.json()["indicators"]["place"] == {"type": "Point", "coordinates": [121, 28]}
    document = hook.ask("POST", "/processes/echo/execution", json=body | {"response": "document"})
    assert document.json()["result"]["value"]["indicators"]["text"] == "now"
    failed = hook.ask("POST", "/processes/echo/execution", json={"inputs": {"refuse": True, "text": "no"}})
    assert failed.status_code == 422
    assert failed.json()["detail"] == "no: refused, as asked for"


def test_the_echo_serves_the_suite_of_the_ogc(hook: Hook) -> None:
    """ets-ogcapi-processes10 writes `teststring` into each input that is a string, and has runs `pause`."""
    told = read(hook, "/processes/echo").json()["inputs"]
    inputs = {name: "teststring" for name, each in told.items() if each["schema"].get("type") == "string"}
    answer = hook.ask("POST", "/processes/echo/execution", json={"inputs": inputs, "outputs": {}, "response": "raw"})
    assert answer.status_code == 200, answer.text
    assert "teststring" in answer.text
    hook.ask("DELETE", f"/jobs/{hook.run(inputs | {'pause': 5})}")


def test_results_come_when_they_are_there(hook: Hook) -> None:
    """7.13.3: not ready is told as such; a failed job tells why."""
    job = hook.run({"pause": 20})
    answer = hook.ask("GET", f"/jobs/{job}/results")
    assert (answer.status_code, answer.json()["type"]) == (404, f"{EXCEPTIONS}/result-not-ready")
    hook.ask("DELETE", f"/jobs/{job}")
    job = hook.run({"text": "later"}, response="raw")
    links = {each["rel"]: each["href"] for each in hook.until(job)["links"]}
    results = httpx.get(links["http://www.opengis.net/def/rel/ogc/1.0/results"])
    # Read by anybody: the echo has read nothing that the public may not.
    assert results.json()["indicators"]["text"] == "later"
    failed = hook.run({"fail": True})
    hook.until(failed)
    assert hook.ask("GET", f"/jobs/{failed}/results").status_code == 422


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"inputs": {"number": "many"}}, "number"),
        ({"inputs": {"nothing": 1}}, "nothing"),
        ({"inputs": {"pause": -1}}, "pause"),
        ({"inputs": {"text": {"href": "http://example.org"}}}, "text"),
        ({"inputs": []}, "inputs"),
        ([], "object"),
        ({"outputs": {"other": {}}}, "outputs"),
        ({"outputs": {"result": {"transmissionMode": "reference"}}}, "by value"),
        ({"response": "cooked"}, "response"),
        ({"subscriber": {}}, "successUri"),
        ({"other": 1}, "other"),
    ],
)
def test_what_cannot_be_run_is_refused_with_its_field(hook: Hook, body: Any, told: str) -> None:
    answer = hook.ask("POST", "/processes/echo/execution", json=body)
    assert answer.status_code == 400
    assert told in answer.json()["detail"]


def test_only_who_may_run_runs(hook: Hook) -> None:
    assert httpx.post(f"{hook.url}/processes/echo/execution", json={}).status_code == 401
    for token in (hook.tokens.township, hook.tokens.utility):
        assert hook.ask("POST", "/processes/echo/execution", token=token, json={}).status_code == 403
    # Its name needs no grant to be known.
    assert hook.ask("POST", "/processes/none/execution", json={}).status_code == 404


def test_jobs_are_listed_and_filtered(hook: Hook) -> None:
    """11: by process, status, time and duration; the newest first, in pages."""
    jobs = [hook.run({"text": str(n)}) for n in range(2)]
    for job in jobs:
        hook.until(job)
    listed = hook.ask("GET", "/jobs?processID=echo&status=successful,failed&datetime=2020-01-01/..&limit=1").json()
    assert [each["jobID"] for each in listed["jobs"]] == [jobs[1]]
    following = next(each["href"] for each in listed["links"] if each["rel"] == "next")
    assert [each["jobID"] for each in hook.ask("GET", following.removeprefix(hook.url)).json()["jobs"]] == [jobs[0]]
    assert hook.ask("GET", "/jobs?processID=none").json()["jobs"] == []
    assert hook.ask("GET", "/jobs?minDuration=1000").json()["jobs"] == []
    for query in ("status=lost", "limit=0", "minDuration=x", "type=service", "datetime=x"):
        assert hook.ask("GET", f"/jobs?{query}").status_code == 400


def test_owslib_runs_a_process(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    # OWSLib adds a client's headers to those of every client: the token would go to other tests' servers too.
    monkeypatch.setattr("owslib.ogcapi.REQUEST_HEADERS", dict(owslib.ogcapi.REQUEST_HEADERS))
    headers = {"Authorization": f"Bearer {hook.tokens.editor}", "Content-Type": "application/json"}
    client = Processes(f"{hook.url}/", headers=headers)
    assert "echo" in {process["id"] for process in client.processes()}
    assert client.process("echo")["inputs"]["text"]["schema"]["type"] == "string"
    found = client.execute("echo", inputs={"text": "by OWSLib"})
    assert found["result"]["value"]["indicators"]["text"] == "by OWSLib"
