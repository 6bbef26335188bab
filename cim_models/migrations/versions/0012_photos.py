"""Photos that inputs of runs name."""

from alembic import op

revision = "0012"
down_revision = "0011"

SQL = """
create table photo (
    id uuid primary key default gen_random_uuid(),
    principal text not null,
    body bytea not null,
    uploaded_at timestamp with time zone not null default now()
);
create index photo_uploaded on photo (uploaded_at);
comment on table photo is 'Pictures of what people saw, as JPEG without anything besides; inputs of runs name them';
comment on column photo.principal is 'who uploaded it';
create index scenario_run_seen on scenario_run using gin ((inputs -> 'seen') jsonb_path_ops);
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(SQL)


def downgrade() -> None:
    raise NotImplementedError("a city is not unmade by a migration; drop its database instead")
