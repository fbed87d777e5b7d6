//! Import many credentials, and undo it.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::GroupId;
use domain::credential::{DEFAULT_MAX_ACCOUNTS, MAX_ACCOUNTS_LIMIT};
use domain::import::{ImportFormat, parse};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::batches::{ImportOptions, ImportReport, LineOutcome};
use utoipa::ToSchema;

use crate::answer::Answer;
use crate::end::to_its_end;
use crate::error::{ApiError, Result};
use crate::extract::{Id, May, Strict, Upload, rights};
use crate::fields::{whole, words};

/// More lines than this are imported by a job.
const AT_ONCE: usize = 10_000;

/// Credentials to import: a list, or a text in one of the formats.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportRequest {
    /// A list of credentials. One that is none is a line that is rejected.
    #[schema(value_type = Option<Vec<Value>>)]
    apis: Option<Vec<Value>>,
    /// `csv`, `json`, `text` or `auto`.
    #[schema(value_type = Option<String>)]
    format: Option<ImportFormat>,
    /// The text.
    data: Option<String>,
    /// Slots of lines that don't say; 5 when absent.
    #[serde(default, deserialize_with = "whole")]
    #[schema(minimum = 1, maximum = 100_000)]
    default_max_accounts: Option<i64>,
    /// The group of lines that don't say.
    group_id: Option<String>,
    /// Which column holds what: its header or number, and our field.
    columns: Option<BTreeMap<String, String>>,
    /// Look, but write nothing.
    dry_run: Option<bool>,
}

impl ImportRequest {
    fn source(&mut self) -> Result<(ImportFormat, String)> {
        match (self.apis.take(), self.data.take()) {
            (Some(_), Some(_)) => Err(ApiError::field("data", "must not be given beside apis")),
            (Some(apis), None) => Ok((ImportFormat::Json, Value::Array(apis).to_string())),
            (None, Some(data)) => Ok((self.format.unwrap_or(ImportFormat::Auto), data)),
            (None, None) => Err(ApiError::field("data", "is required, or apis")),
        }
    }

    fn check(&self) -> Result<()> {
        let max = self.default_max_accounts.unwrap_or(DEFAULT_MAX_ACCOUNTS);
        if !(1..=MAX_ACCOUNTS_LIMIT).contains(&max) {
            return Err(ApiError::field("default_max_accounts", "must be between 1 and 100000"));
        }
        super::edit::group(self.group_id.clone()).map(drop)
    }
}

/// What became of an import.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportView {
    /// For undoing; `null` on a dry run.
    batch_id: Option<String>,
    imported: usize,
    duplicates: usize,
    rejected: usize,
    /// Imported lines that a person should look at.
    warnings: usize,
    /// Every line, in order.
    lines: Vec<ImportLineView>,
}

/// What became of one line.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportLineView {
    /// Its number in the source, from 1.
    line: usize,
    /// As far as it could be read.
    api_id: Option<String>,
    /// `imported`, `duplicate` or `rejected`.
    #[schema(schema_with = words::<LineOutcome>)]
    outcome: LineOutcome,
    /// Why, or what to look at.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<String>,
}

impl From<ImportReport> for ImportView {
    fn from(report: ImportReport) -> Self {
        let line = |line: store::batches::ImportLine| ImportLineView {
            line: line.line,
            api_id: line.api_id.map(|id| id.to_string()),
            outcome: line.outcome,
            reason: line.reason,
        };
        Self {
            batch_id: report.batch_id,
            imported: report.imported,
            duplicates: report.duplicates,
            rejected: report.rejected,
            warnings: report.warnings,
            lines: report.lines.into_iter().map(line).collect(),
        }
    }
}

/// An import that runs as a job.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportLater {
    job_id: String,
    batch_id: String,
}

/// Imports credentials: CSV with or without a header, a JSON array, or lines of
/// `api_id:api_hash[:name]`. One bad line never stops the rest. More than 10,000 lines run as a
/// job (202).
#[utoipa::path(
    post, path = "/api/admin/api-pool/batch", tag = "credentials", request_body = ImportRequest,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, description = "Every line answered", body = Answer<ImportView>),
        (status = 202, description = "Runs as a job", body = Answer<ImportLater>),
    )
)]
pub async fn import(
    may: May<rights::WriteCredentials>,
    Upload(mut request): Upload<ImportRequest>,
) -> Result<Response> {
    request.check()?;
    let (format, data) = request.source()?;
    let (store, caller) = (&may.app.store, &may.caller);
    let columns = request.columns.clone();
    // Large texts take a while to read.
    let parsed = tokio::task::spawn_blocking(move || {
        let lines = parse(format, &data, columns.as_ref());
        (lines, data)
    });
    let (lines, data) = parsed.await.map_err(|e| ApiError::internal(&e))?;
    let dry_run = request.dry_run.unwrap_or(false);
    let group_id = request.group_id.take().filter(|g| !g.is_empty()).map(GroupId::from);
    if lines.len() > AT_ONCE && dry_run {
        return Err(ApiError::field("dry_run", "looks at 10000 lines at most; try it with a part of them"));
    }
    if lines.len() > AT_ONCE {
        let upload = json!({
            "format": format, "data": data, "columns": request.columns,
            "default_max_accounts": request.default_max_accounts, "group_id": group_id,
        });
        let (job_id, batch_id) = store.import_later(&caller.tenant, &caller.origin, &upload).await?;
        return Ok((StatusCode::ACCEPTED, Answer::new(ImportLater { job_id, batch_id })).into_response());
    }
    let options = ImportOptions {
        default_max_accounts: request.default_max_accounts.unwrap_or(DEFAULT_MAX_ACCOUNTS),
        group_id,
        dry_run,
        samples: may.app.config.samples.clone(),
    };
    let (store, tenant, origin) = (store.clone(), caller.tenant.clone(), caller.origin.clone());
    let importing = async move { store.import(&tenant, &origin, lines, &options, None, |_, _| ()).await };
    let report = to_its_end(importing).await??;
    Ok(Answer::new(ImportView::from(report)).into_response())
}

/// What an undo removed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Undone {
    batch_id: String,
    removed: u64,
}

/// Removes what a batch has imported, while nothing of it is allocated.
#[utoipa::path(
    post, path = "/api/admin/api-pool/batch/{id}/undo", tag = "credentials", request_body = super::actions::Nothing,
    params(("id" = String, Path)),
    responses(
        (status = 200, description = "Removed", body = Answer<Undone>),
        (status = 409, description = "It was undone, or some of it is allocated"),
    )
)]
pub async fn undo(
    may: May<rights::DeleteCredentials>,
    Id(batch_id): Id,
    Strict(super::actions::Nothing {}): Strict<super::actions::Nothing>,
) -> Result<Answer<Undone>> {
    let (store, tenant, origin) = (may.app.store.clone(), may.caller.tenant.clone(), may.caller.origin.clone());
    let batch = batch_id.clone();
    // A task of its own: when the client hangs up, it still comes to its end.
    let undoing = tokio::spawn(async move { store.undo_batch(&tenant, &origin, &batch).await });
    let removed = undoing.await.map_err(|e| ApiError::internal(&e))??;
    Ok(Answer::new(Undone { batch_id, removed }))
}
