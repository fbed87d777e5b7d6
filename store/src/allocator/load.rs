//! The statements that fill the working set. Each takes a whole batch at once.

use std::collections::BTreeSet;

use domain::allocation::{Census, CensusLine, NamedLine};
use domain::credential::{Shelf, Standing};
use domain::rule::RuleSet;
use domain::{AccountKey, AllocationId, ApiId, CredentialId, TenantId, Timestamp};
use serde_json::{Value, json};
use sqlx::FromRow;

use super::batch::Choice;
use super::ranking::{best, ranked_columns, ranking_of_ids};
use super::set::Selector;
use super::working::{AccountRow, Credential, CredentialRow, Tally};
use crate::db::{Reader, Tx, args, json_texts, sql};
use crate::error::Result;
use crate::rows::{row, rows_sql};

macro_rules! credential_columns {
    () => {
        concat!(ranked_columns!(), ", c.tenant_id, c.standing, c.shelf, c.cooldown_until, c.deleted_at")
    };
}

macro_rules! account_columns {
    () => {
        "a.tenant_id, a.account_id, a.state, a.cooldown_until, a.allocation_id, a.credential_id, a.proxy_id,
         a.allocated_at, a.expires_at, a.strategy, a.operator, a.member_level, a.former_credential_id, a.last_seq"
    };
}

pub(crate) const ACCOUNTS: &str = concat!(
    "WITH ROWS(e: t TEXT, a TEXT) SELECT ",
    account_columns!(),
    " FROM e CROSS JOIN accounts a WHERE a.tenant_id = e.t AND a.account_id = e.a
      LOCK_BY(a.tenant_id, a.account_id)"
);

const KNOWN: &str = "
    WITH ROWS(e: t TEXT, a TEXT) SELECT a.account_id FROM e CROSS JOIN accounts a
    WHERE a.tenant_id = e.t AND a.account_id = e.a LIMIT 1";

pub(crate) const ACCOUNTS_OF_ALLOCATIONS: &str = "
    WITH ROWS(e: t TEXT, l TEXT) SELECT a.tenant_id, a.account_id, a.allocation_id FROM e CROSS JOIN accounts a
    WHERE a.tenant_id = e.t AND a.allocation_id = e.l";

pub(crate) const ACCOUNTS_OF_CREDENTIAL: &str = concat!(
    "SELECT ",
    account_columns!(),
    " FROM accounts a WHERE a.tenant_id = $1 AND a.credential_id = $2 AND a.allocated_at <= $3
      ORDER BY a.account_id LIMIT $4 FOR_UPDATE(a)"
);

pub(crate) const EXPIRED_ACCOUNTS: &str = concat!(
    "SELECT ",
    account_columns!(),
    " FROM accounts a WHERE a.expires_at <= $1 ORDER BY a.expires_at LIMIT $2 SKIP_LOCKED(a)"
);

/// The order of a join that is written `CROSS JOIN` is kept by SQLite: from the leases that have
/// ended, which are few.
pub(crate) const EXPIRED_ON_SHELVES: &str = "
    SELECT a.account_id FROM accounts a CROSS JOIN credentials c
    WHERE a.expires_at <= $1 AND a.tenant_id = $2 AND c.id = a.credential_id AND c.shelf IN TEXTS($3)
      AND c.standing = 'enabled' AND c.cooldown_until <= $1
    ORDER BY a.expires_at LIMIT $4";

pub(crate) const EXPIRED_ON_CREDENTIAL: &str = "
    SELECT a.account_id FROM accounts a
    WHERE a.tenant_id = $2 AND a.credential_id = $3 AND a.expires_at <= $1 ORDER BY a.allocation_id LIMIT $4";

pub(crate) const CREDENTIALS: &str = concat!(
    "WITH ROWS(e: id TEXT) SELECT ",
    credential_columns!(),
    " FROM e CROSS JOIN credentials c WHERE c.id = e.id LOCK_BY(c.id)"
);

