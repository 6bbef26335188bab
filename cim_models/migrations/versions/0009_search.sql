-- Names, addresses and division codes of what the model now believes; kept by layers/search/index.py.

CREATE TABLE search_entry (
    "table" TEXT NOT NULL,
    object_id BIGINT NOT NULL,
    dataset_id INTEGER NOT NULL,
    field TEXT NOT NULL,
    text TEXT NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    grams TEXT[],
    latin TEXT NOT NULL,
    weight REAL NOT NULL,
    area TEXT,
    point geometry(POINT,{srid}) NOT NULL
);
CREATE INDEX search_entry_object ON search_entry ("table", object_id);
CREATE INDEX search_entry_key ON search_entry (key);
CREATE INDEX search_entry_point ON search_entry USING gist (point);
-- What is named most often, such as townships and hospitals, is looked through before the many houses.
CREATE INDEX search_entry_place_grams ON search_entry USING gin (grams) WHERE weight >= 0.5;
CREATE INDEX search_entry_grams ON search_entry USING gin (grams);
CREATE INDEX search_entry_place_latin ON search_entry USING gin (latin gin_trgm_ops) WHERE weight >= 0.5;
CREATE INDEX search_entry_latin ON search_entry USING gin (latin gin_trgm_ops);
-- How often two letters stand together decides between these indexes and the nearest first.
ALTER TABLE search_entry ALTER COLUMN grams SET STATISTICS 1000;

COMMENT ON TABLE search_entry IS 'Names and addresses of objects, made from the themes';
COMMENT ON COLUMN search_entry."table" IS 'theme of the object';
COMMENT ON COLUMN search_entry.field IS 'name, name_en, address or code';
COMMENT ON COLUMN search_entry.key IS 'the text folded; of an address road/number/...';
COMMENT ON COLUMN search_entry.grams IS 'one and two neighbouring letters of a Chinese text';
COMMENT ON COLUMN search_entry.latin IS 'words in Latin letters: the text''s own, pinyin, its initials';
COMMENT ON COLUMN search_entry.weight IS '0 to 1: the more, the sooner it is meant';
COMMENT ON COLUMN search_entry.area IS 'division code of the village';
