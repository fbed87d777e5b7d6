-- What happened in the pool, in buckets of five minutes, for trends. `measure_pool` counts the journal and
-- the results into it, each row once, and samples the slots.

CREATE TABLE pool_figures (
    tenant_id TEXT NOT NULL,
    -- when the bucket begins
    at        INTEGER NOT NULL,
    allocated INTEGER NOT NULL DEFAULT 0,
    released  INTEGER NOT NULL DEFAULT 0,
    successes INTEGER NOT NULL DEFAULT 0,
    failures  INTEGER NOT NULL DEFAULT 0,
    -- slots of enabled credentials and how many were taken, as last seen in the bucket; null when nobody looked
    slots     INTEGER,
    used      INTEGER,
    PRIMARY KEY (tenant_id, at)
) WITHOUT ROWID;
