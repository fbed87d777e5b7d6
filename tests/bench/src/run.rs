//! The run: everything side by side on this machine, from the bare echo to a million credentials.

use std::cell::Cell;
use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::chores;
use crate::goals;
use crate::load::{self, Load, Seen};
use crate::place::{Kind, Place};
use crate::report::{Findings, Row};
use crate::servers::Servers;

/// How large and how long.
#[derive(Clone, Copy)]
pub struct Scale {
    /// Of each measurement.
    pub seconds: u64,
    pub accounts: usize,
    pub journal: usize,
    pub pools: [usize; 3],
}

/// As the issue of speed is put.
pub const FULL: Scale =
    Scale { seconds: 5, accounts: 2_000_000, journal: 5_000_000, pools: [1_000, 100_000, 1_000_000] };
/// To try the benchmark itself.
pub const QUICK: Scale = Scale { seconds: 1, accounts: 20_000, journal: 50_000, pools: [1_000, 2_000, 10_000] };

const CONNECTIONS: [usize; 4] = [1, 16, 64, 256];
/// Members of a batch.
const BATCH: u64 = 100;
/// So many clients with batches are what the queue takes in: 8,192 commands.
const BATCHING: usize = 64;
/// Slots of a credential whose pool is never exhausted.
const ENOUGH: usize = 100_000;
/// Of the most, where latency is measured.
const SHARE: f64 = 0.3;
/// Quiet, and as often busy: one stall of the disk is enough to decide a single p99.
const TIMES: usize = 3;

/// Measures all and writes the file.
pub async fn run(scale: Scale, file: &Path) -> Result<()> {
    let mut run = Run { scale, findings: Findings::default(), echo: HashMap::new(), number: 0 };
    Findings::heading();
    run.bare_echo()?;
    for kind in [Kind::Sqlite, Kind::Postgres] {
        for processes in [1, 2] {
            run.every_request(kind, processes).await?;
        }
        run.refusals(kind)?;
        run.raw_limit(kind)?;
        run.old_and_large(kind).await?;
    }
    goals::judge(&mut run.findings, scale);
    run.findings.finish(file)
}

struct Run {
    scale: Scale,
    findings: Findings,
    /// Requests per second by connections.
    echo: HashMap<usize, f64>,
    /// Rises, so that no two measurements share accounts.
    number: u64,
}

/// What is measured, and where.
struct Subject<'a> {
    place: &'a Place,
    servers: &'a Servers,
    token: &'a str,
}

impl Subject<'_> {
    fn row(&self, what: &str, connections: usize) -> Row {
        Row {
            database: self.place.kind.to_string(),
            processes: self.servers.urls.len(),
            credentials: self.place.credentials,
            journal: self.place.journal,
            connections,
            what: what.to_owned(),
            ..Row::default()
        }
    }
}

impl Run {
    fn bare_echo(&mut self) -> Result<()> {
        let mut echo = Command::new(std::env::current_exe()?);
        echo.arg("echo");
        let servers = Servers::start(vec![echo], None)?;
        for connections in CONNECTIONS {
            let load =
                Load { what: "new", connections, seconds: self.scale.seconds, run: 0, credentials: 0, limit: u64::MAX };
            let before = servers.usage()?;
            let seen = load::saturate(&servers.urls, "", load)?;
            self.echo.insert(connections, seen.rate());
            let row = Row { database: "-".to_owned(), connections, what: "echo".to_owned(), ..Row::default() };
            let used = servers.usage()?.since(before);
            self.findings.add(row.seen(&seen).used(used, seen.requests, servers.peak_memory()?));
        }
        Ok(())
    }

    /// Each kind of request on a new database, from one connection to 256.
    async fn every_request(&mut self, kind: Kind, processes: usize) -> Result<()> {
        let mut place = Place::new(kind)?;
        place.grow(self.scale.pools[0], ENOUGH)?;
        let token = place.token()?;
        let servers = place.serve(processes)?;
        let subject = Subject { place: &place, servers: &servers, token: &token };
        std::thread::sleep(Duration::from_secs(2));
        self.findings.add(Row { memory_mb: Some(servers.memory()?), ..subject.row("idle", 0) });
        let mut most = 0.0;
        for connections in CONNECTIONS {
            self.number += 1;
            let allocated = self.saturate(&subject, "new", connections, u64::MAX)?;
            most = allocated.rate();
            // What the last of them have asked for may not have been answered.
            let answered = allocated.fewest.saturating_sub(connections as u64);
            self.saturate(&subject, "release", connections, answered)?;
            let whats = ["existing", "result", "batch"];
            for what in whats.into_iter().filter(|what| *what != "batch" || connections <= BATCHING) {
                self.number += 1;
                self.saturate(&subject, what, connections, u64::MAX)?;
            }
        }
        servers.settle()?;
        self.at_rate(&subject, "new at 30 %", SHARE * most).await?;
        drop(servers);
        let doctor = place.program(&["doctor"]).output()?;
        ensure!(doctor.status.success(), "doctor: {}", String::from_utf8_lossy(&doctor.stdout));
        Ok(())
    }

