//! What belongs to one request and is needed where answers are made: its id, path and time; and the
//! line that it leaves in the log.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, Method, Uri};
use axum::response::Response;
use domain::Timestamp;
use store::Asked;

use crate::AppState;
use crate::metrics::HttpMetrics;
use crate::trace::{TRACEPARENT, Trace};

/// The header that carries the request id both ways.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// What the log calls a request whose client hung up before it was answered.
const HUNG_UP: u16 = 499;

#[derive(Clone, Debug)]
struct Context {
    now: Timestamp,
    line: Arc<Line>,
}

tokio::task_local! {
    static CONTEXT: Context;
}

/// The id of the request that is being answered; empty outside of one.
pub fn request_id() -> Arc<str> {
    CONTEXT.try_with(|c| Arc::clone(&c.line.request_id)).unwrap_or_default()
}

/// The path that was asked.
pub fn path() -> String {
    CONTEXT.try_with(|c| c.line.uri.path().to_owned()).unwrap_or_default()
}

/// When the request came in.
pub fn now() -> Timestamp {
    CONTEXT.try_with(|c| c.now).unwrap_or_default()
}

/// What was asked, for a refusal's row; `None` when it is at no path of ours.
pub fn asked() -> Option<Asked> {
    let asked =
        |line: &Line| Some(Asked { method: line.method.to_string(), route: line.route.as_ref()?.as_str().to_owned() });
    CONTEXT.try_with(|c| asked(&c.line)).ok().flatten()
}

/// Says who asks, for the log's line.
pub fn asked_by(actor: &Arc<str>) {
    // Outside of a request there is no line.
    let _ = CONTEXT.try_with(|c| c.line.asked_by(actor));
}

/// The request's line, for what goes on behind its answer: it is written when all have let go of it.
pub fn line() -> Option<Arc<Line>> {
    CONTEXT.try_with(|c| Arc::clone(&c.line)).ok()
}

/// A request's one line in the log, written when it is dropped: also when the client hangs up.
#[derive(Debug)]
pub struct Line {
    request_id: Arc<str>,
    method: Method,
    uri: Uri,
    /// As it is declared, without what the client has put there.
    route: Option<MatchedPath>,
    /// Who asks, once somebody has found out.
    actor: OnceLock<Arc<str>>,
    trace: Option<Trace>,
    started: Instant,
    /// The answer's status, and after how many microseconds.
    answered: OnceLock<(u16, u64)>,
    metrics: Arc<HttpMetrics>,
}

impl Line {
    /// Says who asks; the first to say so is right.
    pub fn asked_by(&self, actor: &Arc<str>) {
        let _ = self.actor.set(Arc::clone(actor));
    }

    fn micros(&self) -> u64 {
        self.started.elapsed().as_micros() as u64
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let (status, micros) = self.answered.get().copied().unwrap_or_else(|| (HUNG_UP, self.micros()));
        let (method, path, request_id) = (&self.method, self.uri.path(), &*self.request_id);
        let route = self.route.as_ref().map(MatchedPath::as_str);
        self.metrics.ended(method, route, status, Duration::from_micros(micros));
        let actor = self.actor.get().map_or("-", |actor| &**actor);
        let trace_id = self.trace.as_ref().map(|trace| trace.id.as_str());
        tracing::info!(
            target: "api_pool::access", %method, path, status, request_id, actor, trace_id, micros, "request"
        );
    }
}

/// Gives the request its id, and writes its one line in the log.
pub async fn around(app: &AppState, request: Request, answer: impl AsyncFnOnce(Request) -> Response) -> Response {
    let sane = |id: &&str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    };
    let given = request.headers().get(REQUEST_ID).and_then(|v| v.to_str().ok()).filter(sane);
    let sent = request.headers().get(TRACEPARENT);
    let line = Arc::new(Line {
        request_id: given.map_or_else(|| app.store.ambient().new_id().into(), Into::into),
        method: request.method().clone(),
        uri: request.uri().clone(),
        route: request.extensions().get::<MatchedPath>().cloned(),
        actor: OnceLock::new(),
        trace: sent.and_then(|sent| Trace::follow(Some(sent), app.store.ambient().random())),
        started: Instant::now(),
        answered: OnceLock::new(),
        metrics: Arc::clone(&app.metrics),
    });
    let _in_flight = app.metrics.begin();
    let context = Context { now: app.store.now(), line: Arc::clone(&line) };
    let mut response = CONTEXT.scope(context, answer(request)).await;
    if let Ok(value) = HeaderValue::from_str(&line.request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    if let Some(value) = line.trace.as_ref().and_then(Trace::header) {
        response.headers_mut().insert(TRACEPARENT, value);
    }
    // Nobody else says so.
    let _ = line.answered.set((response.status().as_u16(), line.micros()));
    response
}
