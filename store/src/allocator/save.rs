//! The statements that keep what a batch has decided: one for each table, whatever its size.

use domain::credential::Standing;
use domain::{AccountKey, CredentialId, TenantId, Timestamp, health};
use serde_json::{Value, json};

use super::working::{Account, Credential, WorkingSet};
use crate::db::{Tx, args, json_texts, sql};
use crate::error::{Result, StoreError};

pub(crate) const CREDENTIALS: &str = "
    UPDATE credentials SET
        standing = e.value ->> 'st',
        current_accounts = CAST(e.value ->> 'n' AS BIGINT),
        cooldown_until = CAST(e.value ->> 'cu' AS BIGINT),
        success_count = CAST(e.value ->> 'sc' AS BIGINT),
        fail_count = CAST(e.value ->> 'fc' AS BIGINT),
        consecutive_failures = CAST(e.value ->> 'cf' AS BIGINT),
        recent_failures = CAST(e.value ->> 'rf' AS BIGINT),
        success_score = CAST(e.value ->> 'ss' AS BIGINT),
        last_allocated_at = CAST(e.value ->> 'la' AS BIGINT),
        last_failure_at = CAST(e.value ->> 'lf' AS BIGINT),
        ban_reason = e.value ->> 'br',
        flag = e.value ->> 'fl',
        flagged_by = e.value ->> 'fb',
        login_only = CAST(e.value ->> 'lo' AS BOOLEAN),
        last_seq = CAST(e.value ->> 'q' AS BIGINT)
    FROM EACH($1) AS e WHERE credentials.id = e.value ->> 'id'";

/// A statement of its own: a score among the columns above would make every allocation a third
/// slower on SQLite, for the sake of the few that are banned.
pub(crate) const CAPPED: &str = "UPDATE credentials SET health_score = $1 WHERE id IN TEXTS($2) AND health_score > $1";

/// New accounts. One that another process has made in the meantime is left alone, and missed by
/// the count of rows written.
pub(crate) const NEW_ACCOUNTS: &str = "
    INSERT INTO accounts (tenant_id, account_id, state, cooldown_until, allocation_id, credential_id, proxy_id,
                          allocated_at, expires_at, strategy, operator, member_level, former_credential_id, last_seq)
    SELECT e.value ->> 't', e.value ->> 'a', e.value ->> 'st', CAST(e.value ->> 'cu' AS BIGINT), e.value ->> 'al',
           e.value ->> 'c', e.value ->> 'p', CAST(e.value ->> 'at' AS BIGINT), CAST(e.value ->> 'ex' AS BIGINT),
           e.value ->> 'sg', e.value ->> 'o', CAST(e.value ->> 'ml' AS BIGINT), e.value ->> 'f',
           CAST(e.value ->> 'q' AS BIGINT)
    FROM EACH($1) AS e WHERE TRUE
    ON CONFLICT (tenant_id, account_id) DO NOTHING";

pub(crate) const KNOWN_ACCOUNTS: &str = "
    UPDATE accounts SET
        state = e.value ->> 'st',
        cooldown_until = CAST(e.value ->> 'cu' AS BIGINT),
        allocation_id = e.value ->> 'al',
        credential_id = e.value ->> 'c',
        proxy_id = e.value ->> 'p',
        allocated_at = CAST(e.value ->> 'at' AS BIGINT),
        expires_at = CAST(e.value ->> 'ex' AS BIGINT),
        strategy = e.value ->> 'sg',
        operator = e.value ->> 'o',
        member_level = CAST(e.value ->> 'ml' AS BIGINT),
        former_credential_id = e.value ->> 'f',
        last_seq = CAST(e.value ->> 'q' AS BIGINT)
    FROM EACH($1) AS e
    WHERE accounts.tenant_id = e.value ->> 't' AND accounts.account_id = e.value ->> 'a'
      AND accounts.last_seq = CAST(e.value ->> 'lq' AS BIGINT)";

pub(crate) const RESULTS: &str = "
    INSERT INTO results (seq, tenant_id, at, credential_id, account_id, proxy_id, success, code, fault, charged, latency_ms,
                         reporter, noted_at, result_id)
    SELECT CAST(e.value ->> 's' AS BIGINT), e.value ->> 't', CAST(e.value ->> 'w' AS BIGINT), e.value ->> 'c',
           e.value ->> 'a', e.value ->> 'p', CAST(e.value ->> 'ok' AS BOOLEAN), e.value ->> 'x', e.value ->> 'f',
           CAST(e.value ->> 'ch' AS BOOLEAN), CAST(e.value ->> 'l' AS BIGINT), e.value ->> 'o', CAST(e.value ->> 'n' AS BIGINT), e.value ->> 'i'
    FROM EACH($1) AS e WHERE TRUE
    ON CONFLICT (tenant_id, result_id) WHERE result_id IS NOT NULL DO NOTHING";

