"""Readings that come as files, from other databases and services: each source a few lines of YAML."""

from twin.sensing import SensingError


class FeedError(SensingError):
    """A feed's description or its source cannot be meant; the message names the file and what to do."""
