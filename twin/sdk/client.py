"""HTTP to one server: patience where it is busy, and an error that names the cause where it refuses."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO

import httpx

from twin.sdk.errors import (
    BrokenOff,
    Conflict,
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
ERRORS: dict[int, type[SdkError]] = {
    401: Refused,
    403: Refused,
    404: NotFound,
    409: Conflict,
    412: Conflict,
    503: ServerBusy,
}
GEOJSON = "application/geo+json"
BODIES = {"PATCH": "application/merge-patch+json"}

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
        return _json(_checked(self._patiently("GET", self._address(path, parameters))))

    def post(self, path: str, body: Any, parameters: Parameters | None = None) -> Any:
        """The JSON document that is the answer to a body. Raises SdkError."""
        return _json(self.send("POST", path, body, parameters))

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        parameters: Parameters | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """The answer to a request that may change something; it is sent again only where it surely was not heard.

        body: bytes as they are, all else as JSON. Raises SdkError.
        """
        content = body if body is None or isinstance(body, bytes) else json.dumps(body, allow_nan=False).encode()
        kind = {} if body is None else {"Content-Type": BODIES.get(method, GEOJSON)}
        return _checked(self._patiently(method, self._address(path, parameters), content, {**kind, **(headers or {})}))

    def download(self, path: str, parameters: Parameters, target: BinaryIO) -> None:
        """Write what stands at `path` into a file, piece by piece. Raises SdkError."""
        url = self._address(path, parameters)
        for attempt in range(1, ATTEMPTS + 1):
            with self._telling(url), self._http.stream("GET", url) as response:
                if response.status_code == 503 and attempt < ATTEMPTS:
                    time.sleep(_retry_after(response, attempt))
                    continue
                if not response.is_success:
                    response.read()
                for chunk in _checked(response).iter_bytes():
                    target.write(chunk)
                return

    def events(self, path: str, parameters: Parameters) -> Iterator[str]:
        """The data of server-sent events, for ever; a broken connection is taken up after the last of them.

        Raises SdkError where the server refuses.
        """
        url, place = self._address(path, parameters), ""
        while True:
            try:
                headers = {"Last-Event-ID": place} if place else {}
                with self._telling(url), self._http.stream("GET", url, headers=headers) as response:
                    if not response.is_success:
                        response.read()
                    for line in _checked(response).iter_lines():
                        name, _, value = line.partition(": ")
                        if name == "data":
                            yield value
                        elif name == "id":
                            place = value
            except (BrokenOff, ServerBusy):
                time.sleep(1.0)

    def _address(self, path: str, parameters: Parameters | None) -> httpx.URL:
        given = {name: value for name, value in (parameters or {}).items() if value is not None}
        return httpx.URL(self.url + path, params=given)

    def close(self) -> None:
        self._http.close()

    def _patiently(
        self, method: str, url: httpx.URL, content: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS
            try:
                with self._telling(url):
                    response = self._http.request(method, url, content=content, headers=dict(headers or {}))
            except BrokenOff:
                # A server process that is started again cuts its connections; what it did before, nobody knows.
                if last or method != "GET":
                    raise
                time.sleep(0.2 * attempt)
                continue
            if response.status_code != 503 or last:
                return response
            time.sleep(_retry_after(response, attempt))
        raise AssertionError

    @contextmanager
    def _telling(self, url: httpx.URL) -> Iterator[None]:
        """Faults of the connection in words."""
        try:
            yield
        except httpx.ConnectError as error:
            raise ServerUnreachable(
                f"no server answers at {self.url} ({error}); start it with `twin up`,"
                " or name another: twin.connect('http://...') or TWIN_URL"
            ) from None
        except httpx.TimeoutException:
            raise ServerBusy(f"{url}: no answer in time; ask for less (bbox, limit) or wait longer") from None
        except httpx.TransportError as error:
            raise BrokenOff(f"{url}: the connection broke off ({error})") from None
        except httpx.InvalidURL as error:
            raise WrongRequest(f"{url}: {error}") from None


def _checked(response: httpx.Response) -> httpx.Response:
    if response.is_success:
        return response
    status = response.status_code
    raise ERRORS.get(status, WrongRequest if status < 500 else ServerFault)(_reason(response))


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        raise ServerFault(f"{response.url}: answers with something else than JSON; is it a CityTwin?") from None


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
