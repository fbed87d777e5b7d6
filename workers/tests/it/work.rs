//! The handlers do their work, and do no harm when they run twice.

use std::time::Duration;

use domain::blame::BlameConfig;
use domain::time::{DAY, MINUTE};
use domain::{AccountKey, ApiId};
use jobs::{CheckCapacity, Envelope, ExpireLeases, ImportCredentials, Job, MeasurePool, Prune, ScoreHealth};
use serde_json::json;
use store::allocator::{Allocator, Command, Release, Report};
use store::{Origin, Store};
use workers::{Context, Registry, WorkerConfig, WorkersError};

use crate::databases::{Database, change, count};
use crate::on_both;
use crate::stage::{Log, Process, add_credential, allocate, asker, enqueue, tenant, until};

on_both!(
    results_become_scores,
    ended_leases_are_released,
    the_level_is_told_once_for_each_change,
    the_pool_is_measured_once,
    only_old_rows_are_pruned,
    an_upload_is_imported_once,
);

async fn perform<J: Job>(store: &Store, job: &J) -> workers::Result<()> {
    let context = Context { store: store.clone(), config: WorkerConfig::default(), run: None };
    Registry::standard().perform(&context, &Envelope::wrap(job).unwrap()).await
}

async fn results_become_scores(database: Database) {
    let store = database.open().await;
    let (good, bad) = (add_credential(&store, 1001, 5).await, add_credential(&store, 1002, 5).await);
    let (allocator, _task) = Allocator::start(store.clone(), BlameConfig::default());
    for n in 0..40 {
        for (api_id, error) in [(1001, None), (1002, Some("API_ID_INVALID"))] {
            let report = Report {
                api_id: ApiId::new(api_id).unwrap(),
                success: error.is_none(),
                error: error.map(str::to_owned),
                account: None,
                proxy_id: None,
                latency_ms: None,
                result_id: Some(format!("{api_id}-{n}")),
                at: None,
            };
            allocator.ask(asker(), Command::Report(report)).await.unwrap();
        }
    }
    perform(&store, &ScoreHealth::default()).await.unwrap();
    let grade = async |id| store.health_of(&tenant(), id).await.unwrap().0.unwrap().score;
    let scores = (grade(&good).await, grade(&bad).await);
    assert!(scores.0 > scores.1, "{scores:?}");
    perform(&store, &ScoreHealth::default()).await.unwrap();
    assert_eq!((grade(&good).await, grade(&bad).await), scores, "nothing counts twice");
}

async fn ended_leases_are_released(database: Database) {
    let store = database.open().await;
    add_credential(&store, 1001, 1000).await;
    let (allocator, _task) = Allocator::start(store.clone(), BlameConfig::default());
    allocate(&allocator, 0..450, Some(5 * MINUTE)).await;
    allocate(&allocator, 450..460, Some(60 * MINUTE)).await;
    allocate(&allocator, 460..470, None).await;
    let held = "SELECT COUNT(*) FROM accounts WHERE allocation_id IS NOT NULL";
    perform(&store, &ExpireLeases::default()).await.unwrap();
    assert_eq!(count(&store, held).await, 470, "no lease has ended");
    database.advance(6 * MINUTE);
    perform(&store, &ExpireLeases::default()).await.unwrap();
    assert_eq!(count(&store, held).await, 20);
    perform(&store, &ExpireLeases::default()).await.unwrap();
    assert_eq!(count(&store, held).await, 20);
}

async fn the_level_is_told_once_for_each_change(database: Database) {
    let store = database.open().await;
    add_credential(&store, 1001, 20).await;
    let (allocator, _task) = Allocator::start(store.clone(), BlameConfig::default());
    let told = async |expected: [i64; 3]| {
        for _ in 0..2 {
            perform(&store, &CheckCapacity::default()).await.unwrap();
        }
        let mut found = [0; 3];
        for (found, level) in found.iter_mut().zip(["warning", "critical", "restored"]) {
            *found = count(&store, &format!("SELECT COUNT(*) FROM journal WHERE action = 'capacity.{level}'")).await;
        }
        assert_eq!(found, expected);
    };
    told([0, 0, 0]).await;
    allocate(&allocator, 0..16, None).await;
    told([1, 0, 0]).await;
    allocate(&allocator, 16..20, None).await;
    told([1, 1, 0]).await;
    for n in 0..20 {
        let account = AccountKey::parse("account", &format!("account-{n}")).unwrap();
        allocator.ask(asker(), Command::Release(Release::Account(account))).await.unwrap();
    }
    told([1, 1, 1]).await;
}

