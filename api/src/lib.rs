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
mod entrance;
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

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use ipnet::IpNet;
use store::Store;
use store::allocator::Allocator;
use utoipa_axum::router::OpenApiRouter;

use error::{ApiError, Code};

pub use credentials::{Export, ExportFormat};
pub use metrics::HttpMetrics;
pub use openapi::document as openapi;

/// What the API needs to work. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AppState(Arc<Parts>);

/// The parts of an [`AppState`].
#[derive(Debug)]
pub struct Parts {
    pub(crate) store: Store,
    pub(crate) allocator: Allocator,
    pub(crate) signer: Arc<auth::Signer>,
    pub(crate) config: ApiConfig,
    pub(crate) hub: Arc<live::Hub>,
    pub(crate) metrics: Arc<HttpMetrics>,
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

impl Deref for AppState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl AppState {
    /// Ready to serve; within a runtime, since live events have a task of their own.
    pub fn new(store: Store, allocator: Allocator, config: ApiConfig) -> Self {
        let signer = Arc::new(auth::Signer::new(store.sealer().signing_key()));
        let metrics = Arc::new(HttpMetrics::default());
        let hub = live::Hub::start(store.clone(), metrics.live_clients.clone());
        Self(Arc::new(Parts { store, allocator, signer, config, hub, metrics, draining: Arc::default() }))
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
    api.layer(middleware::from_fn_with_state(app.clone(), entrance::layer)).with_state(Sealed(app))
}

/// What no endpoint and no page answers.
pub async fn unknown() -> Response {
    ApiError::new(Code::NotFound, "there is nothing at this path").into_response()
}
