"""What stands beside the objects: the city itself, its data sets and imports, plans, layers, changes, code lists."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import UserDefinedType

NOW = text("now()")


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "xid8"


def _moment(name: str, *, required: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=not required, server_default=NOW if required else None)


def city(metadata: MetaData) -> Table:
    """One row: what `twin init` laid down and nothing changes after."""
    return Table(
        "city",
        metadata,
        Column("one", Boolean, CheckConstraint("one", name="city_one"), primary_key=True, server_default="true"),
        Column("name", Text, nullable=False),
        Column("title_zh", Text, nullable=False),
        Column("title_en", Text, nullable=False),
        Column("srid", Integer, CheckConstraint("srid in (4326, 4490)", name="city_srid"), nullable=False),
        Column("metric_srid", Integer, nullable=False, comment="EPSG code of the metric CRS"),
        Column("vertical_datum", Text, nullable=False),
        Column("time_zone", Text, nullable=False),
        Column("made_up", Boolean, nullable=False, server_default="false"),
        Column("view", JSONB, comment="where a viewer starts: center, zoom, pitch, bearing"),
        _moment("created_at", required=True),
    )


def dataset(metadata: MetaData) -> Table:
    """A source that hands over editions; an import touches only its own data set."""
    return Table(
        "dataset",
        metadata,
        Column("id", Integer, Identity(), primary_key=True),
        Column("name", Text, nullable=False, unique=True),
        Column("themes", ARRAY(Text), nullable=False, comment="tables its objects go to"),
        Column("title_zh", Text, nullable=False),
        Column("title_en", Text, nullable=False),
        Column("source", Text),
        Column("edition", Text),
        Column("edition_date", Date),
        Column("licence", Text),
        Column("attribution", Text),
        Column("lineage", Text),
        Column("crs", Text, comment="CRS of the source"),
        Column("vertical_datum", Text, nullable=False, server_default="unknown"),
        Column("sharing", Text, nullable=False, server_default="open"),
        Column("made_up", Boolean, nullable=False, server_default="false"),
        Column("extent", ARRAY(Float), comment="west, south, east, north in the city's CRS"),
        Column("properties", JSONB, comment="typed schema of a generic data set's attributes"),
        Column("run", Text, index=True, comment="of which it is a result, null for what was loaded"),
        Column("times", ARRAY(DateTime(timezone=True)), comment="moments of a result's states, in order"),
        _moment("created_at", required=True),
        _moment("loaded_at"),
    )


def import_run(metadata: MetaData) -> Table:
    """The report of one import, kept."""
    return Table(
        "import_run",
        metadata,
        Column("id", BigInteger, Identity(), primary_key=True),
        Column("dataset_id", Integer, ForeignKey("dataset.id"), nullable=False, index=True),
        Column("file", Text, nullable=False),
        Column("sha256", Text),
        Column("edition", Text),
        Column("edition_date", Date),
        Column("who", Text, nullable=False),
        *(
            Column(count, BigInteger, nullable=False, server_default="0")
            for count in ("read", "inserted", "updated", "unchanged", "ended", "repaired", "rejected")
        ),
        Column(
            "report",
            JSONB,
            nullable=False,
            server_default=text("'{}'"),
            comment="repairs and rejects, row by row",
        ),
        _moment("started_at", required=True),
        _moment("finished_at"),
    )


def plan(metadata: MetaData) -> Table:
    """A proposal; its rows in the theme tables add, replace or remove objects when it is looked at."""
    return Table(
        "plan",
        metadata,
        Column("id", Integer, Identity(), primary_key=True),
        Column("name", Text, nullable=False, unique=True),
        Column("title_zh", Text, nullable=False),
        Column("title_en", Text, nullable=False),
        Column("status", Text, nullable=False, server_default="draft"),
        Column("who", Text, nullable=False),
        _moment("created_at", required=True),
    )


def layer(metadata: MetaData) -> Table:
    """A named, styled, access-controlled window on a theme."""
    return Table(
        "layer",
        metadata,
        Column("id", Text, CheckConstraint("id ~ '^[a-z][a-z0-9_]{0,62}$'", name="layer_id"), primary_key=True),
        Column("theme", Text, nullable=False, comment="table it looks at"),
        Column("dataset_id", Integer, ForeignKey("dataset.id"), comment="only this data set, if given"),
        Column("title_zh", Text, nullable=False),
        Column("title_en", Text, nullable=False),
        Column("description_zh", Text),
        Column("description_en", Text),
        Column("group", Text, nullable=False),
        Column("position", Integer, nullable=False, comment="drawing order, ground first"),
        Column("visible", Boolean, nullable=False, server_default="true"),
        Column("filter", JSONB, comment="CQL2-JSON; objects outside are not in the layer"),
        Column("properties", ARRAY(Text), comment="white list; null is all"),
        Column("style", JSONB),
        Column("min_zoom", SmallInteger, nullable=False, server_default="0"),
        Column("max_zoom", SmallInteger, nullable=False, server_default="22"),
        Column(
            "restricted",
            Boolean,
            nullable=False,
            server_default="false",
            comment="hidden unless granted by name",
        ),
        Column(
            "version",
            BigInteger,
            nullable=False,
            server_default="1",
            comment="raised by each definition change",
        ),
        _moment("updated_at", required=True),
        Column("published", JSONB, comment="relation that tells its rows, for a table published as it is"),
    )


def change(metadata: MetaData) -> Table:
    """The change feed: one row for each edit, one for each box of a bulk load. Read it in (xid, seq) order only."""
    return Table(
        "change",
        metadata,
        Column("seq", BigInteger, Identity(), nullable=False),
        Column("xid", Xid8, nullable=False, server_default=text("pg_current_xact_id()")),
        Column("table", Text, nullable=False),
        Column("dataset_id", Integer),
        Column("object_id", BigInteger, comment="null for a box of a bulk load"),
        Column("plan_id", Integer),
        Column(
            "op",
            Text,
            CheckConstraint("op in ('insert', 'update', 'delete', 'bulk', 'boundary', 'layer')", name="change_op"),
            nullable=False,
        ),
        Column("bbox_old", ARRAY(Float), comment="west, south, east, north in the city's CRS"),
        Column("bbox_new", ARRAY(Float)),
        Column("valid_from", DateTime(timezone=True)),
        Column("valid_to", DateTime(timezone=True)),
        Column("who", Text, nullable=False),
        Column("why", Text),
        _moment("at", required=True),
        PrimaryKeyConstraint("xid", "seq", name="change_pkey"),
    )


def consumer(metadata: MetaData) -> Table:
    """How far each lasting reader of the change feed has come."""
    return Table(
        "change_consumer",
        metadata,
        Column("name", Text, primary_key=True),
        Column("xid", Xid8, nullable=False),
        Column("seq", BigInteger, nullable=False),
    )


def validity_clock(metadata: MetaData) -> Table:
    """One row: the moment up to which each validity that began or ended stands in the change feed."""
    return Table(
        "validity_clock",
        metadata,
        Column(
            "one",
            Boolean,
            CheckConstraint("one", name="validity_clock_one"),
            primary_key=True,
            server_default="true",
        ),
        _moment("at", required=True),
    )


def code_list(metadata: MetaData) -> Table:
    return Table(
        "code_list",
        metadata,
        Column("id", Text, primary_key=True),
        Column("title_zh", Text, nullable=False),
        Column("title_en", Text, nullable=False),
        Column("source", Text, nullable=False),
        Column("edition", Text),
    )


def code(metadata: MetaData) -> Table:
    """A code in its list; in land use lists the scheme is part of the key."""
    return Table(
        "code",
        metadata,
        Column("list", Text, ForeignKey("code_list.id", ondelete="cascade"), primary_key=True),
        Column("scheme", Text, primary_key=True, server_default=""),
        Column("code", Text, primary_key=True),
        Column("parent", Text),
        Column("title_zh", Text, nullable=False),
        Column("title_en", Text, nullable=False),
        Column("color", Text, comment="#rrggbb, where a source gives one or we chose one"),
        Column("position", Integer, nullable=False),
    )