async fn the_pool_is_measured_once(database: Database) {
    let store = database.open().await;
    add_credential(&store, 1001, 20).await;
    let (allocator, _task) = Allocator::start(store.clone(), BlameConfig::default());
    allocate(&allocator, 0..12, None).await;
    for _ in 0..2 {
        perform(&store, &MeasurePool::default()).await.unwrap();
        let figures =
            "SELECT COUNT(*) FROM pool_figures WHERE allocated = 12 AND released = 0 AND slots = 20 AND used = 12";
        assert_eq!(count(&store, figures).await, 1);
        assert_eq!(count(&store, "SELECT COUNT(*) FROM pool_figures").await, 1);
    }
}

async fn only_old_rows_are_pruned(database: Database) {
    let store = database.open().await;
    database.advance(-400 * DAY);
    // More than one step of journal rows.
    add_credential(&store, 1001, 1000).await;
    let (allocator, _task) = Allocator::start(store.clone(), BlameConfig::default());
    allocate(&allocator, 0..450, None).await;
    perform(&store, &MeasurePool::default()).await.unwrap();
    let old = enqueue(&store, &Prune::default()).await;
    let waiting = enqueue(&store, &Prune::default()).await;
    change(&store, &format!("UPDATE QUEUE SET status = 'Done' WHERE id = '{old}'")).await;
    database.advance(400 * DAY);
    let new = enqueue(&store, &Prune::default()).await;
    change(&store, &format!("UPDATE QUEUE SET status = 'Done' WHERE id = '{new}'")).await;
    add_credential(&store, 1002, 5).await;
    allocate(&allocator, 450..460, None).await;
    assert_eq!(count(&store, "SELECT COUNT(*) FROM journal").await, 462);
    perform(&store, &MeasurePool::default()).await.unwrap();
    assert_eq!(count(&store, "SELECT COUNT(*) FROM pool_figures").await, 2);

    perform(&store, &Prune::default()).await.unwrap();
    assert_eq!(count(&store, "SELECT COUNT(*) FROM journal").await, 11);
    assert_eq!(count(&store, "SELECT COUNT(*) FROM pool_figures WHERE allocated = 10").await, 1);
    assert_eq!(count(&store, "SELECT COUNT(*) FROM pool_figures").await, 1, "old figures go with the results");
    let left = format!("SELECT COUNT(*) FROM QUEUE WHERE id IN ('{waiting}', '{new}')");
    assert_eq!(count(&store, &left).await, 2, "what waits is kept, however old");
    assert_eq!(count(&store, "SELECT COUNT(*) FROM ASKED").await, 2);
    assert_eq!(count(&store, "SELECT COUNT(*) FROM accounts").await, 460, "the present is kept");
}

async fn an_upload_is_imported_once(database: Database) {
    let (store, log) = (database.open().await, Log::default());
    let lines: Vec<String> = (0..500).map(|n| format!("{}:{:032x}:app {n}", 2_000_000 + n, 77 + n)).collect();
    let upload = json!({
        "format": "text", "data": format!("{}\nnot a credential", lines.join("\n")), "columns": null,
        "default_max_accounts": 3, "group_id": null,
    });
    let (_, batch_id) = store.import_later(&tenant(), &Origin::internal("user:lin"), &upload).await.unwrap();
    let config = WorkerConfig { samples: vec![2_000_499], ..WorkerConfig::default() };
    let process = Process::start_with(&store, log.registry(), config);
    until(&store, "SELECT COUNT(*) FROM ASKED WHERE status = 'Done'", 1, Duration::from_secs(20)).await;
    process.stop().await;
    assert_eq!(count(&store, "SELECT COUNT(*) FROM credentials WHERE max_accounts = 3").await, 499);
    let batch = format!(
        "SELECT COUNT(*) FROM batches WHERE id = '{batch_id}' AND actor = 'user:lin' AND upload IS NULL \
         AND imported = 499 AND duplicates = 0 AND rejected = 2"
    );
    assert_eq!(count(&store, &batch).await, 1);
    let journal = "SELECT COUNT(*) FROM journal WHERE actor = 'job:import_credentials' AND action = 'batch.imported'";
    assert_eq!(count(&store, journal).await, 1);

    // Once more: nothing waits, nothing changes.
    let again = ImportCredentials { tenant_id: tenant().as_str().to_owned(), batch_id };
    perform(&store, &again).await.unwrap();
    assert_eq!(count(&store, &batch).await, 1);
    assert_eq!(count(&store, journal).await, 1);
    let unknown = ImportCredentials { tenant_id: tenant().as_str().to_owned(), batch_id: "nothing".to_owned() };
    assert!(matches!(perform(&store, &unknown).await, Err(WorkersError::Store(_))));
}