/// Behind [`CREDENTIALS`], which has locked them.
pub(crate) const TALLIES: &str = "
    WITH ROWS(e: id TEXT)
    SELECT c.id, c.success_count, c.fail_count, c.consecutive_failures, c.last_failure_at, c.flag, c.flagged_by,
           c.login_only
    FROM e CROSS JOIN credentials c WHERE c.id = e.id";

pub(crate) const CREDENTIAL_IDS: &str = "
    WITH ROWS(e: t TEXT, a BIGINT) SELECT c.id FROM e CROSS JOIN credentials c
    WHERE c.tenant_id = e.t AND c.api_id = e.a AND c.deleted_at IS NULL";

pub(crate) const CENSUS: &str = "
    SELECT shelf, standing, cooldown_until > $2 AS cooling, COUNT(*) AS number
    FROM credentials WHERE tenant_id = $1 AND deleted_at IS NULL
    GROUP BY shelf, standing, cooldown_until > $2";

/// The credentials that rules name, as the census counts them.
pub(crate) const NAMED: &str = "
    SELECT c.api_id, c.shelf, c.standing, c.cooldown_until > $2 AS cooling
    FROM EACH($3) AS e CROSS JOIN credentials c
    WHERE c.tenant_id = $1 AND c.api_id = CAST(e.value ->> 'a' AS BIGINT) AND c.deleted_at IS NULL";

impl Tx {
    /// Accounts by key, locked in key order.
    pub(super) async fn load_accounts(&mut self, keys: &[(TenantId, AccountKey)]) -> Result<Vec<AccountRow>> {
        self.all_of(rows_sql!(ACCOUNTS), keys.iter().map(|(t, a)| row![t, a]).collect()).await
    }

    /// Whether any of these accounts has a row by now. On SQLite nobody else can have made one.
    pub(super) async fn knows_any(&mut self, keys: Vec<(TenantId, AccountKey)>) -> Result<bool> {
        if keys.is_empty() || !self.is_postgres() {
            return Ok(false);
        }
        let known: Vec<(String,)> =
            self.all_of(rows_sql!(KNOWN), keys.iter().map(|(t, a)| row![t, a]).collect()).await?;
        Ok(!known.is_empty())
    }

    /// The accounts that hold these allocations.
    pub(super) async fn accounts_of_allocations(
        &mut self,
        allocations: &[(TenantId, AllocationId)],
    ) -> Result<Vec<(String, String, String)>> {
        self.all_of(rows_sql!(ACCOUNTS_OF_ALLOCATIONS), allocations.iter().map(|(t, a)| row![t, a]).collect()).await
    }

