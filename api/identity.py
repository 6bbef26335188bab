"""Who asks: an `Authorization: Bearer` token becomes a principal; without one everybody is the public."""

import time
from collections import OrderedDict

from api.errors import Unauthorized
from cim_models.database import Database
from layers.access import PUBLIC, Principal
from layers.tokens import find_principal

# A revoked token is refused, and a new one known, this soon.
REMEMBERED_S = 2.0
REMEMBERED = 10_000
MAX_TOKEN = 200


class Identity:
    """Principals of one city by token, remembered for a few seconds. A cookie means nothing here."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: OrderedDict[str, tuple[float, Principal | None]] = OrderedDict()

    async def principal(self, authorization: bytes | None) -> Principal:
        """The principal of an Authorization header. Raises Unauthorized: a wrong token is never the public."""
        if authorization is None:
            return PUBLIC
        scheme, _, secret = authorization.decode("latin-1").strip().partition(" ")
        secret = secret.strip()
        if scheme.lower() != "bearer" or not secret or len(secret) > MAX_TOKEN:
            raise Unauthorized("Authorization must be: Bearer TOKEN; make a token with `twin token create`")
        principal = await self._find(secret)
        if principal is None:
            raise Unauthorized("the token is unknown, expired or revoked; make one with `twin token create`")
        return principal

    async def _find(self, secret: str) -> Principal | None:
        now = time.monotonic()
        until, principal = self._known.get(secret, (0.0, None))
        if now < until:
            return principal
        async with self._database.reading() as connection:
            principal = await find_principal(connection, secret)
        self._known[secret] = now + REMEMBERED_S, principal
        self._known.move_to_end(secret)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return principal
