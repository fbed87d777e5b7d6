//! `Idempotency-Key`: what a request makes, it makes once.
//!
//! The body is hashed here, with a key of its own, so that the same key with another body can be
//! refused while no body is kept. Only a POST that has the header pays for it.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderName, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use store::Once;

use crate::AppState;
use crate::error::{ApiError, Code};
use crate::extract::{UPLOAD_LIMIT, identify};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The longest key, in bytes.
const LONGEST: usize = 255;

/// Hands the request's key and the hash of its body to the extractors.
pub async fn around(app: &AppState, request: Request, next: Next) -> Response {
    if request.method() != Method::POST || !request.headers().contains_key(KEY) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    // Bodies of strangers are not taken in; the handler turns them away.
    if Box::pin(identify(&parts, app)).await.is_err() {
        return next.run(Request::from_parts(parts, body)).await;
    }
    // In a box, as all that most requests pass by.
    match Box::pin(keyed(app, parts, body)).await {
        Ok(request) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

/// The path under its own name, where it has another: a key is good for both.
fn operation(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "/api/admin/api-pool/batch-import" => "/api/admin/api-pool/batch",
        path => path,
    }
}

async fn keyed(app: &AppState, mut parts: Parts, body: Body) -> Result<Request, ApiError> {
    let mut given = parts.headers.get_all(KEY).iter();
    let key = given.next().and_then(|value| value.to_str().ok()).map(str::trim).unwrap_or_default().to_owned();
    let plain = (1..=LONGEST).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
    if !plain || given.next().is_some() {
        return Err(ApiError::field("Idempotency-Key", "must be one text of 1 to 255 printable ASCII characters"));
    }
    let body = to_bytes(body, UPLOAD_LIMIT)
        .await
        .map_err(|_| ApiError::new(Code::TooLarge, "the body must be at most 16 MiB, and arrive whole"))?;
    let hashed = [parts.method.as_str().as_bytes(), operation(parts.uri.path()).as_bytes(), &body];
    let body_hash = app.store.sealer().keyed_hash(&hashed);
    parts.extensions.insert(Once { key, body_hash });
    Ok(Request::from_parts(parts, Body::from(body)))
}
