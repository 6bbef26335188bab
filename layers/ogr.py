"""pyogrio and its errors, loaded when they are first asked for.

It brings pandas along, a quarter of the time that every process of a server would take to start.
"""

from typing import Any


def __getattr__(name: str) -> Any:
    import pyogrio
    import pyogrio.errors

    return getattr(pyogrio.errors if hasattr(pyogrio.errors, name) else pyogrio, name)
