//! What the API counts: requests by route, how long they took, how they ended.

use std::time::Duration;

use axum::http::Method;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Up to a deadline's length; an allocation takes a few milliseconds.
const BUCKETS: [f64; 14] = [0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Route {
    method: &'static str,
    /// As it is declared, `{id}` and all: never what a client has put there.
    route: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Ended {
    method: &'static str,
    route: String,
    status: u16,
}

fn histogram() -> Histogram {
    Histogram::new(BUCKETS)
}

/// The API's counters. Cheap to clone; all clones count together.
#[derive(Clone, Debug)]
pub struct HttpMetrics {
    requests: Family<Ended, Counter>,
    duration: Family<Route, Histogram, fn() -> Histogram>,
    in_flight: Gauge,
    pub(crate) live_clients: Gauge,
}

impl Default for HttpMetrics {
    fn default() -> Self {
        Self {
            requests: Family::default(),
            duration: Family::new_with_constructor(histogram),
            in_flight: Gauge::default(),
            live_clients: Gauge::default(),
        }
    }
}

impl HttpMetrics {
    /// Makes them known under their names.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "http_requests",
            "Requests, by route and status; 499 when the client hung up",
            self.requests.clone(),
        );
        registry.register_with_unit(
            "http_request_duration",
            "From the request's head to the answer's",
            Unit::Seconds,
            self.duration.clone(),
        );
        registry.register("http_requests_in_flight", "Requests being answered", self.in_flight.clone());
        registry.register("live_clients", "Clients that listen to live events", self.live_clients.clone());
    }

    /// A request begins; it ends when this is dropped, whatever becomes of it.
    pub(crate) fn begin(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    /// A request was answered, or its client has hung up.
    pub(crate) fn ended(&self, method: &Method, route: Option<&str>, status: u16, took: Duration) {
        let (method, route) = (name_of(method), route.unwrap_or("other").to_owned());
        self.duration.get_or_create(&Route { method, route: route.clone() }).observe(took.as_secs_f64());
        self.requests.get_or_create(&Ended { method, route, status }).inc();
    }
}

/// Counts one request that runs.
pub(crate) struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// A client may call its method anything; a label may not.
fn name_of(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
