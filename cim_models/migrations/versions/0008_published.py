"""Layers that look at a table or view that was there before the city: which relation tells its rows."""

from alembic import op

revision = "0008"
down_revision = "0005"


def upgrade() -> None:
    op.execute("alter table layer add column published jsonb")
    op.execute("comment on column layer.published is 'relation that tells its rows, for a table published as it is'")


def downgrade() -> None:
    raise NotImplementedError("a city is not unmade by a migration; drop its database instead")
