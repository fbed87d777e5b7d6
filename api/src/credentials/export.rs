//! Export, streamed page by page so that memory stays small however large the pool is.

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use domain::TenantId;
use domain::access::Permission;
use futures::stream;
use secrecy::ExposeSecret;
use serde_json::json;
use store::credentials::{Credential, Filter, Page, Sort, SortKey};
use store::{Store, StoreError};

use super::edit::{FilterParameters, filter_in};
use super::view::CredentialView;
use crate::error::{ApiError, Result};
use crate::extract::{May, Query, rights};

/// Credentials read at once.
const STEP: usize = 500;
const COLUMNS: [&str; 14] = [
    "api_id",
    "api_hash",
    "name",
    "status",
    "max_accounts",
    "current_accounts",
    "group",
    "priority",
    "is_premium",
    "min_member_level",
    "tags",
    "note",
    "success_count",
    "fail_count",
];

/// Exports the credentials, the oldest first: all of them, or those that a list's filters find. Hashes
/// are masked, unless `include_hash=true`, which needs its permission and is audited.
#[utoipa::path(
    get, path = "/api/admin/api-pool/export", tag = "credentials",
    params(
        ("format" = Option<String>, Query, description = "csv (default) or json"),
        ("include_hash" = Option<bool>, Query),
        FilterParameters,
    ),
    responses((
        status = 200, description = "The file",
        content((String = "text/csv"), (Vec<serde_json::Value> = "application/json"))
    ))
)]
pub async fn export(may: May<rights::ReadCredentials>, mut query: Query) -> Result<Response> {
    let csv = match query.text("format").as_deref() {
        None | Some("csv") => Ok(true),
        Some("json") => Ok(false),
        Some(_) => Err(ApiError::field("format", "must be csv or json")),
    };
    let csv = query.note(csv).unwrap_or_default();
    let include_hash = query.flag("include_hash");
    let filter = filter_in(&mut query);
    query.end()?;
    if include_hash {
        may.require(Permission::Reveal).await?;
    }
    may.app.store.note_export(&may.caller.tenant, &may.caller.origin, &filter, include_hash).await?;
    let format = if csv { ExportFormat::Csv } else { ExportFormat::Json };
    let export = Export::new(may.app.store.clone(), may.caller.tenant, filter, format, include_hash);
    let body = Body::from_stream(stream::try_unfold(export, |mut export| async move {
        let chunk = export.next().await.map_err(std::io::Error::other)?;
        Ok::<_, std::io::Error>(chunk.map(|chunk| (chunk, export)))
    }));
    let (kind, name) =
        if csv { ("text/csv; charset=utf-8", "credentials.csv") } else { ("application/json", "credentials.json") };
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_DISPOSITION, disposition.as_str()),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, body).into_response())
}

/// The form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// One line for each credential, with a header.
    Csv,
    /// One array of objects.
    Json,
}

/// An export, taken chunk by chunk. Permission and audit are its caller's.
#[derive(Debug)]
pub struct Export {
    store: Store,
    tenant: TenantId,
    filter: Filter,
    format: ExportFormat,
    include_hash: bool,
    after: Option<(SortKey, String)>,
    state: State,
}

#[derive(Debug, PartialEq)]
enum State {
    Start,
    Running,
    End,
}

impl Export {
    /// Of the credentials that `filter` finds, the oldest first.
    pub fn new(store: Store, tenant: TenantId, filter: Filter, format: ExportFormat, include_hash: bool) -> Self {
        Self { store, tenant, filter, format, include_hash, after: None, state: State::Start }
    }

    /// The next part of the file; `None` when it is whole.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        if self.state == State::End {
            return Ok(None);
        }
        let first = self.state == State::Start;
        let page = Page { sort: Sort::CreatedAt, descending: false, after: self.after.take(), limit: STEP };
        let rows = self.store.credentials(&self.tenant, &self.filter, &page).await?;
        if let Some(last) = rows.last() {
            self.after = Some((Sort::CreatedAt.key(last), last.id.to_string()));
        }
        self.state = if rows.len() < STEP { State::End } else { State::Running };
        let mut cells = Vec::with_capacity(rows.len());
        for row in rows {
            let hash = self.hash(&row).await?;
            cells.push((row, hash));
        }
        let written = match self.format {
            ExportFormat::Csv => csv_rows(first, cells),
            ExportFormat::Json => json_rows(first, self.state == State::End, cells),
        };
        written.map(Some).map_err(|e| StoreError::Damaged(format!("an export could not be written: {e}")))
    }

    async fn hash(&self, row: &Credential) -> Result<String, StoreError> {
        if !self.include_hash {
            return Ok(row.api_hash_masked.clone());
        }
        Ok(self.store.export_hash(&self.tenant, &row.id).await?.expose_secret().to_owned())
    }
}

fn csv_rows(first: bool, rows: Vec<(Credential, String)>) -> std::io::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    if first {
        writer.write_record(COLUMNS)?;
    }
    for (row, hash) in rows {
        let record = [
            row.api_id.to_string(),
            neutral(hash),
            neutral(row.name.clone()),
            row.status().to_string(),
            row.max_accounts.to_string(),
            row.current_accounts.to_string(),
            neutral(row.group_name.clone().unwrap_or_default()),
            row.priority.to_string(),
            row.is_premium.to_string(),
            row.min_member_level.to_string(),
            neutral(row.tags.join(",")),
            neutral(row.note.clone().unwrap_or_default()),
            row.success_count.to_string(),
            row.fail_count.to_string(),
        ];
        writer.write_record(record)?;
    }
    writer.into_inner().map_err(csv::IntoInnerError::into_error)
}

/// A spreadsheet runs cells that start like a formula; an apostrophe in front makes them text.
pub(crate) fn neutral(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell }
}

fn json_rows(first: bool, last: bool, rows: Vec<(Credential, String)>) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    if first {
        out.extend_from_slice(b"[");
    }
    for (index, (row, hash)) in rows.into_iter().enumerate() {
        if !(first && index == 0) {
            out.push(b',');
        }
        let mut value = json!(CredentialView::from(row));
        value["api_hash"] = json!(hash);
        serde_json::to_writer(&mut out, &value)?;
    }
    if last {
        out.extend_from_slice(b"]\n");
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_neutralised() {
        for cell in ["=1+1", "+1", "-1", "@x", "\tx"] {
            assert_eq!(neutral(cell.to_owned()), format!("'{cell}"));
        }
        assert_eq!(neutral("main".to_owned()), "main");
    }
}
