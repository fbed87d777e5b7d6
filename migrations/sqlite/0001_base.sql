-- The house's first floor. The same numbers and the same columns stand in ../postgres.
-- Ids are ULIDs as TEXT, times are milliseconds since 1970 UTC, every business table has tenant_id.

CREATE TABLE tenants (
    id             TEXT PRIMARY KEY,
    name           TEXT NOT NULL,
    created_at     INTEGER NOT NULL,
    capacity_level TEXT NOT NULL DEFAULT 'normal',
    -- the pool's own prior of a success rate, kept by score_health
    prior_alpha    DOUBLE NOT NULL DEFAULT 19.0,
    prior_beta     DOUBLE NOT NULL DEFAULT 1.0
);

-- One row. `journal` and `results` are the last sequence numbers given out, taken in the
-- transaction that uses them, so that both logs are without gaps and in the order of commits.
CREATE TABLE heads (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    journal INTEGER NOT NULL,
    results INTEGER NOT NULL
);

-- One row. Moves with every change of what processes keep compiled in memory.
CREATE TABLE revision (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    value INTEGER NOT NULL
);

CREATE TABLE keyring (
    key_id     INTEGER PRIMARY KEY,
    verifier   BLOB NOT NULL,
    created_at INTEGER NOT NULL
);

CREATE TABLE users (
    id            TEXT PRIMARY KEY,
    tenant_id     TEXT NOT NULL REFERENCES tenants (id),
    username      TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    role          TEXT NOT NULL,
    failed_logins INTEGER NOT NULL DEFAULT 0,
    locked_until  INTEGER NOT NULL DEFAULT 0,
    last_login_at INTEGER,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    version       INTEGER NOT NULL DEFAULT 1
);
-- People sign in by name alone, so a name is unique in the whole installation.
CREATE UNIQUE INDEX users_username ON users (username);

CREATE TABLE sessions (
    id          TEXT PRIMARY KEY,
    tenant_id   TEXT NOT NULL REFERENCES tenants (id),
    user_id     TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    family      TEXT NOT NULL,
    token_hash  BLOB NOT NULL UNIQUE,
    replaced_at INTEGER,
    revoked_at  INTEGER,
    ip          TEXT,
    user_agent  TEXT,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
);
CREATE INDEX sessions_user ON sessions (tenant_id, user_id);

CREATE TABLE service_tokens (
    id           TEXT PRIMARY KEY,
    tenant_id    TEXT NOT NULL REFERENCES tenants (id),
    product      TEXT NOT NULL,
    token_hash   BLOB NOT NULL UNIQUE,
    scopes       TEXT NOT NULL,
    member_level INTEGER NOT NULL DEFAULT 0,
    note         TEXT,
    created_by   TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    revoked_at   INTEGER
);
CREATE INDEX service_tokens_tenant ON service_tokens (tenant_id, id);

CREATE TABLE settings (
    tenant_id  TEXT NOT NULL REFERENCES tenants (id),
    key        TEXT NOT NULL,
    value      TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    PRIMARY KEY (tenant_id, key)
);

