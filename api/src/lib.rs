//! Who asks: the HTTP API. A file or a folder for each resource, extractors that say who may and
//! what was sent, errors as the contract words them, and the OpenAPI document made from all of it.
//!
//! What may not enter: SQL (that is `store`'s), rules (`domain`'s), and the handlers of jobs: what
//! a request wants done later, it enqueues.
//!
//! A new endpoint is one function in its resource's file, and one line in its `router`.

mod address;
mod allocation;
mod allocations;
mod answer;
mod auth;
mod context;
mod credentials;
mod door;
mod end;
mod error;
mod extract;
mod fields;
mod groups;
mod idempotency;
mod journal;
mod linger;
mod live;
mod metrics;
mod openapi;
mod people;
mod pool;
mod refusal;
mod rules;
mod settings;
mod system;
mod tokens;
mod trace;
mod trend;
mod views;

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use ipnet::IpNet;
use store::Store;
use store::allocator::Allocator;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa_axum::router::OpenApiRouter;

use error::{ApiError, Code};

pub use credentials::{Export, ExportFormat};
pub use metrics::HttpMetrics;
pub use openapi::document as openapi;

/// A request that takes longer is given up; the client gets 503.
const DEADLINE: Duration = Duration::from_mins(1);

/// What the API needs to work.
#[derive(Clone, Debug)]
pub struct AppState {
    pub(crate) store: Store,
    pub(crate) allocator: Allocator,
    pub(crate) signer: Arc<auth::Signer>,
    pub(crate) config: Arc<ApiConfig>,
    pub(crate) hub: Arc<live::Hub>,
    pub(crate) metrics: HttpMetrics,
    draining: Arc<AtomicBool>,
}

/// What can be configured.
#[derive(Clone, Debug)]
pub struct ApiConfig {
    /// The program's version, for `/api/health`.
    pub version: String,
    /// Published sample ids, which are refused.
    pub samples: Vec<i64>,
    /// Cookies are sent over TLS only.
    pub secure_cookies: bool,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
}

impl AppState {
    /// Ready to serve; within a runtime, since live events have a task of their own.
    pub fn new(store: Store, allocator: Allocator, config: ApiConfig) -> Self {
        let signer = Arc::new(auth::Signer::new(store.sealer().signing_key()));
        let metrics = HttpMetrics::default();
        let hub = live::Hub::start(store.clone(), metrics.live_clients.clone());
        Self { store, allocator, signer, config: Arc::new(config), hub, metrics, draining: Arc::default() }
    }

    /// What it counts.
    pub fn metrics(&self) -> &HttpMetrics {
        &self.metrics
    }

    /// From now on `/api/ready` says no, so that no new clients are sent here.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

/// The router's state. It opens only to the extractors that say who asks.
#[derive(Clone, Debug)]
pub(crate) struct Sealed(AppState);

impl Sealed {
    pub(crate) fn open(&self) -> AppState {
        self.0.clone()
    }
}

/// Every endpoint with its documentation.
fn endpoints() -> OpenApiRouter<Sealed> {
    OpenApiRouter::new()
        .merge(system::router())
        .merge(people::router())
        .merge(tokens::router())
        .merge(allocation::router())
        .merge(credentials::router())
        .merge(groups::router())
        .merge(allocations::router())
        .merge(journal::router())
        .merge(pool::router())
        .merge(trend::router())
        .merge(rules::router())
        .merge(settings::router())
        .merge(views::router())
        .merge(live::router())
}

/// The whole API. `pages` answers what is no endpoint: the dashboard, or nothing.
pub fn router(app: AppState, pages: Option<Router>) -> Router {
    let (endpoints, _) = endpoints().split_for_parts();
    let api = endpoints
        .merge(openapi::pages())
        .method_not_allowed_fallback(|| async { ApiError::new(Code::MethodNotAllowed, "this path has other methods") });
    let api = match pages {
        Some(pages) => api.fallback_service(pages),
        None => api.fallback(unknown),
    };
    api.layer(
        ServiceBuilder::new()
            .layer(middleware::from_fn_with_state(app.clone(), context::layer))
            .layer(middleware::from_fn(linger::layer))
            .layer(header("x-content-type-options", "nosniff"))
            .layer(header("referrer-policy", "no-referrer"))
            .layer(header("x-frame-options", "DENY"))
            .layer(CatchPanicLayer::custom(panicked))
            .layer(middleware::from_fn(in_time))
            .layer(middleware::from_fn_with_state(app.clone(), idempotency::layer))
            // Bodies have their own limits, with errors that name them.
            .layer(DefaultBodyLimit::disable()),
    )
    .with_state(Sealed(app))
}

/// Gives up what takes too long, so that the client is told rather than left waiting.
async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(DEADLINE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::overloaded().into_response(),
    }
}

/// What no endpoint and no page answers.
pub async fn unknown() -> Response {
    ApiError::new(Code::NotFound, "there is nothing at this path").into_response()
}

fn header(name: &'static str, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(HeaderName::from_static(name), HeaderValue::from_static(value))
}

#[allow(clippy::needless_pass_by_value, reason = "the layer's signature")]
fn panicked(cause: Box<dyn Any + Send + 'static>) -> Response {
    let text = cause
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| cause.downcast_ref::<&str>().copied())
        .unwrap_or("a panic");
    ApiError::internal(&text).into_response()
}
