"""The command, as `python -m twin`."""

from twin.cli import app

app()
