"""The one table from what can go wrong to what a client is told."""

from dataclasses import dataclass

import asyncpg
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from api import ApiError
from api.problem import Problem
from cim_models.base import CityModelError
from cim_models.database import NoCity
from layers import LayerError
from layers.access import Forbidden
from layers.catalog import LayerNotFound
from layers.content import ContentError
from layers.edit import Conflict, EditError, PlanNotFound
from layers.features import ObjectNotFound
from layers.formats.write import TooMuch
from layers.style import StyleNotFound
from layers.timeline import NoStateThen, SpansOverlap
from tiles import TileError
from tiles.coverage import CellsUnreadable
from tiles.map import BadMap
from tiles.matrix import TileOutOfRange
from tiles.remote import NotAllowed, RemoteFailed, RemoteTooSlow
from tiles.studio import Busy, TooSlow
from twin import TwinError
from twin.directory import DirectoryError
from twin.scenarios import NoSuchRun, NoSuchScenario, NotFinished, ScenarioError, TooManyRuns
from twin.scenarios.photos import NoSuchPhoto, TooManyPhotos
from twin.sensing import EntityNotFound, Overloaded, SensingError, Unsupported


class BadRequest(ApiError):
    """A parameter or body that cannot be read."""


class NotFound(ApiError):
    """Nothing is at that address."""


class Unauthorized(ApiError):
    """A token that is unknown, expired or revoked, or an action that needs one."""


class MethodNotAllowed(ApiError):
    """What is there cannot be asked for like this."""

    def __init__(self, detail: str, *, allowed: str) -> None:
        super().__init__(detail)
        self.allowed = allowed


class TooLarge(ApiError):
    """A body over the limit."""


class TooLong(ApiError):
    """An address over the limit."""


class UnsupportedMediaType(ApiError):
    """A body of a kind that is not read here."""


class RunFailed(ApiError):
    """A job that has failed, asked for its results."""


class PreconditionFailed(ApiError):
    """The object is not as the client believes."""


class PreconditionRequired(ApiError):
    """A change that does not say which state of the object it is made to."""


@dataclass(frozen=True)
class Answer:
    """How a family of exceptions is told. detail: said instead of the exception's own words, which stay in the log."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    detail: str | None = None
    type: str = "about:blank"


# Exceptions that OGC API Processes names (18-062r2).
PROCESSES = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0"
RETRY = (("Retry-After", "1"),)
UNREACHABLE = Answer(503, RETRY, "the city's database does not answer")
FAILED = Answer(500, detail="the server failed; its log tells why under this request_id")

# Special before general: the first entry that fits is taken.
ANSWERS: tuple[tuple[type[BaseException], Answer], ...] = (
    (NotFound, Answer(404)),
    (LayerNotFound, Answer(404)),
    (ObjectNotFound, Answer(404)),
    (StyleNotFound, Answer(404)),
    (Unauthorized, Answer(401, (("WWW-Authenticate", 'Bearer realm="citytwin"'),))),
    (Forbidden, Answer(403)),
    (PreconditionFailed, Answer(412)),
    (PreconditionRequired, Answer(428)),
    (TooLarge, Answer(413)),
    (TooMuch, Answer(413)),
    (TooLong, Answer(414)),
    (UnsupportedMediaType, Answer(415)),
    (Conflict, Answer(409)),
    (PlanNotFound, Answer(400)),
    (ContentError, Answer(422)),
    (EditError, Answer(422)),
    (NoStateThen, Answer(422)),
    (SpansOverlap, Answer(422)),
    (EntityNotFound, Answer(404)),
    (NoSuchScenario, Answer(404, type=f"{PROCESSES}/no-such-process")),
    (NoSuchRun, Answer(404, type=f"{PROCESSES}/no-such-job")),
    (NoSuchPhoto, Answer(404)),
    (TooManyPhotos, Answer(429, (("Retry-After", "3600"),))),
    (NotFinished, Answer(404, type=f"{PROCESSES}/result-not-ready")),
    (TooManyRuns, Answer(429, (("Retry-After", "30"),))),
    (ScenarioError, Answer(400)),
    (RunFailed, Answer(422)),
    (Overloaded, Answer(503, RETRY)),
    (Unsupported, Answer(501)),
    (SensingError, Answer(400)),
    (ApiError, Answer(400)),
    (RequestValidationError, Answer(400, detail="the address holds something that is no number")),
    (LayerError, Answer(400)),
    (NoCity, UNREACHABLE),
    (DirectoryError, UNREACHABLE),
    (TileOutOfRange, Answer(404)),
    (CellsUnreadable, Answer(404)),
    (BadMap, Answer(400)),
    (Busy, Answer(503, RETRY)),
    (TooSlow, Answer(503, RETRY)),
    (asyncpg.QueryCanceledError, Answer(503, RETRY, "this takes too long; ask for less: a smaller bbox or a filter")),
    (TimeoutError, Answer(503, RETRY, "the server is busy; try again")),
    (asyncpg.TooManyConnectionsError, Answer(503, RETRY, "the server is busy; try again")),
    (asyncpg.DeadlockDetectedError, Answer(503, RETRY, "somebody else changes the same just now; try again")),
    # What a filter computes from the data: a number out of range, a text that is no number.
    (asyncpg.DataError, Answer(400, detail="the filter computes a value that is out of range")),
    (asyncpg.PostgresConnectionError, UNREACHABLE),
    (asyncpg.CannotConnectNowError, UNREACHABLE),
    (asyncpg.AdminShutdownError, UNREACHABLE),
    (asyncpg.InvalidCatalogNameError, UNREACHABLE),
    (asyncpg.InterfaceError, UNREACHABLE),
    (OSError, UNREACHABLE),
    (NotAllowed, Answer(403)),
    (RemoteTooSlow, Answer(504)),
    (RemoteFailed, Answer(502)),
    (CityModelError, FAILED),
    (TileError, FAILED),
    (TwinError, FAILED),
)


def problem_of(error: BaseException) -> Problem:
    """What a client is told of an exception; 500 without a word of it if nobody foresaw it."""
    if isinstance(error, HTTPException):
        return Problem(error.status_code, error.detail, error.headers or {})
    if isinstance(error, MethodNotAllowed):
        return Problem(405, str(error), {"Allow": error.allowed})
    answer = next((answer for family, answer in ANSWERS if isinstance(error, family)), FAILED)
    return Problem(answer.status, answer.detail or str(error), dict(answer.headers), answer.type)
