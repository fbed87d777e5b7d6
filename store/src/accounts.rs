//! Who holds what, and who held it: accounts and the records of their allocations.

use domain::{AccountKey, ApiId, TenantId, Timestamp};
use serde_json::Value;
use sqlx::FromRow;

use crate::db::{Arg, args, json_texts, sql};
use crate::error::Result;
use crate::history::HistoryFilter;
use crate::{Store, Total};

/// An account and what it holds.
#[derive(Clone, Debug, FromRow)]
pub struct AccountRow {
    /// Its key.
    pub account_id: String,
    /// `active`, `frozen` or `retired`.
    pub state: String,
    /// Cooling until then, in milliseconds; 0 is never.
    pub cooldown_until: i64,
    /// What it holds.
    pub allocation_id: Option<String>,
    /// Our id of the credential.
    pub credential_id: Option<String>,
    /// Telegram's id of it.
    pub api_id: Option<i64>,
    /// Its name.
    pub name: Option<String>,
    /// Its standing.
    pub standing: Option<String>,
    /// The proxy.
    pub proxy_id: Option<String>,
    /// Since when.
    pub allocated_at: Option<i64>,
    /// Until when.
    pub expires_at: Option<i64>,
    /// How it was chosen.
    pub strategy: Option<String>,
    /// Who asked.
    pub operator: Option<String>,
    /// Our id of the credential it held before.
    pub former_credential_id: Option<String>,
    /// Telegram's id of that.
    pub former_api_id: Option<i64>,
}

macro_rules! select {
    ($rest:literal) => {
        sql!(concat!(
            "SELECT a.account_id, a.state, a.cooldown_until, a.allocation_id, a.credential_id, c.api_id, c.name,
                 c.standing, a.proxy_id, a.allocated_at, a.expires_at, a.strategy, a.operator,
                 a.former_credential_id, f.api_id AS former_api_id
             FROM accounts a LEFT JOIN credentials c ON c.id = a.credential_id
                 LEFT JOIN credentials f ON f.id = a.former_credential_id
             WHERE a.tenant_id = $1 ",
            $rest
        ))
    };
}

/// A binding, standing or ended.
#[derive(Clone, Debug)]
pub struct AllocationRecord {
    /// Its id.
    pub id: String,
    /// Telegram's id of the credential.
    pub api_id: Option<i64>,
    /// Whose.
    pub account_id: String,
    /// Since when.
    pub allocated_at: Option<Timestamp>,
    /// Until when it was held.
    pub released_at: Option<Timestamp>,
    /// Who asked for it.
    pub operator: Option<String>,
    /// How it was chosen.
    pub strategy: Option<String>,
    /// The proxy.
    pub proxy_id: Option<String>,
    /// When its lease ends or would have ended.
    pub expires_at: Option<Timestamp>,
}

/// Which bindings.
#[derive(Clone, Debug, Default)]
pub struct AllocationFilter {
    /// Of this account.
    pub account: Option<AccountKey>,
    /// Of this credential.
    pub api_id: Option<ApiId>,
}

impl Store {
    /// One account, if the pool knows it.
    pub async fn account(&self, tenant: &TenantId, key: &AccountKey) -> Result<Option<AccountRow>> {
        self.db().optional(select!("AND a.account_id = $2"), args![tenant, key]).await
    }

    /// Several accounts; those that the pool does not know are left out.
    pub async fn accounts(&self, tenant: &TenantId, keys: &[AccountKey]) -> Result<Vec<AccountRow>> {
        let keys = json_texts(keys.iter().map(AccountKey::as_str));
        self.db().all(select!("AND a.account_id IN TEXTS($2)"), args![tenant, keys]).await
    }

    /// Standing bindings, the newest first, from below allocation id `before`.
    pub async fn live_allocations(
        &self,
        tenant: &TenantId,
        filter: &AllocationFilter,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<AllocationRecord>> {
        // ULIDs sort below `~`.
        let before = before.unwrap_or("~");
        let rows: Vec<AccountRow> = match (&filter.account, filter.api_id) {
            (Some(account), api_id) => {
                let row = self.account(tenant, account).await?;
                row.into_iter()
                    .filter(|a| api_id.is_none_or(|id| a.api_id == Some(id.get())))
                    .filter(|a| a.allocation_id.as_deref().is_some_and(|id| id < before))
                    .collect()
            }
            (None, Some(api_id)) => {
                let args = args![tenant, api_id.get(), before, limit];
                self.db()
                    .all(
                        select!(
                            "AND a.credential_id IN (SELECT id FROM credentials WHERE tenant_id = $1 AND api_id = $2
                                                     AND deleted_at IS NULL)
                             AND a.allocation_id < $3 ORDER BY a.allocation_id DESC LIMIT $4"
                        ),
                        args,
                    )
                    .await?
            }
            (None, None) => {
                let args = args![tenant, before, limit];
                self.db().all(select!("AND a.allocation_id < $2 ORDER BY a.allocation_id DESC LIMIT $3"), args).await?
            }
        };
        Ok(rows.into_iter().filter_map(AllocationRecord::standing).collect())
    }

