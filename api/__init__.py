"""How the city is reached: one module a standard, wiring only."""


class ApiError(Exception):
    """Anything wrong with a request itself; the message says what, where, and what to do."""
