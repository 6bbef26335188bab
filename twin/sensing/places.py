"""What datastreams observe: the feature that a thing's location stands for, made when it is first needed."""

from collections.abc import Iterable

from cim_models.database import Connection
from twin.sensing import BadEntity

# Locked, so that two writers do not make a feature each.
LOCATIONS = """
    select d.id as datastream_id, l.id as location_id, l.feature_id
    from sensing.datastream d
    cross join lateral (
        select l.* from sensing.thing_location t join sensing.location l on l.id = t.location_id
        where t.thing_id = d.thing_id order by l.geom is null, l.id limit 1
    ) p
    join sensing.location l on l.id = p.id
    where d.id = any($1::bigint[]) order by l.id
    for update of l
"""
MAKE = """
    with made as (
        insert into sensing.feature (name, description, encoding_type, feature, geom)
        select name, description, encoding_type, location, geom from sensing.location where id = $1
        returning id
    )
    update sensing.location l set feature_id = made.id from made where l.id = $1 returning made.id
"""
NOTE = """
    with given as (
        select distinct datastream_id, feature_id from unnest($1::bigint[], $2::bigint[]) g (datastream_id, feature_id)
    ), noted as (
        insert into sensing.datastream_feature (datastream_id, feature_id)
        select d.id, f.id from given g
        join sensing.datastream d on d.id = g.datastream_id join sensing.feature f on f.id = g.feature_id
        on conflict do nothing
        returning datastream_id, feature_id
    ), reached as (
        select n.datastream_id, st_collect(f.geom) as geom
        from noted n join sensing.feature f on f.id = n.feature_id where f.geom is not null group by 1
    )
    update sensing.datastream d
    set observed_area = case when d.observed_area is null then st_envelope(r.geom)
                             else st_envelope(st_collect(d.observed_area, r.geom)) end
    from reached r where d.id = r.datastream_id
"""
PLACELESS = """
    select id from sensing.datastream d
    where id = any($1::bigint[]) and feature_id is null
      and not exists (select from sensing.thing_location t where t.thing_id = d.thing_id)
"""
NOWHERE = (
    "Datastream {}: its Thing has no Location that an Observation could be of; "
    "give the Thing a Location, or the Observation a FeatureOfInterest"
)


async def require_place(connection: Connection, datastream: int) -> None:
    """Raises BadEntity for an Observation without a FeatureOfInterest, where its Thing has no Location to stand for it.

    OGC 18-088, 10.2: every Observation has one FeatureOfInterest.
    """
    if await placeless(connection, [datastream]):
        raise BadEntity(NOWHERE.format(datastream))


async def placeless(connection: Connection, datastreams: Iterable[int]) -> set[int]:
    """Those of some datastreams whose Thing has no Location."""
    return {row["id"] for row in await connection.fetch(PLACELESS, list(datastreams))}


async def find_places(connection: Connection, datastreams: Iterable[int]) -> dict[int, int]:
    """The feature that each datastream observes where its thing stands; without one where the thing has no place."""
    found: dict[int, int] = {}
    made: dict[int, int] = {}
    for row in await connection.fetch(LOCATIONS, sorted(datastreams)):
        location, feature = row["location_id"], row["feature_id"]
        if feature is None:
            feature = made.get(location) or await connection.fetchval(MAKE, location)
            made[location] = feature
        found[row["datastream_id"]] = feature
    if found:
        await connection.execute(
            "update sensing.datastream d set feature_id = g.feature_id"
            " from unnest($1::bigint[], $2::bigint[]) g (id, feature_id) where d.id = g.id",
            list(found),
            list(found.values()),
        )
        await note_features(connection, set(found.items()))
    return found


async def note_features(connection: Connection, pairs: set[tuple[int, int | None]] | set[tuple[int, int]]) -> None:
    """Remember which features datastreams observe (pairs of both ids), and widen the areas they observe."""
    given = sorted(pair for pair in pairs if pair[1] is not None)
    await connection.execute(NOTE, [pair[0] for pair in given], [pair[1] for pair in given])


async def forget_places(connection: Connection, thing: int) -> None:
    """A thing stands elsewhere: what its datastreams observe is found anew with the next reading."""
    await connection.execute("update sensing.datastream set feature_id = null where thing_id = $1", thing)