    /// New accounts where every slot is taken.
    fn refusals(&mut self, kind: Kind) -> Result<()> {
        let mut place = Place::new(kind)?;
        place.grow(self.scale.pools[0], 1)?;
        let token = place.token()?;
        let servers = place.serve(1)?;
        let subject = Subject { place: &place, servers: &servers, token: &token };
        // Takes all slots, and is then refused.
        let filling = Load { what: "new", connections: 64, seconds: 2, run: 0, credentials: 0, limit: u64::MAX };
        let filled = load::saturate(&servers.urls, &token, filling)?;
        ensure!(filled.errors > 0, "the pool is not exhausted");
        for connections in [64, 256] {
            self.number += 1;
            self.saturate(&subject, "refused", connections, u64::MAX)?;
        }
        Ok(())
    }

    fn saturate(&mut self, subject: &Subject<'_>, what: &str, connections: usize, limit: u64) -> Result<Seen> {
        let Subject { place, servers, token } = subject;
        let (seconds, run, credentials) = (self.scale.seconds, self.number, place.credentials);
        let load = Load { what, connections, seconds, run, credentials, limit };
        servers.settle()?;
        let before = servers.usage()?;
        let mut seen = load::saturate(&servers.urls, token, load)?;
        let used = servers.usage()?.since(before);
        let of_echo = Some(seen.rate() / self.echo[&connections]);
        if what == "batch" {
            seen.requests *= BATCH;
        }
        let row = Row { of_echo, ..subject.row(what, connections) };
        self.findings.add(row.seen(&seen).used(used, seen.requests, servers.peak_memory()?));
        Ok(seen)
    }

    async fn at_rate(&mut self, subject: &Subject<'_>, what: &str, rate: f64) -> Result<()> {
        self.number += 1;
        let Subject { servers, token, .. } = subject;
        let before = servers.usage()?;
        let seen = load::at_rate(&servers.urls[0], token, rate, 2 * self.scale.seconds, self.number).await?;
        let used = servers.usage()?.since(before);
        self.findings.add(subject.row(what, 64).seen(&seen).used(used, seen.requests, servers.peak_memory()?));
        Ok(())
    }

    /// The same batches in a loop without HTTP; and beside PostgreSQL what its own benchmark does.
    fn raw_limit(&mut self, kind: Kind) -> Result<()> {
        let mut place = Place::new(kind)?;
        place.grow(self.scale.pools[0], ENOUGH)?;
        for connections in CONNECTIONS {
            let mut raw = Command::new(std::env::current_exe()?);
            raw.args(["raw", &place.name(), &connections.to_string(), &self.scale.seconds.to_string()]);
            let output = raw.output()?;
            let text = String::from_utf8_lossy(&output.stdout);
            let per_second =
                text.trim().parse().with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
            self.add_limit(&place, "raw", connections, per_second);
            if kind == Kind::Postgres {
                let per_second = place.pgbench(connections, self.scale.seconds)?;
                self.add_limit(&place, "pgbench -N", connections, per_second);
            }
        }
        Ok(())
    }

    fn add_limit(&mut self, place: &Place, what: &str, connections: usize, per_second: f64) {
        self.findings.add(Row {
            database: place.kind.to_string(),
            credentials: place.credentials,
            connections,
            what: what.to_owned(),
            per_second,
            of_echo: Some(per_second / self.echo[&connections]),
            ..Row::default()
        });
    }

    /// Among millions of accounts and journal rows, with an ever larger pool.
    async fn old_and_large(&mut self, kind: Kind) -> Result<()> {
        let mut place = Place::new(kind)?;
        place.grow(self.scale.pools[0], ENOUGH)?;
        place.grow_old(self.scale.accounts, self.scale.journal).await?;
        let token = place.token()?;
        for credentials in self.scale.pools {
            place.grow(credentials, ENOUGH)?;
            let servers = place.serve(1)?;
            let subject = Subject { place: &place, servers: &servers, token: &token };
            let started_in = servers.started_in.as_secs_f64() * 1e3;
            self.findings.add(Row { p50_ms: Some(started_in), ..subject.row("start", 0) });
            let mut most = 0.0;
            for connections in [64, 256] {
                for what in ["existing", "random"] {
                    self.number += 1;
                    most = self.saturate(&subject, what, connections, u64::MAX)?.rate();
                }
            }
            if credentials == self.scale.pools[1] {
                servers.settle()?;
                self.several_at_rate(&subject, "quiet at 30 %", SHARE * most).await?;
                self.busy_at_rate(&subject, SHARE * most).await?;
                servers.settle()?;
            }
        }
        Ok(())
    }

    async fn busy_at_rate(&mut self, subject: &Subject<'_>, rate: f64) -> Result<()> {
        let over = Cell::new(false);
        let measured = async {
            let measured = self.several_at_rate(subject, "busy at 30 %", rate).await;
            over.set(true);
            measured
        };
        let (done, measured) = tokio::join!(chores::go_on(subject.place, &over), measured);
        done.and(measured)
    }

    async fn several_at_rate(&mut self, subject: &Subject<'_>, what: &str, rate: f64) -> Result<()> {
        for _ in 0..TIMES {
            self.at_rate(subject, what, rate).await?;
        }
        Ok(())
    }
}
