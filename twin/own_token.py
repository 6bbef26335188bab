"""The local user's own token: one secret, in a file that only they can read, good for every city of this machine."""

import asyncio
import getpass
import os
from collections.abc import Iterable
from pathlib import Path

import asyncpg

from layers.tokens import keep_token, new_secret
from twin.directory import CityPlace

ROLE = "administrator"


def ensure_own_token(file: Path, places: Iterable[CityPlace]) -> None:
    """Make the user's token if there is none, and have every city of `places` know it."""
    secret = _read_or_make(file)
    asyncio.run(_keep(secret, [place.url for place in places]))


def _read_or_make(file: Path) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text(encoding="ascii").strip()
    secret = new_secret()
    with open(descriptor, "w", encoding="ascii") as opened:
        opened.write(secret + "\n")
    return secret


async def _keep(secret: str, urls: list[str]) -> None:
    for url in urls:
        connection = await asyncpg.connect(url)
        try:
            await keep_token(connection, secret, getpass.getuser(), ROLE)
        finally:
            await connection.close()
