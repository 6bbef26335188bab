"""A hand-made town, small enough to count by eye, for everything that reads a city.

40 buildings stand in a grid of 10 by 4, 0.001 degrees apart, from 120.95 E, 28.10 N to the north-east; building i
(source id b<i>) is i metres high. Every fourth has a name. b39 fell in 2015, b40 rose in 2020. Plan 1 takes b1 away
and puts one of 100 m beside it. Facilities: two schools and a hospital. Three secret water mains lie in a restricted
layer. Roles: `township` reads only buildings up to 5 m, `utility` reads everything and the mains.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import psycopg

from cim_models.database import Database
from layers.search import catch_up
from layers.tokens import create_token

WEST, SOUTH, STEP, SIDE = 120.95, 28.10, 0.001, 0.0004
BUILDINGS = 40
# Those that stand now: b39 has fallen.
STANDING = 39
SECRET = "秘密主管"
PLAN = 1

FILL = """
    insert into dataset (name, themes, title_zh, title_en, loaded_at, extent, attribution, licence)
    values ('town', array['building', 'facility', 'utility_pipe'], '小镇', 'Town', now(),
            array[120.95, 28.1, 120.96, 28.104], 'Surveyed by hand', 'CC0-1.0');

    insert into building (dataset_id, uid, content_hash, class, name, name_en, height, storeys, function, year_built,
                          attributes, geom, valid_from, valid_to)
    select 1, 'b' || i, '', 'Building', case when i % 4 = 0 then '海晏楼' || i end,
           case when i % 4 = 0 then 'Seacalm House ' || i end, i, i / 3 + 1,
           case when i % 2 = 0 then 'residential' else 'commercial' end, case when i % 2 = 0 then 1980 + i end,
           jsonb_build_object('cadastre', 'C-' || i),
           st_multi(st_makeenvelope(120.95 + (i - 1) % 10 * 0.001, 28.1 + (i - 1) / 10 * 0.001,
                                    120.9504 + (i - 1) % 10 * 0.001, 28.1004 + (i - 1) / 10 * 0.001, 4490)),
           case when i = 40 then timestamptz '2020-01-01 00:00+08' end,
           case when i = 39 then timestamptz '2015-01-01 00:00+08' end
    from generate_series(1, 40) i;

    insert into facility (dataset_id, uid, content_hash, class, name, name_en, capacity, geom) values
    (1, 'f1', '', 'School', '海晏小学', 'Seacalm Primary School', 400, st_setsrid(st_point(120.9512, 28.1012), 4490)),
    (1, 'f2', '', 'School', '海晏镇第二中学', 'Seacalm No. 2 Middle School', 900,
     st_setsrid(st_point(120.9532, 28.1022), 4490)),
    (1, 'f3', '', 'Hospital', '海晏', 'Seacalm', 120, st_setsrid(st_point(120.9552, 28.1032), 4490));

    insert into utility_pipe (dataset_id, uid, content_hash, class, name, medium, diameter_mm, geom)
    select 1, 'secret-' || i, '', 'Pipe', '秘密主管' || i, 'water', 300,
           st_setsrid(st_makeline(st_point(120.95, 28.1 + i * 0.001), st_point(120.96, 28.1 + i * 0.001)), 4490)
    from generate_series(1, 3) i;
    update layer set restricted = true where id = 'utility_pipes';

    insert into plan (name, title_zh, title_en, who) values ('tower', '塔楼', 'Tower', 'test');
    insert into building (object_id, dataset_id, uid, content_hash, class, geom, plan_id, plan_action)
    select object_id, dataset_id, uid, '', class, geom, 1, 'remove' from building where uid = 'b1';
    insert into building (dataset_id, uid, content_hash, class, height, geom, plan_id, plan_action)
    values (1, 'p1', '', 'Building', 100, st_multi(st_makeenvelope(120.9506, 28.1, 120.9608, 28.1004, 4490)), 1, 'add');

    insert into permission (role, layer, action, row_filter) values
    ('township', 'buildings', 'read', '{"op": "<=", "args": [{"property": "height"}, 5]}'),
    ('utility', '*', 'read', null), ('utility', 'utility_pipes', 'read', null);
"""


@dataclass(frozen=True)
class Tokens:
    """Secrets of one user of each role."""

    editor: str
    township: str
    utility: str
    administrator: str


def fill(url: str) -> None:
    """Put the town into the empty city at `url`."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(FILL)
        connection.execute("analyze")


def make_findable(url: str) -> None:
    """Write the search index, as a city's worker does."""

    async def write() -> None:
        database = await Database.open(url, connections=1)
        await catch_up(database)
        await database.close()

    # Who calls may have a loop that runs.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, write()).result()


async def make_tokens(database: Database) -> Tokens:
    """A token for a user of each role."""
    async with database.writing() as connection:
        return Tokens(
            **{role: await create_token(connection, f"a {role}", role) for role in Tokens.__dataclass_fields__}
        )
