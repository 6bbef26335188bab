"""Runs of scenarios, and the queue that they wait in."""

from pathlib import Path

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    connection = op.get_bind()
    # The queue's tables are its library's own, under a schema of their own; a library with newer tables needs a
    # migration here, so that setup.cfg names the one that these are of.
    connection.exec_driver_sql("create schema procrastinate")
    connection.exec_driver_sql("set local search_path to procrastinate")
    connection.exec_driver_sql(SchemaManager.get_schema().replace("%", "%%"))
    connection.exec_driver_sql("set local search_path to default")
    connection.exec_driver_sql(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    raise NotImplementedError("a city is not unmade by a migration; drop its database instead")
