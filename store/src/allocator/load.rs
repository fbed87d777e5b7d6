//! The statements that fill the working set. Each takes a whole batch at once.

use std::collections::BTreeSet;

use domain::allocation::{Census, CensusLine, NamedLine};
use domain::credential::{Shelf, Standing};
use domain::rule::RuleSet;
use domain::{AccountKey, ApiId, CredentialId, Strategy, TenantId, Timestamp};
use serde_json::{Value, json};

use super::batch::Choice;
use super::working::{AccountRow, Credential, CredentialRow, Selector};
use crate::db::{Sql, Tx, args, json_texts, sql};
use crate::error::Result;

macro_rules! credential_columns {
    () => {
        "c.id, c.tenant_id, c.api_id, c.api_hash, c.name, c.standing, c.shelf, c.priority, c.max_accounts,
         c.current_accounts, c.cooldown_until, c.success_count, c.fail_count, c.consecutive_failures,
         c.recent_failures, c.success_score, c.health_score, c.last_allocated_at, c.last_failure_at, c.ban_reason,
         c.flag, c.flagged_by, c.login_only, c.last_seq, c.deleted_at"
    };
}

macro_rules! account_columns {
    () => {
        "a.tenant_id, a.account_id, a.state, a.cooldown_until, a.allocation_id, a.credential_id, a.proxy_id,
         a.allocated_at, a.expires_at, a.strategy, a.operator, a.member_level, a.former_credential_id, a.last_seq"
    };
}

pub(crate) const ACCOUNTS: &str = concat!(
    "SELECT ",
    account_columns!(),
    " FROM EACH($1) AS e CROSS JOIN accounts a
      WHERE a.tenant_id = e.value ->> 't' AND a.account_id = e.value ->> 'a'
      ORDER BY a.tenant_id, a.account_id FOR_UPDATE(a)"
);

pub(crate) const ACCOUNTS_OF_ALLOCATIONS: &str = "
    SELECT a.tenant_id, a.account_id, a.allocation_id FROM EACH($1) AS e CROSS JOIN accounts a
    WHERE a.tenant_id = e.value ->> 't' AND a.allocation_id = e.value ->> 'a'";

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
    "SELECT ",
    credential_columns!(),
    " FROM credentials c WHERE c.id IN TEXTS($1) ORDER BY c.id FOR_UPDATE(c)"
);

pub(crate) const CREDENTIAL_IDS: &str = "
    SELECT c.id FROM EACH($1) AS e CROSS JOIN credentials c
    WHERE c.tenant_id = e.value ->> 't' AND c.api_id = CAST(e.value ->> 'a' AS BIGINT) AND c.deleted_at IS NULL";

pub(crate) const CENSUS: &str = "
    SELECT shelf, standing, cooldown_until > $2 AS cooling, COUNT(*) AS number
    FROM credentials WHERE tenant_id = $1 AND deleted_at IS NULL
    GROUP BY shelf, standing, cooldown_until > $2";

/// The credentials that rules name, as the census counts them.
pub(crate) const NAMED: &str = "
    SELECT c.api_id, c.shelf, c.standing, c.cooldown_until > $2 AS cooling
    FROM EACH($3) AS e CROSS JOIN credentials c
    WHERE c.tenant_id = $1 AND c.api_id = CAST(e.value ->> 'a' AS BIGINT) AND c.deleted_at IS NULL";

/// The first of a shelf in a strategy's order: a walk along that strategy's index.
macro_rules! ranking {
    ($columns:expr, $key:literal, $tail:literal) => {
        sql!(concat!(
            "SELECT ",
            $columns,
            " FROM credentials c
              WHERE c.tenant_id = $1 AND c.shelf = $2 AND c.is_open AND c.cooldown_until <= $3
              ORDER BY c.priority DESC, ",
            $key,
            "c.utilisation, c.id LIMIT $4 ",
            $tail
        ))
    };
}

/// The ranking of a shelf: with rows locked or left out when another process holds them, or
/// (`peek`) only looked at.
macro_rules! ranking_by {
    ($strategy:expr, $columns:expr, $tail:literal) => {
        match $strategy {
            Strategy::Balanced => ranking!($columns, "", $tail),
            Strategy::SuccessRate => ranking!($columns, "c.success_score DESC, ", $tail),
            Strategy::LeastFailures => ranking!($columns, "c.recent_failures, ", $tail),
            Strategy::RoundRobin => ranking!($columns, "c.last_allocated_at, ", $tail),
            Strategy::Health => ranking!($columns, "c.health_score DESC, ", $tail),
        }
    };
}

pub(crate) fn ranking(strategy: Strategy) -> Sql {
    ranking_by!(strategy, credential_columns!(), "SKIP_LOCKED(c)")
}

pub(crate) fn ranking_peek(strategy: Strategy) -> Sql {
    ranking_by!(strategy, credential_columns!(), "")
}

fn ranking_of_ids(strategy: Strategy) -> Sql {
    ranking_by!(strategy, "c.id", "")
}

impl Tx {
    /// Accounts by key, locked in key order.
    pub(super) async fn load_accounts(&mut self, keys: &[(TenantId, AccountKey)]) -> Result<Vec<AccountRow>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        self.all(sql!(ACCOUNTS), args![pairs(keys.iter().map(|(t, a)| (t, json!(a.as_str()))))]).await
    }

    /// The accounts that hold these allocations.
    pub(super) async fn accounts_of_allocations(
        &mut self,
        allocations: &[(TenantId, String)],
    ) -> Result<Vec<(String, String, String)>> {
        if allocations.is_empty() {
            return Ok(Vec::new());
        }
        let ids = pairs(allocations.iter().map(|(t, a)| (t, json!(a))));
        self.all(sql!(ACCOUNTS_OF_ALLOCATIONS), args![ids]).await
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
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids = json_texts(ids.iter().map(CredentialId::as_str));
        let rows: Vec<CredentialRow> = self.all(sql!(CREDENTIALS), args![ids]).await?;
        rows.into_iter().map(Credential::try_from).collect()
    }

    /// Our ids of Telegram's ids.
    pub(super) async fn credential_ids(&mut self, api_ids: &[(TenantId, ApiId)]) -> Result<Vec<CredentialId>> {
        if api_ids.is_empty() {
            return Ok(Vec::new());
        }
        let pairs = pairs(api_ids.iter().map(|(t, a)| (t, json!(a.get()))));
        let rows: Vec<(String,)> = self.all(sql!(CREDENTIAL_IDS), args![pairs]).await?;
        Ok(rows.into_iter().map(|(id,)| CredentialId::from(id)).collect())
    }

    /// The best `limit` of a shelf.
    pub(super) async fn load_ranking(
        &mut self,
        selector: &Selector,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Credential>> {
        let rows: Vec<CredentialRow> =
            self.all(ranking(selector.strategy), args![&selector.tenant, selector.shelf.key(), now, limit]).await?;
        rows.into_iter().map(Credential::try_from).collect()
    }

    /// The ids of the best `limit` of a shelf, whoever holds them.
    pub(super) async fn ranking_ids(
        &mut self,
        selector: &Selector,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<CredentialId>> {
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

/// `[{"t": tenant, "a": value}]`
fn pairs<'a>(pairs: impl Iterator<Item = (&'a TenantId, Value)>) -> String {
    pairs.map(|(tenant, value)| json!({"t": tenant.as_str(), "a": value})).collect::<Value>().to_string()
}
