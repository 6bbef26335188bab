"""SQL as one text, for Mapnik, which takes no parameters: every value written into it as a literal.

Mapnik itself replaces `!name!` and `!@name!` in the text by boxes and variables, so no value may form one.
"""

import re
from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import ClauseElement
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.sql.compiler import SQLCompiler

from tiles import TileError

# %(name)s stands for a value, and every other per cent sign is doubled: so the text is filled in one pass.
DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]
TOKEN = re.compile(r"!(@?\w+)!")
# Neither quote nor backslash ends the literal, and neither sign of a token of Mapnik's stays.
ESCAPED = str.maketrans({"'": "''", "\\": "\\\\", "!": "\\x21", "@": "\\x40"})


class CannotInline(TileError):
    """A value that has no literal, or a statement that Mapnik would change."""


def inline(statement: ClauseElement, *, tokens: Collection[str] = ()) -> str:
    """The PostgreSQL text of a statement with its values in it.

    tokens: what Mapnik shall replace, as `@near` for `!@near!`. Raises CannotInline.
    """
    compiled = statement.compile(dialect=DIALECT, compile_kwargs={"render_postcompile": True})
    assert isinstance(compiled, SQLCompiler)
    template = str(compiled)
    for found in TOKEN.finditer(template):
        if found[1] not in tokens:
            raise CannotInline(f"the statement holds {found[0]}, which Mapnik would replace")
    return template % {name: literal(value) for name, value in compiled.construct_params().items()}


def literal(value: Any) -> str:
    """A value as PostgreSQL reads it, whatever its settings. Raises CannotInline."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return f"({value})"
    if isinstance(value, float):
        return f"'{value!r}'::float8"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return f"E'\\\\x{bytes(value).hex()}'::bytea"
    if isinstance(value, datetime | date):
        kind = "timestamptz" if isinstance(value, datetime) else "date"
        return f"'{value.isoformat()}'::{kind}"
    if isinstance(value, list | tuple):
        return f"ARRAY[{', '.join(map(literal, value))}]"
    raise CannotInline(f"a {type(value).__name__} has no literal")


def _text(value: str) -> str:
    if "\0" in value:
        raise CannotInline("a text holds NUL, which PostgreSQL does not store")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise CannotInline("a text holds half a character") from None
    return f"E'{value.translate(ESCAPED)}'"
