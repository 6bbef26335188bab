"""The city from a script: `import twin; city = twin.connect(); city["buildings"].to_geopandas()`.

Talks HTTP to a CityTwin server and needs nothing else of it; geopandas and pydeck are loaded when asked for.
"""

from twin.sdk.city import City, Found, connect
from twin.sdk.errors import (
    BrokenOff,
    Conflict,
    NotFound,
    Refused,
    SdkError,
    ServerBusy,
    ServerFault,
    ServerUnreachable,
    WrongRequest,
)
from twin.sdk.layer import Layer, Property

__all__ = [
    "BrokenOff",
    "City",
    "Conflict",
    "Found",
    "Layer",
    "NotFound",
    "Property",
    "Refused",
    "SdkError",
    "ServerBusy",
    "ServerFault",
    "ServerUnreachable",
    "WrongRequest",
    "connect",
]
