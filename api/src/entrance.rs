//! What every request passes on its way in, and every answer on its way out, from the outside in.
//! One layer: each of its own would cost every request a copy of all that lies behind it.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::{REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;

use crate::error::ApiError;
use crate::{AppState, context, idempotency, linger};

/// A request that takes longer is given up; the client gets 503.
const DEADLINE: Duration = Duration::from_mins(1);

/// Unless an answer says something else.
const HEADERS: [(HeaderName, HeaderValue); 3] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
];

/// The request gets its id and its line in the log; what is left of its body is read; a panic is an
/// answer, and so is taking too long; and a request with a key is made once.
pub async fn layer(State(app): State<AppState>, request: Request, next: Next) -> Response {
    context::around(&app, request, async |request| {
        let mut response = linger::around(request, async |request| guarded(&app, request, next).await).await;
        for (name, value) in HEADERS {
            response.headers_mut().entry(name).or_insert(value);
        }
        response
    })
    .await
}

async fn guarded(app: &AppState, request: Request, next: Next) -> Response {
    let answering = AssertUnwindSafe(idempotency::around(app, request, next)).catch_unwind();
    match tokio::time::timeout(DEADLINE, answering).await {
        Ok(Ok(response)) => response,
        Ok(Err(cause)) => panicked(&*cause),
        Err(_) => ApiError::overloaded().into_response(),
    }
}

fn panicked(cause: &(dyn Any + Send)) -> Response {
    let text = cause
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| cause.downcast_ref::<&str>().copied())
        .unwrap_or("a panic");
    ApiError::internal(&text).into_response()
}