    /// How many bindings there are: of those that stand, those that have ended, or both.
    pub async fn count_allocations(
        &self,
        tenant: &TenantId,
        filter: &AllocationFilter,
        standing: bool,
        ended: bool,
    ) -> Result<Total> {
        let mut total = Total::default();
        if standing {
            total = total.plus(self.count_standing(tenant, filter).await?);
        }
        if ended {
            total = total.plus(self.history_total(tenant, &filter.ended()).await?);
        }
        Ok(total)
    }

    async fn count_standing(&self, tenant: &TenantId, filter: &AllocationFilter) -> Result<Total> {
        let statement = match (&filter.account, filter.api_id) {
            (Some(_), _) => {
                let found = self.live_allocations(tenant, filter, None, 1).await?;
                return Ok(Total::of(found.len() as i64));
            }
            (None, Some(_)) => sql!(
                "SELECT COUNT(*) FROM (
                     SELECT 1 AS one FROM accounts a WHERE a.credential_id IN
                         (SELECT id FROM credentials WHERE tenant_id = $1 AND api_id = $3 AND deleted_at IS NULL)
                     LIMIT $2) AS counted"
            ),
            // In the index's order: else PostgreSQL may take to the table, whoever its rows belong to.
            (None, None) => sql!(
                "SELECT COUNT(*) FROM (
                     SELECT 1 AS one FROM accounts a WHERE a.tenant_id = $1 AND a.allocation_id IS NOT NULL
                     ORDER BY a.allocation_id LIMIT $2) AS counted"
            ),
        };
        let mut args = args![tenant, Total::CAP + 1];
        args.extend(filter.api_id.map(|id| Arg::from(id.get())));
        let (counted,): (i64,) = self.db().one(statement, args).await?;
        Ok(Total::of(counted))
    }

    /// Ended bindings, the last to end first, from below journal number `before`; and where to go
    /// on.
    pub async fn ended_allocations(
        &self,
        tenant: &TenantId,
        filter: &AllocationFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<(Vec<AllocationRecord>, Option<i64>)> {
        let page = self.history(tenant, &filter.ended(), before, limit).await?;
        let records = page
            .rows
            .into_iter()
            .filter_map(|row| {
                let data: Value = serde_json::from_str(row.data.as_deref()?).ok()?;
                let text = |field: &str| data[field].as_str().map(str::to_owned);
                Some(AllocationRecord {
                    id: text("allocation_id")?,
                    api_id: row.api_id,
                    account_id: row.account_id?,
                    allocated_at: text("allocated_at").and_then(|t| Timestamp::parse(&t)),
                    released_at: Some(Timestamp::from_millis(row.at)),
                    operator: text("operator"),
                    strategy: text("strategy"),
                    proxy_id: text("proxy_id"),
                    expires_at: text("expires_at").and_then(|t| Timestamp::parse(&t)),
                })
            })
            .collect();
        Ok((records, page.next))
    }
}

impl AllocationFilter {
    /// Ends of bindings are rows of the journal.
    fn ended(&self) -> HistoryFilter {
        HistoryFilter {
            account: self.account.clone(),
            api_id: self.api_id,
            actions: vec![domain::event::Action::Released.to_string()],
            ..HistoryFilter::default()
        }
    }
}

impl AllocationRecord {
    fn standing(row: AccountRow) -> Option<Self> {
        Some(Self {
            id: row.allocation_id?,
            api_id: row.api_id,
            account_id: row.account_id,
            allocated_at: row.allocated_at.map(Timestamp::from_millis),
            released_at: None,
            operator: row.operator,
            strategy: row.strategy,
            proxy_id: row.proxy_id,
            expires_at: row.expires_at.map(Timestamp::from_millis),
        })
    }
}
