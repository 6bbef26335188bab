"""How the city lives: demo city, command, SDK, and later sensing, scenarios, flood and traffic."""


class TwinError(Exception):
    """Anything that this floor refuses; the message says what, where, and what to do."""
