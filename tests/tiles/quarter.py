"""A made-up quarter, some kilometres wide, with enough of everything that overviews must merge, thin and keep."""

import psycopg

WEST, SOUTH, SIDE = 120.95, 28.10, 0.03
CENTRE = (WEST + SIDE / 2, SOUTH + SIDE / 2)
# Two moments at which much changes, and the city's zone.
REBUILT, CLEARED = "2010-01-01 00:00+08", "2020-01-01 00:00+08"

FILL = f"""
    select setseed(0.5);
    insert into dataset (name, themes, title_zh, title_en, loaded_at, extent)
    values ('quarter', array['building', 'road', 'facility', 'land'], '街区', 'Quarter', now(),
            array[{WEST}, {SOUTH}, {WEST + SIDE}, {SOUTH + SIDE}]);

    insert into building (dataset_id, uid, content_hash, class, name, height, function, geom, valid_from, valid_to)
    select 1, 'b' || i, '', 'Building', case when i % 50 = 0 then '楼' || i end, 3 + i % 40,
           case when x < 0.4 then 'industrial' when i % 9 = 0 then 'commercial' else 'residential' end,
           st_multi(st_makeenvelope({WEST} + {SIDE} * x, {SOUTH} + {SIDE} * y, {WEST} + {SIDE} * x + w * 1e-5,
                                    {SOUTH} + {SIDE} * y + h * 1e-5, 4490)),
           case when i % 10 = 0 then timestamptz '{REBUILT}' end,
           case when i % 15 = 0 then timestamptz '{CLEARED}' end
    from (select i, random() x, random() y, 4 + 12 * random() w, 4 + 14 * random() h from generate_series(1, 3000) i) r;
    -- A hall that lies in many cells, and yards around it.
    insert into building (dataset_id, uid, content_hash, class, height, function, geom)
    select 1, 'hall', '', 'Building', 12, 'industrial',
           st_multi(st_makeenvelope({WEST} + 0.01, {SOUTH} + 0.01, {WEST} + 0.021, {SOUTH} + 0.0102, 4490));

    insert into road (dataset_id, uid, content_hash, class, name, geom)
    select 1, kind || i || '-' || part, '',
           case when i % 10 = 0 then 'primary' when i % 3 = 0 then 'tertiary' else 'residential' end, kind || i || '路',
           case kind when 'u' then st_setsrid(st_makeline(st_point(a, b), st_point(a, b + step)), 4490)
                     else st_setsrid(st_makeline(st_point(c, d), st_point(c + step, d)), 4490) end
    from (select i, part, kind, {SIDE} / 20 as step, {WEST} + {SIDE} * i / 30 as a, {SOUTH} + {SIDE} * part / 20 as b,
                 {WEST} + {SIDE} * part / 20 as c, {SOUTH} + {SIDE} * i / 30 as d
          from generate_series(0, 30) i, generate_series(0, 19) part, unnest(array['u', 'v']) kind) r;

    insert into facility (dataset_id, uid, content_hash, class, geom)
    select 1, 'f' || i, '', case when i % 100 = 0 then 'Hospital' when i % 7 = 0 then 'School' else 'Shop' end,
           st_setsrid(st_point({WEST} + {SIDE} * random(), {SOUTH} + {SIDE} * random()), 4490)
    from generate_series(1, 2000) i;

    insert into land (dataset_id, uid, content_hash, class, scheme, code, geom)
    select 1, 'l' || x || '-' || y, '', 'Parcel', 'GB/T 21010', lpad((1 + (x + y) % 12)::text, 2, '0'),
           st_multi(st_makeenvelope({WEST} + {SIDE} * x / 25, {SOUTH} + {SIDE} * y / 25,
                                    {WEST} + {SIDE} * (x + 1) / 25, {SOUTH} + {SIDE} * (y + 1) / 25, 4490))
    from generate_series(0, 24) x, generate_series(0, 24) y;

    insert into plan (name, title_zh, title_en, who) values ('clearing', '拆除', 'Clearing', 'test');
    insert into building (object_id, dataset_id, uid, content_hash, class, geom, plan_id, plan_action)
    select object_id, dataset_id, uid, '', class, geom, 1, 'remove' from building
    where geom && st_makeenvelope({WEST}, {SOUTH}, {WEST} + 0.004, {SOUTH} + 0.004, 4490);
"""


def fill(url: str) -> None:
    """Put the quarter into the empty city at `url`."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(FILL)
        connection.execute("analyze")
