"""What the city's sensors observe, after the model of OGC SensorThings 2.0, with rules and events."""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8").replace("%", "%%"))


def downgrade() -> None:
    raise NotImplementedError("a city is not unmade by a migration; drop its database instead")
