-- Sessions with their refresh tokens, and settings whose values are JSON.

-- Nobody has had one before.
DROP TABLE sessions;

-- One sign-in. Its refresh tokens are one family: see refresh_tokens.
CREATE TABLE sessions (
    id         TEXT COLLATE "C" PRIMARY KEY,
    tenant_id  TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    user_id    TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    ip         TEXT COLLATE "C",
    user_agent TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX sessions_user ON sessions (user_id, id);
CREATE INDEX sessions_expiry ON sessions (expires_at);
-- What processes keep in memory: the sessions that were revoked while tokens of theirs may still be good.
CREATE INDEX sessions_revoked ON sessions (revoked_at) WHERE revoked_at IS NOT NULL;

-- Each is used once; those that were replaced stay, so that the use of an old one is seen.
CREATE TABLE refresh_tokens (
    token_hash  BYTEA PRIMARY KEY,
    session_id  TEXT COLLATE "C" NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    created_at  BIGINT NOT NULL,
    replaced_at BIGINT
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);

CREATE INDEX users_list ON users (tenant_id, id);
CREATE INDEX rules_order ON rules (tenant_id, priority DESC, id);

ALTER TABLE tenants ADD COLUMN settings_version BIGINT NOT NULL DEFAULT 1;
UPDATE settings SET value = '"' || value || '"' WHERE key = 'strategy';
