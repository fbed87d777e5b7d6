//! What an action on many credentials would reach: counted, while nothing changes.

use domain::{CredentialId, GroupId, Invalid, Status, TenantId};

use super::Filter;
use super::list::{filter_args, filtered};
use crate::db::{Arg, args, json_texts, sql};
use crate::error::{Result, StoreError};
use crate::{Store, Total};

/// Credentials, and what hangs on them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// How many there are.
    pub credentials: i64,
    /// Accounts that hold one of them.
    pub accounts: i64,
    /// How many show each status; those that none shows are left out.
    pub by_status: Vec<(Status, i64)>,
}

macro_rules! status {
    () => {
        "CASE WHEN c.standing <> 'enabled' THEN c.standing WHEN c.current_accounts > 0 THEN 'in_use' ELSE 'available' END"
    };
}

/// Status, how many show it, and how many accounts hold those.
type Line = (String, i64, i64);

impl Store {
    /// What a filter reaches.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] as [`Store::ids_of_filter`]: when there are more than are ever counted,
    /// and when there are not as many as `expected`.
    pub async fn reach_of_filter(&self, tenant: &TenantId, filter: &Filter, expected: Option<i64>) -> Result<Reach> {
        let mut args = filter_args(tenant, filter);
        args.push(Arg::from(Total::CAP + 1));
        let statement = sql!(concat!(
            "SELECT status, COUNT(*), CAST(SUM(accounts) AS BIGINT) FROM (SELECT ",
            status!(),
            " AS status, c.current_accounts AS accounts",
            filtered!(),
            " LIMIT $17) AS counted GROUP BY status"
        ));
        let lines: Vec<Line> = self.db().all(statement, args).await?;
        let reach = Reach::of(lines)?;
        check_found(reach.credentials, expected.unwrap_or(reach.credentials))?;
        Ok(reach)
    }

    /// What these ids reach: those that are there.
    pub async fn reach_of_ids(&self, tenant: &TenantId, ids: &[CredentialId]) -> Result<Reach> {
        let statement = sql!(concat!(
            "SELECT ",
            status!(),
            " AS status, COUNT(*), CAST(SUM(c.current_accounts) AS BIGINT) FROM credentials c
             WHERE c.id IN TEXTS($1) AND c.tenant_id = $2 AND c.deleted_at IS NULL GROUP BY 1"
        ));
        let ids = json_texts(ids.iter().map(CredentialId::as_str));
        Reach::of(self.db().all(statement, args![ids, tenant]).await?)
    }

    /// Makes sure that a group is there to move credentials into.
    ///
    /// # Errors
    /// [`StoreError::Invalid`], as the action itself would be refused.
    pub async fn check_group_of_bulk(&self, tenant: &TenantId, group: &GroupId) -> Result<()> {
        match self.group(tenant, group).await {
            Err(StoreError::NotFound(_)) => Err(Invalid::field("group_id", "is not one of the groups").into()),
            found => found.map(drop),
        }
    }
}

impl Reach {
    fn of(lines: Vec<Line>) -> Result<Self> {
        let mut reach = Self::default();
        for (status, credentials, accounts) in lines {
            let status = status.parse().map_err(|_| StoreError::Damaged(format!("no status is called {status}")))?;
            reach.credentials += credentials;
            reach.accounts += accounts;
            reach.by_status.push((status, credentials));
        }
        Ok(reach)
    }
}

/// Refuses a filter that finds another number than was seen.
pub(super) fn check_found(found: i64, expected: i64) -> Result<()> {
    if found > Total::CAP {
        return Err(StoreError::Conflict(format!("the filter finds more than {}; narrow it", Total::CAP)));
    }
    if found != expected {
        return Err(StoreError::Conflict(format!("the filter finds {found}, not {expected}; look again")));
    }
    Ok(())
}
