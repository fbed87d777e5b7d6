//! Result reports: one, or up to a thousand.

use domain::blame::{Action, Fault};
use domain::{ApiId, Status};
use serde::{Deserialize, Serialize};
use store::allocator::{Command, Done, Report, Reported};
use utoipa::ToSchema;

use super::allocate::{Outcomes, account_key, check_length};
use crate::answer::Answer;
use crate::error::{ApiError, Result};
use crate::extract::{Lenient, May, Member, rights};
use crate::fields::{ApiIdField, moment_in, whole, words};

/// The most reports in a batch.
const BATCH: usize = 1_000;
/// The longest latency that is believed, in milliseconds: a day.
const MAX_LATENCY: i64 = 86_400_000;
/// The longest error text, in bytes.
const MAX_ERROR: usize = 16_384;

/// How a login or a call went. Unknown fields are ignored.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct ReportRequest {
    /// Which credential.
    #[schema(value_type = ApiIdField, required)]
    api_id: Option<ApiIdField>,
    /// Whether it went well.
    #[schema(value_type = bool, required)]
    success: Option<bool>,
    /// What the client saw: `FLOOD_WAIT_37`, `Timeout`, an exception's text.
    error: Option<String>,
    /// Which account.
    account_id: Option<String>,
    /// The same; wins over `account_id`.
    phone: Option<String>,
    /// The same; wins over `account_id`.
    account_phone: Option<String>,
    /// Which proxy.
    proxy_id: Option<String>,
    /// How long it took, in milliseconds.
    #[serde(deserialize_with = "whole")]
    #[schema(minimum = 0, maximum = 86_400_000)]
    latency_ms: Option<i64>,
    /// Your id of this report: a retry counts once.
    result_id: Option<String>,
    /// When it happened: RFC 3339. Now, when absent.
    at: Option<String>,
}

impl ReportRequest {
    fn command(self) -> Result<Command> {
        let api_id: ApiId = self.api_id.map(|a| a.0).ok_or_else(|| ApiError::field("api_id", "is required"))?;
        let success = self.success.ok_or_else(|| ApiError::field("success", "is required"))?;
        let names = [&self.phone, &self.account_phone, &self.account_id].map(Option::as_deref);
        let [phone, account_phone, account_id] = names;
        let is_named = names.into_iter().flatten().any(|key| !key.is_empty());
        let account = is_named.then(|| account_key(phone, account_phone, account_id)).transpose()?;
        if self.error.as_ref().is_some_and(|e| e.len() > MAX_ERROR) {
            return Err(ApiError::field("error", "must be at most 16384 bytes"));
        }
        if self.latency_ms.is_some_and(|ms| !(0..=MAX_LATENCY).contains(&ms)) {
            return Err(ApiError::field("latency_ms", "must be between 0 and 86400000"));
        }
        let at = moment_in("at", self.at.as_deref())?;
        Ok(Command::Report(Report {
            api_id,
            success,
            error: self.error.filter(|e| !e.trim().is_empty()),
            account,
            proxy_id: proxy(self.proxy_id)?,
            latency_ms: self.latency_ms,
            result_id: short("result_id", self.result_id)?,
            at,
        }))
    }
}

/// Nothing else is kept: the address of a proxy may have its password in it.
fn proxy(id: Option<String>) -> Result<Option<String>> {
    let id = short("proxy_id", id)?;
    if id.as_ref().is_some_and(|id| !id.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.:-".contains(&b))) {
        return Err(ApiError::field("proxy_id", "must be the proxy's id: letters, digits, _ . : and -"));
    }
    Ok(id)
}

fn short(field: &str, text: Option<String>) -> Result<Option<String>> {
    let text = text.filter(|t| !t.is_empty());
    if text.as_ref().is_some_and(|t| t.len() > 128 || t.chars().any(char::is_control)) {
        return Err(ApiError::field(field, "must be at most 128 bytes without control characters"));
    }
    Ok(text)
}

/// What the pool made of a report.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportView {
    /// False when this `result_id` was noted before.
    recorded: bool,
    /// Whose fault it was.
    #[schema(schema_with = words::<Fault>)]
    fault: Fault,
    /// What the pool did about it.
    #[schema(schema_with = words::<Action>)]
    action: Action,
    /// The credential's status before.
    #[schema(schema_with = words::<Status>)]
    previous_status: Status,
    /// And after.
    #[schema(schema_with = words::<Status>)]
    new_status: Status,
    /// Failures charged to the credential in a row.
    consecutive_failures: i64,
    /// A success after charged failures.
    recovered: bool,
}

impl From<Reported> for ReportView {
    fn from(reported: Reported) -> Self {
        Self {
            recorded: reported.recorded,
            fault: reported.fault,
            action: reported.action,
            previous_status: reported.previous_status,
            new_status: reported.new_status,
            consecutive_failures: reported.consecutive_failures,
            recovered: reported.recovered,
        }
    }
}

fn view(done: Done) -> Result<ReportView> {
    match done {
        Done::Reported(reported) => Ok(reported.into()),
        other => Err(ApiError::internal(&format!("{other:?} for a report"))),
    }
}

/// Reports how a login or a call went. Only the party at fault is charged.
#[utoipa::path(
    post, path = "/api/admin/api-pool/result", tag = "allocation", request_body = ReportRequest,
    responses(
        (status = 200, description = "Noted", body = Answer<ReportView>),
        (status = 404, description = "No such credential"),
    )
)]
pub async fn report(may: May<rights::Report>, Lenient(request): Lenient<ReportRequest>) -> Result<Answer<ReportView>> {
    let done = may.app.allocator.ask(may.caller.asker(), request.command()?).await?;
    view(done).map(Answer::new)
}

/// Many reports at once.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ReportBatch {
    /// Up to 1,000.
    #[schema(value_type = Vec<ReportRequest>, min_items = 1, max_items = 1000)]
    results: Vec<Member<ReportRequest>>,
}

/// Reports up to 1,000 results; each has its own outcome, in order.
#[utoipa::path(
    post, path = "/api/admin/api-pool/results", tag = "allocation", request_body = ReportBatch,
    responses((status = 200, description = "Outcomes in order", body = Answer<Outcomes<ReportView>>))
)]
pub async fn report_batch(
    may: May<rights::Report>,
    Lenient(batch): Lenient<ReportBatch>,
) -> Result<Answer<Outcomes<ReportView>>> {
    check_length("results", batch.results.len(), BATCH)?;
    let commands = batch.results.into_iter().map(|Member(report)| report?.command()).collect();
    Ok(Answer::new(Outcomes::gather(&may.caller, &may.app.allocator, commands, view).await))
}
