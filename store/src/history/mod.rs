//! The journal, read back: by account and by credential along their back-pointers, else by number.
//!
//! No page reads without bound: a filter that matches nothing gets a short page and a cursor.

use domain::{AccountKey, ApiId, TenantId, Timestamp};
use sqlx::FromRow;

use crate::Store;
use crate::db::{Arg, args, json_texts, sql};
use crate::error::Result;
use crate::logs::OUT_OF_ORDER;

mod total;

/// Follows back-pointers from a row: all rows of one account or one credential, the newest first.
/// The joins are written `CROSS JOIN`, whose order SQLite keeps: from the chain, never from the
/// journal.
macro_rules! chain {
    ($prev:literal, $select:expr) => {
        sql!(concat!(
            "WITH RECURSIVE chain (seq, prev, depth) AS (
                 SELECT seq, ",
            $prev,
            ", 1 FROM journal WHERE seq = $1 AND tenant_id = $2
                 UNION ALL
                 SELECT j.seq, j.",
            $prev,
            ", chain.depth + 1 FROM chain CROSS JOIN journal j
                 WHERE j.seq = chain.prev AND chain.depth < $3
             ) SELECT ",
            $select
        ))
    };
}
use chain;

/// Filters come after, since a chain is one account's or one credential's only.
macro_rules! chain_rows {
    ($prev:literal) => {
        chain!(
            $prev,
            "j.seq, j.at, j.action, j.actor, j.account_id, j.account_prev, j.credential_id, j.credential_prev,
                    c.api_id, j.ip, j.request_id, j.data
             FROM chain CROSS JOIN journal j LEFT JOIN credentials c ON c.id = j.credential_id
             WHERE j.seq = chain.seq ORDER BY chain.depth"
        )
    };
}

/// A journal row as it is read back.
#[derive(Clone, Debug, FromRow)]
pub struct JournalRow {
    /// Its number.
    pub seq: i64,
    /// When, in milliseconds.
    pub at: i64,
    /// What.
    pub action: String,
    /// By whom.
    pub actor: String,
    /// Which account.
    pub account_id: Option<String>,
    /// The account's row before this one.
    pub account_prev: Option<i64>,
    /// Which credential.
    pub credential_id: Option<String>,
    /// The credential's row before this one.
    pub credential_prev: Option<i64>,
    /// Telegram's id of that credential.
    pub api_id: Option<i64>,
    /// From where.
    pub ip: Option<String>,
    /// In which request.
    pub request_id: Option<String>,
    /// Particulars, as JSON text.
    pub data: Option<String>,
}

/// Which part of the journal to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryFilter {
    /// Only this account.
    pub account: Option<AccountKey>,
    /// Only this credential, by Telegram's id; deleted ones included.
    pub api_id: Option<ApiId>,
    /// Only these actions.
    pub actions: Vec<String>,
    /// Only these actors.
    pub operators: Vec<String>,
    /// All but these actors.
    pub not_operators: Vec<String>,
    /// Only this request.
    pub request_id: Option<String>,
    /// Only from this address.
    pub ip: Option<String>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Not after.
    pub to: Option<Timestamp>,
}

/// Rows that one page may look at before it answers with what it has and a cursor.
const LOOKED_AT: i64 = 100_000;
/// The same for a chain, whose every row is looked up by itself.
const CHAIN_LOOKED_AT: i64 = 20_000;

const ROW_FROM: &str = "SELECT seq, at FROM journal WHERE seq >= $1 AND seq <= $2 ORDER BY seq LIMIT 1";

/// The credentials that ever had an `api_id`, those that were deleted included, with their newest
/// rows: two statements, so that each has its index.
pub(crate) const HEADS_OF_API_ID: &str = "
    SELECT id, last_seq FROM (
        SELECT id, last_seq FROM credentials WHERE tenant_id = $1 AND api_id = $2 AND deleted_at IS NULL
        UNION ALL
        SELECT id, last_seq FROM credentials WHERE tenant_id = $1 AND api_id = $2 AND deleted_at IS NOT NULL
    ) AS every ORDER BY last_seq DESC, id DESC";

/// A stretch of the journal, filtered.
macro_rules! stretch {
    () => {
        " FROM journal j LEFT JOIN credentials c ON c.id = j.credential_id
          WHERE j.seq <= $1 AND j.seq > $2 AND j.tenant_id = $3 AND ($4 = '[]' OR j.action IN TEXTS($4))
            AND ($5 = '[]' OR j.actor IN TEXTS($5)) AND j.at >= $6 AND j.at <= $7
            AND ($8 = '' OR j.request_id = $8) AND ($9 = '' OR j.ip = $9)
            AND ($10 = '[]' OR j.actor NOT IN TEXTS($10)) "
    };
}
use stretch;

