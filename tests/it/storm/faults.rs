//! A database that is slow, locked, full or gone, under load: whoever gets no success is told so in
//! time and as the contract says, no success is lost, and all goes on by itself when it is over.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::json;
use sqlx::Connection;
use tokio::task::JoinHandle;

use super::clients::{Client, Outcome, settle, standing};
use super::disk::Disk;
use super::ledger::{assert_database_agrees, look_up};
use crate::cluster::Cluster;
use crate::contract::{Reply, pool};
use crate::harness::{Api, Kind, PATIENCE, PROGRAM, Place, Server, assert_sound};
use crate::on_both;
use crate::small_disk::SmallDisk;

const FIRST: usize = 5_000_000;
const CREDENTIALS: usize = 100;
const SLOTS: usize = 5;
const CLIENTS: usize = 8;
const ACCOUNTS_EACH: usize = 40;
/// How long it goes well before.
const CALM: Duration = Duration::from_secs(1);
/// How many milliseconds longer a commit takes.
const SLOW: u32 = 100;
/// How long each fault lasts.
const LOCKED: Duration = Duration::from_secs(5);
const FULL: Duration = Duration::from_secs(5);
const GONE: Duration = Duration::from_secs(10);
/// How long a request may take at most: its own wait for the database, and that of those before it.
const LONGEST: Duration = Duration::from_secs(40);
/// A client that was told to come back does so a little later.
const PAUSE: Duration = Duration::from_millis(200);

async fn slow(kind: Kind) {
    let place = match kind {
        Kind::Sqlite => Place::new(kind).await,
        Kind::Postgres => {
            let microseconds = SLOW * 1000;
            Place::on(Cluster::start(&format!("-c commit_delay={microseconds} -c commit_siblings=0"))).await
        }
    };
    let mut command = place.command();
    command.arg("serve");
    if kind == Kind::Sqlite {
        assert!(place.run(&["migrate"]).status.success(), "that may be quick");
        Disk::new(&place).slow(&mut command, SLOW);
    }
    let server = Server::spawn(command, place.dir.path()).await;
    let owner = server.owner().await;
    let begun = Instant::now();
    owner.ok("POST", &pool("groups"), json!({ "name": "slow" })).await;
    assert!(begun.elapsed() >= Duration::from_millis(SLOW.into()), "a commit took only {:?}", begun.elapsed());
    let load = Load::begin(&server).await;
    tokio::time::sleep(LOCKED).await;
    let seen = load.end().await;
    assert_eq!(seen.failures, 0, "slow is not broken");
    server.stop().await;
    place.assert_sound();
}

async fn locked(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let load = Load::begin(&server).await;
    let held = place.hold().await;
    tokio::time::sleep(LOCKED).await;
    drop(held);
    let seen = load.end().await;
    assert!(seen.slowest > LOCKED / 2, "nobody waited for it");
    server.stop().await;
    place.assert_sound();
}

on_both!(slow, locked);

#[tokio::test(flavor = "multi_thread")]
async fn full_on_sqlite() {
    let (place, disk) = (Place::new(Kind::Sqlite).await, SmallDisk::new(48));
    let command = || {
        let mut command = place.prepared(disk.enter(PROGRAM));
        command.env("DATABASE_PATH", disk.path().join("pool.db"));
        command
    };
    let mut serve = command();
    serve.arg("serve");
    let server = Server::spawn(serve, place.dir.path()).await;
    let load = Load::begin(&server).await;
    disk.fill();
    load.until_it_fails().await;
    tokio::time::sleep(FULL).await;
    disk.free();
    load.end().await;
    assert_sound(command());
    server.stop().await;
    assert_sound(command());
}

