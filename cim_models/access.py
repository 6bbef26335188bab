"""Who may do what: hashed tokens and permissions."""

from sqlalchemy import CheckConstraint, Column, DateTime, Identity, Integer, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

ACTIONS = ("read", "write", "run", "administer")


def token(metadata: MetaData) -> Table:
    """An API token; only the SHA-256 of its secret is kept."""
    return Table(
        "token",
        metadata,
        Column("id", Integer, Identity(), primary_key=True),
        Column("hash", Text, nullable=False, unique=True),
        Column("principal", Text, nullable=False, comment="who edits in the change feed"),
        Column("role", Text, nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
        Column("expires_at", DateTime(timezone=True)),
        Column("revoked_at", DateTime(timezone=True)),
    )


def permission(metadata: MetaData) -> Table:
    """A role may do an action on a layer ('*' is every unrestricted one), perhaps only within a row filter."""
    return Table(
        "permission",
        metadata,
        Column("role", Text, primary_key=True),
        Column("layer", Text, primary_key=True),
        Column(
            "action",
            Text,
            CheckConstraint("action in ('read', 'write', 'run', 'administer')", name="permission_action"),
            primary_key=True,
        ),
        Column("row_filter", JSONB, comment="CQL2-JSON; null is every row"),
    )
