"""`twin token`: who may write, run and administer from outside."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from twin.commands.console import print_table

if TYPE_CHECKING:
    from cim_models.database import Connection

T = TypeVar("T")
tokens = typer.Typer(no_args_is_help=True, help="Tokens: who may write, run and administer from outside.")
City = Annotated[str | None, typer.Option(help="Name of the city. (default: the default city)")]


@tokens.command()
def create(
    principal: Annotated[str, typer.Argument(help="Whom it stands for; named in the change feed.")],
    role: Annotated[str, typer.Option(help="editor, administrator, or one of your own")] = "editor",
    days: Annotated[int | None, typer.Option(min=1, help="Days until it ends. (default: never)")] = None,
    city: City = None,
) -> None:
    """Make a token and print it; it cannot be shown again."""
    from layers.tokens import create_token

    ends = datetime.now(UTC) + timedelta(days=days) if days else None
    # Alone on standard output, so that a script can take it.
    typer.echo(_ask(city, lambda connection: create_token(connection, principal, role, expires_at=ends)))


@tokens.command(name="list")
def list_(city: City = None) -> None:
    """List the tokens, the newest first; their secrets are not kept."""
    from layers.tokens import list_tokens

    rows = []
    for token in _ask(city, list_tokens):
        ends = "revoked" if token.revoked_at else f"{token.expires_at:%Y-%m-%d}" if token.expires_at else ""
        rows.append((str(token.id), token.principal, token.role, f"{token.created_at:%Y-%m-%d}", ends))
    print_table(("id", "principal", "role", "made", "ends"), rows)


@tokens.command()
def revoke(number: Annotated[int, typer.Argument(help="Its id in `twin token list`.")], city: City = None) -> None:
    """End a token; servers refuse it within seconds."""
    from layers.tokens import revoke_token

    _ask(city, lambda connection: revoke_token(connection, number))


def _ask(city: str | None, question: "Callable[[Connection], Awaitable[T]]") -> T:
    """Put a question to the city's database."""
    import asyncpg

    from twin.local import local_twin

    async def ask(url: str) -> T:
        connection = await asyncpg.connect(url)
        try:
            return await question(connection)
        finally:
            await connection.close()

    twin = local_twin(Path.cwd(), os.environ)
    with twin.database(make=False):
        return asyncio.run(ask(twin.directory.find(city).url))
