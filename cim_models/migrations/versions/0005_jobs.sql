CREATE TABLE scenario_run (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    parent UUID REFERENCES scenario_run (id) ON DELETE CASCADE,
    job BIGINT,
    scenario TEXT NOT NULL,
    inputs JSONB NOT NULL,
    view JSONB NOT NULL,
    seed BIGINT NOT NULL,
    principal TEXT NOT NULL,
    role TEXT NOT NULL,
    response TEXT NOT NULL DEFAULT 'document' CHECK (response IN ('raw', 'document')),
    callback JSONB,
    told TEXT,
    state TEXT NOT NULL DEFAULT 'accepted'
        CHECK (state IN ('accepted', 'running', 'successful', 'failed', 'dismissed')),
    attempt INTEGER NOT NULL DEFAULT 0,
    progress REAL NOT NULL DEFAULT 0,
    message JSONB,
    versions JSONB,
    changes JSONB,
    readers TEXT[],
    outcome JSONB,
    log TEXT,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
    started_at TIMESTAMP WITH TIME ZONE,
    seen_at TIMESTAMP WITH TIME ZONE,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
    finished_at TIMESTAMP WITH TIME ZONE,
    expires_at TIMESTAMP WITH TIME ZONE
);
CREATE INDEX scenario_run_created ON scenario_run (created_at DESC, id) WHERE parent IS NULL;
CREATE INDEX scenario_run_open ON scenario_run (state) WHERE state IN ('accepted', 'running');
CREATE INDEX scenario_run_parent ON scenario_run (parent) WHERE parent IS NOT NULL;
CREATE INDEX scenario_run_expires ON scenario_run (expires_at);
COMMENT ON TABLE scenario_run IS 'Each run of a scenario: what it was given, how it goes, what it gave';
COMMENT ON COLUMN scenario_run.parent IS 'the run that this is a member of';
COMMENT ON COLUMN scenario_run.job IS 'its job in procrastinate';
COMMENT ON COLUMN scenario_run.view IS 'datetime, recorded and plan as asked for';
COMMENT ON COLUMN scenario_run.told IS 'the last state that the callback was told';
COMMENT ON COLUMN scenario_run.attempt IS 'who computes an earlier attempt has lost the run, and writes nothing more';
COMMENT ON COLUMN scenario_run.message IS 'zh, en: what is being done, or why it failed';
COMMENT ON COLUMN scenario_run.versions IS 'of the programs that computed it';
COMMENT ON COLUMN scenario_run.changes IS 'layers that it read, each with its last change before';
COMMENT ON COLUMN scenario_run.readers IS 'roles that may read its results; null is everybody';
COMMENT ON COLUMN scenario_run.outcome IS 'indicators, layers, tables, files';
COMMENT ON COLUMN scenario_run.seen_at IS 'when its worker last tended it';