impl Tx {
    /// Writes the credentials that changed.
    pub(super) async fn save_credentials(&mut self, set: &WorkingSet) -> Result<()> {
        let rows: Vec<Value> = set.credentials.values().filter(|c| c.dirty).map(credential_json).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let expected = rows.len() as u64;
        let written = self.execute(sql!(CREDENTIALS), args![Value::Array(rows).to_string()]).await?;
        insist(written, expected)
    }

    /// Lets the scores of credentials that were just banned show it.
    pub(super) async fn cap_scores(&mut self, banned: &[CredentialId]) -> Result<()> {
        if !banned.is_empty() {
            let ids = json_texts(banned.iter().map(CredentialId::as_str));
            self.execute(sql!(CAPPED), args![health::cap(Standing::Banned), ids]).await?;
        }
        Ok(())
    }

    /// Writes the accounts that changed. An account that another process has written since it was
    /// loaded makes the whole batch stale: it is rolled back and decided again.
    pub(super) async fn save_accounts(&mut self, set: &WorkingSet) -> Result<()> {
        let mut changed: Vec<_> = set.accounts.iter().filter(|(_, account)| account.dirty).collect();
        // One order for all processes, so that two inserts never wait for each other.
        changed.sort_by_key(|(key, _)| *key);
        let (new, known): (Vec<_>, Vec<_>) = changed.into_iter().partition(|(_, account)| account.loaded_seq == 0);
        for (statement, rows) in [(sql!(NEW_ACCOUNTS), new), (sql!(KNOWN_ACCOUNTS), known)] {
            if rows.is_empty() {
                continue;
            }
            let expected = rows.len() as u64;
            let rows: Value = rows.into_iter().map(|((t, a), account)| account_json(t, a, account)).collect();
            let written = self.execute(statement, args![rows.to_string()]).await?;
            insist(written, expected)?;
        }
        Ok(())
    }

    /// Writes raw results. A `result_id` that another process has written since it was looked up
    /// makes the whole batch stale.
    pub(super) async fn save_results(&mut self, rows: Vec<Value>) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let expected = rows.len() as u64;
        let written = self.execute(sql!(RESULTS), args![Value::Array(rows).to_string()]).await?;
        insist(written, expected)
    }
}

fn insist(written: u64, expected: u64) -> Result<()> {
    if written == expected { Ok(()) } else { Err(StoreError::Stale) }
}

fn credential_json(c: &Credential) -> Value {
    json!({
        "id": c.candidate.id.as_str(),
        "st": c.candidate.standing.to_string(),
        "n": c.candidate.current_accounts,
        "cu": c.candidate.cooldown_until.map_or(0, Timestamp::millis),
        "sc": c.success_count,
        "fc": c.fail_count,
        "cf": c.consecutive_failures,
        "rf": c.candidate.recent_failures,
        "ss": c.candidate.success_score,
        "la": c.candidate.last_allocated_at.map_or(0, Timestamp::millis),
        "lf": c.last_failure_at.map(Timestamp::millis),
        "br": c.ban_reason,
        "fl": c.flag,
        "fb": c.flagged_by,
        "lo": c.login_only,
        "q": c.last_seq,
    })
}

fn account_json(tenant: &TenantId, key: &AccountKey, account: &Account) -> Value {
    let binding = account.binding.as_ref();
    json!({
        "t": tenant.as_str(),
        "a": key.as_str(),
        "st": account.state.to_string(),
        "cu": account.cooldown_until.map_or(0, Timestamp::millis),
        "al": binding.map(|b| b.allocation_id.as_str()),
        "c": binding.map(|b| b.credential.as_str()),
        "p": binding.and_then(|b| b.proxy_id.as_deref()),
        "at": binding.map(|b| b.allocated_at.millis()),
        "ex": binding.and_then(|b| b.expires_at).map(Timestamp::millis),
        "sg": binding.map(|b| b.strategy.as_str()),
        "o": binding.map(|b| b.operator.as_str()),
        "ml": binding.map(|b| b.member_level.rank()),
        "f": account.former.as_ref().map(CredentialId::as_str),
        "q": account.last_seq,
        "lq": account.loaded_seq,
    })
}
