"""Datastreams for tests, made by hand in SQL, so that what reads them is tested against something else."""

from cim_models.database import Database

MAKE = """
    with place as (
        insert into sensing.feature (name, encoding_type, feature, geom)
        select 'place ' || i, 'application/geo+json', '{}', st_setsrid(st_point(120.95 + i * 0.001, 28.1), 4326)
        from generate_series(1, $2::int) i returning id
    ), thing as (
        insert into sensing.thing (name) select 'gauge' from generate_series(1, $2::int) returning id
    ), maker as (
        insert into sensing.sensor (name, encoding_type, metadata) values ('maker', 'text/html', '"none"') returning id
    ), stream as (
        insert into sensing.datastream (thing_id, sensor_id, feature_id, kind, name, observation_type, units)
        select t.id, maker.id, p.id, $1, 'stream', 'OM_Measurement', '{}'
        from (select id, row_number() over (order by id) as n from thing) t
        join (select id, row_number() over (order by id) as n from place) p using (n), maker
        returning id
    )
    insert into sensing.latest (datastream_id) select id from stream order by id returning datastream_id
"""


async def make_streams(database: Database, kind: str = "other", number: int = 1) -> list[int]:
    """The ids of new datastreams of a kind, each on a thing of its own."""
    async with database.writing() as connection:
        return sorted(row[0] for row in await connection.fetch(MAKE, kind, number))
