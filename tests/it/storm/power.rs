//! The power goes, again and again, under load: the database's files as the disk would have them then
//! open, are sound, and have everything that was answered.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::future::join_all;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sqlx::Connection;
use tokio::task::JoinHandle;

use super::clients::{Client, Entry, Outcome, settle};
use super::disk::{Disk, Record, freeze, thaw};
use super::ledger::look_up;
use crate::harness::{Kind, PATIENCE, Place, Server, random_name};

const FIRST: usize = 4_000_000;
const CREDENTIALS: usize = 200;
const SLOTS: usize = 5;
const CLIENTS: usize = 8;
const ACCOUNTS_EACH: usize = 60;
/// Before the log is begun anew over its old frames, and after.
const CUTS_EACH: usize = 4;
/// Every second cut falls into a checkpoint, the others fall so many milliseconds after the last.
const BETWEEN: Range<u64> = 100..900;
/// And one so many milliseconds after a rest, when the log is begun anew.
const BEGINNING: Range<u64> = 0..100;
/// How many milliseconds longer a sync takes: time for a cut to fall into.
const SYNC: u32 = 25;
/// More than there is between two checkpoints.
const QUIET: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn whatever_was_answered_survives_a_power_cut() {
    let mut world = World::new().await;
    world.cuts().await;
    let before = world.generation();
    let mut tries = 0;
    while world.generation() == before {
        assert!(tries < 3, "the log was never begun anew");
        tries += 1;
        world.rest().await;
        world.wait(BEGINNING).await;
        world.survives().await;
    }
    world.cuts().await;
    assert!(world.taken > 0, "no cut could take anything: nothing was tried");
    world.end().await;
}

/// The same on a disk that says that it has written, and has not: this must be found out.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_lies_is_found_out() {
    let mut world = World::new().await;
    let before = world.held();
    world.disk.lie();
    let started = Instant::now();
    while world.held() < before + 4 * CLIENTS {
        assert!(started.elapsed() < PATIENCE, "nobody is given anything");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (copy, mut known) = world.cut(1.0).await;
    let server = copy.serve().await;
    let lost = compare(&server, &mut known).await;
    println!("{} accounts are not as their clients were told, as {:?}", lost.len(), lost.first());
    assert!(lost.len() > CLIENTS);
}

struct World {
    place: Place,
    disk: Disk,
    server: Server,
    record: Record,
    clients: Vec<JoinHandle<Result<Client, String>>>,
    known: Vec<Arc<Mutex<Vec<Entry>>>>,
    paused: Arc<AtomicBool>,
    done: Arc<AtomicBool>,
    chance: StdRng,
    seed: u64,
    /// Changes that cuts could take.
    taken: usize,
}

impl World {
    async fn new() -> Self {
        let place = Place::new(Kind::Sqlite).await;
        let disk = Disk::new(&place);
        let mut command = place.command();
        command.arg("serve");
        disk.slow(&mut command, SYNC);
        let record = disk.recorded(&mut command);
        let server = Server::spawn(command, place.dir.path()).await;
        server.owner().await.import(FIRST, CREDENTIALS, SLOTS).await;
        let service = server.service(&["credpool:*"]).await;
        let seed = u64::from_str_radix(&random_name(), 16).unwrap();
        let mut chance = StdRng::seed_from_u64(seed);
        let (paused, done) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let (mut clients, mut known) = (Vec::new(), Vec::new());
        for n in 0..CLIENTS {
            let client = Client::new(n, service.clone(), ACCOUNTS_EACH, chance.random());
            known.push(client.knowledge());
            clients.push(tokio::spawn(trade(client, server.base.clone(), paused.clone(), done.clone())));
        }
        Self { place, disk, server, record, clients, known, paused, done, chance, seed, taken: 0 }
    }

    async fn cuts(&mut self) {
        for cut in 0..CUTS_EACH {
            if cut % 2 == 1 {
                self.checkpoint_begins().await;
            } else {
                self.wait(BETWEEN).await;
            }
            self.survives().await;
        }
    }

    async fn wait(&mut self, milliseconds: Range<u64>) {
        tokio::time::sleep(Duration::from_millis(self.chance.random_range(milliseconds))).await;
    }

