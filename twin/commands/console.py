"""How the command speaks: steps with their time, one clear line for an error, progress of a load."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

# The families of refusals, by module; one that nobody has imported cannot have been raised.
FAMILIES = (
    ("twin", "TwinError"),
    ("cim_models.base", "CityModelError"),
    ("layers", "LayerError"),
    ("tiles", "TileError"),
)

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Print a step and how long it took."""
    began = time.perf_counter()
    out.print(f"  {title:<28}", end="")
    try:
        yield
    except BaseException:
        out.print("[red]failed[/red]")
        raise
    out.print(f"{time.perf_counter() - began:6.1f} s")


def is_refusal(error: BaseException) -> bool:
    """Whether an exception is of our own families: its message says what, where, and what to do."""
    families = (getattr(sys.modules[module], name) for module, name in FAMILIES if module in sys.modules)
    return isinstance(error, tuple(families))
