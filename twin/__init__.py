"""How the city lives: demo city, command, SDK, and later sensing, scenarios, flood and traffic.

`import twin; city = twin.connect()` is all that a script needs; the SDK behind it is loaded when it is asked for.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twin.sdk import City as City
    from twin.sdk import Layer as Layer
    from twin.sdk import connect as connect

SDK = ("City", "Layer", "connect")


class TwinError(Exception):
    """Anything that this floor refuses; the message says what, where, and what to do."""


def __getattr__(name: str) -> Any:
    # The command imports this package too, and must be there at once: an HTTP client costs it half a second.
    if name in SDK:
        import twin.sdk

        return getattr(twin.sdk, name)
    raise AttributeError(f"module 'twin' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *SDK]
