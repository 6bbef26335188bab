"""Solids: 3D geometry of an object, kept in its source's CRS, datum and decimals so that an export gives it back."""

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Float,
    Identity,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB


def solid(metadata: MetaData) -> Table:
    """One geometry of one object at one level of detail.

    geom: POLYHEDRALSURFACE Z or MULTIPOLYGON Z; its SRID is the source's. semantics[i] is the index in `surfaces`
    of polygon i's meaning (CityGML surface type). scale, offset: of the source's integer vertices, where it had them.
    """
    return Table(
        "solid",
        metadata,
        Column("id", BigInteger, Identity(), primary_key=True),
        Column("object_id", BigInteger, nullable=False, index=True),
        Column("dataset_id", Integer, nullable=False),
        Column("lod", Text, nullable=False),
        Column("srid", Integer, nullable=False),
        Column("vertical_datum", Text, nullable=False, server_default="unknown"),
        Column("scale", ARRAY(Float)),
        Column("offset", ARRAY(Float)),
        Column("geom", Geometry("GEOMETRYZ", dimension=3, srid=-1, spatial_index=False), nullable=False),
        Column("semantics", ARRAY(SmallInteger)),
        Column("surfaces", JSONB),
        Column("recorded_from", DateTime(timezone=True), nullable=False, server_default=text("now()")),
        Column("recorded_to", DateTime(timezone=True), nullable=False, server_default=text("'infinity'")),
    )
