"""$batch: many requests in one, as JSON (OData JSON Format 4.01, 19; OGC 18-088, 11)."""

import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from itertools import groupby
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
# What does calls in one transaction, which any exception undoes.
Together = Callable[[], AbstractAsyncContextManager[Do]]


@dataclass(frozen=True)
class Single:
    """A request of a batch. group: of those that are done all or not at all. needs: ids and groups to come before."""

    id: str
    group: str | None
    method: str
    url: str
    body: Any
    needs: tuple[str, ...]


async def answer_batch(call: Call, do: Do, together: Together) -> Answer:
    """Answer each request in turn; one that depends on one that failed is not done. Raises BadEntity."""
    requests = _read(call.json())
    done: dict[str, Answer] = {}
    succeeded: set[str] = set()
    for name, run in groupby(requests, key=lambda each: each.group or each.id):
        members = list(run)
        if missed := _missed(members, succeeded):
            answers = {each.id: missed for each in members}
        elif members[0].group is None:
            answers = {name: await _one(members[0], done, do)}
        else:
            answers = await _all_or_none(members, done, together)
        done |= answers
        if all(answer.status < 400 for answer in answers.values()):
            succeeded |= {name, *answers}
    return Answer(body={"responses": [_told(each, done[each.id]) for each in requests]})


async def _one(each: Single, done: Mapping[str, Answer], do: Do) -> Answer:
    try:
        return await do(_call(each, done))
    # Whatever it was, the others are to be answered; the table of errors says how it is told.
    except Exception as error:
        return _failed(error)


async def _all_or_none(members: list[Single], done: Mapping[str, Answer], together: Together) -> dict[str, Answer]:
    """The answers of a group: of each, or of the one that failed and of the others that it undid."""
    answers: dict[str, Answer] = {}
    current = None
    try:
        async with together() as do:
            for current in members:
                answers[current.id] = await do(_call(current, {**done, **answers}))
    except Exception as error:
        failed = _failed(error)
        undone = Answer(424, {"status": 424, "detail": "undone, as another request of its group failed"})
        return {each.id: failed if current in (None, each) else undone for each in members}
    return answers


def _missed(requests: list[Single], succeeded: set[str]) -> Answer | None:
    """What is told where something that must come before, other than among these, has not been done."""
    needed = {name for each in requests for name in each.needs} - {each.id for each in requests}
    missing = sorted(needed - succeeded)
    return Answer(424, {"detail": f"{missing[0]} was not done"}) if missing else None


def _failed(error: Exception) -> Answer:
    problem = problem_of(error)
    return Answer(problem.status, {"status": problem.status, "detail": problem.detail})


def _read(body: Any) -> list[Single]:
    """The requests, before any of them is done. Raises BadEntity."""
    requests = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(requests, list) or len(requests) > MAX_REQUESTS:
        raise BadEntity(f"requests: a list of at most {MAX_REQUESTS} is wanted")
    found = [_single(each) for each in requests]
    runs = [group for group, _ in groupby(found, key=lambda each: each.group) if group is not None]
    names = [*(each.id for each in found), *runs]
    if repeated := next((name for name in names if names.count(name) > 1), None):
        raise BadEntity(f"requests: {repeated[:40]!r} names two; each id is one's own, and a group stands together")
    return found


def _single(given: Any) -> Single:
    if not isinstance(given, dict) or not isinstance(given.get("url"), str):
        raise BadEntity("requests: each has an id, a method and a url")
    name, method = str(given.get("id", "")), str(given.get("method", "")).upper()
    if not name or method not in METHODS:
        raise BadEntity(f"requests: each has an id, and a method of {', '.join(METHODS)}")
    group, needs = given.get("atomicityGroup"), given.get("dependsOn") or []
    if not (group is None or (isinstance(group, str) and group)):
        raise BadEntity("atomicityGroup: a name is wanted")
    if not isinstance(needs, list) or not all(isinstance(each, str) for each in needs):
        raise BadEntity("dependsOn: a list of ids is wanted")
    return Single(name, group, method, given["url"], given.get("body"), tuple(needs))


def _call(each: Single, done: Mapping[str, Answer]) -> Call:
    """The request, with what earlier ones created in the place of their ids."""
    url = _relative(each.url)
    body = orjson.dumps(each.body)
    for reference in REFERENCE.findall(url):
        if reference in done:
            url = url.replace(f"${reference}", _path_of(done[reference]), 1)
    for reference, answer in done.items():
        # "$1" as an id stands for the entity that request 1 created.
        body = body.replace(f'"${reference}"'.encode(), _path_of(answer).rpartition("(")[2].rstrip(")").encode())
    path, _, query = url.partition("?")
    return Call(each.method, path, query, body)


def _relative(url: str) -> str:
    root = ROOT.search(url)
    return url[root.end() :] if root else url.removeprefix("/")


def _path_of(answer: Answer) -> str:
    return answer.headers.get("Location", "").rpartition("/")[2]


def _told(each: Single, answer: Answer) -> dict[str, Any]:
    told: dict[str, Any] = {"id": each.id, "status": answer.status}
    if each.group is not None:
        told["atomicityGroup"] = each.group
    if answer.headers:
        told["headers"] = {key.lower(): value for key, value in answer.headers.items()}
    if answer.body is not None:
        told["body"] = answer.body.decode() if isinstance(answer.body, bytes) else answer.body
    return told
