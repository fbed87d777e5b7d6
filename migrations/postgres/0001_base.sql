-- The house's first floor. The same numbers and the same columns stand in ../sqlite.
-- Ids are ULIDs as TEXT, times are milliseconds since 1970 UTC, every business table has tenant_id.

CREATE TABLE tenants (
    id             TEXT COLLATE "C" PRIMARY KEY,
    name           TEXT COLLATE "C" NOT NULL,
    created_at     BIGINT NOT NULL,
    capacity_level TEXT COLLATE "C" NOT NULL DEFAULT 'normal',
    -- the pool's own prior of a success rate, kept by score_health
    prior_alpha    DOUBLE PRECISION NOT NULL DEFAULT 19.0,
    prior_beta     DOUBLE PRECISION NOT NULL DEFAULT 1.0
);

-- One row. `journal` and `results` are the last sequence numbers given out, taken in the
-- transaction that uses them, so that both logs are without gaps and in the order of commits.
CREATE TABLE heads (
    id      BIGINT PRIMARY KEY CHECK (id = 1),
    journal BIGINT NOT NULL,
    results BIGINT NOT NULL
);

-- One row. Moves with every change of what processes keep compiled in memory.
CREATE TABLE revision (
    id    BIGINT PRIMARY KEY CHECK (id = 1),
    value BIGINT NOT NULL
);

