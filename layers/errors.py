"""The exception family of this floor."""


class LayerError(Exception):
    """Anything that this floor refuses; the message says what, where, and what to do."""
