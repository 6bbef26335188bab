"""Events as a layer of the city's catalogue, `events`: so every service has them, as they are at that moment."""

from functools import cache
from importlib import resources
from typing import Any

import yaml

from cim_models.database import Connection
from layers.access import SYSTEM
from layers.changes import INSERT_SQL, wake

LAYER = "events"
DATASET = "sensing-events"
# Whoever may not read the sensors is told of no event either.
PUBLISHED = {"relation": "published_event", "geometry": "Point", "source": "sensing.event", "read_with": "sensors"}
# It reaches as far as the city's data sets; where an event lies beyond, it is made to reach there.
DATASET_SQL = """
    insert into dataset (name, themes, title_zh, title_en, source, lineage, crs, made_up, extent, properties, loaded_at)
    select $1, '{}', $2, $3, 'sensing.event', 'what calls for attention, as it is followed', 'EPSG:4326', made_up,
           (select array[min(extent[1]), min(extent[2]), max(extent[3]), max(extent[4])] from dataset
            where extent is not null), $4, now()
    from city where not exists (select from dataset where name = $1)
    on conflict (name) do nothing returning id
"""
LAYER_SQL = """
    insert into layer (id, theme, dataset_id, title_zh, title_en, description_zh, description_en, "group", position,
                       visible, style, published)
    select $1, 'generic_object', $2, $3, $4, $5, $6, 'sensors', coalesce(max(position), 0) + 10, false, $7, $8
    from layer
    on conflict (id) do nothing
"""
EXTEND = """
    update dataset d set extent = array[least(extent[1], x), least(extent[2], y), greatest(extent[3], x),
                                        greatest(extent[4], y)]
    from (select st_x(geom) as x, st_y(geom) as y from sensing.event where id = $2 and geom is not null) e
    where d.name = $1 and (d.extent is null or not (x between extent[1] and extent[3]
                                                    and y between extent[2] and extent[4]))
    returning d.id
"""


@cache
def _described() -> dict[str, Any]:
    text = resources.files("twin.sensing").joinpath("event_layer.yaml").read_text(encoding="utf-8")
    described: dict[str, Any] = yaml.safe_load(text)
    return described


async def make_event_layer(connection: Connection) -> None:
    """Put the layer into the catalogue where it is not there yet; an own layer of that name stays as it is."""
    said = _described()
    title, description = (said[name] for name in ("title", "description"))
    properties = said["properties"]
    number = await connection.fetchval(DATASET_SQL, DATASET, title["zh"], title["en"], properties)
    if number is not None:
        style = {"layers": said["style"]}
        told = title["zh"], title["en"], description["zh"], description["en"]
        await connection.execute(LAYER_SQL, LAYER, number, *told, style, PUBLISHED)
        await _tell(connection, number, "events are a layer")


async def reach_event(connection: Connection, number: int) -> None:
    """Have the layer's extent hold an event that was raised: beyond it there are no tiles."""
    extended = await connection.fetchval(EXTEND, DATASET, number)
    if extended is not None:
        await _tell(connection, extended, f"event {number} lies beyond the others")


async def _tell(connection: Connection, dataset: int, why: str) -> None:
    await connection.execute(INSERT_SQL, "layer", dataset, *[None] * 2, "layer", *[None] * 4, SYSTEM.name, why)
    await wake(connection)
