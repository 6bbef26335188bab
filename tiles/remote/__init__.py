"""Maps of other services, fetched for the viewer and drawn anew in the web's grid."""

from tiles import TileError


class RemoteError(TileError):
    """Anything that goes wrong with another service's map."""


class NotAllowed(RemoteError):
    """A host, address or port that the operator has not named."""


class RemoteFailed(RemoteError):
    """The other service does not answer, refuses, or sends what is no map. status: its HTTP status, if it has one."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class RemoteTooSlow(RemoteError):
    """The other service did not answer in time."""
