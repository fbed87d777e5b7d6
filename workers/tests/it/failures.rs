//! Handlers that fail, panic, hang, and jobs that nobody can do.

use std::time::Duration;

use jobs::{Envelope, Job};
use serde_json::json;
use store::StoreError;
use store::queue::Options;
use workers::WorkersError;

use crate::databases::{Database, change, count};
use crate::on_both;
use crate::stage::{Away, Fail, Hang, Hopeless, Log, Panic, Process, Touch, enqueue, until};

on_both!(failing_jobs_come_back_later_and_are_parked_in_the_end, jobs_that_nobody_can_do_do_not_stop_the_others,);

async fn failing_jobs_come_back_later_and_are_parked_in_the_end(database: Database) {
    let (store, log) = (database.open().await, Log::default());
    let [fail, panic, hang, hopeless, away] = std::array::from_fn(|_| log.clone());
    let registry = log
        .registry()
        .with(move |_, _: Fail| {
            fail.note(Fail::SPEC.name);
            std::future::ready(Err(WorkersError::Failed("the ink is dry".to_owned())))
        })
        .with(move |_, _: Panic| {
            panic.note(Panic::SPEC.name);
            async { panic!("the pen broke") }
        })
        .with(move |_, _: Hang| {
            hang.note(Hang::SPEC.name);
            std::future::pending()
        })
        .with(move |_, _: Hopeless| {
            hopeless.note(Hopeless::SPEC.name);
            std::future::ready(Err(WorkersError::Hopeless("there is no paper".to_owned())))
        })
        .with(move |_, _: Away| {
            away.note(Away::SPEC.name);
            let gone = away.times(Away::SPEC.name).len() <= 2;
            std::future::ready(if gone { Err(StoreError::Unavailable("gone fishing".into()).into()) } else { Ok(()) })
        });
    let process = Process::start(&store, registry);
    enqueue(&store, &Fail {}).await;
    enqueue(&store, &Panic {}).await;
    enqueue(&store, &Hang {}).await;
    enqueue(&store, &Hopeless {}).await;
    enqueue(&store, &Away {}).await;

    until(&store, "SELECT COUNT(*) FROM ASKED WHERE status = 'Killed'", 4, Duration::from_secs(20)).await;
    let runs = log.times(Fail::SPEC.name);
    assert_eq!(runs.len(), 3);
    assert!(runs[1] - runs[0] >= Duration::from_secs(1), "the first pause: {:?}", runs[1] - runs[0]);
    assert!(runs[2] - runs[1] >= Duration::from_secs(2), "it doubles: {:?}", runs[2] - runs[1]);
    assert_eq!(log.times(Panic::SPEC.name).len(), 2);
    assert_eq!(log.times(Hang::SPEC.name).len(), 2);
    assert_eq!(log.times(Hopeless::SPEC.name).len(), 1);

    // Two attempts are all that it has, but those without a database don't count.
    until(&store, "SELECT COUNT(*) FROM ASKED WHERE status = 'Done' AND attempts = 3", 1, Duration::from_secs(5)).await;
    assert_eq!(log.times(Away::SPEC.name).len(), 3);

    // The reason stands in the job's row, and once in the journal.
    for reason in ["the ink is dry", "the pen broke", "not done after 0.9 s", "there is no paper"] {
        let row = format!("SELECT COUNT(*) FROM QUEUE WHERE CAST(last_result AS TEXT) LIKE '%{reason}%'");
        assert_eq!(count(&store, &row).await, 1, "{reason}");
        let journal = format!("SELECT COUNT(*) FROM journal WHERE action = 'job.parked' AND data LIKE '%{reason}%'");
        assert_eq!(count(&store, &journal).await, 1, "{reason}");
    }
    assert_eq!(count(&store, "SELECT COUNT(*) FROM journal WHERE action = 'job.parked'").await, 4);
    assert!(process.is_running());
    process.stop().await;
}

async fn jobs_that_nobody_can_do_do_not_stop_the_others(database: Database) {
    let (store, log) = (database.open().await, Log::default());
    let unreadable = enqueue(&store, &Touch {}).await;
    change(&store, &format!("UPDATE QUEUE SET job = CAST('not a job' AS BYTES) WHERE id = '{unreadable}'")).await;
    // Its worker died so often that it is not tried once more.
    let deadly = enqueue(&store, &Touch {}).await;
    change(&store, &format!("UPDATE QUEUE SET attempts = max_attempts WHERE id = '{deadly}'")).await;
    // Whoever enqueued it knows a job that we don't.
    let stranger = Envelope { job: "test_stranger".to_owned(), payload: json!({}) };
    let stranger = store.enqueue(&Touch::SPEC, &stranger, &Options::default()).await.unwrap();
    let process = Process::start(&store, log.registry());
    enqueue(&store, &Touch {}).await;

    log.wait(Touch::SPEC.name, 1, Duration::from_secs(10)).await;
    let state = |id: &str, state: &str| format!("SELECT COUNT(*) FROM QUEUE WHERE id = '{id}' AND status = '{state}'");
    until(&store, &state(&deadly, "Killed"), 1, Duration::from_secs(5)).await;
    until(&store, &state(&stranger, "Failed"), 1, Duration::from_secs(5)).await;
    until(&store, &state(&unreadable, "Killed"), 1, Duration::from_secs(5)).await;
    let parked = "SELECT COUNT(*) FROM journal WHERE action = 'job.parked' AND data LIKE '%did not come to an end%'";
    assert_eq!(count(&store, parked).await, 1);
    assert_eq!(log.times(Touch::SPEC.name).len(), 1);
    process.stop().await;
}
