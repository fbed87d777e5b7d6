//! Failures as the contract words them: RFC 9457 problems, with the older clients' `error` beside.
//!
//! What a client gets is written for the client. Causes go to the log under the request id.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::allocation::Reason;
use domain::{FieldError, Invalid, Timestamp};
use serde::Serialize;
use store::StoreError;
use strum::IntoEnumIterator;
use utoipa::ToSchema;

use crate::context;

/// The contract's table of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumIter)]
#[allow(missing_docs, reason = "each stands in the contract's table under its slug")]
pub enum Code {
    Unauthenticated,
    TokenExpired,
    Forbidden,
    AccountLocked,
    Malformed,
    InvalidParameter,
    NotFound,
    AlreadyExists,
    Conflict,
    Stale,
    TooLarge,
    MethodNotAllowed,
    UnsupportedMediaType,
    PoolFull,
    NoneAvailable,
    DeniedByRule,
    CredentialBanned,
    PinnedUnavailable,
    NotAllocated,
    AccountUnavailable,
    Internal,
    Overloaded,
}

impl Code {
    /// Status, number, slug and title.
    pub const fn row(self) -> (StatusCode, u16, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Self::Unauthenticated => (S::UNAUTHORIZED, 1001, "unauthenticated", "Sign in first"),
            Self::TokenExpired => (S::UNAUTHORIZED, 1002, "token_expired", "The token has expired"),
            Self::Forbidden => (S::FORBIDDEN, 1003, "forbidden", "Not permitted"),
            Self::AccountLocked => (S::LOCKED, 1004, "account_locked", "The account is locked"),
            Self::Malformed => (S::BAD_REQUEST, 2000, "malformed", "The request can't be read"),
            Self::InvalidParameter => (S::UNPROCESSABLE_ENTITY, 2001, "invalid_parameter", "Invalid input"),
            Self::NotFound => (S::NOT_FOUND, 2002, "not_found", "Not found"),
            Self::AlreadyExists => (S::CONFLICT, 2003, "already_exists", "Exists already"),
            Self::Conflict => (S::CONFLICT, 2004, "conflict", "Its state forbids it"),
            Self::Stale => (S::PRECONDITION_FAILED, 2005, "stale", "Changed by somebody else"),
            Self::TooLarge => (S::PAYLOAD_TOO_LARGE, 2006, "too_large", "Too large"),
            Self::MethodNotAllowed => (S::METHOD_NOT_ALLOWED, 2007, "method_not_allowed", "Method not allowed"),
            Self::UnsupportedMediaType => {
                (S::UNSUPPORTED_MEDIA_TYPE, 2008, "unsupported_media_type", "Unsupported media type")
            }
            Self::PoolFull => (S::CONFLICT, 3001, "pool_full", "The pool is full"),
            Self::NoneAvailable => (S::CONFLICT, 3002, "none_available", "No credential is available"),
            Self::DeniedByRule => (S::FORBIDDEN, 3003, "denied_by_rule", "A rule refuses it"),
            Self::CredentialBanned => (S::CONFLICT, 3004, "credential_banned", "The account's credential is banned"),
            Self::PinnedUnavailable => {
                (S::CONFLICT, 3005, "pinned_unavailable", "The pinned credential is not available")
            }
            Self::NotAllocated => (S::NOT_FOUND, 3006, "not_allocated", "The account holds nothing"),
            Self::AccountUnavailable => (S::CONFLICT, 3008, "account_unavailable", "The account is not available"),
            Self::Internal => (S::INTERNAL_SERVER_ERROR, 5001, "internal", "Internal error"),
            Self::Overloaded => (S::SERVICE_UNAVAILABLE, 5002, "overloaded", "Overloaded"),
        }
    }
}

/// A failure on its way to the client.
#[derive(Clone, Debug)]
pub struct ApiError {
    code: Code,
    message: String,
    details: Vec<FieldError>,
    reasons: Option<BTreeMap<String, i64>>,
    retry_after: Option<i64>,
}

/// The usual result of a handler.
pub type Result<T, E = ApiError> = std::result::Result<T, E>;

