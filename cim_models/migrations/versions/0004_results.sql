-- Results of runs: rasters in time, and which run a data set is of.

ALTER TABLE dataset ADD COLUMN run TEXT;
ALTER TABLE dataset ADD COLUMN times TIMESTAMP WITH TIME ZONE[];
CREATE INDEX ix_dataset_run ON dataset (run);
COMMENT ON COLUMN dataset.run IS 'of which it is a result, null for what was loaded';
COMMENT ON COLUMN dataset.times IS 'moments of a result''s states, in order';

CREATE TABLE coverage (
    id BIGINT DEFAULT nextval('version_id') NOT NULL,
    object_id BIGINT DEFAULT nextval('object_id') NOT NULL,
    dataset_id INTEGER NOT NULL,
    uid TEXT NOT NULL,
    content_hash BYTEA NOT NULL,
    class TEXT NOT NULL,
    name TEXT,
    name_en TEXT,
    cim_level SMALLINT,
    variable TEXT,
    unit TEXT,
    path TEXT,
    band INTEGER,
    resolution FLOAT,
    vertical_datum TEXT,
    attributes JSONB DEFAULT '{}' NOT NULL,
    geom geometry(MULTIPOLYGON,{srid}) NOT NULL,
    geom_web geometry(GEOMETRY,3857) GENERATED ALWAYS AS (web_mercator(geom)) STORED,
    village_code TEXT,
    valid_from TIMESTAMP WITH TIME ZONE,
    valid_to TIMESTAMP WITH TIME ZONE,
    recorded_from TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_to TIMESTAMP WITH TIME ZONE DEFAULT 'infinity' NOT NULL,
    plan_id INTEGER,
    plan_action TEXT,
    PRIMARY KEY (id, recorded_to),
    CONSTRAINT coverage_valid CHECK (valid_from < valid_to),
    CONSTRAINT coverage_recorded CHECK (recorded_from < recorded_to),
    CONSTRAINT coverage_plan CHECK ((plan_id is null) = (plan_action is null) and plan_action in ('add', 'replace', 'remove'))
)
 PARTITION BY LIST (recorded_to);

create table coverage_current partition of coverage for values in ('infinity');
create table coverage_past partition of coverage default;
create unique index coverage_current_uid on coverage_current (dataset_id, uid, plan_id, valid_from) nulls not distinct;
create index coverage_current_object on coverage_current (object_id);
create index coverage_current_geom on coverage_current using gist (geom);
create index coverage_current_geom_web on coverage_current using gist (geom_web);
create index coverage_current_village on coverage_current (village_code);
create index coverage_current_name on coverage_current using gin (name gin_trgm_ops, name_en gin_trgm_ops) where name is not null or name_en is not null;
create index coverage_current_valid_from on coverage_current (valid_from) where valid_from is not null;
create index coverage_current_valid_to on coverage_current (valid_to) where valid_to is not null;
create index coverage_current_plan on coverage_current (plan_id, object_id) where plan_id is not null;
create index coverage_current_size on coverage_current (web_size(geom_web) desc, hashint8(object_id));
create index coverage_past_object on coverage_past (object_id);
create index coverage_past_uid on coverage_past (dataset_id, uid);
create index coverage_past_geom_web on coverage_past using gist (geom_web);

COMMENT ON TABLE coverage IS 'Raster results';
COMMENT ON COLUMN coverage.content_hash IS '128 bits of the source record';
