//! The audit trail: every change, by whom, from where, and how it came out.

use axum::response::{IntoResponse, Response};
use domain::event::{Action, Outcome};
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

/// Something that was done, or tried.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditView {
    /// Its number in the journal.
    id: String,
    at: Moment,
    /// `user.signed_in`, `api.updated`, …
    action: String,
    /// `user:<name>`, `svc:<product>`, `job:<name>`, `cli`, or `anonymous`.
    actor: String,
    /// `success`, or `failure`: refused, or failed for good.
    outcome: String,
    account_id: Option<String>,
    api_id: Option<ApiIdText>,
    /// Our id of the credential.
    credential_id: Option<String>,
    ip: Option<String>,
    request_id: Option<String>,
    /// What it was before, as far as it changed; secrets are masked.
    #[schema(value_type = Option<Object>)]
    before: Option<Value>,
    /// And after.
    #[schema(value_type = Option<Object>)]
    after: Option<Value>,
    /// Further particulars.
    #[schema(value_type = Option<Object>)]
    data: Option<Value>,
}

fn outcome(action: &str) -> String {
    action.parse::<Action>().map_or(Outcome::Success, Action::outcome).to_string()
}

impl From<JournalRow> for AuditView {
    fn from(row: JournalRow) -> Self {
        let mut data: Option<Value> = row.data.and_then(|text| serde_json::from_str(&text).ok());
        let mut take = |name: &str| data.as_mut()?.as_object_mut()?.remove(name).map(as_object);
        let (before, after) = (take("before"), take("after"));
        Self {
            id: row.seq.to_string(),
            at: Moment(Timestamp::from_millis(row.at)),
            outcome: outcome(&row.action),
            action: row.action,
            actor: row.actor,
            account_id: row.account_id,
            api_id: row.api_id.and_then(ApiId::new).map(ApiIdText),
            credential_id: row.credential_id,
            ip: row.ip,
            request_id: row.request_id,
            before,
            after,
            data: data.filter(|data| data.as_object().is_none_or(|fields| !fields.is_empty())),
        }
    }
}

/// Older rows have a bare word where there was one thing that changed.
fn as_object(value: Value) -> Value {
    if value.is_object() { value } else { serde_json::json!({ "value": value }) }
}

const FILE: Columns = Columns {
    name: "audit-log.csv",
    header: &[
        "id",
        "at",
        "action",
        "actor",
        "outcome",
        "account_id",
        "api_id",
        "credential_id",
        "ip",
        "request_id",
        "data",
    ],
    cells: |row| {
        vec![
            row.seq.to_string(),
            Timestamp::from_millis(row.at).to_rfc3339(),
            row.action.clone(),
            neutral(row.actor),
            outcome(&row.action),
            neutral(row.account_id.unwrap_or_default()),
            row.api_id.map(|id| id.to_string()).unwrap_or_default(),
            row.credential_id.unwrap_or_default(),
            row.ip.unwrap_or_default(),
            neutral(row.request_id.unwrap_or_default()),
            neutral(row.data.unwrap_or_default()),
        ]
    },
};

/// The audit trail, the newest first; `format=csv` streams all of it as a file. A page looks at so
/// many rows only: it may be short, even empty, and still have a `next_cursor`.
#[utoipa::path(
    get, path = "/api/admin/audit-logs", tag = "history",
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
        ("outcome" = Option<String>, Query, description = "success or failure"),
        ("outcome!" = Option<String>, Query, description = "The other one"),
        ("operator" = Option<String>, Query, description = "By comma; `actor` is the same"),
        ("operator!" = Option<String>, Query, description = "All but these; `actor!` is the same"),
        ("actor" = Option<String>, Query, description = "By comma"),
        ("actor!" = Option<String>, Query, description = "All but these"),
        ("ip" = Option<String>, Query),
        ("request_id" = Option<String>, Query),
        ("from" = Option<String>, Query, description = "RFC 3339, or a date: from its beginning on, UTC"),
        ("to" = Option<String>, Query, description = "RFC 3339, or a date: to its end, UTC; inclusive"),
        ("format" = Option<String>, Query, description = "json (default) or csv"),
    ),
    responses((
        status = 200, description = "A page, or a file",
        content((Answer<List<AuditView>> = "application/json"), (String = "text/csv"))
    ))
)]
pub async fn audit(may: May<rights::ReadAudit>, mut query: Query) -> Result<Response> {
    let (outcomes, unwanted) = (query.choices::<Outcome>("outcome"), query.choices::<Outcome>("outcome!"));
    let came_out = |outcome| (outcomes.is_empty() || outcomes.contains(&outcome)) && !unwanted.contains(&outcome);
    let Wish { mut filter, limit, before, csv } = wish_in(&mut query, |action| came_out(action.outcome()));
    filter.operators.extend(query.texts("actor"));
    filter.not_operators.extend(query.texts("actor!"));
    filter.ip = query.text("ip");
    filter.request_id = query.text("request_id");
    query.end()?;
    if csv {
        return Ok(stream_csv(may.app.store.clone(), may.caller.tenant, filter, &FILE));
    }
    let (store, tenant) = (&may.app.store, &may.caller.tenant);
    let page = store.history(tenant, &filter, before, limit).await?;
    let total = store.history_total(tenant, &filter).await?;
    let items = page.rows.into_iter().map(AuditView::from).collect();
    Ok(Answer::new(List::new(items, total, page.next.map(|seq| Cursor::write(&seq)))).into_response())
}
