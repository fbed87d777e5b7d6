//! The statements that keep what a batch has decided: one for each table, whatever its size.

use std::sync::Arc;

use domain::credential::{Candidate, Standing};
use domain::{AccountKey, CredentialId, TenantId, Timestamp, health};

use super::set::WorkingSet;
use super::working::{Account, Change, Credential, Tally};
use crate::db::{Arg, Tx};
use crate::error::{Result, StoreError};
use crate::rows::{RowSql, Rows, row, rows_sql};

/// Where a slot was taken.
pub(crate) const TAKEN: &str = "
    WITH ROWS(e: id TEXT, n BIGINT, la BIGINT, q BIGINT)
    UPDATE credentials SET current_accounts = e.n, last_allocated_at = e.la, last_seq = e.q
    FROM e WHERE credentials.id = e.id";

/// Where something was written about a credential, or a slot was given back. It is no [`TAKEN`], for
/// each indexed column that is written costs its index a write, whether it changes or not.
pub(crate) const NOTED: &str = "
    WITH ROWS(e: id TEXT, n BIGINT, q BIGINT)
    UPDATE credentials SET current_accounts = e.n, last_seq = e.q FROM e WHERE credentials.id = e.id";

/// What reports say.
pub(crate) const TALLIES: &str = "
    WITH ROWS(e: id TEXT, sc BIGINT, fc BIGINT, cf BIGINT, rf BIGINT, ss BIGINT, lf BIGINT, fl TEXT, fb TEXT, lo BOOLEAN)
    UPDATE credentials SET
        success_count = e.sc, fail_count = e.fc, consecutive_failures = e.cf, recent_failures = e.rf,
        success_score = e.ss, last_failure_at = e.lf, flag = e.fl, flagged_by = e.fb, login_only = e.lo
    FROM e WHERE credentials.id = e.id";

/// Credentials that the batch has banned. Their scores show it.
pub(crate) const BANNED: &str = "
    WITH ROWS(e: id TEXT, reason TEXT, cap BIGINT)
    UPDATE credentials SET
        standing = 'banned', ban_reason = e.reason,
        health_score = CASE WHEN health_score > e.cap THEN e.cap ELSE health_score END
    FROM e WHERE credentials.id = e.id";

/// New accounts. One that another process has made in the meantime is left alone, and missed by
/// the count of rows written.
pub(crate) const NEW_ACCOUNTS: &str = "
    WITH ROWS(e: t TEXT, a TEXT, st TEXT, cu BIGINT, al TEXT, c TEXT, p TEXT, at BIGINT, ex BIGINT, sg TEXT, o TEXT,
              ml BIGINT, f TEXT, q BIGINT)
    INSERT INTO accounts (tenant_id, account_id, state, cooldown_until, allocation_id, credential_id, proxy_id,
                          allocated_at, expires_at, strategy, operator, member_level, former_credential_id, last_seq)
    SELECT t, a, st, cu, al, c, p, at, ex, sg, o, ml, f, q FROM e WHERE TRUE
    ON CONFLICT (tenant_id, account_id) DO NOTHING";

pub(crate) const KNOWN_ACCOUNTS: &str = "
    WITH ROWS(e: t TEXT, a TEXT, st TEXT, cu BIGINT, al TEXT, c TEXT, p TEXT, at BIGINT, ex BIGINT, sg TEXT, o TEXT,
              ml BIGINT, f TEXT, q BIGINT, lq BIGINT)
    UPDATE accounts SET
        state = e.st, cooldown_until = e.cu, allocation_id = e.al, credential_id = e.c, proxy_id = e.p,
        allocated_at = e.at, expires_at = e.ex, strategy = e.sg, operator = e.o, member_level = e.ml,
        former_credential_id = e.f, last_seq = e.q
    FROM e WHERE accounts.tenant_id = e.t AND accounts.account_id = e.a AND accounts.last_seq = e.lq";

pub(crate) const RESULTS: &str = "
    WITH ROWS(e: s BIGINT, t TEXT, w BIGINT, c TEXT, a TEXT, p TEXT, ok BOOLEAN, x TEXT, f TEXT, ch BOOLEAN, l BIGINT,
              o TEXT, n BIGINT, i TEXT)
    INSERT INTO results (seq, tenant_id, at, credential_id, account_id, proxy_id, success, code, fault, charged,
                         latency_ms, reporter, noted_at, result_id)
    SELECT s, t, w, c, a, p, ok, x, f, ch, l, o, n, i FROM e WHERE TRUE
    ON CONFLICT (tenant_id, result_id) WHERE result_id IS NOT NULL DO NOTHING";