/// First no table can grow any more, then not even the log; that ends PostgreSQL, and whoever makes
/// room starts it again.
#[tokio::test(flavor = "multi_thread")]
async fn full_on_postgres() {
    const NEXT_PART: &str = "SELECT pg_switch_wal()";
    let place = Place::on(Cluster::on(SmallDisk::new(160))).await;
    let cluster = place.cluster.as_ref().unwrap();
    let disk = cluster.disk.as_ref().unwrap();
    let server = place.serve().await;
    let load = Load::begin(&server).await;
    let mut admin = sqlx::PgConnection::connect(&cluster.url()).await.unwrap();
    // The log has a new part of its own, which will do for now.
    sqlx::query(NEXT_PART).execute(&mut admin).await.unwrap();
    load.goes_on().await;
    disk.fill();
    load.until_it_fails().await;
    tokio::time::sleep(FULL).await;
    disk.free();
    load.goes_on().await;

    disk.fill();
    // What is left of that part is not used: the next finds no room.
    while sqlx::query(NEXT_PART).execute(&mut admin).await.is_ok() {
        tokio::time::sleep(PAUSE).await;
    }
    until("PostgreSQL has ended", || !cluster.is_up()).await;
    load.until_it_fails().await;
    disk.free();
    cluster.start_again();
    load.end().await;
    server.stop().await;
    place.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn gone_on_postgres() {
    let place = Place::on(Cluster::start("")).await;
    let server = place.serve().await;
    let load = Load::begin(&server).await;
    let cluster = place.cluster.as_ref().unwrap();
    cluster.crash();
    tokio::time::sleep(GONE).await;
    cluster.start_again();
    let seen = load.end().await;
    assert!(seen.failures > 0 || seen.slowest > GONE / 2, "nobody missed it");
    server.stop().await;
    place.assert_sound();
}

/// Clients that allocate and release without a pause.
struct Load {
    owner: Api,
    clients: Vec<JoinHandle<(Client, Seen)>>,
    /// Of each client.
    successes: Vec<Arc<AtomicUsize>>,
    failures: Arc<AtomicUsize>,
    done: Arc<AtomicBool>,
}

/// What there was to see.
#[derive(Clone, Copy, Debug)]
struct Seen {
    failures: usize,
    slowest: Duration,
}

impl Load {
    async fn begin(server: &Server) -> Self {
        let owner = server.owner().await;
        owner.import(FIRST, CREDENTIALS, SLOTS).await;
        let service = server.service(&["credpool:*"]).await;
        let (failures, done) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let mut load = Self { owner, clients: Vec::new(), successes: Vec::new(), failures, done };
        for n in 0..CLIENTS {
            let client = Client::new(n, service.clone(), ACCOUNTS_EACH, n as u64);
            let successes = Arc::<AtomicUsize>::default();
            load.successes.push(successes.clone());
            let trading = trade(client, server.base.clone(), successes, load.failures.clone(), load.done.clone());
            load.clients.push(tokio::spawn(trading));
        }
        load.goes_on().await;
        tokio::time::sleep(CALM).await;
        load
    }

    /// Every client is served.
    async fn goes_on(&self) {
        let before: Vec<usize> = self.successes.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        let served = || {
            let clients = before.iter().zip(&self.successes);
            clients.into_iter().all(|(before, now)| now.load(Ordering::Relaxed) > *before + 1)
        };
        until("everybody is served", || served() || self.has_ended()).await;
    }

    async fn until_it_fails(&self) {
        let before = self.failures.load(Ordering::Relaxed);
        let failed = || self.failures.load(Ordering::Relaxed) > before;
        until("somebody gets no success", || failed() || self.has_ended()).await;
    }

    /// A client ends early when something is wrong with an answer.
    fn has_ended(&self) -> bool {
        self.clients.iter().any(JoinHandle::is_finished)
    }

    /// When the fault is over: everybody is served again, and everything is as it was told.
    async fn end(self) -> Seen {
        let over = Instant::now();
        self.goes_on().await;
        let resumed = over.elapsed();
        tokio::time::sleep(CALM).await;
        self.done.store(true, Ordering::Relaxed);
        let (clients, seen): (Vec<Client>, Vec<Seen>) =
            join_all(self.clients).await.into_iter().map(Result::unwrap).unzip();
        let seen = seen.into_iter().reduce(Seen::and).unwrap();
        println!("{} answers, resumed after {resumed:?}; {seen:?}", clients.iter().map(|c| c.answered).sum::<usize>());
        assert!(seen.slowest < LONGEST, "somebody waited for {:?}", seen.slowest);
        for client in &clients {
            let accounts: Vec<String> = client.entries().iter().map(|entry| entry.account.clone()).collect();
            let held = look_up(&self.owner, &accounts).await;
            let lost = settle(&mut client.entries(), &held);
            assert!(lost.is_empty(), "{lost:#?}");
        }
        assert_database_agrees(&self.owner, &standing(&clients), CREDENTIALS).await;
        // Whatever else writes goes on as well.
        self.owner.ok("POST", &pool("groups"), json!({ "name": "afterwards" })).await;
        seen
    }
}

impl Seen {
    fn and(self, other: Self) -> Self {
        Self { failures: self.failures + other.failures, slowest: self.slowest.max(other.slowest) }
    }
}

/// Allocates and releases until it is done. Every request is answered, whatever happens.
async fn trade(
    mut client: Client,
    base: String,
    successes: Arc<AtomicUsize>,
    failures: Arc<AtomicUsize>,
    done: Arc<AtomicBool>,
) -> (Client, Seen) {
    let mut seen = Seen { failures: 0, slowest: Duration::ZERO };
    while !done.load(Ordering::Relaxed) {
        let asked = Instant::now();
        let outcome = client.turn(&base, 0.4).await.unwrap_or_else(|wrong| panic!("{wrong}"));
        let took = asked.elapsed();
        seen.slowest = seen.slowest.max(took);
        match outcome {
            Outcome::Answered => {
                successes.fetch_add(1, Ordering::Relaxed);
            }
            Outcome::Failed(reply) => {
                assert_well_told(&reply);
                seen.failures += 1;
                failures.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(PAUSE).await;
            }
            Outcome::Unanswered(error) => panic!("after {took:?}: {error:?}"),
        }
    }
    (client, seen)
}

/// The database's trouble is not the caller's: come back soon.
fn assert_well_told(reply: &Reply) {
    reply.problem(503, 5002, "overloaded");
    assert_eq!(reply.header("retry-after"), "1");
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
