"""Cameras as a kind; a mark of each change to what describes sensors, by which processes know what they keep of it."""

from alembic import op

revision = "0010"
down_revision = "0009"

TABLES = ("datastream", "thing", "thing_location", "location", "feature")
CAMERA = """
    insert into sensing.kind (id, title_zh, title_en, silent_after) values ('camera', '摄像头', 'Camera', '1 day')
"""
MARK = """
    create table sensing.description_change (
        xid xid8 default pg_current_xact_id() primary key,
        at timestamptz default now() not null
    );
    comment on table sensing.description_change is 'Transactions that changed what describes sensors, for an hour';
    create function sensing.note_description_change() returns trigger language plpgsql as $$
    begin
        insert into sensing.description_change default values on conflict do nothing;
        return null;
    end $$
"""


def upgrade() -> None:
    op.execute(CAMERA)
    op.execute(MARK)
    for table in TABLES:
        # Of the statement, not of its rows.
        op.execute(
            f"create trigger description_change after insert or update or delete or truncate on sensing.{table}"
            " for each statement execute function sensing.note_description_change()"
        )


def downgrade() -> None:
    raise NotImplementedError("a city is not unmade by a migration; drop its database instead")