impl Tx {
    /// Writes the credentials that changed.
    pub(super) async fn save_credentials(&mut self, set: &WorkingSet) -> Result<()> {
        let (mut taken, mut noted, mut tallies) = (Rows::default(), Rows::default(), Rows::default());
        for credential in set.credentials.values() {
            let Credential { candidate, last_seq, change, tally, .. } = credential;
            let (id, accounts) = (&candidate.id, candidate.current_accounts);
            match change {
                Change::Taken => {
                    let at = candidate.last_allocated_at.map_or(0, Timestamp::millis);
                    taken.push(row![id, accounts, at, *last_seq]);
                }
                Change::Noted => noted.push(row![id, accounts, *last_seq]),
                Change::None => {}
            }
            if let Some(tally) = tally.as_ref().filter(|tally| tally.dirty) {
                tallies.push(tally_row(candidate, tally));
            }
        }
        for (statement, rows) in [(rows_sql!(TAKEN), taken), (rows_sql!(NOTED), noted), (rows_sql!(TALLIES), tallies)] {
            self.insist(statement, rows).await?;
        }
        Ok(())
    }

    /// Bans credentials, each for its reason.
    pub(super) async fn save_bans(&mut self, banned: Vec<(CredentialId, String)>) -> Result<()> {
        let cap = health::cap(Standing::Banned);
        self.insist(rows_sql!(BANNED), banned.into_iter().map(|(id, reason)| row![&id, reason, cap]).collect()).await
    }

    /// Writes the accounts that changed. An account that another process has written since it was
    /// loaded makes the whole batch stale: it is rolled back and decided again.
    pub(super) async fn save_accounts(&mut self, set: &WorkingSet) -> Result<()> {
        let mut changed: Vec<_> = set.accounts.iter().filter(|(_, account)| account.dirty).collect();
        // One order for all processes, so that two inserts never wait for each other.
        changed.sort_by_key(|(key, _)| *key);
        let (mut new, mut known) = (Rows::default(), Rows::default());
        for ((tenant, key), account) in changed {
            let row = account_row(tenant, key, account);
            if account.loaded_seq == 0 {
                let [cells @ .., _] = row;
                new.push(cells);
            } else {
                known.push(row);
            }
        }
        self.insist(rows_sql!(NEW_ACCOUNTS), new).await?;
        self.insist(rows_sql!(KNOWN_ACCOUNTS), known).await
    }

    /// Writes raw results. A `result_id` that another process has written since it was looked up
    /// makes the whole batch stale.
    pub(super) async fn save_results(&mut self, rows: Rows) -> Result<()> {
        self.insist(rows_sql!(RESULTS), rows).await
    }

    /// Every row is written, or the batch is stale.
    async fn insist(&mut self, statement: &'static RowSql, rows: Rows) -> Result<()> {
        let expected = rows.len();
        let written = self.execute_of(statement, rows).await?;
        if written == expected { Ok(()) } else { Err(StoreError::Stale) }
    }
}

fn tally_row(candidate: &Candidate, tally: &Tally) -> [Arg; 10] {
    row![
        &candidate.id,
        tally.success_count,
        tally.fail_count,
        tally.consecutive_failures,
        candidate.recent_failures,
        candidate.success_score,
        tally.last_failure_at,
        tally.flag.clone(),
        tally.flagged_by.clone(),
        tally.login_only,
    ]
}

/// An account with, in the last place, the journal number that it was loaded with.
fn account_row(tenant: &TenantId, key: &AccountKey, account: &Account) -> [Arg; 15] {
    let binding = account.binding.as_ref();
    row![
        tenant,
        key,
        account.state.as_ref(),
        account.cooldown_until.map_or(0, Timestamp::millis),
        binding.map(|b| b.allocation_id.shared()),
        binding.map(|b| b.credential.shared()),
        binding.and_then(|b| b.proxy_id.as_deref()),
        binding.map(|b| b.allocated_at),
        binding.and_then(|b| b.expires_at),
        binding.map(|b| Arc::clone(&b.strategy)),
        binding.map(|b| Arc::clone(&b.operator)),
        binding.map(|b| b.member_level.rank()),
        account.former.as_ref().map(CredentialId::shared),
        account.last_seq,
        account.loaded_seq,
    ]
}
