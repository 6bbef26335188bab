"""A private PostgreSQL with PostGIS, from the system's binaries, that nobody has to administer."""

from cim_models.embedded.cluster import (
    Cluster,
    DatabaseExists,
    EmbeddedError,
    Health,
    NoSuchDatabase,
)
from cim_models.embedded.home import ForeignDirectory, HomeError, twin_home
from cim_models.embedded.postgres import PostgresMissing

__all__ = [
    "Cluster",
    "DatabaseExists",
    "EmbeddedError",
    "ForeignDirectory",
    "Health",
    "HomeError",
    "NoSuchDatabase",
    "PostgresMissing",
    "twin_home",
]
