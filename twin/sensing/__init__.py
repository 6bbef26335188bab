"""The city is sensed: observations come in, are kept, rolled up, watched by rules, and told on at once."""

from twin import TwinError


class SensingError(TwinError):
    """Anything about sensors that is refused; the message says what, where, and what to do."""


class BadQuery(SensingError):
    """A query that cannot be read, or that asks for more than one answer may hold."""


class Unsupported(BadQuery):
    """A query option that OData has and this service has not (OGC 18-088, requirement query-status-code)."""


class BadEntity(SensingError):
    """An entity that cannot be written like this."""


class EntityNotFound(SensingError):
    """Nothing is known under that id or path."""


class Overloaded(SensingError):
    """More readings wait to be written than may; send them again in a moment."""
