"""HTTP to one server: patience where it is busy, and an error that names the cause where it refuses."""

import time
from collections.abc import Mapping
from typing import Any

import httpx

from twin.sdk.errors import (
    NotFound,
    Refused,
    SdkError,
    ServerBusy,
    ServerFault,
    ServerUnreachable,
    WrongRequest,
)

ATTEMPTS = 4
LONGEST_WAIT_S = 10.0
ERRORS: dict[int, type[SdkError]] = {401: Refused, 403: Refused, 404: NotFound, 503: ServerBusy}

Parameters = Mapping[str, str | int | float | None]


class Client:
    """Requests to the server at `url`; one connection pool, closed with `close`."""

    def __init__(self, url: str, token: str | None = None, timeout_s: float = 60.0) -> None:
        self.url = url.rstrip("/")
        headers = {"Accept": "application/json, application/geo+json;q=0.9"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._http = httpx.Client(headers=headers, timeout=timeout_s, follow_redirects=False)

    def get(self, path: str, parameters: Parameters | None = None) -> Any:
        """The JSON document at `path`; parameters that are None are left out. Raises SdkError."""
        given = {name: value for name, value in (parameters or {}).items() if value is not None}
        url = self.url + path
        response = self._patiently(httpx.URL(url, params=given))
        if response.is_success:
            try:
                return response.json()
            except ValueError:
                raise ServerFault(f"{url}: answers with something else than JSON; is it a CityTwin?") from None
        raise ERRORS.get(response.status_code, WrongRequest if response.status_code < 500 else ServerFault)(
            _reason(response)
        )

    def close(self) -> None:
        self._http.close()

    def _patiently(self, url: httpx.URL) -> httpx.Response:
        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS
            try:
                response = self._http.get(url)
            except httpx.ConnectError as error:
                raise ServerUnreachable(
                    f"no server answers at {self.url} ({error}); start it with `twin up`,"
                    " or name another: twin.connect('http://...') or TWIN_URL"
                ) from None
            except httpx.TimeoutException:
                raise ServerBusy(f"{url}: no answer in time; ask for less (bbox, limit) or wait longer") from None
            except httpx.TransportError as error:
                # A server process that is started again cuts its connections.
                if last:
                    raise ServerUnreachable(f"{url}: the connection broke off ({error})") from None
                time.sleep(0.2 * attempt)
                continue
            except httpx.InvalidURL as error:
                raise WrongRequest(f"{url}: {error}") from None
            if response.status_code != 503 or last:
                return response
            time.sleep(_retry_after(response, attempt))
        raise AssertionError


def _retry_after(response: httpx.Response, attempt: int) -> float:
    """Seconds that the server asked to wait (RFC 9110, 10.2.3), or a little longer each time."""
    try:
        seconds = float(response.headers["Retry-After"])
    except (KeyError, ValueError):
        seconds = 0.5 * attempt
    return min(max(seconds, 0.1), LONGEST_WAIT_S)


def _reason(response: httpx.Response) -> str:
    """The detail of a problem document (RFC 9457), or the status where there is none."""
    try:
        problem = response.json()
        detail = problem.get("detail") or problem.get("title")
    except (ValueError, AttributeError):
        detail = None
    request = f", request {response.headers['X-Request-Id']}" if "X-Request-Id" in response.headers else ""
    return f"{detail or response.reason_phrase} ({response.status_code} at {response.url.path}{request})"