/// The longest name of a field that is repeated, in characters.
const LONGEST_NAME: usize = 100;
/// The most wrong fields that are told at once.
const MOST_FIELDS: usize = 50;
/// Seconds after which a pool that is being moved may be written to again.
const RETRY_READ_ONLY: i64 = 30;
/// Seconds after which an overloaded server is.
const RETRY_OVERLOADED: i64 = 1;

impl ApiError {
    /// With words for the client.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: Vec::new(), reasons: None, retry_after: None }
    }

    /// One wrong field. A name that the caller has made up is not repeated at any length.
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        match field.char_indices().nth(LONGEST_NAME) {
            None => Invalid::field(field, message).into(),
            Some((end, _)) => Invalid::field(&format!("{}…", &field[..end]), message).into(),
        }
    }

    /// The same of fields that stand inside another.
    #[must_use]
    pub fn inside(self, outer: &str) -> Self {
        if self.details.is_empty() {
            return self;
        }
        let inner = |FieldError { field, message }| FieldError { field: format!("{outer}.{field}"), message };
        Invalid { fields: self.details.into_iter().map(inner).collect() }.into()
    }

    /// Nothing of that name.
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("{what} not found"))
    }

    /// Something that should not have happened. The cause goes to the log.
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, request_id = %context::request_id(), "internal error");
        Self::new(Code::Internal, "something went wrong on our side; the request id finds it in the log")
    }

    /// Too much at once, or the database is away.
    pub fn overloaded() -> Self {
        Self { retry_after: Some(RETRY_OVERLOADED), ..Self::new(Code::Overloaded, "too busy now; try again soon") }
    }

    /// Nothing is eligible. Every reason is there, also those that count nothing.
    pub fn none_available(message: &str, reasons: &BTreeMap<Reason, i64>) -> Self {
        let counted = Reason::iter().map(|r| (r.to_string(), reasons.get(&r).copied().unwrap_or(0))).collect();
        Self { reasons: Some(counted), ..Self::new(Code::NoneAvailable, message) }
    }

    /// What stood against it, in `details`: for programs what the message says to people.
    #[must_use]
    pub(crate) fn because(mut self, what: &str, value: impl Into<String>) -> Self {
        self.details.push(FieldError { field: what.to_owned(), message: value.into() });
        self
    }

    /// When to come back, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: i64) -> Self {
        self.retry_after = Some(seconds.max(1));
        self
    }

    pub(crate) fn until(self, until: Timestamp, now: Timestamp) -> Self {
        self.retry_after((until.since(now) + 999) / 1000)
    }

    /// The body, for an answer of its own or for a member of a batch.
    pub fn problem(&self) -> Problem {
        let (status, _, slug, title) = self.code.row();
        Problem {
            r#type: format!("urn:api-pool:error:{slug}"),
            title,
            status: status.as_u16(),
            detail: self.message.clone(),
            instance: context::path(),
            request_id: context::request_id().as_ref().to_owned(),
            success: false,
            error: self.body(),
        }
    }

    /// Whether we have failed, rather than the caller.
    pub(crate) fn is_ours(&self) -> bool {
        self.code.row().0.is_server_error()
    }

    /// The `error` object by itself.
    pub fn body(&self) -> ErrorBody {
        let (_, number, slug, _) = self.code.row();
        ErrorBody {
            code: slug,
            number,
            message: self.message.clone(),
            details: self.details.clone().into_iter().map(FieldProblem::from).collect(),
            reasons: self.reasons.clone(),
            retry_after: self.retry_after,
        }
    }
}

/// What is wrong with a request, gathered field by field and told at once.
#[derive(Debug, Default)]
pub struct Wrong(Option<ApiError>);

impl Wrong {
    /// Takes a value, or notes why there is none.
    pub fn note<T>(&mut self, read: Result<T, impl Into<ApiError>>) -> Option<T> {
        let error = match read {
            Ok(value) => return Some(value),
            Err(error) => error.into(),
        };
        self.refuse(error);
        None
    }

