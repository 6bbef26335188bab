"""From SQLAlchemy's expression language to the text and arguments that asyncpg prepares."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ClauseElement
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.sql.compiler import SQLCompiler

DIALECT = PGDialect_asyncpg()  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Statement:
    """SQL with $1, $2, ... and the arguments in that order.

    Parameters left open by name (`bindparam("z", type_=Integer)`) are filled by `with_values`, so that one text
    serves every call and the server plans it once.
    """

    sql: str
    names: tuple[str, ...]
    arguments: tuple[Any, ...]

    def with_values(self, **values: Any) -> tuple[Any, ...]:
        return tuple(values.get(name, argument) for name, argument in zip(self.names, self.arguments, strict=True))


def compiled(element: ClauseElement) -> Statement:
    """The PostgreSQL text of a statement, its values bound, never inlined."""
    result = element.compile(dialect=DIALECT, compile_kwargs={"render_postcompile": True})
    assert isinstance(result, SQLCompiler)
    names = tuple(result.positiontup or ())
    parameters = result.construct_params()
    # Binary values need no wrapping here: asyncpg takes bytes.
    return Statement(str(result), names, tuple(parameters[name] for name in names))


def inlined(element: ClauseElement) -> str:
    """The text of an expression whose values are few and known, such as names; quoted as literals."""
    return str(element.compile(dialect=DIALECT, compile_kwargs={"literal_binds": True}))