    /// Some of the accounts that a credential has had since `until` at the latest.
    pub(super) async fn accounts_of_credential(
        &mut self,
        tenant: &TenantId,
        credential: &CredentialId,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<AccountRow>> {
        self.all(sql!(ACCOUNTS_OF_CREDENTIAL), args![tenant, credential, until, limit]).await
    }

    /// Some accounts of any tenant whose lease has ended.
    pub(super) async fn expired_accounts(&mut self, now: Timestamp, limit: usize) -> Result<Vec<AccountRow>> {
        self.all(sql!(EXPIRED_ACCOUNTS), args![now, limit]).await
    }

    /// Some accounts whose lease on one of the chosen credentials has ended, whoever holds their
    /// rows.
    pub(super) async fn expired_on(
        &mut self,
        tenant: &TenantId,
        choice: &Choice,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<AccountKey>> {
        let rows: Vec<(String,)> = match choice {
            Choice::Shelves(shelves) => {
                let shelves = json_texts(shelves.iter().map(String::as_str));
                self.all(sql!(EXPIRED_ON_SHELVES), args![now, tenant, shelves, limit]).await?
            }
            Choice::Pinned(id) => self.all(sql!(EXPIRED_ON_CREDENTIAL), args![now, tenant, id, limit]).await?,
        };
        Ok(rows.into_iter().map(|(key,)| AccountKey::stored(key)).collect())
    }

    /// Credentials by our id, locked in id order; deleted ones too.
    pub(super) async fn load_credentials(&mut self, ids: &[CredentialId]) -> Result<Vec<Credential>> {
        let rows: Vec<CredentialRow> =
            self.all_of(rows_sql!(CREDENTIALS), ids.iter().map(|id| row![id]).collect()).await?;
        rows.into_iter().map(Credential::try_from).collect()
    }

    /// What reports have said of credentials that are loaded.
    pub(super) async fn load_tallies(&mut self, ids: &[CredentialId]) -> Result<Vec<(CredentialId, Tally)>> {
        let rows: Vec<TallyRow> = self.all_of(rows_sql!(TALLIES), ids.iter().map(|id| row![id]).collect()).await?;
        Ok(rows.into_iter().map(|row| (CredentialId::from(row.id), row.tally)).collect())
    }

    /// Our ids of Telegram's ids.
    pub(super) async fn credential_ids(&mut self, api_ids: &[(TenantId, ApiId)]) -> Result<Vec<CredentialId>> {
        let api_ids = api_ids.iter().map(|(t, a)| row![t, a.get()]).collect();
        let rows: Vec<(String,)> = self.all_of(rows_sql!(CREDENTIAL_IDS), api_ids).await?;
        Ok(rows.into_iter().map(|(id,)| CredentialId::from(id)).collect())
    }

    /// The best `limit` of a shelf, locked; without those that another process holds.
    pub(super) async fn load_ranking(
        &mut self,
        selector: &Selector,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Credential>> {
        best(&mut Reader::Tx(self), selector, now, limit, true).await
    }

    /// The ids of the best `limit` of a shelf, whoever holds them.
    pub(super) async fn ranking_ids(
        &mut self,
        selector: &Selector,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<CredentialId>> {
        if !self.is_postgres() {
            let best = best(&mut Reader::Tx(self), selector, now, limit, false).await?;
            return Ok(best.into_iter().map(|credential| credential.candidate.id).collect());
        }
        let args = args![&selector.tenant, selector.shelf.key(), now, limit];
        let ids: Vec<(String,)> = self.all(ranking_of_ids(selector.strategy), args).await?;
        Ok(ids.into_iter().map(|(id,)| CredentialId::from(id)).collect())
    }

    /// The tenant's census, with the credentials that rules name.
    pub(crate) async fn census(&mut self, tenant: &TenantId, rules: &RuleSet, now: Timestamp) -> Result<Census> {
        let lines = self.all(sql!(CENSUS), args![tenant, now]).await?;
        let named = match named_by(rules) {
            Some(named) => self.all(sql!(NAMED), args![tenant, now, named]).await?,
            None => Vec::new(),
        };
        Ok(census_of(lines, named))
    }
}

/// `[{"a": api_id}]` of the credentials that rules name; `None` when they name none.
pub(crate) fn named_by(rules: &RuleSet) -> Option<String> {
    let named: BTreeSet<i64> = rules.named().map(ApiId::get).collect();
    (!named.is_empty()).then(|| named.into_iter().map(|api_id| json!({ "a": api_id })).collect::<Value>().to_string())
}

/// One line of the census as it is selected.
pub(crate) type CensusRow = (String, String, bool, i64);

/// One credential that a rule names, as it is selected.
pub(crate) type NamedRow = (i64, String, String, bool);

pub(crate) fn census_of(rows: Vec<CensusRow>, named: Vec<NamedRow>) -> Census {
    let line = |(shelf, standing, cooling, count): CensusRow| {
        Some(CensusLine {
            shelf: Shelf::from_key(&shelf)?,
            standing: standing.parse::<Standing>().ok()?,
            cooling,
            count,
        })
    };
    let one = |(api_id, shelf, standing, cooling): NamedRow| {
        Some(NamedLine {
            api_id: ApiId::new(api_id)?,
            shelf: Shelf::from_key(&shelf)?,
            standing: standing.parse::<Standing>().ok()?,
            cooling,
        })
    };
    Census { lines: rows.into_iter().filter_map(line).collect(), named: named.into_iter().filter_map(one).collect() }
}

#[derive(Debug, FromRow)]
struct TallyRow {
    id: String,
    #[sqlx(flatten)]
    tally: Tally,
}
