//! What was to be reached, as ratios of one run.

use crate::report::{Findings, Row};
use crate::run::Scale;

/// Adds every goal that the run has the figures for.
pub fn judge(findings: &mut Findings, scale: Scale) {
    let [small, middle, large] = scale.pools;
    let row = |database, processes, credentials, connections, what| {
        findings.row(database, processes, credentials, connections, what)
    };
    let ratio = |a: Option<&Row>, b: Option<&Row>, of: fn(&Row) -> Option<f64>| Some(of(a?)? / of(b?)?);
    let rate: fn(&Row) -> Option<f64> = |row| Some(row.per_second);
    let p99: fn(&Row) -> Option<f64> = |row| row.p99_ms;
    let of_echo = |row: Option<&Row>| row?.of_echo;
    let memory = |row: Option<&Row>| row?.memory_mb;

    let echo = row("-", 0, 0, 256, "echo");
    let new = row("sqlite", 1, small, 256, "new");
    let raw = row("sqlite", 0, small, 256, "raw");
    let mut at_least = vec![
        (0.40, "SQLite: new accounts of echo, 256 connections".to_owned(), of_echo(new)),
        (0.20, "SQLite: new accounts of echo, 64 connections".to_owned(), of_echo(row("sqlite", 1, small, 64, "new"))),
        (
            0.18,
            format!("SQLite: among {} accounts of echo, 256 connections", scale.accounts),
            of_echo(row("sqlite", 1, small, 256, "random")),
        ),
        (0.60, "SQLite: new accounts of the same batches without HTTP, 256 at once".to_owned(), ratio(new, raw, rate)),
    ];
    let mut at_most =
        vec![(4.0, "SQLite: p99 of new accounts of the echo's, 256 connections".to_owned(), ratio(new, echo, p99))];
    for database in ["sqlite", "postgres"] {
        let (few, many) = (row(database, 1, small, 256, "random"), row(database, 1, large, 256, "random"));
        let pools = format!("{large} credentials of {small}");
        at_least.push((0.8, format!("{database}: {pools}, 256 connections"), ratio(many, few, rate)));
        at_most.push((1.3, format!("{database}: {pools}, p99"), ratio(many, few, p99)));
        let (refused, new) = (row(database, 1, small, 256, "refused"), row(database, 1, small, 256, "new"));
        at_least.push((1.0, format!("{database}: refusals of successes, 256 connections"), ratio(refused, new, rate)));
        let started = |credentials| row(database, 1, credentials, 0, "start")?.p50_ms;
        let longer = || Some((started(large)? - started(small)?) / 1e3);
        at_most.push((2.0, format!("{database}: seconds that the start takes longer, {pools}"), longer()));
        let idle = memory(row(database, 1, small, 0, "idle"));
        at_most.push((60.0, format!("{database}: MB in memory, idle"), idle));
        at_most.push((
            250.0,
            format!("{database}: MB in memory at most, {large} credentials under load"),
            memory(many),
        ));
        let (quiet, busy) =
            (row(database, 1, middle, 64, "quiet at 30 %"), row(database, 1, middle, 64, "busy at 30 %"));
        at_most.push((
            2.0,
            format!("{database}: p99 beside prune, score_health and a backup, of quiet"),
            ratio(busy, quiet, p99),
        ));
    }
    let (one, two) = (row("postgres", 1, small, 64, "new"), row("postgres", 2, small, 64, "new"));
    let pgbench = row("postgres", 0, small, 64, "pgbench -N");
    at_least.push((
        2.0,
        "PostgreSQL: new accounts of pgbench -N, 64 connections".to_owned(),
        ratio(one, pgbench, rate),
    ));
    at_least.push((0.8, "PostgreSQL: two processes of one, 64 connections".to_owned(), ratio(two, one, rate)));
    for (goal, what, reached) in at_least {
        findings.at_least(goal, &what, reached);
    }
    for (goal, what, reached) in at_most {
        findings.at_most(goal, &what, reached);
    }
}
