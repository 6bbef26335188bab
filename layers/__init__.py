"""What the city shows: catalogue, queries, edits, access, styles, file formats."""


class LayerError(Exception):
    """Anything that the layers refuse; the message says what, where, and what to do."""