pub(crate) const STRETCH: &str = concat!(
    "SELECT j.seq, j.at, j.action, j.actor, j.account_id, j.account_prev, j.credential_id, j.credential_prev, c.api_id,
            j.ip, j.request_id, j.data",
    stretch!(),
    "ORDER BY j.seq DESC LIMIT $11"
);

/// What one page or count of the journal may look at: rows up to `top` and above `floor`, of all
/// that the filter's dates allow, which begin above `bottom`.
struct Stretch {
    top: i64,
    floor: i64,
    bottom: i64,
}

/// A page of the journal, newest first.
#[derive(Debug)]
pub struct HistoryPage {
    /// The rows.
    pub rows: Vec<JournalRow>,
    /// Where to go on; a page may be short, even empty, and still have one.
    pub next: Option<i64>,
}

impl Store {
    /// The pool's history, newest first, from below `before`.
    pub async fn history(
        &self,
        tenant: &TenantId,
        filter: &HistoryFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<HistoryPage> {
        let start = match (&filter.account, filter.api_id) {
            (Some(account), _) => self.account_chain_head(tenant, account, before).await?,
            (None, Some(api_id)) => return self.credential_history(tenant, api_id, filter, before, limit).await,
            (None, None) => before.map_or(i64::MAX, |before| before.saturating_sub(1)),
        };
        if filter.account.is_some() {
            return self.walk_chain(chain_rows!("account_prev"), tenant, start, filter, limit).await;
        }
        self.scan(tenant, start, filter, limit).await
    }

    async fn account_chain_head(&self, tenant: &TenantId, account: &AccountKey, before: Option<i64>) -> Result<i64> {
        if let Some(before) = before {
            let row: Option<(Option<i64>,)> = self
                .db()
                .optional(
                    sql!("SELECT account_prev FROM journal WHERE seq = $1 AND tenant_id = $2 AND account_id = $3"),
                    args![before, tenant, account],
                )
                .await?;
            return Ok(row.and_then(|r| r.0).unwrap_or(0));
        }
        let row: Option<(i64,)> = self
            .db()
            .optional(
                sql!("SELECT last_seq FROM accounts WHERE tenant_id = $1 AND account_id = $2"),
                args![tenant, account],
            )
            .await?;
        Ok(row.map_or(0, |r| r.0))
    }

    /// An `api_id` may have been deleted and imported again: its credentials, newest first.
    async fn credential_history(
        &self,
        tenant: &TenantId,
        api_id: ApiId,
        filter: &HistoryFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<HistoryPage> {
        let heads: Vec<(String, i64)> = self.db().all(sql!(HEADS_OF_API_ID), args![tenant, api_id.get()]).await?;
        let mut page = HistoryPage { rows: Vec::new(), next: None };
        let resume: Option<(Option<String>, Option<i64>)> = match before {
            Some(before) => {
                self.db()
                    .optional(
                        sql!("SELECT credential_id, credential_prev FROM journal WHERE seq = $1 AND tenant_id = $2"),
                        args![before, tenant],
                    )
                    .await?
            }
            None => None,
        };
        if before.is_some() && resume.is_none() {
            // The row that the cursor names was pruned away, and all before it.
            return Ok(page);
        }
        let mut skipping = resume.is_some();
        for (id, head) in heads {
            if page.rows.len() >= limit {
                // This page ends where a credential's rows end, and there is an older credential.
                page.next = page.rows.last().map(|row: &JournalRow| row.seq);
                break;
            }
            let mut start = head;
            if skipping {
                if resume.as_ref().and_then(|r| r.0.as_ref()) != Some(&id) {
                    continue;
                }
                skipping = false;
                start = resume.as_ref().and_then(|r| r.1).unwrap_or(0);
            }
            let left = limit - page.rows.len();
            let part = self.walk_chain(chain_rows!("credential_prev"), tenant, start, filter, left).await?;
            page.rows.extend(part.rows);
            page.next = part.next;
            if page.next.is_some() {
                break;
            }
        }
        Ok(page)
    }

    async fn walk_chain(
        &self,
        statement: crate::db::Sql,
        tenant: &TenantId,
        start: i64,
        filter: &HistoryFilter,
        limit: usize,
    ) -> Result<HistoryPage> {
        let unfiltered = *filter
            == HistoryFilter { account: filter.account.clone(), api_id: filter.api_id, ..HistoryFilter::default() };
        let depth = if unfiltered { limit as i64 + 1 } else { CHAIN_LOOKED_AT };
        let rows: Vec<JournalRow> = self.db().all(statement, args![start, tenant, depth]).await?;
        Ok(page_of(rows, filter, limit, depth))
    }

    /// The journal itself, by number: the index is the primary key. A page looks at a bounded
    /// stretch, so that a filter that matches nothing can't read the whole log.
    async fn scan(&self, tenant: &TenantId, start: i64, filter: &HistoryFilter, limit: usize) -> Result<HistoryPage> {
        let stretch = self.stretch(filter, start).await?;
        let rows: Vec<JournalRow> = self.db().all(sql!(STRETCH), stretch.args(tenant, filter, limit)).await?;
        let next = match rows.last() {
            Some(last) if rows.len() == limit => Some(last.seq),
            _ if stretch.floor > stretch.bottom => Some(stretch.floor + 1),
            _ => None,
        };
        Ok(HistoryPage { rows, next: next.filter(|seq| *seq > 1) })
    }

    async fn stretch(&self, filter: &HistoryFilter, start: i64) -> Result<Stretch> {
        let newest: i64 = self.db().one::<(i64,)>(sql!("SELECT journal FROM heads WHERE id = 1"), args![]).await?.0;
        let top = match filter.to {
            Some(to) => {
                (self.last_before(sql!(ROW_FROM), to.plus(1), newest).await? + OUT_OF_ORDER).min(newest).min(start)
            }
            None => start.min(newest),
        };
        // What was pruned is gone.
        let (oldest,): (Option<i64>,) = self.db().one(sql!("SELECT MIN(seq) FROM journal"), args![]).await?;
        let pruned = oldest.map_or(0, |seq| seq - 1);
        let bottom = match filter.from {
            Some(from) => (self.last_before(sql!(ROW_FROM), from, newest).await? - OUT_OF_ORDER).max(pruned),
            None => pruned,
        };
        Ok(Stretch { top, floor: bottom.max(top.saturating_sub(LOOKED_AT)), bottom })
    }
}

impl Stretch {
    fn args(&self, tenant: &TenantId, filter: &HistoryFilter, limit: usize) -> Vec<Arg> {
        let mut args = args![self.top, self.floor, tenant];
        args.extend(filter.args());
        args.push(Arg::from(limit));
        args
    }
}

impl HistoryFilter {
    /// Actions, operators, from, to, request, address, operators left out.
    fn args(&self) -> [Arg; 7] {
        [
            Arg::from(json_texts(self.actions.iter().map(String::as_str))),
            Arg::from(json_texts(self.operators.iter().map(String::as_str))),
            Arg::from(self.from.map_or(i64::MIN, Timestamp::millis)),
            Arg::from(self.to.map_or(i64::MAX, Timestamp::millis)),
            Arg::from(self.request_id.clone().unwrap_or_default()),
            Arg::from(self.ip.clone().unwrap_or_default()),
            Arg::from(json_texts(self.not_operators.iter().map(String::as_str))),
        ]
    }
}

fn page_of(rows: Vec<JournalRow>, filter: &HistoryFilter, limit: usize, depth: i64) -> HistoryPage {
    let mut page = HistoryPage { rows: Vec::new(), next: None };
    let looked_at_all = (rows.len() as i64) < depth;
    let last = rows.last().map(|row| row.seq);
    for row in rows {
        if page.rows.len() == limit {
            page.next = page.rows.last().map(|r: &JournalRow| r.seq);
            return page;
        }
        if matches(&row, filter) {
            page.rows.push(row);
        }
    }
    page.next = if looked_at_all { None } else { last };
    page
}

fn matches(row: &JournalRow, filter: &HistoryFilter) -> bool {
    (filter.actions.is_empty() || filter.actions.contains(&row.action))
        && (filter.operators.is_empty() || filter.operators.contains(&row.actor))
        && !filter.not_operators.contains(&row.actor)
        && filter.api_id.is_none_or(|api_id| row.api_id == Some(api_id.get()))
        && (filter.request_id.is_none() || filter.request_id == row.request_id)
        && (filter.ip.is_none() || filter.ip == row.ip)
        && filter.from.is_none_or(|from| row.at >= from.millis())
        && filter.to.is_none_or(|to| row.at <= to.millis())
}
