//! Load, by generators that others have made: wrk as fast as it goes, oha at a fixed rate.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

/// Sent by wrk.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/load.lua");
/// Where an allocation is asked for.
pub const ALLOCATE: &str = "/api/admin/api-pool/allocate";

/// What is sent, and by how many.
#[derive(Clone, Copy)]
pub struct Load<'a> {
    /// One of the script's kinds of request.
    pub what: &'a str,
    pub connections: usize,
    pub seconds: u64,
    /// Keeps the accounts of one run apart from those of another.
    pub run: u64,
    /// The pool has the `api_id`s from 1,000,000 on.
    pub credentials: usize,
    /// Each thread ends after so many requests, if that is sooner.
    pub limit: u64,
}

/// What the generator saw. Times in milliseconds.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Seen {
    pub requests: u64,
    /// By the slowest of the generator's threads: each goes through accounts of its own.
    pub fewest: u64,
    pub seconds: f64,
    pub p50: f64,
    pub p99: f64,
    pub p999: f64,
    /// Whatever was not answered with success, members of batches included.
    pub errors: u64,
}

impl Seen {
    pub fn rate(&self) -> f64 {
        self.requests as f64 / self.seconds
    }

    /// Of generators that ran at the same time: the sum, and the longest times.
    fn and(self, other: Self) -> Self {
        Self {
            requests: self.requests + other.requests,
            fewest: self.fewest.min(other.fewest),
            seconds: self.seconds.max(other.seconds),
            p50: self.p50.max(other.p50),
            p99: self.p99.max(other.p99),
            p999: self.p999.max(other.p999),
            errors: self.errors + other.errors,
        }
    }
}

/// As fast as it goes. The connections are shared out among the servers.
pub fn saturate(servers: &[String], token: &str, load: Load<'_>) -> Result<Seen> {
    let each = (load.connections / servers.len()).max(1);
    let mut running = Vec::new();
    for (number, url) in servers.iter().enumerate() {
        let mut wrk = Command::new("wrk");
        let threads = each.min(2);
        wrk.args(["--latency", "-t", &threads.to_string(), "-c", &each.to_string()]);
        wrk.args(["-d", &format!("{}s", load.seconds), "--timeout", "30s", "-s", SCRIPT, url]);
        wrk.env("WHAT", load.what).env("TOKEN", token).env("CREDENTIALS", load.credentials.to_string());
        wrk.env("LIMIT", load.limit.to_string());
        wrk.env("RUN", (load.run * 8 + number as u64).to_string());
        running.push(wrk.stdout(Stdio::piped()).spawn().context("wrk must be installed")?);
    }
    let mut seen: Option<Seen> = None;
    for wrk in running {
        let output = wrk.wait_with_output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let figures = text.lines().find_map(|line| line.strip_prefix("figures "));
        let one: Seen = serde_json::from_str(figures.with_context(|| format!("wrk said {text}"))?)?;
        seen = Some(seen.map_or(one, |others| others.and(one)));
    }
    seen.context("there is no server")
}

/// Allocations for new accounts at a fixed rate. A request that goes out late counts from when it
/// should have gone out.
pub async fn at_rate(server: &str, token: &str, rate: f64, seconds: u64, run: u64) -> Result<Seen> {
    let bodies = tempfile::NamedTempFile::new()?;
    // Bodies are drawn at random: of so many, few are drawn twice.
    let lines = (0..4 * rate as u64 * seconds).map(|n| format!("{{\"account_id\":\"rate:{run}:{n}\"}}\n"));
    std::fs::write(bodies.path(), lines.collect::<String>())?;
    let mut oha = tokio::process::Command::new("oha");
    oha.args(["--no-tui", "--output-format", "json", "--latency-correction", "-c", "64", "-m", "POST"]);
    oha.args(["-q", &format!("{rate:.0}"), "-z", &format!("{seconds}s")]);
    oha.args(["-H", &format!("X-Service-Token: {token}"), "-H", "Content-Type: application/json"]);
    oha.arg("-Z").arg(bodies.path()).arg(format!("{server}{ALLOCATE}"));
    let output = oha.output().await.context("oha must be installed")?;
    let told: Value = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("oha said {}", String::from_utf8_lossy(&output.stderr)))?;
    let number = |value: &Value| value.as_f64().unwrap_or_default();
    let percentile = |name: &str| number(&told["latencyPercentiles"][name]) * 1e3;
    let requests: u64 =
        told["statusCodeDistribution"].as_object().map_or(0, |codes| codes.values().filter_map(Value::as_u64).sum());
    let good = told["statusCodeDistribution"]["200"].as_u64().unwrap_or(0);
    ensure!(good > 0, "nothing was answered with success: {told}");
    Ok(Seen {
        requests,
        fewest: requests,
        seconds: number(&told["summary"]["total"]),
        p50: percentile("p50"),
        p99: percentile("p99"),
        p999: percentile("p99.9"),
        errors: requests - good,
    })
}
