//! What happens by itself, in time: ticks, leases, scores.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::Connection;

use crate::harness::{Api, Kind, Place};
use crate::on_both;

on_both!(an_ended_lease_is_free_for_the_next);

/// The jobs that run every minute, and those that may be due at the same time.
const EVERY_MINUTE: [&str; 3] = ["check_capacity", "expire_leases", "measure_pool"];
const NOW_AND_THEN: [&str; 2] = ["prune", "score_health"];

// These wait for the clock, so both databases wait together.

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_enqueue_a_tick_once() {
    tokio::join!(ticks(Kind::Sqlite), ticks(Kind::Postgres));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_results_is_scored_soon() {
    tokio::join!(bursts(Kind::Sqlite), bursts(Kind::Postgres));
}

async fn ticks(kind: Kind) {
    let place = Place::new(kind).await;
    let (server, worker) = (place.serve().await, place.start("worker").await);
    let owner = server.owner().await;
    owner.import(1_000_000, 1, 2).await;
    owner.ok("POST", "/api/admin/api-pool/allocate", json!({ "account_id": "leaves", "ttl_seconds": 1 })).await;
    owner.ok("POST", "/api/admin/api-pool/allocate", json!({ "account_id": "stays" })).await;

    // The next full minute; then a while in which a twin would be seen.
    let settled = || async {
        let jobs = jobs(&place).await;
        let ticked = EVERY_MINUTE.iter().all(|name| jobs.iter().any(|job| job.name == *name));
        (ticked && jobs.iter().all(Job::is_done)).then_some(())
    };
    until(Duration::from_secs(75), settled, &format!("{kind:?}: a tick is done")).await;
    tokio::time::sleep(Duration::from_secs(2)).await;

    let jobs = jobs(&place).await;
    let mut ticks: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
    for job in &jobs {
        let key = job.key.as_deref().unwrap_or_else(|| panic!("{kind:?}: a tick without a key: {job:?}"));
        let (name, tick) = key.split_once(':').unwrap();
        let tick: u64 = tick.parse().unwrap_or_else(|_| panic!("{kind:?}: {job:?}"));
        assert_eq!((name, tick % 60), (job.name.as_str(), 0), "{kind:?}: {job:?}");
        assert!(ticks.entry(name).or_default().insert(tick), "{kind:?}: enqueued twice: {jobs:?}");
        assert!(job.is_done() && job.attempts == 1, "{kind:?}: not run once: {job:?}");
        println!("{kind:?}: {key} was done after {} s", job.done_at.unwrap_or_default() - tick as i64);
    }
    for name in EVERY_MINUTE {
        assert!(ticks.contains_key(name), "{kind:?}: {name} had no tick: {jobs:?}");
    }
    assert_eq!(ticks[EVERY_MINUTE[0]], ticks[EVERY_MINUTE[1]], "{kind:?}");
    assert_eq!(ticks[EVERY_MINUTE[0]], ticks[EVERY_MINUTE[2]], "{kind:?}");
    let known = |name: &&str| EVERY_MINUTE.contains(name) || NOW_AND_THEN.contains(name);
    assert!(ticks.keys().all(known), "{kind:?}: {jobs:?}");

    // What the job was for: the lease has ended, the other allocation has not.
    let rows = owner.all("/api/admin/api-pool/allocations?status=released,allocated").await;
    let state = |account: &str| {
        let of_account: Vec<_> = rows.iter().filter(|row| row["account_id"] == account).collect();
        assert_eq!(of_account.len(), 1, "{kind:?}: {rows:?}");
        of_account[0]["status"].as_str().unwrap().to_owned()
    };
    assert_eq!((state("leaves"), state("stays")), ("released".to_owned(), "allocated".to_owned()), "{kind:?}");
    assert_eq!(credential(&owner, 1_000_000).await["current_accounts"], 1, "{kind:?}");
    let history = owner.all("/api/admin/api-pool/history?account_id=leaves").await;
    let by_the_job = history.iter().filter(|row| row["operator"] == "job:expire_leases").count();
    assert_eq!(by_the_job, 1, "{kind:?}: {history:?}");
    // The lease may have ended behind the count of its minute.
    let trend = owner.ok("GET", "/api/admin/api-pool/trend?hours=1", json!(null)).await;
    let points = trend["points"].as_array().unwrap();
    let allocated: i64 = points.iter().map(|point| point["allocated"].as_i64().unwrap()).sum();
    assert_eq!(
        (allocated, &points[11]["slots"], trend["measured_at"].is_string()),
        (2, &json!(2), true),
        "{kind:?}: {trend}"
    );
    server.stop().await;
    worker.stop().await;
    place.assert_sound();
}

/// Without any worker: an allocation never waits for the job.
async fn an_ended_lease_is_free_for_the_next(kind: Kind) {
    const PATH: &str = "/api/admin/api-pool/allocate";
    const RENEW: &str = "/api/admin/api-pool/renew";
    let place = Place::new(kind).await;
    let server = place.start("api").await;
    let owner = server.owner().await;
    owner.import(1_000_000, 1, 1).await;
    let lease = owner.ok("POST", PATH, json!({ "account_id": "a", "ttl_seconds": 60 })).await;
    owner.fails("POST", PATH, json!({ "account_id": "b" }), 409, 3001).await;
    // A lease counts from its renewal.
    let renewed = owner.ok("POST", RENEW, json!({ "account_id": "a", "ttl_seconds": 2 })).await;
    assert_eq!(renewed["allocation_id"], lease["allocation_id"]);

    let taken = || async {
        let (status, answer) = owner.allocate("b").await.unwrap();
        assert!(status.is_success() || answer["error"]["number"] == 3001, "{answer}");
        status.is_success().then(|| answer["data"].clone())
    };
    let next = until(Duration::from_secs(5), taken, "the slot is free").await;
    assert!(next["allocated_at"].as_str() >= renewed["expires_at"].as_str(), "before the lease had ended: {next}");
    let expected = (&json!(false), &lease["api_id"], &json!(null));
    assert_eq!((&next["existing"], &next["api_id"], &next["expires_at"]), expected);
    let held = owner.ok("GET", "/api/admin/api-pool/account?account_id=a", json!(null)).await;
    assert_eq!(held, json!(null), "a lease that has ended");
    owner.fails("POST", RENEW, json!({ "account_id": "a", "ttl_seconds": 9 }), 404, 3006).await;
    owner.fails("POST", "/api/admin/api-pool/release", json!({ "account_id": "a" }), 404, 3006).await;
    owner.fails("POST", PATH, json!({ "account_id": "a" }), 409, 3001).await;
    assert_eq!(credential(&owner, 1_000_000).await["current_accounts"], 1);
    server.stop().await;
    place.assert_sound();
}

async fn bursts(kind: Kind) {
    const SOON: Duration = Duration::from_secs(30);
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    owner.import(1_000_000, 3, 5).await;
    let health = owner.ok("GET", "/api/admin/api-pool/health", json!(null)).await;
    assert_eq!(health["average_score"], 100.0, "{health}");

    report(&owner, 1_000_000, 900, None).await;
    report(&owner, 1_000_001, 900, Some("API_ID_INVALID")).await;
    let first = Instant::now();
    scored(&owner, 1_000_000, 900, SOON).await;
    scored(&owner, 1_000_001, 900, SOON).await;
    println!("{kind:?}: the first burst is scored after {:.1?}", first.elapsed());
    report(&owner, 1_000_002, 150, None).await;
    let second = Instant::now();
    scored(&owner, 1_000_002, 150, SOON).await;
    println!("{kind:?}: the second burst is scored after {:.1?}", second.elapsed());

    let good = health_of(&owner, 1_000_000).await;
    assert_eq!((&good["score"], &good["grade"]), (&json!(100), &json!("excellent")), "{good}");
    let bad = health_of(&owner, 1_000_001).await;
    assert_eq!((&bad["grade"], &bad["consecutive_failures"]), (&json!("critical"), &json!(900)), "{bad}");
    let pool = owner.ok("GET", "/api/admin/api-pool/health", json!(null)).await;
    assert_eq!(pool["grade_distribution"]["critical"], 1, "{pool}");
    assert_eq!(pool["critical_apis"][0]["api_id"], "1000001", "{pool}");
    assert!(pool["updated_at"].as_str() > health["updated_at"].as_str(), "{health} {pool}");
    server.stop().await;
    place.assert_sound();
}

async fn report(owner: &Api, api_id: usize, count: usize, error: Option<&str>) {
    let one = json!({ "api_id": api_id, "success": error.is_none(), "error": error, "account_id": "+86130" });
    let answer = owner.ok("POST", "/api/admin/api-pool/results", json!({ "results": vec![one; count] })).await;
    assert!(answer["results"].as_array().unwrap().iter().all(|r| r["success"] == true), "{answer}");
}

/// Waits until a credential's score rests on so many results. Their weight fades a little.
async fn scored(owner: &Api, api_id: usize, results: usize, patience: Duration) {
    let rests = || async {
        let sample = health_of(owner, api_id).await["parts"]["sample"].as_f64()?;
        ((sample - results as f64).abs() < 0.5).then_some(())
    };
    until(patience, rests, &format!("{api_id} is scored by {results} results")).await;
}

async fn credential(owner: &Api, api_id: usize) -> Value {
    let (rows, wanted) = (owner.all("/api/admin/api-pool/?sort=name").await, api_id.to_string());
    rows.into_iter().find(|row| row["api_id"] == wanted).unwrap()
}

async fn health_of(owner: &Api, api_id: usize) -> Value {
    let id = credential(owner, api_id).await["id"].as_str().unwrap().to_owned();
    owner.ok("GET", &format!("/api/admin/api-pool/{id}/health"), json!(null)).await
}

async fn until<T, F: Future<Output = Option<T>>>(patience: Duration, mut look: impl FnMut() -> F, what: &str) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(started.elapsed() < patience, "waited {patience:?}: {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A row of the queue.
#[derive(Debug)]
struct Job {
    name: String,
    key: Option<String>,
    status: String,
    attempts: i64,
    /// In seconds since 1970, as its tick is.
    done_at: Option<i64>,
}

impl Job {
    fn is_done(&self) -> bool {
        self.status == "Done"
    }
}

/// The queue as it is in the database.
async fn jobs(place: &Place) -> Vec<Job> {
    type Row = (Vec<u8>, Option<String>, String, i64, Option<i64>);
    let rows: Vec<Row> = match place.kind {
        Kind::Sqlite => {
            let url = format!("sqlite://{}?mode=ro", place.database().display());
            let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
            let query = sqlx::query_as("SELECT job, idempotency_key, status, attempts, done_at FROM Jobs");
            query.fetch_all(&mut connection).await.unwrap()
        }
        Kind::Postgres => {
            let url = place.url.as_deref().unwrap();
            let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
            let query = sqlx::query_as(
                "SELECT job, idempotency_key, status, attempts::bigint, extract(epoch FROM done_at)::bigint FROM apalis.jobs",
            );
            query.fetch_all(&mut connection).await.unwrap()
        }
    };
    let read = |(job, key, status, attempts, done_at): Row| {
        let envelope: Value = serde_json::from_slice(&job).unwrap();
        Job { name: envelope["job"].as_str().unwrap().to_owned(), key, status, attempts, done_at }
    };
    rows.into_iter().map(read).collect()
}
