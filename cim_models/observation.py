"""What sensors observe: the tables of OGC SensorThings 2.0, of which version 1.1 is a view.

They stand in a schema of their own, `sensing`: the city's objects have a theme `sensor` already. Geometry is WGS 84,
longitude first, as the standard has it.
"""

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Identity,
    Integer,
    Interval,
    MetaData,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

SCHEMA = "sensing"
SRID = 4326
SENSING = MetaData(schema=SCHEMA)


def _moment(name: str, *, required: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=not required)


def _described(*, definition: bool = False) -> list[Column[object]]:
    """What every entity says of itself."""
    return [
        Column("id", BigInteger, Identity(), primary_key=True),
        Column("name", Text, nullable=False),
        Column("description", Text),
        Column("definition", Text, nullable=not definition),
        Column("properties", JSONB),
    ]


def _geometry(name: str) -> Column[object]:
    return Column(name, Geometry("GEOMETRY", srid=SRID, spatial_index=False))


def _link(name: str, first: str, second: str) -> Table:
    return Table(
        name, SENSING, Column(first, BigInteger, primary_key=True), Column(second, BigInteger, primary_key=True)
    )


KIND = Table(
    "kind",
    SENSING,
    Column("id", Text, primary_key=True),
    Column("title_zh", Text, nullable=False),
    Column("title_en", Text, nullable=False),
    Column("day_shift", Interval, nullable=False, comment="added to local time before its date is taken"),
    Column("is_total", Boolean, nullable=False, comment="an amount of the time before its moment, such as rain"),
    Column("kept_months", Integer, comment="full months that observations are kept; null is for ever"),
    Column("silent_after", Interval, nullable=False),
)
THING = Table("thing", SENSING, *_described())
FEATURE = Table(
    "feature",
    SENSING,
    *_described(),
    Column("encoding_type", Text, nullable=False),
    Column("feature", JSONB, nullable=False),
    _geometry("geom"),
)
LOCATION = Table(
    "location",
    SENSING,
    *_described(),
    Column("encoding_type", Text, nullable=False),
    Column("location", JSONB, nullable=False),
    _geometry("geom"),
    Column("feature_id", BigInteger, comment="what is observed there, unless an observation names its own"),
)
THING_LOCATION = _link("thing_location", "thing_id", "location_id")
HISTORICAL_LOCATION = Table(
    "historical_location",
    SENSING,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("thing_id", BigInteger, nullable=False),
    _moment("time", required=True),
)
HISTORICAL_LOCATION_LOCATION = _link("historical_location_location", "historical_location_id", "location_id")
SENSOR = Table(
    "sensor",
    SENSING,
    *_described(),
    Column("encoding_type", Text, nullable=False),
    Column("metadata", JSONB, nullable=False),
)
OBSERVED_PROPERTY = Table("observed_property", SENSING, *_described(definition=True))
DATASTREAM = Table(
    "datastream",
    SENSING,
    *_described(),
    Column("thing_id", BigInteger, nullable=False),
    Column("sensor_id", BigInteger, nullable=False),
    Column("feature_id", BigInteger, comment="what is observed unless an observation names its own"),
    Column("kind", Text, nullable=False),
    Column("is_multi", Boolean, nullable=False),
    Column("observation_type", Text, nullable=False),
    Column("units", JSONB, nullable=False, comment="unit of measurement; a list of them where is_multi"),
    Column("types", JSONB, comment="observation types of the parts where is_multi"),
    _geometry("observed_area"),
)
DATASTREAM_PROPERTY = Table(
    "datastream_property",
    SENSING,
    Column("datastream_id", BigInteger, primary_key=True),
    Column("position", SmallInteger, primary_key=True),
    Column("observed_property_id", BigInteger, nullable=False),
)
DATASTREAM_FEATURE = _link("datastream_feature", "feature_id", "datastream_id")
LATEST = Table(
    "latest",
    SENSING,
    Column("datastream_id", BigInteger, primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("id", BigInteger),
    _moment("time"),
    _moment("arrived_at"),
    Column("number", Double),
    Column("text", Text),
    Column("json", JSONB),
    _moment("first_time"),
    _moment("last_time"),
    _moment("first_result_time"),
    _moment("last_result_time"),
)
OBSERVATION = Table(
    "observation",
    SENSING,
    Column("id", BigInteger, nullable=False),
    Column("datastream_id", BigInteger, nullable=False),
    _moment("time", required=True),
    Column("dedupe", BigInteger, nullable=False, comment="hash of the content: what is sent again counts once"),
    Column("number", Double),
    Column("feature_id", BigInteger),
    _moment("time_end"),
    _moment("result_time"),
    _moment("valid_from"),
    _moment("valid_to"),
    Column("text", Text),
    Column("json", JSONB),
    Column("quality", JSONB),
    Column("parameters", JSONB),
)


def _rolled_up(name: str, key: Column[object]) -> Table:
    """Observations of a datastream counted together: additive, so that late ones find their place."""
    return Table(
        name,
        SENSING,
        Column("datastream_id", BigInteger, primary_key=True),
        key,
        Column("count", Integer, nullable=False),
        *(Column(each, Double, nullable=False) for each in ("sum", "min", "max", "first", "last")),
        _moment("first_time", required=True),
        _moment("last_time", required=True),
    )


HOURLY = _rolled_up("hourly", Column("at", DateTime(timezone=True), primary_key=True))
DAILY = _rolled_up("daily", Column("day", Date, primary_key=True))
