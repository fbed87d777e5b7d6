//! The journal's pool part.

use axum::response::{IntoResponse, Response};
use domain::event::Action;
use domain::{ApiId, Timestamp};
use serde::Serialize;
use serde_json::Value;
use store::history::JournalRow;
use utoipa::ToSchema;

use super::file::{Columns, stream_csv};
use super::{Wish, wish_in};
use crate::answer::{Answer, List};
use crate::credentials::neutral;
use crate::error::Result;
use crate::extract::{Cursor, May, Query, rights};
use crate::fields::{ApiIdText, Moment};

/// Something that happened.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistoryView {
    /// Its number in the journal.
    id: String,
    at: Moment,
    /// `api.allocated`, `api.released`, …
    action: String,
    /// Who did it.
    operator: String,
    account_id: Option<String>,
    api_id: Option<ApiIdText>,
    ip: Option<String>,
    request_id: Option<String>,
    /// Particulars.
    #[schema(value_type = Option<Object>)]
    data: Option<Value>,
}

impl From<JournalRow> for HistoryView {
    fn from(row: JournalRow) -> Self {
        Self {
            id: row.seq.to_string(),
            at: Moment(Timestamp::from_millis(row.at)),
            action: row.action,
            operator: row.actor,
            account_id: row.account_id,
            api_id: row.api_id.and_then(ApiId::new).map(ApiIdText),
            ip: row.ip,
            request_id: row.request_id,
            data: row.data.and_then(|text| serde_json::from_str(&text).ok()),
        }
    }
}

const FILE: Columns = Columns {
    name: "history.csv",
    header: &["id", "at", "action", "operator", "account_id", "api_id", "ip", "request_id", "data"],
    cells: |row| {
        vec![
            row.seq.to_string(),
            Timestamp::from_millis(row.at).to_rfc3339(),
            row.action,
            neutral(row.actor),
            neutral(row.account_id.unwrap_or_default()),
            row.api_id.map(|id| id.to_string()).unwrap_or_default(),
            row.ip.unwrap_or_default(),
            neutral(row.request_id.unwrap_or_default()),
            neutral(row.data.unwrap_or_default()),
        ]
    },
};

/// What happened to the pool, the newest first; `format=csv` streams all of it as a file. A page
/// looks at so many rows only: it may be short, even empty, and still have a `next_cursor`.
#[utoipa::path(
    get, path = "/api/admin/api-pool/history", tag = "history",
    params(
        ("q" = Option<String>, Query, description = "An account's key, or an api_id"),
        ("sort" = Option<String>, Query),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 500),
        ("cursor" = Option<String>, Query),
        ("account_id" = Option<String>, Query, description = "The account's key"),
        ("phone" = Option<String>, Query, description = "The same; wins"),
        ("account_phone" = Option<String>, Query, description = "The same"),
        ("api_id" = Option<String>, Query),
        ("action" = Option<String>, Query, description = "By comma"),
        ("action!" = Option<String>, Query, description = "All but these: `action!=a,b`"),
        ("operator" = Option<String>, Query, description = "By comma"),
        ("operator!" = Option<String>, Query, description = "All but these"),
        ("from" = Option<String>, Query, description = "RFC 3339, or a date: from its beginning on, UTC"),
        ("to" = Option<String>, Query, description = "RFC 3339, or a date: to its end, UTC; inclusive"),
        ("format" = Option<String>, Query, description = "json (default) or csv"),
    ),
    responses((
        status = 200, description = "A page, or a file",
        content((Answer<List<HistoryView>> = "application/json"), (String = "text/csv"))
    ))
)]
pub async fn history(may: May<rights::ReadCredentials>, mut query: Query) -> Result<Response> {
    let Wish { filter, limit, before, csv } = wish_in(&mut query, |action| Action::is_pool_history(*action));
    query.end()?;
    if csv {
        return Ok(stream_csv(may.app.store.clone(), may.caller.tenant, filter, &FILE));
    }
    let (store, tenant) = (&may.app.store, &may.caller.tenant);
    let page = store.history(tenant, &filter, before, limit).await?;
    let total = store.history_total(tenant, &filter).await?;
    let items = page.rows.into_iter().map(HistoryView::from).collect();
    Ok(Answer::new(List::new(items, total, page.next.map(|seq| Cursor::write(&seq)))).into_response())
}
