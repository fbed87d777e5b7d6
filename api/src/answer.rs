//! Successes as the contract words them: `{success, data, message?, meta}`.

use std::sync::Arc;

use axum::Json;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use store::Total;
use utoipa::ToSchema;

use crate::context;

/// A success.
#[derive(Debug, Serialize, ToSchema)]
pub struct Answer<T> {
    /// Always true.
    success: bool,
    /// What was asked for.
    data: T,
    /// A word for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    message: Option<String>,
    /// About the answer itself.
    meta: Meta,
    #[serde(skip)]
    etag: Option<i64>,
}

/// About an answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct Meta {
    /// Finds the request in the log.
    #[schema(value_type = String)]
    request_id: Arc<str>,
    /// When it was answered: RFC 3339, UTC, milliseconds.
    #[schema(format = DateTime)]
    timestamp: String,
}

impl<T> Answer<T> {
    /// Answers with `data`.
    pub fn new(data: T) -> Self {
        let meta = Meta { request_id: context::request_id(), timestamp: context::now().to_rfc3339() };
        Self { success: true, data, message: None, meta, etag: None }
    }

    /// Adds a word for people.
    #[must_use]
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// Adds the `ETag` of a single resource.
    #[must_use]
    pub fn etag(mut self, version: i64) -> Self {
        self.etag = Some(version);
        self
    }
}

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        let etag = self.etag;
        let mut response = Json(self).into_response();
        if let Some(value) = etag.and_then(|version| HeaderValue::from_str(&format!("\"{version}\"")).ok()) {
            response.headers_mut().insert(header::ETAG, value);
        }
        // Answers hold what only the caller may see.
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct List<T> {
    /// The rows of this page.
    pub items: Vec<T>,
    /// How many there are in all; counting stops at 10,000.
    pub total: i64,
    /// There are, or may be, more than `total`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub total_is_capped: bool,
    /// Where the next page starts; `null` on the last.
    pub next_cursor: Option<String>,
}

impl<T> List<T> {
    /// One page of a list of `total` rows.
    pub fn new(items: Vec<T>, total: Total, next_cursor: Option<String>) -> Self {
        Self { items, total: total.number, total_is_capped: total.is_capped, next_cursor }
    }

    /// One page out of `rows`, which were asked for with one row more than `limit`: whether it comes
    /// says whether there is a next page, which starts behind the last row that is shown.
    pub fn page<R>(
        mut rows: Vec<R>,
        limit: usize,
        total: Total,
        place: impl Fn(&R) -> String,
        view: impl FnMut(R) -> T,
    ) -> Self {
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(place);
        Self::new(rows.into_iter().map(view).collect(), total, next)
    }
}
