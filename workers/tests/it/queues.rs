//! Jobs come and go: woken at once, started once for each tick, never half enqueued.

use std::time::{Duration, Instant};

use jobs::Job;
use workers::WorkerConfig;

use crate::databases::{Database, count};
use crate::on_both;
use crate::stage::{Chime, Log, Process, Slow, Touch, enqueue, until};

on_both!(
    a_job_enqueued_in_process_starts_at_once,
    what_has_run_is_recorded_at_once,
    a_job_of_another_process_is_seen,
    a_tick_is_enqueued_once,
    what_is_rolled_back_is_not_enqueued,
    a_process_that_stops_ends_what_it_began_and_takes_no_more,
    a_process_may_stop_before_it_has_begun,
);

async fn a_job_enqueued_in_process_starts_at_once(database: Database) {
    let (store, log) = (database.open().await, Log::default());
    // It would take long to be found without the bell.
    let process = Process::start_polling(&store, log.registry(), Duration::from_hours(1));
    enqueue(&store, &Touch {}).await;
    log.wait(Touch::SPEC.name, 1, Duration::from_secs(30)).await;
    let mut waits = Vec::new();
    for run in 2..32 {
        // The phase of the second must not matter.
        tokio::time::sleep(Duration::from_millis(37)).await;
        enqueue(&store, &Touch {}).await;
        let enqueued = Instant::now();
        let started = log.wait(Touch::SPEC.name, run, Duration::from_secs(30)).await;
        waits.push(started.saturating_duration_since(enqueued));
    }
    waits.sort();
    println!("from enqueued to started: median {:?}, slowest {:?}", waits[waits.len() / 2], waits[waits.len() - 1]);
    // Far below the hour of the next look; how far is the machine's affair.
    assert!(waits[waits.len() / 2] < Duration::from_secs(5), "{waits:?}");
    process.stop().await;
    assert_eq!(count(&store, "SELECT COUNT(*) FROM ASKED WHERE status = 'Done' AND attempts = 1").await, 31);
}

/// Also when a job ends while its queue is being looked at.
async fn what_has_run_is_recorded_at_once(database: Database) {
    let (store, log) = (database.open().await, Log::default());
    // The heartbeat would record it in the end.
    let config = WorkerConfig { heartbeat: Duration::from_mins(1), ..WorkerConfig::default() };
    let process = Process::start_with(&store, log.registry(), config);
    for pair in 1..=40 {
        enqueue(&store, &Touch {}).await;
        enqueue(&store, &Touch {}).await;
        let done = "SELECT COUNT(*) FROM ASKED WHERE status = 'Done' AND attempts = 1";
        until(&store, done, 2 * pair, Duration::from_secs(5)).await;
    }
    process.stop().await;
}

async fn a_job_of_another_process_is_seen(database: Database) {
    let (other, store, log) = (database.open().await, database.open().await, Log::default());
    let process = Process::start(&store, log.registry());
    enqueue(&store, &Touch {}).await;
    log.wait(Touch::SPEC.name, 1, Duration::from_secs(10)).await;
    enqueue(&other, &Touch {}).await;
    log.wait(Touch::SPEC.name, 2, Duration::from_secs(3)).await;
    process.stop().await;
}

async fn a_tick_is_enqueued_once(database: Database) {
    let stores = [database.open().await, database.open().await];
    let log = Log::default();
    let chiming = || {
        let noted = log.clone();
        log.registry().with(move |_, _: Chime| {
            noted.note(Chime::SPEC.name);
            std::future::ready(Ok(()))
        })
    };
    let processes = stores.each_ref().map(|store| Process::start(store, chiming()));
    log.wait(Chime::SPEC.name, 3, Duration::from_secs(10)).await;
    for process in processes {
        process.stop().await;
    }
    let ticks = "FROM QUEUE WHERE idempotency_key LIKE 'test_chime:%'";
    let enqueued = count(&stores[0], &format!("SELECT COUNT(*) {ticks}")).await;
    assert!(enqueued >= 3, "{enqueued} ticks");
    assert_eq!(count(&stores[0], &format!("SELECT COUNT(DISTINCT idempotency_key) {ticks}")).await, enqueued);
    let done = count(&stores[0], &format!("SELECT COUNT(*) {ticks} AND status = 'Done'")).await;
    assert_eq!(log.times(Chime::SPEC.name).len() as i64, done, "each tick is done once");
}

async fn what_is_rolled_back_is_not_enqueued(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    tx.enqueue(&Touch {}, &store).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(count(&store, "SELECT COUNT(*) FROM ASKED").await, 0);
    let mut tx = store.begin().await.unwrap();
    tx.enqueue(&Touch {}, &store).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(count(&store, "SELECT COUNT(*) FROM ASKED").await, 1);
}

async fn a_process_that_stops_ends_what_it_began_and_takes_no_more(database: Database) {
    let (store, log) = (database.open().await, Log::default());
    let noted = log.clone();
    let registry = log.registry().with(move |_, _: Slow| {
        let noted = noted.clone();
        async move {
            noted.note("began");
            tokio::time::sleep(Duration::from_millis(400)).await;
            noted.note("ended");
            Ok(())
        }
    });
    let process = Process::start(&store, registry);
    enqueue(&store, &Slow {}).await;
    log.wait("began", 1, Duration::from_secs(10)).await;
    let stopping = tokio::spawn(process.stop());
    tokio::time::sleep(Duration::from_millis(100)).await;
    enqueue(&store, &Touch {}).await;
    stopping.await.unwrap();
    assert_eq!(log.times("ended").len(), 1);
    assert_eq!(log.times(Touch::SPEC.name).len(), 0);
    until(&store, "SELECT COUNT(*) FROM ASKED WHERE status = 'Done'", 1, Duration::ZERO).await;
    until(&store, "SELECT COUNT(*) FROM ASKED WHERE status = 'Pending'", 1, Duration::ZERO).await;
}

async fn a_process_may_stop_before_it_has_begun(database: Database) {
    let store = database.open().await;
    for pause in [0, 1, 5, 20] {
        let process = Process::start(&store, Log::default().registry());
        tokio::time::sleep(Duration::from_millis(pause)).await;
        tokio::time::timeout(Duration::from_secs(5), process.stop()).await.unwrap();
    }
}
