//! kill -9 at random moments, ten times, under 256 clients: whatever a client was told of is there afterwards, exactly;
//! what it got no answer to was done or was not, and is never half done.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::join_all;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::clients::{Client, Outcome, settle, standing};
use super::ledger::{Held, assert_database_agrees, look_up};
use crate::harness::{Api, Kind, Place, Server, random_name, upload};

const FIRST: usize = 2_000_000;
const CREDENTIALS: usize = 1_000;
const SLOTS: usize = 5;
const CLIENTS: usize = 256;
const ACCOUNTS_EACH: usize = 10;
const DEATHS: usize = 10;
/// A process dies this many milliseconds after the traffic begins.
const LIFETIME: std::ops::Range<u64> = 40..600;
/// How long traffic goes on at the other process.
const AFTERMATH: Duration = Duration::from_millis(300);

#[tokio::test(flavor = "multi_thread")]
async fn of_the_only_process_on_sqlite() {
    let place = Place::new(Kind::Sqlite).await;
    let mut world = World::new(&place, &["serve"]).await;
    for round in 0..DEATHS {
        world.round(&place, round).await;
    }
    world.end(&place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_one_process_of_two_on_postgres() {
    let place = Place::new(Kind::Postgres).await;
    let mut world = World::new(&place, &["api", "api"]).await;
    for round in 0..DEATHS {
        world.round(&place, round).await;
    }
    world.end(&place).await;
}

/// What a round is about beside plain traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Theme {
    Allocations,
    Import,
    Releases,
}

struct World {
    servers: Vec<Server>,
    roles: Vec<&'static str>,
    owner: Api,
    clients: Vec<Client>,
    /// Where the ids of the next import begin.
    next: usize,
    credentials: usize,
    chance: StdRng,
    seed: u64,
    answered: usize,
    doubtful: usize,
}

impl World {
    async fn new(place: &Place, roles: &[&'static str]) -> Self {
        let mut servers = Vec::new();
        for role in roles {
            servers.push(place.start(role).await);
        }
        let owner = servers[0].owner().await;
        owner.import(FIRST, CREDENTIALS, SLOTS).await;
        let service = servers[0].service(&["credpool:*"]).await;
        // Every process knows a new token within a second.
        tokio::time::sleep(Duration::from_secs(u64::from(roles.len() > 1))).await;
        let seed = u64::from_str_radix(&random_name(), 16).unwrap();
        let mut chance = StdRng::seed_from_u64(seed);
        let clients = (0..CLIENTS).map(|n| Client::new(n, service.clone(), ACCOUNTS_EACH, chance.random())).collect();
        Self {
            servers,
            roles: roles.to_vec(),
            owner,
            clients,
            next: FIRST + CREDENTIALS,
            credentials: CREDENTIALS,
            chance,
            seed,
            answered: 0,
            doubtful: 0,
        }
    }

    /// Traffic, death, traffic at those who live, restart; then everything is compared.
    async fn round(&mut self, place: &Place, round: usize) {
        let theme = [Theme::Allocations, Theme::Import, Theme::Releases][round % 3];
        let (victim, seed) = (round % self.servers.len(), self.seed);
        println!("round {round}: {theme:?}, process {victim} dies (seed {seed:016x})");
        if theme == Theme::Releases {
            self.fill().await;
        }
        let bases: Vec<String> = self.servers.iter().map(|s| s.base.clone()).collect();
        let done = Arc::new(AtomicBool::new(false));
        let clients = std::mem::take(&mut self.clients).into_iter().enumerate().map(|(n, client)| {
            // Everybody has a favourite, and goes on to the next when that one is dead.
            let bases = (0..bases.len()).map(|b| bases[(n + b) % bases.len()].clone()).collect();
            tokio::spawn(trade(client, bases, theme, done.clone()))
        });
        let clients: Vec<_> = clients.collect();
        let importing = (theme == Theme::Import).then(|| self.begin_import(&bases[victim]));

        let lifetime = Duration::from_millis(self.chance.random_range(LIFETIME));
        tokio::time::sleep(lifetime).await;
        self.servers[victim].kill();
        if self.servers.len() > 1 {
            tokio::time::sleep(AFTERMATH).await;
        }
        let reborn = place.start(self.roles[victim]).await;
        self.servers[victim] = reborn;
        done.store(true, Ordering::Relaxed);
        let clients: Result<Vec<Client>, String> = join_all(clients).await.into_iter().map(Result::unwrap).collect();
        self.clients = clients.unwrap_or_else(|wrong| panic!("round {round}, seed {seed:016x}: {wrong}"));
        self.owner = self.owner.at(&self.servers[victim].base);

        let doubtful = self.clients.iter().map(|c| c.doubts).sum::<usize>() - self.doubtful;
        let answered = self.clients.iter().map(|c| c.answered).sum::<usize>() - self.answered;
        println!("  after {lifetime:?}: {answered} answers, {doubtful} requests without one");
        (self.answered, self.doubtful) = (self.answered + answered, self.doubtful + doubtful);
        place.assert_sound();
        self.settle(round).await;
        if let Some(importing) = importing {
            self.finish_import(importing.await.unwrap()).await;
        }
    }

    fn begin_import(&self, base: &str) -> JoinHandle<reqwest::Result<(StatusCode, Value)>> {
        let (owner, body) = (self.owner.at(base), upload(self.next, CREDENTIALS, SLOTS));
        tokio::spawn(async move { owner.send("POST", "/api/admin/api-pool/batch", body).await })
    }

    /// Whoever got no answer imports again: what came in is a duplicate then, the rest comes in now.
    async fn finish_import(&mut self, first: reqwest::Result<(StatusCode, Value)>) {
        let number = |data: &Value, field: &str| data[field].as_u64().unwrap() as usize;
        if let Ok((status, answer)) = &first {
            assert!(status.is_success(), "{answer}");
            assert_eq!(number(&answer["data"], "imported"), CREDENTIALS);
        }
        let again = self.owner.import(self.next, CREDENTIALS, SLOTS).await;
        let (imported, duplicates) = (number(&again, "imported"), number(&again, "duplicates"));
        println!("  {duplicates} of {CREDENTIALS} lines had come in");
        assert_eq!((imported + duplicates, number(&again, "rejected")), (CREDENTIALS, 0), "{again}");
        assert!(first.is_err() || imported == 0, "an answered import is whole: {imported} were missing");
        self.next += CREDENTIALS;
        self.credentials += CREDENTIALS;
    }

    /// Everybody gets something, so that there is much to release.
    async fn fill(&mut self) {
        for client in &mut self.clients {
            let requests: Vec<Value> = client.entries().iter().map(|e| json!({ "account_id": e.account })).collect();
            let body = json!({ "requests": requests });
            let answer = self.owner.ok("POST", "/api/admin/api-pool/allocate/batch", body).await;
            for (entry, result) in client.entries().iter_mut().zip(answer["results"].as_array().unwrap()) {
                entry.now_holds(Held::allocated(&entry.account, &result["data"])).unwrap();
            }
        }
    }

    /// Compares every account with what its client was told, and takes the database's word where
    /// there was no answer.
    async fn settle(&mut self, round: usize) {
        for client in &self.clients {
            let accounts: Vec<String> = client.entries().iter().map(|e| e.account.clone()).collect();
            let held = look_up(&self.owner, &accounts).await;
            let lies = settle(&mut client.entries(), &held);
            assert!(lies.is_empty(), "round {round}, seed {:016x}: {lies:#?}", self.seed);
        }
    }

    async fn end(self, place: &Place) {
        println!("{} answers, {} requests without one", self.answered, self.doubtful);
        assert!(self.doubtful > 0, "nobody was interrupted: nothing was tried");
        let standing = standing(&self.clients);
        assert_database_agrees(&self.owner, &standing, self.credentials).await;
        for server in self.servers {
            server.stop().await;
        }
        place.assert_sound();
    }
}

/// Allocates and releases without a pause until it is done or nobody answers any more. What is wrong
/// with an answer ends it for all.
async fn trade(
    mut client: Client,
    mut bases: Vec<String>,
    theme: Theme,
    done: Arc<AtomicBool>,
) -> Result<Client, String> {
    let releases = if theme == Theme::Releases { 0.9 } else { 0.4 };
    while !done.load(Ordering::Relaxed) && !bases.is_empty() {
        let wrong = match client.turn(&bases[0], releases).await {
            Ok(Outcome::Answered) => continue,
            Ok(Outcome::Unanswered(error)) => {
                assert!(!error.is_timeout(), "no answer at all: {error:?}");
                bases.remove(0);
                continue;
            }
            Ok(Outcome::Failed(reply)) => format!("failed with {} {}", reply.status, reply.text),
            Err(wrong) => wrong,
        };
        done.store(true, Ordering::Relaxed);
        return Err(wrong);
    }
    Ok(client)
}
