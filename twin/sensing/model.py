"""SensorThings 1.1 as a view on the tables: entity types, their properties, and how they are linked (OGC 18-088, 8)."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sqlalchemy import ColumnElement, FromClause, Table, and_, func, select, true
from sqlalchemy.dialects.postgresql import JSONB

from cim_models.observation import (
    DATASTREAM,
    DATASTREAM_FEATURE,
    DATASTREAM_PROPERTY,
    FEATURE,
    HISTORICAL_LOCATION,
    HISTORICAL_LOCATION_LOCATION,
    LATEST,
    LOCATION,
    OBSERVATION,
    OBSERVED_PROPERTY,
    SENSOR,
    THING,
    THING_LOCATION,
)

# result: a number, a text or JSON, each in a column of its own.
Type = Literal["id", "text", "number", "json", "time", "interval", "geometry", "result"]
Expression = Callable[[FromClause], ColumnElement[Any]]


@dataclass(frozen=True)
class Property:
    """A property of an entity type. end: of an interval. required: never null, so that its order needs no care."""

    name: str
    type: Type
    value: Expression
    end: Expression | None = None
    required: bool = False


@dataclass(frozen=True)
class Navigation:
    """A link to another entity type.

    key: column of the source by which the target is found. match: whether a target belongs to such a key.
    rows: the targets with what the link says of each, where it says more; one that is linked twice is there twice.
    order: the column of `rows` by which they are told.
    """

    name: str
    target: str
    many: bool
    key: str
    match: Callable[[FromClause, ColumnElement[Any]], ColumnElement[bool]]
    rows: FromClause | None = None
    order: str | None = None

    def targets(self) -> FromClause:
        """The entities at the other end, to select from."""
        return (BY_NAME[self.target].table if self.rows is None else self.rows).alias()


@dataclass(frozen=True)
class EntityType:
    """name: of one; plural: of the set, as in addresses. base: which rows of the table are of this type."""

    name: str
    plural: str
    table: Table
    properties: tuple[Property, ...]
    navigations: tuple[Navigation, ...]
    base: Callable[[FromClause], ColumnElement[bool]] = field(default=lambda _: true())

    @property
    def names(self) -> list[str]:
        """All that an entity of this type may be asked for."""
        return [each.name for each in self.properties] + [each.name for each in self.navigations]

    def find(self, name: str) -> Property | None:
        wanted = "@iot.id" if name == "id" else name
        return next((each for each in self.properties if each.name == wanted), None)

    def navigation(self, name: str) -> Navigation | None:
        return next((each for each in self.navigations if each.name == name), None)


def _column(name: str) -> Expression:
    return lambda table: table.c[name]


def _plain(name: str, type_: Type = "text", column: str | None = None, *, required: bool = False) -> Property:
    return Property(name, type_, _column(column or name), required=required)


def _of_latest(column: str) -> Expression:
    def told(table: FromClause) -> ColumnElement[Any]:
        found = select(LATEST.c[column]).where(LATEST.c.datastream_id == table.c.id)
        return found.correlate_except(LATEST).scalar_subquery()

    return told


def _area(table: FromClause) -> ColumnElement[Any]:
    return table.c.observed_area


def _one(name: str, target: str, key: str) -> Navigation:
    return Navigation(name, target, False, key, lambda table, value: table.c.id == value)


def _many(name: str, target: str, column: str) -> Navigation:
    return Navigation(name, target, True, "id", lambda table, value: table.c[column] == value)


def _through(name: str, target: str, link: Table, mine: str, theirs: str) -> Navigation:
    def match(table: FromClause, value: ColumnElement[Any]) -> ColumnElement[bool]:
        # The key may be of a table further out than the next: SQLAlchemy would look no further by itself.
        return table.c.id.in_(select(link.c[theirs]).where(link.c[mine] == value).correlate_except(link))

    return Navigation(name, target, True, "id", match)


def _observed(table: FromClause, value: ColumnElement[Any]) -> ColumnElement[bool]:
    link = DATASTREAM_FEATURE
    streams = select(link.c.datastream_id).where(link.c.feature_id == value).correlate_except(link)
    return and_(table.c.feature_id == value, table.c.datastream_id.in_(streams))


def _first_property(table: FromClause, value: ColumnElement[Any]) -> ColumnElement[bool]:
    link = DATASTREAM_PROPERTY
    chosen = select(link.c.observed_property_id).where(link.c.datastream_id == value, link.c.position == 0)
    return table.c.id == chosen.correlate_except(link).scalar_subquery()


def _properties() -> Navigation:
    """One for each part of a result, in their order."""
    link = DATASTREAM_PROPERTY
    parts = select(OBSERVED_PROPERTY, link.c.datastream_id, link.c.position)
    rows = parts.join_from(OBSERVED_PROPERTY, link, link.c.observed_property_id == OBSERVED_PROPERTY.c.id).subquery()
    link_ = _many("ObservedProperties", "ObservedProperty", "datastream_id")
    return replace(link_, rows=rows, order="position")


def _several(table: FromClause) -> ColumnElement[bool]:
    return table.c.is_multi.is_(True)


def _single(table: FromClause) -> ColumnElement[bool]:
    return table.c.is_multi.is_(False)


ID = _plain("@iot.id", "id", "id", required=True)
NAME = _plain("name", required=True)
DESCRIPTION = _plain("description")
DEFINITION = _plain("definition")
PROPERTIES = _plain("properties", "json")
ENCODING = _plain("encodingType", column="encoding_type")
OF_STREAM = (
    Property("observedArea", "geometry", _area),
    Property("phenomenonTime", "interval", _of_latest("first_time"), _of_latest("last_time")),
    Property("resultTime", "interval", _of_latest("first_result_time"), _of_latest("last_result_time")),
    PROPERTIES,
)
STREAM_LINKS = (
    _one("Thing", "Thing", "thing_id"),
    _one("Sensor", "Sensor", "sensor_id"),
    _many("Observations", "Observation", "datastream_id"),
)


def _unit_types(table: FromClause) -> ColumnElement[Any]:
    return func.coalesce(table.c.types, func.jsonb_build_array(type_=JSONB), type_=JSONB)


TYPES = (
    EntityType(
        "Thing",
        "Things",
        THING,
        (ID, NAME, DESCRIPTION, PROPERTIES),
        (
            _through("Locations", "Location", THING_LOCATION, "thing_id", "location_id"),
            _many("HistoricalLocations", "HistoricalLocation", "thing_id"),
            _many("Datastreams", "Datastream", "thing_id"),
            _many("MultiDatastreams", "MultiDatastream", "thing_id"),
        ),
    ),
    EntityType(
        "Location",
        "Locations",
        LOCATION,
        (ID, NAME, DESCRIPTION, ENCODING, _plain("location", "geometry", "geom"), PROPERTIES),
        (
            _through("Things", "Thing", THING_LOCATION, "location_id", "thing_id"),
            _through(
                "HistoricalLocations",
                "HistoricalLocation",
                HISTORICAL_LOCATION_LOCATION,
                "location_id",
                "historical_location_id",
            ),
        ),
    ),
    EntityType(
        "HistoricalLocation",
        "HistoricalLocations",
        HISTORICAL_LOCATION,
        (ID, _plain("time", "time", required=True)),
        (
            _one("Thing", "Thing", "thing_id"),
            _through("Locations", "Location", HISTORICAL_LOCATION_LOCATION, "historical_location_id", "location_id"),
        ),
    ),
    EntityType(
        "Datastream",
        "Datastreams",
        DATASTREAM,
        (
            ID,
            NAME,
            DESCRIPTION,
            _plain("observationType", column="observation_type"),
            _plain("unitOfMeasurement", "json", "units"),
            *OF_STREAM,
        ),
        (*STREAM_LINKS, Navigation("ObservedProperty", "ObservedProperty", False, "id", _first_property)),
        _single,
    ),
    EntityType(
        "MultiDatastream",
        "MultiDatastreams",
        DATASTREAM,
        (
            ID,
            NAME,
            DESCRIPTION,
            _plain("observationType", column="observation_type"),
            Property("multiObservationDataTypes", "json", _unit_types),
            _plain("unitOfMeasurements", "json", "units"),
            *OF_STREAM,
        ),
        (
            *STREAM_LINKS,
            _properties(),
        ),
        _several,
    ),
    EntityType(
        "Sensor",
        "Sensors",
        SENSOR,
        (ID, NAME, DESCRIPTION, ENCODING, _plain("metadata", "json"), PROPERTIES),
        (
            _many("Datastreams", "Datastream", "sensor_id"),
            _many("MultiDatastreams", "MultiDatastream", "sensor_id"),
        ),
    ),
    EntityType(
        "ObservedProperty",
        "ObservedProperties",
        OBSERVED_PROPERTY,
        (ID, NAME, DEFINITION, DESCRIPTION, PROPERTIES),
        (
            _through("Datastreams", "Datastream", DATASTREAM_PROPERTY, "observed_property_id", "datastream_id"),
            _through(
                "MultiDatastreams",
                "MultiDatastream",
                DATASTREAM_PROPERTY,
                "observed_property_id",
                "datastream_id",
            ),
        ),
    ),
    EntityType(
        "Observation",
        "Observations",
        OBSERVATION,
        (
            ID,
            Property("phenomenonTime", "interval", _column("time"), _column("time_end"), required=True),
            Property("result", "result", _column("number")),
            _plain("resultTime", "time", "result_time"),
            _plain("resultQuality", "json", "quality"),
            Property("validTime", "interval", _column("valid_from"), _column("valid_to")),
            _plain("parameters", "json"),
        ),
        (
            _one("Datastream", "Datastream", "datastream_id"),
            _one("MultiDatastream", "MultiDatastream", "datastream_id"),
            _one("FeatureOfInterest", "FeatureOfInterest", "feature_id"),
        ),
    ),
    EntityType(
        "FeatureOfInterest",
        "FeaturesOfInterest",
        FEATURE,
        (ID, NAME, DESCRIPTION, ENCODING, _plain("feature", "geometry", "geom"), PROPERTIES),
        (Navigation("Observations", "Observation", True, "id", _observed),),
    ),
)
BY_NAME = {each.name: each for each in TYPES}
BY_PLURAL = {each.plural: each for each in TYPES}


def value_told(entity: EntityType, each: Property, table: FromClause) -> ColumnElement[Any]:
    """What the JSON of an entity holds of a property; times and intervals still want their form."""
    if each.type == "geometry":
        if each.name == "observedArea":
            # Nine decimals are a tenth of a millimetre.
            return func.ST_AsGeoJSON(each.value(table), 9).cast(JSONB)
        # As it was given: it need not be a geometry.
        return table.c[each.name]
    if each.type == "interval" and each.end is not None:
        return func.json_build_array(each.value(table), each.end(table))
    if each.type == "result":
        return func.coalesce(func.to_jsonb(table.c.number), func.to_jsonb(table.c.text), table.c.json)
    return each.value(table)