CREATE TABLE saved_views (
    id         TEXT PRIMARY KEY,
    tenant_id  TEXT NOT NULL REFERENCES tenants (id),
    owner      TEXT NOT NULL,
    page       TEXT NOT NULL,
    name       TEXT NOT NULL,
    definition TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version    INTEGER NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX saved_views_name ON saved_views (tenant_id, owner, page, name);

CREATE TABLE idempotency_keys (
    tenant_id   TEXT NOT NULL REFERENCES tenants (id),
    key         TEXT NOT NULL,
    body_hash   BLOB NOT NULL,
    resource    TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

CREATE TABLE credential_groups (
    id          TEXT PRIMARY KEY,
    tenant_id   TEXT NOT NULL REFERENCES tenants (id),
    name        TEXT NOT NULL,
    description TEXT,
    color       TEXT,
    strategy    TEXT,
    attributes  TEXT NOT NULL DEFAULT '{}',
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    version     INTEGER NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX credential_groups_name ON credential_groups (tenant_id, name);

CREATE TABLE rules (
    id         TEXT PRIMARY KEY,
    tenant_id  TEXT NOT NULL REFERENCES tenants (id),
    name       TEXT NOT NULL,
    effect     TEXT NOT NULL,
    matcher    TEXT NOT NULL,
    target     TEXT,
    priority   INTEGER NOT NULL DEFAULT 0,
    enabled    BOOLEAN NOT NULL DEFAULT TRUE,
    expires_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version    INTEGER NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX rules_name ON rules (tenant_id, name);

CREATE TABLE batches (
    id         TEXT PRIMARY KEY,
    tenant_id  TEXT NOT NULL REFERENCES tenants (id),
    actor      TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    imported   INTEGER NOT NULL DEFAULT 0,
    duplicates INTEGER NOT NULL DEFAULT 0,
    rejected   INTEGER NOT NULL DEFAULT 0,
    finished_at INTEGER,
    undone_at  INTEGER,
    -- a large import waits here, sealed, until its job has run
    upload     BLOB
);

CREATE INDEX batches_waiting ON batches (created_at) WHERE upload IS NOT NULL;

CREATE TABLE credentials (
    id                   TEXT PRIMARY KEY,
    tenant_id            TEXT NOT NULL REFERENCES tenants (id),
    api_id               INTEGER NOT NULL,
    api_hash             BLOB NOT NULL,
    api_hash_masked      TEXT NOT NULL,
    name                 TEXT NOT NULL,
    standing             TEXT NOT NULL DEFAULT 'enabled' CHECK (standing IN ('enabled', 'disabled', 'banned')),
    deleted_at           INTEGER,
    max_accounts         INTEGER NOT NULL CHECK (max_accounts > 0),
    current_accounts     INTEGER NOT NULL DEFAULT 0 CHECK (current_accounts >= 0),
    success_count        INTEGER NOT NULL DEFAULT 0,
    fail_count           INTEGER NOT NULL DEFAULT 0,
    consecutive_failures INTEGER NOT NULL DEFAULT 0,
    recent_failures      INTEGER NOT NULL DEFAULT 0,
    group_id             TEXT REFERENCES credential_groups (id),
    priority             INTEGER NOT NULL DEFAULT 0,
    is_premium           BOOLEAN NOT NULL DEFAULT FALSE,
    min_member_level     INTEGER NOT NULL DEFAULT 0,
    -- group, premium flag and level as one text: see domain::credential::Shelf
    shelf                TEXT NOT NULL,
    tags                 TEXT NOT NULL DEFAULT '[]',
    source_phone         BLOB,
    source_phone_masked  TEXT,
    note                 TEXT,
    batch_id             TEXT REFERENCES batches (id),
    cooldown_until       INTEGER NOT NULL DEFAULT 0,
    ban_reason           TEXT,
    -- failures up to here were forgiven by a person
    forgiven_at          INTEGER NOT NULL DEFAULT 0,
    flag                 TEXT,
    flagged_by           TEXT,
    login_only           BOOLEAN NOT NULL DEFAULT FALSE,
    success_score        INTEGER NOT NULL,
    health_score         INTEGER NOT NULL DEFAULT 100,
    last_allocated_at    INTEGER NOT NULL DEFAULT 0,
    last_failure_at      INTEGER,
    last_seq             INTEGER NOT NULL DEFAULT 0,
    created_at           INTEGER NOT NULL,
    updated_at           INTEGER NOT NULL,
    version              INTEGER NOT NULL DEFAULT 1,
    utilisation          INTEGER NOT NULL GENERATED ALWAYS AS (current_accounts * 1000000 / max_accounts) STORED,
    is_open              BOOLEAN NOT NULL GENERATED ALWAYS AS
        (standing = 'enabled' AND deleted_at IS NULL AND current_accounts < max_accounts) STORED
);
CREATE UNIQUE INDEX credentials_api_id ON credentials (tenant_id, api_id) WHERE deleted_at IS NULL;
-- The history of an api_id goes on past deletion.
CREATE INDEX credentials_tombstones ON credentials (tenant_id, api_id) WHERE deleted_at IS NOT NULL;
-- One index for each strategy, in the order of domain::allocation::rank within a shelf.
CREATE INDEX credentials_balanced ON credentials
    (tenant_id, shelf, priority DESC, utilisation, id, cooldown_until) WHERE is_open;
CREATE INDEX credentials_success_rate ON credentials
    (tenant_id, shelf, priority DESC, success_score DESC, utilisation, id, cooldown_until) WHERE is_open;
CREATE INDEX credentials_least_failures ON credentials
    (tenant_id, shelf, priority DESC, recent_failures, utilisation, id, cooldown_until) WHERE is_open;
CREATE INDEX credentials_round_robin ON credentials
    (tenant_id, shelf, priority DESC, last_allocated_at, utilisation, id, cooldown_until) WHERE is_open;
CREATE INDEX credentials_health ON credentials
    (tenant_id, shelf, priority DESC, health_score DESC, utilisation, id, cooldown_until) WHERE is_open;
-- Counting why nobody is left, and which shelves there are.
CREATE INDEX credentials_census ON credentials (tenant_id, shelf, standing, cooldown_until) WHERE deleted_at IS NULL;
-- Lists, by what they may be sorted and filtered.
CREATE INDEX credentials_list ON credentials (tenant_id, id) WHERE deleted_at IS NULL;
CREATE INDEX credentials_name ON credentials (tenant_id, name, id) WHERE deleted_at IS NULL;
-- Begins with the referring column, so that the check of a foreign key finds it; so do others below.
CREATE INDEX credentials_group ON credentials (group_id, tenant_id, deleted_at) WHERE group_id IS NOT NULL;
CREATE INDEX credentials_batch ON credentials (batch_id) WHERE batch_id IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX credentials_failing ON credentials (tenant_id, id) WHERE recent_failures > 0;

CREATE TABLE credential_health (
    credential_id   TEXT PRIMARY KEY REFERENCES credentials (id),
    tenant_id       TEXT NOT NULL REFERENCES tenants (id),
    score           INTEGER NOT NULL DEFAULT 100,
    grade           TEXT NOT NULL DEFAULT 'excellent',
    parts           TEXT NOT NULL DEFAULT '',
    -- weights of successes and charged failures at the moment as_of, under the two half-lives
    long_successes  DOUBLE NOT NULL DEFAULT 0,
    long_failures   DOUBLE NOT NULL DEFAULT 0,
    short_successes DOUBLE NOT NULL DEFAULT 0,
    short_failures  DOUBLE NOT NULL DEFAULT 0,
    as_of           INTEGER NOT NULL DEFAULT 0,
    computed_at     INTEGER NOT NULL
);
CREATE INDEX credential_health_age ON credential_health (tenant_id, computed_at);

CREATE TABLE accounts (
    tenant_id      TEXT NOT NULL REFERENCES tenants (id),
    account_id     TEXT NOT NULL,
    state          TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'frozen', 'retired')),
    cooldown_until INTEGER NOT NULL DEFAULT 0,
    allocation_id  TEXT,
    credential_id  TEXT REFERENCES credentials (id),
    proxy_id       TEXT,
    allocated_at   INTEGER,
    expires_at     INTEGER,
    strategy       TEXT,
    operator       TEXT,
    member_level   INTEGER,
    former_credential_id TEXT,
    last_seq       INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, account_id),
    CHECK ((allocation_id IS NULL) = (credential_id IS NULL))
) WITHOUT ROWID;
CREATE UNIQUE INDEX accounts_allocation ON accounts (tenant_id, allocation_id) WHERE allocation_id IS NOT NULL;
CREATE INDEX accounts_credential ON accounts (credential_id, allocation_id) WHERE credential_id IS NOT NULL;
CREATE INDEX accounts_expiry ON accounts (expires_at) WHERE expires_at IS NOT NULL;

-- History, audit trail and event stream in one. Append-only; prune takes from the old end.
CREATE TABLE journal (
    seq             INTEGER PRIMARY KEY,
    tenant_id       TEXT NOT NULL,
    at              INTEGER NOT NULL,
    action          TEXT NOT NULL,
    actor           TEXT NOT NULL,
    account_id      TEXT,
    account_prev    INTEGER,
    credential_id   TEXT,
    credential_prev INTEGER,
    ip              TEXT,
    request_id      TEXT,
    data            TEXT
);

-- Raw result reports, each under whose fault it was.
CREATE TABLE results (
    seq           INTEGER PRIMARY KEY,
    tenant_id     TEXT NOT NULL,
    at            INTEGER NOT NULL,
    credential_id TEXT NOT NULL,
    account_id    TEXT,
    proxy_id      TEXT,
    success       BOOLEAN NOT NULL,
    code          TEXT,
    fault         TEXT NOT NULL,
    -- whether the credential was charged: some of its faults are no failures of it
    charged       BOOLEAN NOT NULL,
    latency_ms    INTEGER,
    reporter      TEXT NOT NULL,
    -- when it was noted, which rises with seq; `at`, which the client says, does not
    noted_at      INTEGER NOT NULL,
    result_id     TEXT
);
CREATE UNIQUE INDEX results_once ON results (tenant_id, result_id) WHERE result_id IS NOT NULL;
CREATE INDEX results_charged ON results (credential_id, at) WHERE charged;

-- How far a job has read, by its name.
CREATE TABLE job_state (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

INSERT INTO heads (id, journal, results) VALUES (1, 0, 0);
INSERT INTO revision (id, value) VALUES (1, 1);
INSERT INTO tenants (id, name, created_at) VALUES ('default', 'Default', 0);
