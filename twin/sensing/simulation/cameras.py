"""Cameras of a city that has none: one at each of the first gauges, which sees what the simulator draws."""

from datetime import tzinfo

from pyproj import Geod

from cim_models.database import Connection
from twin.sensing.model import BY_NAME
from twin.sensing.writing.create import Writer

WGS84 = Geod(ellps="WGS84")
PICTURES = "/sensors/pictures"
MOST, AWAY_M, ANGLE = 5, 35.0, 62.0
# Of rivers first, which rise without the tide.
GAUGES = """
    select d.id, t.name, st_x(l.geom) as lon, st_y(l.geom) as lat,
           jsonb_path_query_array(t.properties -> 'cim', '$[*] ? (@.relation == "watches")') as watched
    from sensing.datastream d join sensing.thing t on t.id = d.thing_id
    join sensing.thing_location tl on tl.thing_id = t.id join sensing.location l on l.id = tl.location_id
    where t.properties ->> 'simulated' = 'true' and d.kind in ('water_level', 'tide')
      and not exists (select from sensing.datastream c where c.properties ->> 'key' = 'camera-' || d.id)
    order by d.kind desc, d.id
    limit greatest(0, $1 - (select count(*) from sensing.datastream where kind = 'camera'))
"""


async def make_cameras(connection: Connection, zone: tzinfo) -> None:
    """Make those that are missing: each on the bank, looking at its gauge."""
    gauges = await connection.fetch(GAUGES, MOST)
    writer = Writer(connection, zone)
    for number, row in enumerate(gauges):
        direction = (40.0 + 77.0 * number) % 360
        lon, lat, _ = WGS84.fwd(row["lon"], row["lat"], direction + 180, AWAY_M)
        place = {"type": "Point", "coordinates": [round(lon, 7), round(lat, 7)]}
        key, name = f"camera-{row['id']}", f"{row['name']}·视频"
        # Where it looks is told by the city object that its gauge watches.
        thing = {"name": name, "properties": {"cim": row["watched"], "simulated": True}}
        camera = {"direction": direction, "field_of_view": ANGLE, "snapshot": f"{PICTURES}/{key}"}
        stream = {
            "name": "画面",
            "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Observation",
            "unitOfMeasurement": {"name": None, "symbol": None, "definition": None},
            "properties": {"kind": "camera", "key": key, "camera": camera},
            "Sensor": {"name": key, "encodingType": "text/plain", "metadata": "none is real"},
            "ObservedProperty": {"name": "picture", "definition": "urn:citytwin:observed:camera"},
        }
        location = {"name": name, "encodingType": "application/geo+json", "location": place}
        await writer.create(BY_NAME["Thing"], thing | {"Locations": [location], "Datastreams": [stream]})
