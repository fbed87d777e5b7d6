//! The run's table, its ratios, and the file that holds both.

use std::path::Path;

use anyhow::Result;
use serde::Serialize;

use crate::load::Seen;
use crate::servers::Usage;

/// One line of the table. Times in milliseconds; what does not apply is missing.
#[derive(Debug, Default, Serialize)]
pub struct Row {
    pub database: String,
    pub processes: usize,
    pub credentials: usize,
    /// Rows that the journal had to begin with.
    pub journal: usize,
    pub connections: usize,
    pub what: String,
    pub per_second: f64,
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    pub p999_ms: Option<f64>,
    /// Of the echo with as many connections.
    pub of_echo: Option<f64>,
    /// Processor time of the program, and of PostgreSQL, for a request.
    pub cpu_us: Option<f64>,
    /// Written to the disk for a request.
    pub written_bytes: Option<f64>,
    /// The most that one process of the program has had in memory so far; when idle, what it has now.
    pub memory_mb: Option<f64>,
    pub errors: u64,
}

impl Row {
    pub fn seen(mut self, seen: &Seen) -> Self {
        self.per_second = seen.rate();
        (self.p50_ms, self.p99_ms, self.p999_ms) = (Some(seen.p50), Some(seen.p99), Some(seen.p999));
        self.errors = seen.errors;
        self
    }

    pub fn used(mut self, used: Usage, requests: u64, peak: f64) -> Self {
        self.cpu_us = Some(used.cpu * 1e6 / requests as f64);
        self.written_bytes = Some(used.written as f64 / requests as f64);
        self.memory_mb = Some(peak);
        self
    }
}

/// Something that was to be reached.
#[derive(Debug, Serialize)]
pub struct Goal {
    pub what: String,
    pub reached: f64,
    /// It is to be at least this, or with `at_most` no more.
    pub bound: f64,
    pub at_most: bool,
}

/// All that a run has found.
#[derive(Debug, Default, Serialize)]
pub struct Findings {
    pub rows: Vec<Row>,
    pub goals: Vec<Goal>,
}

fn column(value: Option<f64>, decimals: usize) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.decimals$}"))
}

impl Findings {
    /// Prints the names of the columns.
    pub fn heading() {
        println!(
            "{:<9}{:>5}{:>9}{:>9}{:>6}  {:<22}{:>9}{:>9}{:>9}{:>9}{:>8}{:>8}{:>9}{:>7}{:>8}",
            "database",
            "procs",
            "pool",
            "journal",
            "conns",
            "what",
            "per s",
            "p50 ms",
            "p99 ms",
            "p99.9",
            "of echo",
            "cpu µs",
            "written",
            "MB",
            "errors"
        );
    }

    /// Prints a line as soon as it is known.
    pub fn add(&mut self, row: Row) {
        let number = |n: usize| if n == 0 { "-".to_owned() } else { n.to_string() };
        println!(
            "{:<9}{:>5}{:>9}{:>9}{:>6}  {:<22}{:>9.0}{:>9}{:>9}{:>9}{:>8}{:>8}{:>9}{:>7}{:>8}",
            row.database,
            number(row.processes),
            number(row.credentials),
            number(row.journal),
            number(row.connections),
            row.what,
            row.per_second,
            column(row.p50_ms, 1),
            column(row.p99_ms, 1),
            column(row.p999_ms, 1),
            column(row.of_echo, 2),
            column(row.cpu_us, 0),
            column(row.written_bytes, 0),
            column(row.memory_mb, 0),
            row.errors,
        );
        self.rows.push(row);
    }

    /// The line of that kind; of several, the one with the middle p99.
    pub fn row(
        &self,
        database: &str,
        processes: usize,
        credentials: usize,
        connections: usize,
        what: &str,
    ) -> Option<&Row> {
        let same = |row: &&Row| {
            (&*row.database, row.processes, row.credentials, row.connections, &*row.what)
                == (database, processes, credentials, connections, what)
        };
        let mut found: Vec<&Row> = self.rows.iter().filter(same).collect();
        found.sort_by(|a, b| a.p99_ms.unwrap_or_default().total_cmp(&b.p99_ms.unwrap_or_default()));
        found.get(found.len() / 2).copied()
    }

    pub fn at_least(&mut self, bound: f64, what: &str, reached: Option<f64>) {
        self.goals.extend(reached.map(|reached| Goal { what: what.to_owned(), reached, bound, at_most: false }));
    }

    pub fn at_most(&mut self, bound: f64, what: &str, reached: Option<f64>) {
        self.goals.extend(reached.map(|reached| Goal { what: what.to_owned(), reached, bound, at_most: true }));
    }

    /// Prints the goals and writes the file.
    pub fn finish(&self, file: &Path) -> Result<()> {
        println!();
        for Goal { what, reached, bound, at_most } in &self.goals {
            let (sign, met) = if *at_most { ("≤", reached <= bound) } else { ("≥", reached >= bound) };
            println!("{what:<84}{reached:>8.2}  {sign} {bound:<6} {}", if met { "reached" } else { "not reached" });
        }
        std::fs::write(file, serde_json::to_vec_pretty(self)?)?;
        println!("\nAll figures are in {}", file.display());
        Ok(())
    }
}
