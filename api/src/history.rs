//! The journal's pool part.

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use domain::event::Action;
use domain::{AccountKey, ApiId, Timestamp};
use futures::stream;
use serde::Serialize;
use serde_json::Value;
use store::history::{HistoryFilter, JournalRow};
use strum::IntoEnumIterator;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::{Answer, List};
use crate::credentials::neutral;
use crate::error::{ApiError, Result};
use crate::extract::{Caller, Cursor, May, Query, rights};
use crate::fields::{ApiIdText, Moment, account_in};
use crate::{AppState, Sealed};

/// Rows read at once for a file.
const STEP: usize = 500;

pub(crate) fn router() -> OpenApiRouter<Sealed> {
    OpenApiRouter::new()
        .routes(routes!(history))
        .route("/api/admin/api-pool/allocation-history", axum::routing::get(history))
}

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

/// What happened to the pool, the newest first; `format=csv` streams all of it as a file. A page
/// looks at so many rows only: it may be short, even empty, and still have a `next_cursor`.
#[utoipa::path(
    get, path = "/api/admin/api-pool/history", tag = "history",
    params(
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 500),
        ("cursor" = Option<String>, Query),
        ("account_id" = Option<String>, Query),
        ("api_id" = Option<String>, Query),
        ("action" = Option<String>, Query, description = "By comma; with `!=` all but these"),
        ("operator" = Option<String>, Query, description = "By comma"),
        ("from" = Option<String>, Query, description = "RFC 3339, or a date"),
        ("to" = Option<String>, Query, description = "RFC 3339, or a date"),
        ("format" = Option<String>, Query, description = "json (default) or csv"),
    ),
    responses((
        status = 200, description = "A page, or a file",
        content((Answer<List<HistoryView>> = "application/json"), (String = "text/csv"))
    ))
)]
pub async fn history(may: May<rights::ReadCredentials>, mut query: Query) -> Result<Response> {
    let filter = HistoryFilter {
        account: account_in(&mut query).map(|(field, text)| AccountKey::parse(field, &text)).transpose()?,
        api_id: query.api_id("api_id")?,
        actions: actions(&mut query)?,
        operators: query.texts("operator"),
        from: query.moment("from")?,
        to: query.moment("to")?,
    };
    let limit = query.limit()?;
    let before = query.cursor::<i64>()?;
    let csv = match query.text("format").as_deref() {
        None | Some("json") => false,
        Some("csv") => true,
        Some(_) => return Err(ApiError::field("format", "must be json or csv")),
    };
    query.end()?;
    if csv {
        return Ok(stream_csv(may.app, may.caller, filter));
    }
    let (store, tenant) = (&may.app.store, &may.caller.tenant);
    let page = store.history(tenant, &filter, before, limit).await?;
    let total = store.history_total(tenant, &filter).await?;
    let items = page.rows.into_iter().map(HistoryView::from).collect();
    Ok(Answer::new(List::new(items, total, page.next.map(|seq| Cursor::write(&seq)))).into_response())
}

/// The asked ones; else all that belong to the pool.
fn actions(query: &mut Query) -> Result<Vec<String>> {
    let (asked, unwanted) = (query.choices::<Action>("action")?, query.choices::<Action>("action!")?);
    if asked.iter().chain(&unwanted).any(|action| !action.is_pool_history()) {
        return Err(ApiError::field("action", "must be an action of the pool"));
    }
    let actions = Action::iter().filter(|action| action.is_pool_history());
    let wanted = |action: &Action| (asked.is_empty() || asked.contains(action)) && !unwanted.contains(action);
    let actions: Vec<String> = actions.filter(wanted).map(|action| action.to_string()).collect();
    // An empty filter would mean all, those that are not the pool's included.
    if actions.is_empty() { Err(ApiError::field("action", "leaves nothing to show")) } else { Ok(actions) }
}

struct Walk {
    app: AppState,
    caller: Caller,
    filter: HistoryFilter,
    before: Option<i64>,
    first: bool,
    done: bool,
}

fn stream_csv(app: AppState, caller: Caller, filter: HistoryFilter) -> Response {
    let walk = Walk { app, caller, filter, before: None, first: true, done: false };
    let body = Body::from_stream(stream::try_unfold(walk, |mut walk| async move {
        if walk.done {
            return Ok::<_, std::io::Error>(None);
        }
        let chunk = walk.chunk().await.map_err(|e| std::io::Error::other(format!("{e:?}")))?;
        Ok(Some((chunk, walk)))
    }));
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"history.csv\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, body).into_response()
}

impl Walk {
    async fn chunk(&mut self) -> Result<Vec<u8>> {
        let page = self.app.store.history(&self.caller.tenant, &self.filter, self.before, STEP).await?;
        self.before = page.next;
        self.done = page.next.is_none();
        let mut writer = csv::Writer::from_writer(Vec::new());
        if std::mem::take(&mut self.first) {
            let header = ["id", "at", "action", "operator", "account_id", "api_id", "ip", "request_id", "data"];
            writer.write_record(header).map_err(|e| ApiError::internal(&e))?;
        }
        for row in page.rows {
            let record = [
                row.seq.to_string(),
                Timestamp::from_millis(row.at).to_rfc3339(),
                row.action,
                neutral(row.actor),
                neutral(row.account_id.unwrap_or_default()),
                row.api_id.map(|id| id.to_string()).unwrap_or_default(),
                row.ip.unwrap_or_default(),
                neutral(row.request_id.unwrap_or_default()),
                neutral(row.data.unwrap_or_default()),
            ];
            writer.write_record(record).map_err(|e| ApiError::internal(&e))?;
        }
        writer.into_inner().map_err(|e| ApiError::internal(&e))
    }
}
