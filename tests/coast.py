"""A small coast to be flooded: 600 m by 400 m, land at 3 m with a house and a street behind a sea wall of 6 m."""

from pathlib import Path

import numpy as np
import psycopg

from twin.flood.domain import Domain
from twin.flood.raster import write_grid

WEST, SOUTH, SHORE = 596_000, 3_111_000, 596_400
FILL = """
    insert into dataset (name, themes, title_zh, title_en, loaded_at, extent)
    select 'coast', array['building'], '海岸', 'Coast', now(), array[st_xmin(b), st_ymin(b), st_xmax(b), st_ymax(b)]
    from st_transform(st_makeenvelope(596000, 3111000, 596600, 3111400, 4549), 4490) b;
    insert into terrain (dataset_id, uid, content_hash, class, kind, path, resolution, geom)
    select 1, 't', '', 'dtm', 'dtm', 'dtm.tif', 10, st_multi(shape(596000, 3111000, 596600, 3111400));
    insert into water (dataset_id, uid, content_hash, class, level, depth, geom)
    select 1, 'sea', '', 'Sea', 0.2, 3, shape(596400, 3111000, 596600, 3111400);
    insert into construction (dataset_id, uid, content_hash, class, crest_level, geom)
    select 1, 'seawall-1', '', 'SeaWall', 6, shape(596392, 3111000, 596408, 3111400);
    insert into building (dataset_id, uid, content_hash, class, function, storeys, village_code, geom)
    select 1, 'home', '', 'Building', 'residential', 1, '990381001001',
           st_multi(shape(596200, 3111160, 596240, 3111240));
    insert into administrative_area (dataset_id, uid, content_hash, class, name, code, level, population, geom)
    select 1, 'v', '', 'AdministrativeArea', '海村', '990381001001', 'village', 60,
           st_multi(shape(596000, 3111000, 596400, 3111400));
    insert into road (dataset_id, uid, content_hash, class, start_node, end_node, geom)
    select 1, 'street', '', 'residential', 'n0', 'n1',
           st_transform(st_setsrid(st_makeline(st_point(596150, 3111010), st_point(596150, 3111390)), 4549), 4490);
"""
SHAPE = """
    create function pg_temp.shape(w float8, s float8, e float8, n float8) returns geometry language sql as
    $$ select st_transform(st_makeenvelope(w, s, e, n, 4549), 4490) $$;
"""


def fill(url: str, folder: Path) -> None:
    """Fill an empty city, and the folder of its files."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SHAPE)
        connection.execute(FILL.replace("shape(", "pg_temp.shape("))
    x = WEST + (np.arange(60) + 0.5) * 10
    bed = np.broadcast_to(np.where(x < SHORE, 3.0, -2.0), (40, 60)).copy()
    domain = Domain(bed, cell=10, west=WEST, north=SOUTH + 400, crs="EPSG:4549")
    write_grid(folder / "dtm.tif", bed, domain, unit="m", description="bed")