    /// Notes what is wrong.
    pub fn refuse(&mut self, error: ApiError) {
        let Some(first) = &mut self.0 else {
            self.0 = Some(error);
            return;
        };
        for more in error.details.into_iter().take(MOST_FIELDS.saturating_sub(first.details.len())) {
            // What is wrong inside a field goes before what that makes of the field.
            let is_known = |known: &FieldError| {
                known
                    .field
                    .strip_prefix(more.field.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            if !first.details.iter().any(is_known) {
                first.details.push(more);
            }
        }
    }

    /// Takes a value, or notes why there is none; then `other` stands in, so that the rest can be looked at.
    pub fn or<T>(&mut self, other: T, read: Result<T, impl Into<ApiError>>) -> T {
        self.note(read).unwrap_or(other)
    }

    /// A value that was noted, unless it or anything else was wrong.
    pub fn all<T>(self, value: Option<T>) -> Result<T> {
        self.end()?;
        value.ok_or_else(|| ApiError::internal(&"a value is missing, and nothing was wrong"))
    }

    /// Fails when anything was wrong: with the first failure, and the fields of all.
    pub fn end(self) -> Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}

/// A failure: RFC 9457, and `success` and `error` for clients of the original.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Names the kind of failure.
    r#type: String,
    /// The kind, in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is wrong, in words for the caller.
    detail: String,
    /// The path that was asked.
    instance: String,
    /// Finds the request in the log.
    request_id: String,
    /// Always false.
    success: bool,
    /// The same for older clients.
    error: ErrorBody,
}

/// A failure as older clients read it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorBody {
    /// The slug.
    code: &'static str,
    /// The number.
    number: u16,
    /// What is wrong, in words for the caller.
    message: String,
    /// Which fields are wrong, and which rule each broke. Of an allocation that is refused, what stood
    /// against it: `rule` (3003, its name), `pinned` (3005: `holds_another`, `unknown`, `full`, or why it
    /// is not eligible by the names of `reasons`), `account` (3008: `cooling`, `frozen`, `retired`) with
    /// `until`, when it no longer cools.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<FieldProblem>,
    /// Why no credential is eligible, counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reasons: Option<BTreeMap<String, i64>>,
    /// Seconds after which a retry is worth it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    retry_after: Option<i64>,
}

impl ErrorBody {
    /// The kind of failure, in one word.
    pub fn slug(&self) -> &'static str {
        self.code
    }
}

/// One wrong field.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldProblem {
    /// Its name.
    field: String,
    /// What it must be.
    message: String,
}

impl From<FieldError> for FieldProblem {
    fn from(error: FieldError) -> Self {
        Self { field: error.field, message: error.message }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, ..) = self.code.row();
        let mut response = (status, Json(self.problem())).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.unsigned_abs()));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<Invalid> for ApiError {
    fn from(invalid: Invalid) -> Self {
        let message =
            invalid.fields.first().map_or_else(|| "invalid input".to_owned(), |f| format!("{} {}", f.field, f.message));
        Self { details: invalid.fields, ..Self::new(Code::InvalidParameter, message) }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Invalid(invalid) => invalid.into(),
            StoreError::NotFound(what) => Self::not_found(what),
            StoreError::AlreadyExists(what) => Self::new(Code::AlreadyExists, format!("this {what} exists already")),
            StoreError::Conflict(why) => Self::new(Code::Conflict, why),
            StoreError::Stale => Self::new(Code::Stale, "somebody changed it in between; load it again"),
            StoreError::ReadOnly => {
                Self::new(Code::Overloaded, "the pool is read-only now").retry_after(RETRY_READ_ONLY)
            }
            StoreError::Unavailable(cause) => {
                tracing::warn!(%cause, request_id = %context::request_id(), "the database is not available");
                Self::overloaded()
            }
            StoreError::Busy(_) => Self::overloaded(),
            // A deadlock's victim: the same request may well succeed.
            error if error.is_retryable() => Self::overloaded(),
            other => Self::internal(&other),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn numbers_and_slugs_are_unique() {
        let rows: Vec<_> = Code::iter().map(Code::row).collect();
        assert_eq!(rows.iter().map(|r| r.1).collect::<HashSet<_>>().len(), rows.len());
        assert_eq!(rows.iter().map(|r| r.2).collect::<HashSet<_>>().len(), rows.len());
    }
}
