"""API tokens: a secret shown once, kept only as a hash, that stands for a principal with a role."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from cim_models.database import Connection
from layers import LayerError
from layers.access import PUBLIC, SYSTEM, Principal

# Recognised by people and by scanners of leaked secrets.
PREFIX = "twin_"
SECRET_BYTES = 32
RESERVED = (PUBLIC.name, SYSTEM.name)


class TokenError(LayerError):
    """A token that cannot be made, or that there is none of."""


@dataclass(frozen=True)
class Token:
    """What is known of a token; its secret is not."""

    id: int
    principal: str
    role: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


def _digest(secret: str) -> str:
    # 256 random bits need no salt and no slow hash.
    return hashlib.sha256(secret.encode()).hexdigest()


async def create_token(connection: Connection, principal: str, role: str, *, expires_at: datetime | None = None) -> str:
    """Make a token for `principal` and return its secret, which cannot be had again. Raises TokenError."""
    name = principal.strip()
    if not name or len(name) > 200 or name in RESERVED:
        raise TokenError(f"principal {principal!r}: give a name of 1 to 200 characters, other than {RESERVED}")
    roles = [row["role"] for row in await connection.fetch("select distinct role from permission order by 1")]
    if role not in roles:
        raise TokenError(f"role {role!r} has no permission in this city; there are {', '.join(roles) or 'no roles'}")
    secret = new_secret()
    await connection.execute(
        "insert into token (hash, principal, role, expires_at) values ($1, $2, $3, $4)",
        _digest(secret),
        name,
        role,
        expires_at,
    )
    return secret


def new_secret() -> str:
    return PREFIX + secrets.token_urlsafe(SECRET_BYTES)


async def keep_token(connection: Connection, secret: str, principal: str, role: str) -> None:
    """Let a secret that was made elsewhere stand for `principal` here too; one that was revoked stays so."""
    await connection.execute(
        "insert into token (hash, principal, role) values ($1, $2, $3) on conflict (hash) do nothing",
        _digest(secret),
        principal,
        role,
    )


async def find_principal(connection: Connection, secret: str) -> Principal | None:
    """The principal that a token stands for; None if it is unknown, expired or revoked."""
    row = await connection.fetchrow(
        "select principal, role from token"
        " where hash = $1 and revoked_at is null and (expires_at is null or expires_at > now())",
        _digest(secret),
    )
    return Principal(row["principal"], row["role"]) if row else None


async def list_tokens(connection: Connection) -> list[Token]:
    """Every token, the newest first."""
    rows = await connection.fetch(
        "select id, principal, role, created_at, expires_at, revoked_at from token order by id desc"
    )
    return [Token(**row) for row in rows]


async def revoke_token(connection: Connection, token_id: int) -> None:
    """End a token; servers refuse it within seconds. Raises TokenError."""
    status = await connection.execute(
        "update token set revoked_at = now() where id = $1 and revoked_at is null", token_id
    )
    if status != "UPDATE 1":
        raise TokenError(f"token {token_id}: there is none that could be revoked; list them with `twin token list`")
