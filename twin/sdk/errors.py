"""What can go wrong between a script and a server; every message says what to do."""

from twin import TwinError


class SdkError(TwinError):
    """A request that did not bring what was asked for."""


class ServerUnreachable(SdkError):
    """Nothing answers at that address."""


class WrongRequest(SdkError):
    """The server cannot make sense of the request; it says why."""


class Refused(SdkError):
    """The token is missing, wrong, or not good for this."""


class NotFound(SdkError):
    """No such city, layer or object, or none that the token may see."""


class ServerBusy(SdkError):
    """The server asked to come back later, again and again."""


class BrokenOff(ServerUnreachable):
    """The connection was cut before the answer came; whether a change was made, a look at the object tells."""


class Conflict(SdkError):
    """Someone else has changed the object since it was read, or is changing it; read it again and decide anew."""


class ServerFault(SdkError):
    """The server failed, or something else than a CityTwin answers there."""