CREATE TABLE keyring (
    key_id     BIGINT PRIMARY KEY,
    verifier   BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE users (
    id            TEXT COLLATE "C" PRIMARY KEY,
    tenant_id     TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    username      TEXT COLLATE "C" NOT NULL,
    password_hash TEXT COLLATE "C" NOT NULL,
    role          TEXT COLLATE "C" NOT NULL,
    failed_logins BIGINT NOT NULL DEFAULT 0,
    locked_until  BIGINT NOT NULL DEFAULT 0,
    last_login_at BIGINT,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    version       BIGINT NOT NULL DEFAULT 1
);
-- People sign in by name alone, so a name is unique in the whole installation.
CREATE UNIQUE INDEX users_username ON users (username);

CREATE TABLE sessions (
    id          TEXT COLLATE "C" PRIMARY KEY,
    tenant_id   TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    user_id     TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    family      TEXT COLLATE "C" NOT NULL,
    token_hash  BYTEA NOT NULL UNIQUE,
    replaced_at BIGINT,
    revoked_at  BIGINT,
    ip          TEXT COLLATE "C",
    user_agent  TEXT COLLATE "C",
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (tenant_id, user_id);

CREATE TABLE service_tokens (
    id           TEXT COLLATE "C" PRIMARY KEY,
    tenant_id    TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    product      TEXT COLLATE "C" NOT NULL,
    token_hash   BYTEA NOT NULL UNIQUE,
    scopes       TEXT COLLATE "C" NOT NULL,
    member_level BIGINT NOT NULL DEFAULT 0,
    note         TEXT COLLATE "C",
    created_by   TEXT COLLATE "C" NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT,
    revoked_at   BIGINT
);
CREATE INDEX service_tokens_tenant ON service_tokens (tenant_id, id);

CREATE TABLE settings (
    tenant_id  TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    key        TEXT COLLATE "C" NOT NULL,
    value      TEXT COLLATE "C" NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, key)
);

CREATE TABLE saved_views (
    id         TEXT COLLATE "C" PRIMARY KEY,
    tenant_id  TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    owner      TEXT COLLATE "C" NOT NULL,
    page       TEXT COLLATE "C" NOT NULL,
    name       TEXT COLLATE "C" NOT NULL,
    definition TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version    BIGINT NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX saved_views_name ON saved_views (tenant_id, owner, page, name);

CREATE TABLE idempotency_keys (
    tenant_id   TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    key         TEXT COLLATE "C" NOT NULL,
    body_hash   BYTEA NOT NULL,
    resource    TEXT COLLATE "C" NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

CREATE TABLE credential_groups (
    id          TEXT COLLATE "C" PRIMARY KEY,
    tenant_id   TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    name        TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C",
    color       TEXT COLLATE "C",
    strategy    TEXT COLLATE "C",
    attributes  TEXT COLLATE "C" NOT NULL DEFAULT '{}',
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    version     BIGINT NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX credential_groups_name ON credential_groups (tenant_id, name);

CREATE TABLE rules (
    id         TEXT COLLATE "C" PRIMARY KEY,
    tenant_id  TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    name       TEXT COLLATE "C" NOT NULL,
    effect     TEXT COLLATE "C" NOT NULL,
    matcher    TEXT COLLATE "C" NOT NULL,
    target     TEXT COLLATE "C",
    priority   BIGINT NOT NULL DEFAULT 0,
    enabled    BOOLEAN NOT NULL DEFAULT TRUE,
    expires_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version    BIGINT NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX rules_name ON rules (tenant_id, name);

CREATE TABLE batches (
    id         TEXT COLLATE "C" PRIMARY KEY,
    tenant_id  TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    actor      TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    imported   BIGINT NOT NULL DEFAULT 0,
    duplicates BIGINT NOT NULL DEFAULT 0,
    rejected   BIGINT NOT NULL DEFAULT 0,
    finished_at BIGINT,
    undone_at  BIGINT,
    -- a large import waits here, sealed, until its job has run
    upload     BYTEA
);

CREATE INDEX batches_waiting ON batches (created_at) WHERE upload IS NOT NULL;

CREATE TABLE credentials (
    id                   TEXT COLLATE "C" PRIMARY KEY,
    tenant_id            TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    api_id               BIGINT NOT NULL,
    api_hash             BYTEA NOT NULL,
    api_hash_masked      TEXT COLLATE "C" NOT NULL,
    name                 TEXT COLLATE "C" NOT NULL,
    standing             TEXT COLLATE "C" NOT NULL DEFAULT 'enabled' CHECK (standing IN ('enabled', 'disabled', 'banned')),
    deleted_at           BIGINT,
    max_accounts         BIGINT NOT NULL CHECK (max_accounts > 0),
    current_accounts     BIGINT NOT NULL DEFAULT 0 CHECK (current_accounts >= 0),
    success_count        BIGINT NOT NULL DEFAULT 0,
    fail_count           BIGINT NOT NULL DEFAULT 0,
    consecutive_failures BIGINT NOT NULL DEFAULT 0,
    recent_failures      BIGINT NOT NULL DEFAULT 0,
    group_id             TEXT COLLATE "C" REFERENCES credential_groups (id),
    priority             BIGINT NOT NULL DEFAULT 0,
    is_premium           BOOLEAN NOT NULL DEFAULT FALSE,
    min_member_level     BIGINT NOT NULL DEFAULT 0,
    -- group, premium flag and level as one text: see domain::credential::Shelf
    shelf                TEXT COLLATE "C" NOT NULL,
    tags                 TEXT COLLATE "C" NOT NULL DEFAULT '[]',
    source_phone         BYTEA,
    source_phone_masked  TEXT COLLATE "C",
    note                 TEXT COLLATE "C",
    batch_id             TEXT COLLATE "C" REFERENCES batches (id),
    cooldown_until       BIGINT NOT NULL DEFAULT 0,
    ban_reason           TEXT COLLATE "C",
    -- failures up to here were forgiven by a person
    forgiven_at          BIGINT NOT NULL DEFAULT 0,
    flag                 TEXT COLLATE "C",
    flagged_by           TEXT COLLATE "C",
    login_only           BOOLEAN NOT NULL DEFAULT FALSE,
    success_score        BIGINT NOT NULL,
    health_score         BIGINT NOT NULL DEFAULT 100,
    last_allocated_at    BIGINT NOT NULL DEFAULT 0,
    last_failure_at      BIGINT,
    last_seq             BIGINT NOT NULL DEFAULT 0,
    created_at           BIGINT NOT NULL,
    updated_at           BIGINT NOT NULL,
    version              BIGINT NOT NULL DEFAULT 1,
    utilisation          BIGINT NOT NULL GENERATED ALWAYS AS (current_accounts * 1000000 / max_accounts) STORED,
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
    credential_id   TEXT COLLATE "C" PRIMARY KEY REFERENCES credentials (id),
    tenant_id       TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    score           BIGINT NOT NULL DEFAULT 100,
    grade           TEXT COLLATE "C" NOT NULL DEFAULT 'excellent',
    parts           TEXT COLLATE "C" NOT NULL DEFAULT '',
    -- weights of successes and charged failures at the moment as_of, under the two half-lives
    long_successes  DOUBLE PRECISION NOT NULL DEFAULT 0,
    long_failures   DOUBLE PRECISION NOT NULL DEFAULT 0,
    short_successes DOUBLE PRECISION NOT NULL DEFAULT 0,
    short_failures  DOUBLE PRECISION NOT NULL DEFAULT 0,
    as_of           BIGINT NOT NULL DEFAULT 0,
    computed_at     BIGINT NOT NULL
);
CREATE INDEX credential_health_age ON credential_health (tenant_id, computed_at);

CREATE TABLE accounts (
    tenant_id      TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    account_id     TEXT COLLATE "C" NOT NULL,
    state          TEXT COLLATE "C" NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'frozen', 'retired')),
    cooldown_until BIGINT NOT NULL DEFAULT 0,
    allocation_id  TEXT COLLATE "C",
    credential_id  TEXT COLLATE "C" REFERENCES credentials (id),
    proxy_id       TEXT COLLATE "C",
    allocated_at   BIGINT,
    expires_at     BIGINT,
    strategy       TEXT COLLATE "C",
    operator       TEXT COLLATE "C",
    member_level   BIGINT,
    former_credential_id TEXT COLLATE "C",
    last_seq       BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, account_id),
    CHECK ((allocation_id IS NULL) = (credential_id IS NULL))
);
CREATE UNIQUE INDEX accounts_allocation ON accounts (tenant_id, allocation_id) WHERE allocation_id IS NOT NULL;
CREATE INDEX accounts_credential ON accounts (credential_id, allocation_id) WHERE credential_id IS NOT NULL;
CREATE INDEX accounts_expiry ON accounts (expires_at) WHERE expires_at IS NOT NULL;

-- History, audit trail and event stream in one. Append-only; prune takes from the old end.
CREATE TABLE journal (
    seq             BIGINT PRIMARY KEY,
    tenant_id       TEXT COLLATE "C" NOT NULL,
    at              BIGINT NOT NULL,
    action          TEXT COLLATE "C" NOT NULL,
    actor           TEXT COLLATE "C" NOT NULL,
    account_id      TEXT COLLATE "C",
    account_prev    BIGINT,
    credential_id   TEXT COLLATE "C",
    credential_prev BIGINT,
    ip              TEXT COLLATE "C",
    request_id      TEXT COLLATE "C",
    data            TEXT COLLATE "C"
);

-- Raw result reports, each under whose fault it was.
CREATE TABLE results (
    seq           BIGINT PRIMARY KEY,
    tenant_id     TEXT COLLATE "C" NOT NULL,
    at            BIGINT NOT NULL,
    credential_id TEXT COLLATE "C" NOT NULL,
    account_id    TEXT COLLATE "C",
    proxy_id      TEXT COLLATE "C",
    success       BOOLEAN NOT NULL,
    code          TEXT COLLATE "C",
    fault         TEXT COLLATE "C" NOT NULL,
    -- whether the credential was charged: some of its faults are no failures of it
    charged       BOOLEAN NOT NULL,
    latency_ms    BIGINT,
    reporter      TEXT COLLATE "C" NOT NULL,
    -- when it was noted, which rises with seq; `at`, which the client says, does not
    noted_at      BIGINT NOT NULL,
    result_id     TEXT COLLATE "C"
);
CREATE UNIQUE INDEX results_once ON results (tenant_id, result_id) WHERE result_id IS NOT NULL;
CREATE INDEX results_charged ON results (credential_id, at) WHERE charged;

-- How far a job has read, by its name.
CREATE TABLE job_state (
    name  TEXT COLLATE "C" PRIMARY KEY,
    value TEXT COLLATE "C" NOT NULL
);

INSERT INTO heads (id, journal, results) VALUES (1, 0, 0);
INSERT INTO revision (id, value) VALUES (1, 1);
INSERT INTO tenants (id, name, created_at) VALUES ('default', 'Default', 0);
