"""Signals, typhoons, keys of events and places of feeds beside what sensors observe."""

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0003"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8").replace("%", "%%"))


def downgrade() -> None:
    raise NotImplementedError("a city is not unmade by a migration; drop its database instead")
