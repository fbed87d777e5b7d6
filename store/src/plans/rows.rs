//! Many rows for every table, without which a planner sees no reason to use an index.

use super::{Dialect, START};

/// Ten tenants' worth of rows, as statements that both databases understand.
pub(super) fn many_rows(dialect: Dialect, credentials: i64) -> Vec<String> {
    let (bytes, token, jobs) = match dialect {
        Dialect::Sqlite => ("X'00'", "CAST(i AS BLOB)", "Jobs"),
        Dialect::Postgres => ("CAST('\\x00' AS BYTEA)", "decode(lpad(to_hex(i), 8, '0'), 'hex')", "apalis.jobs"),
    };
    let accounts = credentials * 4;
    let count = |to: i64| format!("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {to})");
    let (some, many) = (count(credentials), count(accounts));
    vec![
        format!("{} INSERT INTO tenants (id, name, created_at) SELECT 't' || CAST(i - 1 AS TEXT), 't', 0 FROM n", count(10)),
        format!(
            "{some} INSERT INTO credentials (id, tenant_id, api_id, api_hash, api_hash_masked, name, max_accounts,
                 current_accounts, shelf, standing, success_score, recent_failures, health_score, last_allocated_at,
                 cooldown_until, deleted_at, created_at, updated_at)
             SELECT 'C' || CAST(i AS TEXT), 't' || CAST(i % 10 AS TEXT), 100000 + i, {bytes}, 'x', 'name ' || CAST(i AS TEXT), 5,
                 i * 7 % 6, CAST(i % 3 AS TEXT) || '/0/', CASE WHEN i % 23 = 0 THEN 'disabled' ELSE 'enabled' END,
                 950000 + i * 13 % 1000, i % 5, i % 101, i, CASE WHEN i % 17 = 0 THEN 9000000000000 ELSE 0 END,
                 CASE WHEN i % 29 = 0 THEN 1 END, 0, 0
             FROM n"
        ),
        format!(
            "{many} INSERT INTO accounts (tenant_id, account_id, allocation_id, credential_id, allocated_at, expires_at, last_seq)
             SELECT 't' || CAST(i % 10 AS TEXT), 'a' || CAST(i AS TEXT), CASE WHEN i % 2 = 0 THEN 'L' || CAST(i AS TEXT) END,
                 CASE WHEN i % 2 = 0 THEN 'C' || CAST(i % {credentials} + 1 AS TEXT) END, i,
                 CASE WHEN i % 6 = 0 THEN {START} + i END, i
             FROM n"
        ),
        format!(
            "{many} INSERT INTO journal (seq, tenant_id, at, action, actor, account_id, credential_id, account_prev)
             SELECT 100000 + i, 't' || CAST(i % 10 AS TEXT), {START} + i, 'api.allocated', 'svc:x', 'a' || CAST(i AS TEXT),
                 'C' || CAST(i % {credentials} + 1 AS TEXT), CASE WHEN i > 9 THEN 100000 + i - 9 END
             FROM n"
        ),
        format!(
            "{many} INSERT INTO results (seq, tenant_id, at, credential_id, success, fault, charged, reporter, noted_at, result_id)
             SELECT 100000 + i, 't' || CAST(i % 10 AS TEXT), {START} + i, 'C' || CAST(i % {credentials} + 1 AS TEXT), i % 3 > 0,
                 CASE WHEN i % 6 = 0 THEN 'credential' ELSE 'none' END, i % 6 = 0, 'svc:x', {START} + i,
                 CASE WHEN i % 2 = 0 THEN 'r' || CAST(i AS TEXT) END
             FROM n"
        ),
        format!(
            "{many} INSERT INTO pool_figures (tenant_id, at, allocated, slots, used)
             SELECT 't' || CAST(i % 10 AS TEXT), {START} + i / 10 * 300000, i % 7, 100, CASE WHEN i % 3 > 0 THEN i % 100 END
             FROM n"
        ),
        format!(
            "{some} INSERT INTO credential_health (credential_id, tenant_id, computed_at)
             SELECT 'C' || CAST(i AS TEXT), 't' || CAST(i % 10 AS TEXT), {START} + i FROM n WHERE i % 2 = 0"
        ),
        format!(
            "{some} INSERT INTO idempotency_keys (tenant_id, key, body_hash, resource, created_at)
             SELECT 't' || CAST(i % 10 AS TEXT), 'k' || CAST(i AS TEXT), {bytes}, 'x', {START} + i FROM n"
        ),
        format!(
            "{some} INSERT INTO users (id, tenant_id, username, password_hash, role, created_at, updated_at)
             SELECT 'U' || CAST(i AS TEXT), 't' || CAST(i % 10 AS TEXT), 'u' || CAST(i AS TEXT), 'x', 'auditor', 0, 0
             FROM n WHERE i <= 500"
        ),
        format!(
            "{some} INSERT INTO sessions (id, tenant_id, user_id, created_at, used_at, expires_at, revoked_at)
             SELECT 'S' || CAST(i AS TEXT), 't0', 'U' || CAST(i % 500 + 1 AS TEXT), i, i, {START} + i,
                 CASE WHEN i % 9 = 0 THEN i END
             FROM n"
        ),
        format!(
            "{some} INSERT INTO refresh_tokens (token_hash, session_id, created_at)
             SELECT {token}, 'S' || CAST(i AS TEXT), i FROM n"
        ),
        format!(
            "{some} INSERT INTO {jobs} (job, id, job_type, status, attempts, max_attempts, run_at)
             SELECT one.job, 'J' || CAST(n.i AS TEXT), CASE WHEN n.i % 2 = 0 THEN 'quick' ELSE 'heavy' END,
                 CASE WHEN n.i % 50 = 0 THEN 'Pending' ELSE 'Done' END, 1, 5, one.run_at
             FROM n CROSS JOIN (SELECT job, run_at FROM {jobs} LIMIT 1) AS one"
        ),
    ]
}
