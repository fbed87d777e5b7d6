//! How many rows of the journal a filter finds, as far as a page may look.

use domain::{AccountKey, TenantId};

use super::{HEADS_OF_API_ID, HistoryFilter, chain, stretch};
use crate::db::{Arg, Sql, args, sql};
use crate::error::Result;
use crate::{Store, Total};

macro_rules! chain_count {
    ($prev:literal) => {
        chain!(
            $prev,
            "COUNT(*) FILTER (WHERE ($4 = '[]' OR j.action IN TEXTS($4)) AND ($5 = '[]' OR j.actor IN TEXTS($5))
                 AND j.at >= $6 AND j.at <= $7 AND ($8 = '' OR j.request_id = $8) AND ($9 = '' OR j.ip = $9)
                 AND ($10 = '[]' OR j.actor NOT IN TEXTS($10)) AND ($11 IS NULL OR c.api_id = $11)), COUNT(*)
             FROM chain CROSS JOIN journal j LEFT JOIN credentials c ON c.id = j.credential_id
             WHERE j.seq = chain.seq"
        )
    };
}

const COUNT: &str = concat!("SELECT COUNT(*) FROM (SELECT 1 AS one", stretch!(), "LIMIT $11) AS counted");

impl Store {
    /// How many rows [`Store::history`] has for a filter. What it can't look at in reasonable time
    /// makes the total a capped one.
    pub async fn history_total(&self, tenant: &TenantId, filter: &HistoryFilter) -> Result<Total> {
        match (&filter.account, filter.api_id) {
            (Some(account), _) => self.account_total(tenant, account, filter).await,
            (None, Some(api_id)) => {
                let heads: Vec<(String, i64)> =
                    self.db().all(sql!(HEADS_OF_API_ID), args![tenant, api_id.get()]).await?;
                let mut total = Total::default();
                for (_, head) in heads {
                    total = total.plus(self.chain_total(chain_count!("credential_prev"), tenant, head, filter).await?);
                }
                Ok(total)
            }
            (None, None) => {
                let stretch = self.stretch(filter, i64::MAX).await?;
                let args = stretch.args(tenant, filter, Total::CAP as usize + 1);
                let (counted,): (i64,) = self.db().one(sql!(COUNT), args).await?;
                Ok(Total::of(counted).or_more(stretch.floor > stretch.bottom))
            }
        }
    }

    async fn account_total(&self, tenant: &TenantId, account: &AccountKey, filter: &HistoryFilter) -> Result<Total> {
        let head = self.account_chain_head(tenant, account, None).await?;
        self.chain_total(chain_count!("account_prev"), tenant, head, filter).await
    }

    async fn chain_total(&self, count: Sql, tenant: &TenantId, head: i64, filter: &HistoryFilter) -> Result<Total> {
        let mut args = args![head, tenant, Total::CAP + 1];
        args.extend(filter.args());
        args.push(Arg::from(filter.api_id.map(domain::ApiId::get)));
        let (counted, walked): (i64, i64) = self.db().one(count, args).await?;
        Ok(Total::of(counted).or_more(walked > Total::CAP))
    }
}
