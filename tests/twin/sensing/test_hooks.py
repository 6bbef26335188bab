"""Steps of events reach those who asked: signed, in order, and again where they were not taken."""

import asyncio
import hashlib
import hmac
import json
from typing import Any

import pytest

from cim_models.database import Database
from twin.sensing import hooks
from twin.sensing.events import NewEvent, Step, raise_event, take_step
from twin.sensing.hooks import EventHooks
from twin.settings import Settings, SettingsError, read_settings

KEY = "a key of sixteen letters"


class Listener:
    """An HTTP server that refuses each delivery once before it takes it."""

    def __init__(self) -> None:
        self.heard: list[tuple[int, dict[str, str], bytes]] = []
        self.port = 0

    async def __aenter__(self) -> "Listener":
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:] if line)
        body = await reader.readexactly(int(headers["content-length"]))
        seen = any(each["x-twin-delivery"] == headers["x-twin-delivery"] for _, each, _ in self.heard)
        status = 204 if seen else 503
        self.heard.append((status, headers, body))
        writer.write(f"HTTP/1.1 {status} x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()

    async def taken(self, number: int) -> list[dict[str, Any]]:
        async with asyncio.timeout(30):
            while sum(status == 204 for status, _, _ in self.heard) < number:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        return [json.loads(body) for status, _, body in self.heard if status == 204]


async def _raise(database: Database, title: str) -> int:
    async with database.writing() as connection:
        event = NewEvent("tree", "blue", title, began_at=await connection.fetchval("select now()"))
        number = await raise_event(connection, event, "officer")
    assert number is not None
    return number


async def _is_following(database: Database) -> bool:
    async with database.reading() as connection:
        found: bool = await connection.fetchval("select exists (select from sensing.feed)")
        return found


async def test_steps_are_sent_signed_and_again_until_they_are_taken(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "FIRST_DELAY_S", 0.01)
    await _raise(database, "before anybody asked")
    async with Listener() as listener:
        url = f"http://127.0.0.1:{listener.port}/hook"
        settings = Settings(
            database_url=database.url, event_hooks=(url,), callback_key=KEY,
            remote_hosts=(f"127.0.0.1:{listener.port}",),
        )  # fmt: skip
        sending = asyncio.create_task(EventHooks(settings)(database))
        async with asyncio.timeout(30):
            while not await _is_following(database):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        number = await _raise(database, "倒树")
        async with database.writing() as connection:
            await take_step(connection, number, Step("acknowledge", note="seen"), "officer")
        told = await listener.taken(2)
        sending.cancel()
        # It goes on where it was left.
        async with database.writing() as connection:
            await take_step(connection, number, Step("close"), "officer")
        sending = asyncio.create_task(EventHooks(settings)(database))
        told = await listener.taken(3)
        sending.cancel()
    assert [(each["city"], each["step"]["did"]) for each in told] == [
        ("testing", did) for did in ("raise", "acknowledge", "close")
    ]
    assert told[0]["event"]["properties"]["title"] == "倒树"
    assert [status for status, _, _ in listener.heard] == [503, 204] * 3
    for _, headers, body in listener.heard:
        signature = hmac.new(KEY.encode(), headers["x-twin-time"].encode() + b"." + body, hashlib.sha256)
        assert headers["x-twin-signature"] == f"sha256={signature.hexdigest()}"


def test_what_is_sent_must_be_signed() -> None:
    with pytest.raises(SettingsError, match="TWIN_CALLBACK_KEY"):
        read_settings(database_url="postgresql://x", event_hooks=("https://a.example/hook",))
