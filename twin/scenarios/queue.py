"""The queue of runs in a city's database: procrastinate's."""

from procrastinate import App, PsycopgConnector

CONNECTIONS = 3


def queue_of(url: str) -> App:
    """The queue in a city's database, whose tables have a schema of their own."""
    return App(
        connector=PsycopgConnector(
            conninfo=url, min_size=1, max_size=CONNECTIONS, kwargs={"options": "-c search_path=procrastinate"}
        )
    )
