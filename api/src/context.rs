//! What belongs to one request and is needed where answers are made: its id, path and time.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use domain::Timestamp;

use crate::AppState;
use crate::trace::{TRACEPARENT, Trace};

/// The header that carries the request id both ways.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

#[derive(Clone, Debug)]
struct Context {
    request_id: String,
    path: String,
    now: Timestamp,
    /// Who asks, once an extractor has found out.
    actor: Arc<OnceLock<String>>,
}

tokio::task_local! {
    static CONTEXT: Context;
}

/// The id of the request that is being answered; empty outside of one.
pub fn request_id() -> String {
    CONTEXT.try_with(|c| c.request_id.clone()).unwrap_or_default()
}

/// The path that was asked.
pub fn path() -> String {
    CONTEXT.try_with(|c| c.path.clone()).unwrap_or_default()
}

/// When the request came in.
pub fn now() -> Timestamp {
    CONTEXT.try_with(|c| c.now).unwrap_or_default()
}

/// Says who asks, for the log's line.
pub fn asked_by(actor: &str) {
    // Outside of a request there is no line; within one, the first to say so is right.
    let _ = CONTEXT.try_with(|c| c.actor.set(actor.to_owned()));
}

/// Gives the request its id and writes its one line in the log.
pub async fn layer(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let sane = |id: &&str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    };
    let given = request.headers().get(REQUEST_ID).and_then(|v| v.to_str().ok()).filter(sane);
    let request_id = given.map_or_else(|| app.store.ambient().new_id(), str::to_owned);
    let sent = request.headers().get(TRACEPARENT);
    let trace = sent.and_then(|sent| Trace::follow(Some(sent), app.store.ambient().random()));
    let actor = Arc::<OnceLock<String>>::default();
    let context = Context {
        request_id: request_id.clone(),
        path: request.uri().path().to_owned(),
        now: app.store.now(),
        actor: Arc::clone(&actor),
    };
    let (method, path) = (request.method().clone(), context.path.clone());
    let route = request.extensions().get::<MatchedPath>().map(|route| route.as_str().to_owned());
    let (started, in_flight) = (Instant::now(), app.metrics.begin());
    let mut response = CONTEXT.scope(context, next.run(request)).await;
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    if let Some(value) = trace.as_ref().and_then(Trace::header) {
        response.headers_mut().insert(TRACEPARENT, value);
    }
    drop(in_flight);
    app.metrics.ended(&method, route.as_deref(), response.status().as_u16(), started.elapsed());
    let actor = actor.get().map_or("-", String::as_str);
    tracing::info!(
        target: "api_pool::access",
        %method, path, status = response.status().as_u16(), request_id, actor, trace_id = trace.map(|trace| trace.id),
        micros = started.elapsed().as_micros() as u64, "request"
    );
    response
}
