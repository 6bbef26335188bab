"""$batch: many requests in one, as JSON (OData JSON Format 4.01, 19; OGC 18-088, 11)."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from api.errors import problem_of
from api.sensorthings.call import Answer, Call
from api.sensorthings.service import ROOT
from twin.sensing import BadEntity

MAX_REQUESTS = 1_000
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
REFERENCE = re.compile(r"\$(\w+)")

Do = Callable[[Call], Awaitable[Answer]]


async def answer_batch(call: Call, do: Do) -> Answer:
    """Answer each request in turn; one that depends on one that failed is not done. Raises BadEntity."""
    body = call.json()
    requests = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(requests, list) or len(requests) > MAX_REQUESTS:
        raise BadEntity(f"requests: a list of at most {MAX_REQUESTS} is wanted")
    done: dict[str, Answer] = {}
    responses = []
    for each in requests:
        name, single = _read(each, done)
        if name in done:
            raise BadEntity(f"requests: two have the id {name[:40]!r}")
        failed = [needed for needed in each.get("dependsOn", ()) if needed not in done or done[needed].status >= 400]
        answer = Answer(424, {"detail": f"{failed[0]} was not done"}) if failed else await _one(single, do)
        done[name] = answer
        responses.append(_told(name, answer))
    return Answer(body={"responses": responses})


async def _one(call: Call, do: Do) -> Answer:
    try:
        return await do(call)
    # Whatever it was, the others are to be answered; the table of errors says how it is told.
    except Exception as error:
        problem = problem_of(error)
        return Answer(problem.status, {"status": problem.status, "detail": problem.detail})


def _read(given: Any, done: dict[str, Answer]) -> tuple[str, Call]:
    if not isinstance(given, dict) or not isinstance(given.get("url"), str):
        raise BadEntity("requests: each has an id, a method and a url")
    name, method = str(given.get("id", "")), str(given.get("method", "")).upper()
    if not name or method not in METHODS:
        raise BadEntity(f"requests: each has an id, and a method of {', '.join(METHODS)}")
    if "atomicityGroup" in given:
        raise BadEntity("atomicityGroup: each request is a transaction of its own here; leave it out")
    url = _relative(given["url"])
    body = orjson.dumps(given.get("body"))
    for reference in REFERENCE.findall(url):
        if reference in done:
            url = url.replace(f"${reference}", _path_of(done[reference]), 1)
    for reference, answer in done.items():
        # "$1" as an id stands for the entity that request 1 created.
        body = body.replace(f'"${reference}"'.encode(), _path_of(answer).rpartition("(")[2].rstrip(")").encode())
    path, _, query = url.partition("?")
    return name, Call(method, path, query, body)


def _relative(url: str) -> str:
    _, found, rest = url.partition(f"{ROOT}/")
    return rest if found else url.removeprefix("/")


def _path_of(answer: Answer) -> str:
    return answer.headers.get("Location", "").rpartition("/")[2]


def _told(name: str, answer: Answer) -> dict[str, Any]:
    told: dict[str, Any] = {"id": name, "status": answer.status}
    if answer.headers:
        told["headers"] = {key.lower(): value for key, value in answer.headers.items()}
    if answer.body is not None:
        told["body"] = answer.body.decode() if isinstance(answer.body, bytes) else answer.body
    return told
