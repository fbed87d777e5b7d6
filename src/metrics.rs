//! `/metrics` on a port of its own, for monitoring: what the parts count, and how the installation
//! stands when somebody asks.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anyhow::bail;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::Status;
use domain::health::Grade;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use store::Store;
use store::figures::Figures;
use store::open::Location;
use strum::IntoEnumIterator;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::server;

/// Where it is served unless the configuration says otherwise.
pub const DEFAULT_PORT: u16 = 9464;
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

type Gauge = prometheus_client::metrics::gauge::Gauge<f64, AtomicU64>;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Label {
    status: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct GradeLabel {
    grade: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct QueueLabel {
    queue: String,
}

/// How long figures of the database are kept: they cost a big pool's database a second.
const KEPT: Duration = Duration::from_secs(10);

/// What is counted by the parts, and what is read when somebody looks.
pub struct Metrics {
    counted: Registry,
    store: Store,
    location: Location,
    /// The last figures, or that there were none. Locked while they are read: who asks meanwhile waits
    /// for them instead of reading them too.
    figures: Mutex<Option<(Instant, Option<Arc<Figures>>)>>,
}

impl Metrics {
    /// With the counters that `register` makes known.
    pub fn new(store: Store, location: Location, role: &'static str, register: impl FnOnce(&mut Registry)) -> Self {
        let mut counted = Registry::with_prefix("api_pool");
        register(&mut counted);
        let build = Info::new([("version", env!("CARGO_PKG_VERSION")), ("role", role)]);
        counted.register("build", "The program", build);
        Self { counted, store, location, figures: Mutex::default() }
    }

    /// How the installation stands, as of a few seconds ago; nothing while the database is away.
    async fn figures(&self) -> Option<Arc<Figures>> {
        let mut last = self.figures.lock().await;
        if let Some((read, figures)) = last.as_ref()
            && read.elapsed() < KEPT
        {
            return figures.clone();
        }
        let read = self.store.figures().await;
        if let Err(error) = &read {
            tracing::warn!(%error, "metrics are without the figures of the database");
        }
        let figures = read.ok().map(Arc::new);
        *last = Some((Instant::now(), figures.clone()));
        figures
    }

    async fn text(&self) -> Result<String, std::fmt::Error> {
        let mut out = String::new();
        text::encode_registry(&mut out, &self.counted)?;
        let mut read = Registry::with_prefix("api_pool");
        let is_up = self.store.answers().await;
        read.register("database_up", "Whether the database answers", ConstGauge::new(i64::from(is_up)));
        // Not the last ones of a database that is away.
        if is_up && let Some(figures) = self.figures().await {
            standing(&mut read, &figures);
        }
        if let Location::Sqlite(path) = &self.location {
            let wal = std::fs::metadata(format!("{}-wal", path.display())).map_or(0, |file| file.len());
            read.register_with_unit("database_wal", "The write-ahead log", Unit::Bytes, ConstGauge::new(wal as i64));
        }
        text::encode_registry(&mut out, &read)?;
        let mut process = Registry::default();
        if let Err(error) = process_figures(&mut process) {
            tracing::debug!(%error, "no figures of the process");
        }
        text::encode_registry(&mut out, &process)?;
        text::encode_eof(&mut out)?;
        Ok(out)
    }
}

/// How the pool, its queues and its database stand.
fn standing(registry: &mut Registry, figures: &Figures) {
    let credentials = Family::<Label, Gauge>::default();
    for status in Status::iter().map(|status| status.to_string()) {
        let count = figures.by_status.iter().find(|(name, _)| *name == status).map_or(0, |(_, count)| *count);
        credentials.get_or_create(&Label { status }).set(count as f64);
    }
    registry.register("credentials", "Credentials by status", credentials);
    let grades = Family::<GradeLabel, Gauge>::default();
    for grade in Grade::iter() {
        let mine = figures.by_score.iter().filter(|(score, _)| Grade::of(*score) == grade);
        let count: i64 = mine.map(|(_, count)| count).sum();
        grades.get_or_create(&GradeLabel { grade: grade.to_string() }).set(count as f64);
    }
    registry.register("credentials_by_grade", "Credentials by grade of health", grades);
    let (slots, used) = figures.slots;
    registry.register("slots", "Slots of enabled credentials", ConstGauge::new(slots));
    registry.register("slots_used", "Slots that accounts hold", ConstGauge::new(used));
    let (depth, age) = (Family::<QueueLabel, Gauge>::default(), Family::<QueueLabel, Gauge>::default());
    for (queue, waiting, oldest) in &figures.queues {
        let label = QueueLabel { queue: queue.to_string() };
        depth.get_or_create(&label).set(*waiting as f64);
        age.get_or_create(&label).set(*oldest);
    }
    registry.register("queue_depth", "Jobs that wait", depth);
    registry.register_with_unit("queue_oldest", "How long the oldest due job has waited", Unit::Seconds, age);
    registry.register_with_unit("database_size", "The database", Unit::Bytes, ConstGauge::new(figures.database_bytes));
    registry.register(
        "journal_rows_written",
        "The number of the journal's newest row",
        ConstGauge::new(figures.journal_rows),
    );
}

/// The usual figures of a process, under their usual names.
fn process_figures(registry: &mut Registry) -> procfs::ProcResult<()> {
    let me = procfs::process::Process::myself()?;
    let stat = me.stat()?;
    let ticks = procfs::ticks_per_second() as f64;
    let cpu = prometheus_client::metrics::counter::ConstCounter::new((stat.utime + stat.stime) as f64 / ticks);
    registry.register_with_unit("process_cpu", "Processor time", Unit::Seconds, cpu);
    let resident = ConstGauge::new((stat.rss * procfs::page_size()) as i64);
    registry.register_with_unit("process_resident_memory", "Memory in use", Unit::Bytes, resident);
    registry.register("process_open_fds", "Open files and sockets", ConstGauge::new(me.fd_count()? as i64));
    registry.register("process_threads", "Threads", ConstGauge::new(stat.num_threads));
    Ok(())
}

/// Serves them until `stop`. A port that was not asked for and is taken by another process of the
/// same machine is no reason not to start.
pub async fn serve(config: &Config, metrics: Metrics, stop: CancellationToken) -> anyhow::Result<()> {
    let asked = config.metrics_port;
    let address = format!("{}:{}", config.metrics_host, asked.unwrap_or(DEFAULT_PORT));
    let listener = match TcpListener::bind(&address).await {
        Ok(listener) => listener,
        Err(error) if asked.is_none() => {
            tracing::warn!(%error, address, "metrics are not served; METRICS_PORT chooses another port");
            return Ok(());
        }
        Err(error) => bail!("cannot listen on {address} for metrics: {error}"),
    };
    tracing::info!(url = format!("http://{}/metrics", listener.local_addr()?), "metrics are served");
    let router = Router::new().route("/metrics", get(answer)).with_state(Arc::new(metrics));
    tokio::spawn(server::serve(listener, router, stop));
    Ok(())
}

async fn answer(State(metrics): State<Arc<Metrics>>, headers: HeaderMap) -> Response {
    let Ok(text) = metrics.text().await else {
        return axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accepted.contains("application/openmetrics-text") {
        return ([(header::CONTENT_TYPE, OPENMETRICS)], text).into_response();
    }
    ([(header::CONTENT_TYPE, PROMETHEUS)], older(&text)).into_response()
}

/// The same in Prometheus' older form, for those who ask for nothing: there a counter has its
/// `_total` in its description too, an info is a gauge, and there are neither units nor an end.
fn older(text: &str) -> String {
    let (mut counters, mut infos) = (std::collections::HashSet::new(), std::collections::HashSet::new());
    for line in text.lines() {
        if let Some(named) = line.strip_prefix("# TYPE ").and_then(|rest| rest.strip_suffix(" counter")) {
            counters.insert(named);
        }
        if let Some(named) = line.strip_prefix("# TYPE ").and_then(|rest| rest.strip_suffix(" info")) {
            infos.insert(named);
        }
    }
    let mut out = String::with_capacity(text.len());
    for line in text.lines().filter(|line| !line.starts_with("# UNIT ") && *line != "# EOF") {
        let described = line.strip_prefix("# HELP ").or_else(|| line.strip_prefix("# TYPE "));
        let named = described.and_then(|rest| rest.split(' ').next()).unwrap_or_default();
        let ending = if counters.contains(named) {
            "_total"
        } else if infos.contains(named) {
            "_info"
        } else {
            ""
        };
        if named.is_empty() {
            out.push_str(line);
        } else {
            let line = line.replacen(named, &format!("{named}{ending}"), 1);
            out.push_str(line.strip_suffix(" info").map(|start| format!("{start} gauge")).as_deref().unwrap_or(&line));
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_older_form_has_its_own_names() {
        let new = "# HELP a_b Words.\n# TYPE a_b counter\na_b_total{x=\"y\"} 1\n# HELP i Info.\n# TYPE i info\ni_info{v=\"1\"} 1\n\
                   # HELP d_seconds T.\n# TYPE d_seconds histogram\n# UNIT d_seconds seconds\nd_seconds_sum 1\n# EOF\n";
        let old = "# HELP a_b_total Words.\n# TYPE a_b_total counter\na_b_total{x=\"y\"} 1\n# HELP i_info Info.\n\
                   # TYPE i_info gauge\ni_info{v=\"1\"} 1\n# HELP d_seconds T.\n# TYPE d_seconds histogram\nd_seconds_sum 1\n";
        assert_eq!(super::older(new), old);
    }
}
