-- What happened in the pool, in buckets of five minutes, for trends. `measure_pool` counts the journal and
-- the results into it, each row once, and samples the slots.

CREATE TABLE pool_figures (
    tenant_id TEXT COLLATE "C" NOT NULL,
    -- when the bucket begins
    at        BIGINT NOT NULL,
    allocated BIGINT NOT NULL DEFAULT 0,
    released  BIGINT NOT NULL DEFAULT 0,
    successes BIGINT NOT NULL DEFAULT 0,
    failures  BIGINT NOT NULL DEFAULT 0,
    -- slots of enabled credentials and how many were taken, as last seen in the bucket; null when nobody looked
    slots     BIGINT,
    used      BIGINT,
    PRIMARY KEY (tenant_id, at)
);
