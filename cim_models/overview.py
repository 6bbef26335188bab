"""What low zooms are drawn from: the city's objects generalised, cell by cell, in web Mercator."""

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

from cim_models.base import WEB_SRID


def _cell() -> list[Column[object]]:
    return [
        Column("layer", Text, nullable=False),
        Column("zoom", SmallInteger, nullable=False),
        Column("cell_x", Integer, nullable=False),
        Column("cell_y", Integer, nullable=False),
    ]


def overview(metadata: MetaData) -> Table:
    """What is drawn at a zoom: an object, or what several were merged into; once for each tile that it reaches into.

    Built by `tiles.overview` from the objects whose box has its middle in the cell; nothing else writes here.
    """
    return Table(
        "overview",
        metadata,
        *_cell(),
        Column("tile_x", Integer, nullable=False, comment="tile of the same zoom in which the row is drawn"),
        Column("tile_y", Integer, nullable=False),
        Column("object_id", BigInteger, comment="null for what several objects were merged into"),
        Column("rank", Double, nullable=False, comment="the greater, the later it is left out of a crowded tile"),
        Column("properties", JSONB, nullable=False),
        Column("valid_from", DateTime(timezone=True)),
        Column("valid_to", DateTime(timezone=True)),
        Column("geom_web", Geometry("GEOMETRY", srid=WEB_SRID, spatial_index=False), nullable=False),
        comment="Objects generalised for low zooms",
    )


def overview_coverage(metadata: MetaData) -> Table:
    """Area that polygons too small to be drawn cover, pixel by pixel, from which the next lower zoom is built."""
    return Table(
        "overview_coverage",
        metadata,
        *_cell(),
        Column("properties", JSONB, nullable=False, comment="what the polygons have in common"),
        Column("valid_from", DateTime(timezone=True)),
        Column("valid_to", DateTime(timezone=True)),
        Column("exact_from", DateTime(timezone=True), comment="before it the cell is drawn from the objects"),
        Column("exact_to", DateTime(timezone=True), comment="from it on the cell is drawn from the objects"),
        Column(
            "pixels",
            LargeBinary,
            nullable=False,
            comment="row * 80 + column in the cell and 8 pixels around it, 16 bits",
        ),
        Column("areas", LargeBinary, nullable=False, comment="area, area x shade, shaded area: 32-bit floats"),
        comment="Ground covered by what is too small to be drawn",
    )


def overview_layer(metadata: MetaData) -> Table:
    """Which layers have overviews, and by which definition of the layer they were built."""
    return Table(
        "overview_layer",
        metadata,
        Column("layer", Text, nullable=False),
        Column("definition", Text, nullable=False, comment="digest; another one calls for building anew"),
        Column("built_at", DateTime(timezone=True), nullable=False),
        PrimaryKeyConstraint("layer"),
        comment="Layers whose overviews stand",
    )
