-- Overviews for low zooms, and an index that finds the largest objects of each theme.

-- Area of a polygon (m2), length of a line (m), nought for a point; in EPSG:3857, so to be compared only, never told.
CREATE FUNCTION web_size(g geometry) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE public.ST_Dimension(g) WHEN 2 THEN public.ST_Area(g) WHEN 1 THEN public.ST_Length(g) ELSE 0 END
$$;

CREATE TABLE overview (
    layer TEXT NOT NULL,
    zoom SMALLINT NOT NULL,
    cell_x INTEGER NOT NULL,
    cell_y INTEGER NOT NULL,
    tile_x INTEGER NOT NULL,
    tile_y INTEGER NOT NULL,
    object_id BIGINT,
    rank DOUBLE PRECISION NOT NULL,
    properties JSONB NOT NULL,
    valid_from TIMESTAMP WITH TIME ZONE,
    valid_to TIMESTAMP WITH TIME ZONE,
    geom_web geometry(GEOMETRY,3857) NOT NULL
);
CREATE INDEX overview_tile ON overview (layer, zoom, tile_x, tile_y);
CREATE INDEX overview_cell ON overview (layer, zoom, cell_x, cell_y);

CREATE TABLE overview_coverage (
    layer TEXT NOT NULL,
    zoom SMALLINT NOT NULL,
    cell_x INTEGER NOT NULL,
    cell_y INTEGER NOT NULL,
    properties JSONB NOT NULL,
    valid_from TIMESTAMP WITH TIME ZONE,
    valid_to TIMESTAMP WITH TIME ZONE,
    exact_from TIMESTAMP WITH TIME ZONE,
    exact_to TIMESTAMP WITH TIME ZONE,
    pixels BYTEA NOT NULL,
    areas BYTEA NOT NULL
);
CREATE INDEX overview_coverage_cell ON overview_coverage (layer, zoom, cell_x, cell_y);
CREATE INDEX overview_coverage_inexact ON overview_coverage (layer, zoom, cell_x, cell_y)
    WHERE exact_from IS NOT NULL OR exact_to IS NOT NULL;

CREATE TABLE overview_layer (
    layer TEXT NOT NULL,
    definition TEXT NOT NULL,
    built_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (layer)
);

COMMENT ON TABLE overview IS 'Objects generalised for low zooms';
COMMENT ON COLUMN overview.tile_x IS 'tile of the same zoom in which the row is drawn';
COMMENT ON COLUMN overview.object_id IS 'null for what several objects were merged into';
COMMENT ON COLUMN overview.rank IS 'the greater, the later it is left out of a crowded tile';
COMMENT ON TABLE overview_coverage IS 'Ground covered by what is too small to be drawn';
COMMENT ON COLUMN overview_coverage.properties IS 'what the polygons have in common';
COMMENT ON COLUMN overview_coverage.exact_from IS 'before it the cell is drawn from the objects';
COMMENT ON COLUMN overview_coverage.exact_to IS 'from it on the cell is drawn from the objects';
COMMENT ON COLUMN overview_coverage.pixels IS 'row * 80 + column in the cell and 8 pixels around it, 16 bits';
COMMENT ON COLUMN overview_coverage.areas IS 'area, area x shade, shaded area: 32-bit floats';
COMMENT ON TABLE overview_layer IS 'Layers whose overviews stand';
COMMENT ON COLUMN overview_layer.definition IS 'digest; another one calls for building anew';

-- Every part of every theme that holds what is believed now, those of generic data sets too.
DO $$
DECLARE part text;
BEGIN
    FOR part IN
        SELECT relname FROM pg_class
        WHERE relkind = 'r' AND relispartition AND right(relname, 8) = '_current'
          AND relnamespace = current_schema()::regnamespace
    LOOP
        EXECUTE 'CREATE INDEX ' || quote_ident(part || '_size') || ' ON ' || quote_ident(part)
            || ' (web_size(geom_web) DESC, hashint8(object_id))';
    END LOOP;
END $$;