    /// Nobody writes for a while: only then a checkpoint gets to the log's end, and whoever writes next
    /// begins it anew.
    async fn rest(&self) {
        self.paused.store(true, Ordering::Relaxed);
        tokio::time::sleep(QUIET).await;
        self.paused.store(false, Ordering::Relaxed);
    }

    /// A power cut and what is there afterwards.
    async fn survives(&mut self) {
        if let Some(ended) = self.clients.iter_mut().find(|client| client.is_finished()) {
            panic!("a client has ended: {:?}", ended.await.unwrap().err());
        }
        let likelihood = self.chance.random_range(0.1..1.0);
        let (copy, mut known) = self.cut(likelihood).await;
        self.taken += self.record.unsynced();
        copy.assert_sound();
        assert_eq!(integrity(&copy).await, "ok", "seed {:016x}", self.seed);
        let server = copy.serve().await;
        let lost = compare(&server, &mut known).await;
        assert!(lost.is_empty(), "seed {:016x}: {lost:#?}", self.seed);
    }

    async fn checkpoint_begins(&mut self) {
        let started = Instant::now();
        loop {
            self.record.read();
            if self.record.is_checkpointing() {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "there is no checkpoint");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// The power goes: what the disk would have then, and what clients had been told.
    async fn cut(&mut self, likelihood: f64) -> (Place, Vec<Entry>) {
        let copy = Place::new(Kind::Sqlite).await;
        freeze(self.server.pid());
        self.disk.copy_to(&copy);
        self.record.read();
        // Answers that are on their way were given before.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let known: Vec<Entry> = self.known.iter().flat_map(|known| known.lock().unwrap().clone()).collect();
        thaw(self.server.pid());
        self.record.lose(&copy, likelihood, &mut self.chance);
        let hold = known.iter().filter(|entry| entry.told.is_some()).count();
        let doubts = known.iter().filter(|entry| entry.doubt.is_some()).count();
        println!(
            "{:.0} % of {} changes taken{}; {hold} accounts hold something, {doubts} in doubt; log {}",
            likelihood * 100.0,
            self.record.unsynced(),
            if self.record.is_checkpointing() { " in a checkpoint" } else { "" },
            self.generation(),
        );
        (copy, known)
    }

    /// How many accounts hold something.
    fn held(&self) -> usize {
        let holds = |entry: &&Entry| entry.told.is_some();
        self.known.iter().map(|known| known.lock().unwrap().iter().filter(holds).count()).sum()
    }

    /// How often the write-ahead log was begun.
    fn generation(&self) -> u32 {
        let log = File::open(self.place.dir.path().join("pool.db-wal")).unwrap();
        let mut number = [0; 4];
        log.read_exact_at(&mut number, 12).unwrap();
        u32::from_be_bytes(number)
    }

    /// Whoever lives on was not disturbed.
    async fn end(self) {
        self.done.store(true, Ordering::Relaxed);
        let clients: Vec<Client> = join_all(self.clients).await.into_iter().map(|c| c.unwrap().unwrap()).collect();
        println!("{} answers", clients.iter().map(|c| c.answered).sum::<usize>());
        let mut known: Vec<Entry> = clients.iter().flat_map(|c| c.entries().clone()).collect();
        let lost = compare(&self.server, &mut known).await;
        assert!(lost.is_empty(), "{lost:#?}");
        self.server.stop().await;
        self.place.assert_sound();
    }
}

/// Allocates and releases until it is done; what is wrong with an answer ends it.
async fn trade(
    mut client: Client,
    base: String,
    paused: Arc<AtomicBool>,
    done: Arc<AtomicBool>,
) -> Result<Client, String> {
    while !done.load(Ordering::Relaxed) {
        if paused.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        }
        match client.turn(&base, 0.4).await? {
            Outcome::Answered => {}
            Outcome::Failed(reply) => return Err(format!("{} {}", reply.status, reply.text)),
            Outcome::Unanswered(error) => return Err(error.to_string()),
        }
    }
    Ok(client)
}

/// What is otherwise than its client was told.
async fn compare(server: &Server, known: &mut [Entry]) -> Vec<String> {
    let accounts: Vec<String> = known.iter().map(|entry| entry.account.clone()).collect();
    let held = look_up(&server.owner().await, &accounts).await;
    settle(known, &held)
}

/// SQLite's own opinion.
async fn integrity(place: &Place) -> String {
    let url = format!("sqlite://{}", place.database().display());
    let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
    sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut connection).await.unwrap()
}
