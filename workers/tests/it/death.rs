//! Workers that die, and a database that goes away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::databases::{Database, count};
use crate::on_both;
use crate::stage::{Log, Process, Slow, Touch, enqueue, until};
use jobs::Job;

on_both!(a_dead_workers_job_is_taken_again, a_database_that_goes_away_only_delays);

async fn a_dead_workers_job_is_taken_again(database: Database) {
    let (first, second, log) = (database.open().await, database.open().await, Log::default());
    let again = Arc::new(AtomicBool::new(false));
    let registry = || {
        let (log, again) = (log.clone(), again.clone());
        log.registry().with(move |_, _: Slow| {
            let (log, again) = (log.clone(), again.swap(true, Ordering::SeqCst));
            async move {
                log.note("began");
                if !again {
                    let _mourner = Mourner(log);
                    std::future::pending::<()>().await;
                }
                Ok(())
            }
        })
    };
    let dying = Process::start(&first, registry());
    enqueue(&first, &Slow {}).await;
    log.wait("began", 1, Duration::from_secs(10)).await;
    drop(dying);
    let died = Instant::now();
    // What it was doing ends with it.
    log.wait("stopped", 1, Duration::from_millis(500)).await;

    let process = Process::start(&second, registry());
    log.wait("began", 2, Duration::from_secs(12)).await;
    println!("taken again after {:?} at heartbeats of 1 s", died.elapsed());
    until(&second, "SELECT COUNT(*) FROM ASKED WHERE status = 'Done' AND attempts = 2", 1, Duration::from_secs(5))
        .await;
    process.stop().await;
}

/// Notes that a handler was stopped in the middle.
struct Mourner(Log);

impl Drop for Mourner {
    fn drop(&mut self) {
        self.0.note("stopped");
    }
}

async fn a_database_that_goes_away_only_delays(database: Database) {
    let (store, log) = (database.open().await, Log::default());
    let process = Process::start(&store, log.registry());
    enqueue(&store, &Touch {}).await;
    log.wait(Touch::SPEC.name, 1, Duration::from_secs(10)).await;
    // Long enough for a heartbeat of every worker to fail, and for its first restart, too.
    database.go_away_for(Duration::from_millis(3500)).await;
    let back = Instant::now();
    enqueue(&store, &Touch {}).await;
    log.wait(Touch::SPEC.name, 2, Duration::from_secs(10)).await;
    println!("at work again {:?} after the database came back", back.elapsed());
    assert!(count(&store, "SELECT COUNT(*) FROM WORKERS").await > 4, "workers have started again");
    assert!(process.is_running());
    process.stop().await;
}
