"""How the command speaks: steps with their time, one clear line for an error, progress of a load."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console

# The families of refusals, by module; one that nobody has imported cannot have been raised.
FAMILIES = (
    ("twin", "TwinError"),
    ("cim_models.base", "CityModelError"),
    ("layers", "LayerError"),
    ("tiles", "TileError"),
)

# Exit statuses: refused or failed, with the reason; a fault of ours (EX_SOFTWARE in sysexits.h); ended by Ctrl-C.
FAILED, FAULT, INTERRUPTED = 1, 70, 130

T = TypeVar("T")

# Everything that moves is on the same console as what is printed beside it.
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Say what is being done, and in the end how long it took."""
    began = time.perf_counter()
    with out.status(f"{title} ..."):
        yield
    out.print(f"  {title:<32}{time.perf_counter() - began:6.1f} s")


def is_refusal(error: BaseException) -> bool:
    """Whether an exception is of our own families: its message says what, where, and what to do."""
    families = (getattr(sys.modules[module], name) for module, name in FAMILIES if module in sys.modules)
    return isinstance(error, tuple(families))


@contextmanager
def progress(title: str, total: int | None) -> Iterator[Callable[[Iterable[T]], Iterator[T]]]:
    """A progress bar; what it gives counts what passes through."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as bar:
        task = bar.add_task(title, total=total)

        def passed(items: Iterable[T]) -> Iterator[T]:
            for item in items:
                yield item
                bar.advance(task)

        yield passed


def print_table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Print rows of plain text in columns; a name in brackets is a name, not markup.

    What names a row stands first and whole, however narrow the window: the next command asks for it.
    """
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    cells = [list(row) for row in rows]
    table = Table(*header, box=None, header_style="bold", pad_edge=False)
    table.columns[0].no_wrap = True
    table.columns[0].min_width = max((cell_len(row[0]) for row in cells), default=0)
    for row in cells:
        table.add_row(*map(Text, row))
    out.print(table)


def say_error(message: str) -> None:
    err.print(f"twin: {message}", style="red", markup=False, soft_wrap=True)
