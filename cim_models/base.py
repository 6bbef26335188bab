"""The shape that all city objects share: identity, source, two time axes, plans, geometry.

A row is one *version*: what the model believed of one object, for one span of the real world's time. Identity is
`object_id`; `id` is the version's and is shown nowhere. Valid time (`valid_from`, `valid_to`) says when it is true
in the world, half open, null unbounded. Transaction time (`recorded_from`, `recorded_to`) says when the model knew
it; the current belief has `recorded_to = 'infinity'` and lives in a partition of its own, so that history never
slows the present.
"""

from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Sequence,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from cim_models.theme import AttributeType, Theme

WEB_SRID = 3857

COLUMN_TYPES: dict[AttributeType, type[TypeEngine[Any]]] = {
    "text": Text,
    "integer": Integer,
    "number": Float,
    "boolean": Boolean,
}

# Columns of a version and its place in time and source; no property of an object is called so.
INTERNAL = (
    "id",
    "object_id",
    "dataset_id",
    "content_hash",
    "attributes",
    "geom",
    "geom_web",
    "valid_from",
    "valid_to",
    "recorded_from",
    "recorded_to",
    "plan_id",
    "plan_action",
)


class CityModelError(Exception):
    """Anything that the city model refuses; the message says what, where, and what to do."""


def city_object_table(theme: Theme, metadata: MetaData, srid: int) -> Table:
    """The table of one theme, with geometry in the city's geographic CRS (EPSG:`srid`)."""
    by_dataset = theme.table == "generic_object"
    return Table(
        theme.table,
        metadata,
        Column(
            "id",
            BigInteger,
            Sequence("version_id", metadata=metadata),
            server_default=text("nextval('version_id')"),
            primary_key=True,
        ),
        Column(
            "object_id",
            BigInteger,
            Sequence("object_id", metadata=metadata),
            server_default=text("nextval('object_id')"),
            nullable=False,
        ),
        # A partition key is part of every primary key.
        Column("dataset_id", Integer, primary_key=by_dataset, autoincrement=False, nullable=False),
        Column("uid", Text, nullable=False),
        Column("content_hash", LargeBinary, nullable=False, comment="128 bits of the source record"),
        Column("class", Text, nullable=False),
        Column("name", Text),
        Column("name_en", Text),
        Column("cim_level", SmallInteger),
        *(Column(a.name, COLUMN_TYPES[a.type]) for a in theme.attributes),
        Column("attributes", JSONB, nullable=False, server_default=text("'{}'")),
        Column("geom", Geometry(theme.geometry.upper(), srid=srid, spatial_index=False), nullable=False),
        Column(
            "geom_web",
            Geometry("GEOMETRY", srid=WEB_SRID, spatial_index=False),
            Computed("web_mercator(geom)", persisted=True),
        ),
        Column("village_code", Text),
        Column("valid_from", DateTime(timezone=True)),
        Column("valid_to", DateTime(timezone=True)),
        Column("recorded_from", DateTime(timezone=True), nullable=False, server_default=text("now()")),
        Column(
            "recorded_to",
            DateTime(timezone=True),
            primary_key=True,
            server_default=text("'infinity'"),
        ),
        Column("plan_id", Integer),
        Column("plan_action", Text),
        CheckConstraint("valid_from < valid_to", name=f"{theme.table}_valid"),
        CheckConstraint("recorded_from < recorded_to", name=f"{theme.table}_recorded"),
        CheckConstraint(
            "(plan_id is null) = (plan_action is null) and plan_action in ('add', 'replace', 'remove')",
            name=f"{theme.table}_plan",
        ),
        comment=theme.en,
        postgresql_partition_by="LIST (dataset_id)" if by_dataset else "LIST (recorded_to)",
    )
