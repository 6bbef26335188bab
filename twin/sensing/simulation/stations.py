"""The city's sensors made known to the SensorThings service: a Thing and a Datastream for each, once, and cameras."""

from zoneinfo import ZoneInfo

from cim_models.database import Database
from twin.sensing.event_layer import make_event_layer
from twin.sensing.model import BY_NAME
from twin.sensing.simulation.cameras import make_cameras
from twin.sensing.simulation.signals import Sensor
from twin.sensing.starting_rules import seed_rules
from twin.sensing.writing.create import Writer

MEASUREMENT = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"
# Cameras tell no numbers.
MISSING = """
    select s.object_id, s.uid, coalesce(s.name, s.uid) as name, s.kind, s.observed_property, s.unit,
           st_x(s.geom) as lon, st_y(s.geom) as lat, s.serves_uid, k.title_zh as title
    from sensor s left join sensing.kind k on k.id = s.kind
    where s.recorded_to = 'infinity' and s.plan_id is null and (s.valid_to is null or s.valid_to > now())
      and s.kind is not null and s.kind <> 'camera'
      and not exists (select 1 from sensing.thing t where t.properties -> 'cim' @> jsonb_build_array(
                          jsonb_build_object('layer', 'sensors', 'object_id', s.object_id)))
    order by s.object_id
"""
SERVED = """
    select 'water' as layer, object_id from water where uid = $1 and recorded_to = 'infinity' and plan_id is null
    union all
    select 'constructions', object_id from construction
    where uid = $1 and recorded_to = 'infinity' and plan_id is null
    union all
    select 'roads', object_id from road where uid = $1 and recorded_to = 'infinity' and plan_id is null
    union all
    select 'facilities', object_id from facility where uid = $1 and recorded_to = 'infinity' and plan_id is null
    limit 1
"""
SIMULATED = """
    select d.id, d.kind, (hashint8(t.id) & 65535) / 65536.0::float8 as number
    from sensing.datastream d join sensing.thing t on t.id = d.thing_id
    where t.properties ->> 'simulated' = 'true' and d.kind <> 'camera' order by d.id
"""
# Levels of a made-up station, m above the datum of its values.
LEVELS = {
    "water_level": {"warning": 2.9, "guaranteed": 3.8, "datum": "1985国家高程基准"},
    "tide": {"warning": 3.6, "guaranteed": 4.6, "datum": "1985国家高程基准"},
}


async def make_stations(database: Database) -> int:
    """Make what is missing, and the rules that a city starts with; how many stations are new."""
    zone = ZoneInfo(database.city.time_zone)
    async with database.writing() as connection:
        await seed_rules(connection)
        await make_event_layer(connection)
        missing = await connection.fetch(MISSING)
        writer = Writer(connection, zone)
        sensor = (
            await writer.create(
                BY_NAME["Sensor"],
                {
                    "name": "simulator",
                    "description": "made up",
                    "encodingType": "text/plain",
                    "metadata": "none is real",
                },
            )
            if missing
            else 0
        )
        observed: dict[str, int] = {}
        for row in missing:
            kind = row["kind"]
            if kind not in observed:
                what = {"name": row["observed_property"] or kind, "definition": f"urn:citytwin:observed:{kind}"}
                observed[kind] = await writer.create(BY_NAME["ObservedProperty"], what)
            linked = [{"layer": "sensors", "object_id": row["object_id"], "relation": "is"}]
            if (served := await connection.fetchrow(SERVED, row["serves_uid"])) is not None:
                linked.append({"layer": served["layer"], "object_id": served["object_id"], "relation": "watches"})
            place = {"type": "Point", "coordinates": [row["lon"], row["lat"]]}
            await writer.create(
                BY_NAME["Thing"],
                {
                    "name": row["name"],
                    "properties": {"cim": linked, "simulated": True},
                    "Locations": [{"name": row["name"], "encodingType": "application/geo+json", "location": place}],
                    "Datastreams": [
                        {
                            "name": row["title"] or row["observed_property"] or kind,
                            "observationType": MEASUREMENT,
                            "unitOfMeasurement": {"name": row["unit"], "symbol": row["unit"], "definition": "UCUM"},
                            "properties": {"kind": kind, "levels": LEVELS.get(kind, {})},
                            "Sensor": {"@iot.id": sensor},
                            "ObservedProperty": {"@iot.id": observed[kind]},
                        }
                    ],
                },
            )
        await make_cameras(connection, zone)
    return len(missing)


async def simulated_streams(database: Database) -> dict[int, Sensor]:
    """The datastreams that are made up, by id."""
    async with database.reading() as connection:
        return {row["id"]: Sensor(row["kind"], row["number"]) for row in await connection.fetch(SIMULATED)}
