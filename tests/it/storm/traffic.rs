//! 256 clients at once: 4,000 accounts, 2,000 of them asked for again, half released and
//! coming back, some newcomers in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::future::{join_all, try_join_all};
use serde_json::{Value, json};

use super::ledger::{Held, Ledger, Told, What, assert_database_agrees};
use crate::harness::{Api, Kind, PATIENCE, Place};

const FIRST: usize = 1_000_000;
const CREDENTIALS: usize = 1_000;
const SLOTS: usize = 5;
const ACCOUNTS: usize = 4_000;
const NEWCOMERS: usize = 500;
const CLIENTS: usize = 256;

#[tokio::test(flavor = "multi_thread")]
async fn one_process_on_sqlite() {
    storm(Kind::Sqlite, &["serve"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_on_sqlite() {
    storm(Kind::Sqlite, &["serve", "api"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_processes_on_postgres() {
    storm(Kind::Postgres, &["api", "serve", "api"]).await;
}

async fn storm(kind: Kind, roles: &[&str]) {
    let place = Place::new(kind).await;
    let mut servers = Vec::new();
    for role in roles {
        servers.push(place.start(role).await);
    }
    let owner = servers[0].owner().await;
    let imported = owner.import(FIRST, CREDENTIALS, SLOTS).await;
    assert_eq!((imported["imported"].as_u64(), imported["rejected"].as_u64()), (Some(CREDENTIALS as u64), Some(0)));
    let service = servers[0].service(&["credpool:*"]).await;
    let callers: Vec<Api> = servers.iter().map(|server| service.at(&server.base)).collect();
    join_all(callers.iter().map(known)).await;

    let mut ledger = Ledger::default();
    ledger.enter(wave("allocate and repeat", &callers, first_wave()).await);
    assert_eq!(ledger.born(), ACCOUNTS, "one allocation for each account, however often it asked");
    if roles.len() == 1 {
        // The default strategy, when nobody else takes credentials at the same time.
        let each = ACCOUNTS / CREDENTIALS;
        assert_eq!(ledger.spread(), (each, each), "balanced: the fewest and the most on a credential");
    }
    ledger.enter(wave("half leave, some come back at once", &callers, second_wave()).await);
    ledger.enter(wave("the others come back", &callers, third_wave()).await);

    ledger.assert_never_too_many(SLOTS);
    let (returned, sure) = ledger.assert_returners_got_theirs(SLOTS);
    println!("{returned} came back, {sure} of them had room for sure");
    assert_eq!(returned, ACCOUNTS / 2);
    assert!(sure > returned / 2, "too few returners with room for sure: {sure} of {returned}");
    let standing = ledger.standing();
    assert_eq!(standing.len(), ACCOUNTS + NEWCOMERS);
    assert_database_agrees(&owner, &standing, CREDENTIALS).await;
    place.assert_sound();
    for server in servers {
        server.stop().await;
    }
    place.assert_sound();
}

/// A token that one process has issued is good at the others within a second.
async fn known(caller: &Api) {
    let started = Instant::now();
    loop {
        let (status, answer) =
            caller.send("GET", "/api/admin/api-pool/account?account_id=x", json!(null)).await.unwrap();
        if status.is_success() {
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(2), "the token is still unknown: {answer}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What one client does in one go.
#[derive(Clone, Copy)]
enum Task {
    Allocate(usize),
    Release(usize),
    /// Leaves, and comes back at once.
    Bounce(usize),
}

/// Everybody once; every fourth twice in a row, so that two clients ask at the same time; every
/// fourth again a while later.
fn first_wave() -> Vec<Task> {
    const LATER: usize = 400;
    let mut tasks = Vec::new();
    for n in 0..ACCOUNTS + LATER {
        if n < ACCOUNTS {
            tasks.push(Task::Allocate(n));
            tasks.extend((n % 4 == 0).then_some(Task::Allocate(n)));
        }
        tasks.extend(n.checked_sub(LATER).filter(|n| n % 4 == 1).map(Task::Allocate));
    }
    assert_eq!(tasks.len(), ACCOUNTS + ACCOUNTS / 2);
    tasks
}

/// Every second account leaves; half of those come back at once, while newcomers take free slots.
fn second_wave() -> Vec<Task> {
    let mut tasks = Vec::new();
    for n in 0..ACCOUNTS {
        tasks.extend(match n % 4 {
            1 => Some(Task::Bounce(n)),
            3 => Some(Task::Release(n)),
            _ => None,
        });
        tasks.extend((n % (ACCOUNTS / NEWCOMERS) == 0).then(|| Task::Allocate(ACCOUNTS + n / (ACCOUNTS / NEWCOMERS))));
    }
    tasks
}

/// The others come back, some of them through two clients at once.
fn third_wave() -> Vec<Task> {
    let returners = (0..ACCOUNTS).filter(|n| n % 4 == 3);
    returners.flat_map(|n| std::iter::repeat_n(Task::Allocate(n), if n % 5 == 0 { 2 } else { 1 })).collect()
}

/// All clients take tasks from one list until it is empty.
async fn wave(name: &str, callers: &[Api], tasks: Vec<Task>) -> Vec<Told> {
    let started = Instant::now();
    let (tasks, next) = (Arc::new(tasks), Arc::new(AtomicUsize::new(0)));
    let clients = (0..CLIENTS).map(|client| {
        let (caller, tasks, next) = (callers[client % callers.len()].clone(), tasks.clone(), next.clone());
        tokio::spawn(async move {
            let mut told = Vec::new();
            while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Task::Release(n) | Task::Bounce(n) = task {
                    told.push(release(&caller, *n).await);
                }
                if let Task::Allocate(n) | Task::Bounce(n) = task {
                    told.push(allocate(&caller, *n).await);
                }
            }
            told
        })
    });
    let clients = tokio::time::timeout(2 * PATIENCE, try_join_all(clients)).await.expect("a wave comes to an end");
    let told: Vec<Told> = clients.unwrap().into_iter().flatten().collect();
    let (count, seconds) = (told.len(), started.elapsed().as_secs_f64());
    let slowest = told.iter().map(|t| t.answered - t.asked).max().unwrap_or_default();
    println!("{name}: {count} requests in {seconds:.1} s, {:.0}/s, the slowest {slowest:.1?}", count as f64 / seconds);
    told
}

fn account(n: usize) -> String {
    format!("+8613{n:09}")
}

async fn allocate(caller: &Api, n: usize) -> Told {
    let (account, asked) = (account(n), Instant::now());
    let data = caller.ok("POST", "/api/admin/api-pool/allocate", json!({ "account_id": account })).await;
    let what = What::Allocated {
        held: Held::allocated(&account, &data),
        existing: data["existing"].as_bool().unwrap(),
        strategy: data["strategy_used"].as_str().unwrap().to_owned(),
    };
    Told { account, asked, answered: Instant::now(), what }
}

async fn release(caller: &Api, n: usize) -> Told {
    let (account, asked) = (account(n), Instant::now());
    let data: Value = caller.ok("POST", "/api/admin/api-pool/release", json!({ "account_id": account })).await;
    Told { account, asked, answered: Instant::now(), what: What::Released(Held::read(&data)) }
}
