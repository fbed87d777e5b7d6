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

use super::ledger::{Held, assert_database_agrees, look_up};
use crate::harness::{Api, Kind, Place, Server, random_name, upload};

const FIRST: usize = 2_000_000;
const CREDENTIALS: usize = 1_000;
const SLOTS: usize = 5;
const CLIENTS: usize = 256;
/// Each client has accounts of its own, so that it knows exactly what they hold.
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
        let clients = (0..CLIENTS).map(|n| Client::new(n, service.clone(), chance.random())).collect();
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
            tokio::spawn(client.trade(bases, theme, done.clone()))
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
            let requests: Vec<Value> = client.entries.iter().map(|e| json!({ "account_id": e.account })).collect();
            let body = json!({ "requests": requests });
            let answer = self.owner.ok("POST", "/api/admin/api-pool/allocate/batch", body).await;
            for (entry, result) in client.entries.iter_mut().zip(answer["results"].as_array().unwrap()) {
                entry.now_holds(Held::allocated(&entry.account, &result["data"])).unwrap();
            }
        }
    }

    /// Compares every account with what its client was told, and takes the database's word where
    /// there was no answer.
    async fn settle(&mut self, round: usize) {
        let accounts: Vec<&str> = self.clients.iter().flat_map(|c| &c.entries).map(|e| e.account.as_str()).collect();
        let mut held = look_up(&self.owner, &accounts).await;
        for entry in self.clients.iter_mut().flat_map(|c| &mut c.entries) {
            let actual = held.remove(&entry.account);
            let explained = actual == entry.told
                || match entry.doubt {
                    // Nothing was asked that is without an answer.
                    None => false,
                    Some(Deed::Allocate) => entry.told.is_none(),
                    Some(Deed::Release) => actual.is_none(),
                };
            assert!(explained, "round {round}, seed {:016x}: {entry:?}, but there is {actual:?}", self.seed);
            (entry.told, entry.doubt) = (actual, None);
        }
    }

    async fn end(self, place: &Place) {
        println!("{} answers, {} requests without one", self.answered, self.doubtful);
        assert!(self.doubtful > 0, "nobody was interrupted: nothing was tried");
        let entries = self.clients.iter().flat_map(|c| &c.entries);
        let standing = entries.filter_map(|e| Some((e.account.clone(), e.told.clone()?))).collect();
        assert_database_agrees(&self.owner, &standing, self.credentials).await;
        for server in self.servers {
            server.stop().await;
        }
        place.assert_sound();
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Allocate,
    Release,
}

/// An account and what its only client knows of it.
#[derive(Debug)]
struct Entry {
    account: String,
    /// What it held by the last answer.
    told: Option<Held>,
    /// What was asked since and got no answer.
    doubt: Option<Deed>,
}

impl Entry {
    /// An answer to an allocation. What was held before must be held still.
    fn now_holds(&mut self, held: Held) -> Result<(), String> {
        if self.told.as_ref().is_some_and(|told| *told != held) {
            return Err(format!("{self:?}, and now {held:?}"));
        }
        (self.told, self.doubt) = (Some(held), None);
        Ok(())
    }
}

struct Client {
    caller: Api,
    entries: Vec<Entry>,
    chance: StdRng,
    answered: usize,
    doubts: usize,
}

impl Client {
    fn new(number: usize, caller: Api, seed: u64) -> Self {
        let entry = |n| Entry { account: format!("wd:{number}:{n}"), told: None, doubt: None };
        let entries = (0..ACCOUNTS_EACH).map(entry).collect();
        Self { caller, entries, chance: StdRng::seed_from_u64(seed), answered: 0, doubts: 0 }
    }

    /// Allocates and releases without a pause until it is done or nobody answers any more. What is
    /// wrong with an answer ends it for all.
    async fn trade(mut self, mut bases: Vec<String>, theme: Theme, done: Arc<AtomicBool>) -> Result<Self, String> {
        while !done.load(Ordering::Relaxed) && !bases.is_empty() {
            // What got no answer is asked again first, as a good client does.
            let open = self.entries.iter().position(|e| e.doubt.is_some());
            let chosen = open.unwrap_or_else(|| self.chance.random_range(0..ACCOUNTS_EACH));
            let deed = self.choose(chosen, theme);
            let path = match deed {
                Deed::Allocate => "/api/admin/api-pool/allocate",
                Deed::Release => "/api/admin/api-pool/release",
            };
            let entry = &mut self.entries[chosen];
            let body = json!({ "account_id": entry.account });
            match self.caller.at(&bases[0]).send("POST", path, body).await {
                Ok((status, answer)) => {
                    entry.learn(deed, status, &answer).inspect_err(|_| done.store(true, Ordering::Relaxed))?;
                    self.answered += 1;
                }
                Err(error) => {
                    assert!(!error.is_timeout(), "no answer at all: {error:?}");
                    entry.doubt = Some(deed);
                    self.doubts += 1;
                    bases.remove(0);
                }
            }
        }
        Ok(self)
    }

    fn choose(&mut self, chosen: usize, theme: Theme) -> Deed {
        let releases = if theme == Theme::Releases { 0.9 } else { 0.4 };
        let entry = &self.entries[chosen];
        let release = entry.told.is_some() && self.chance.random_bool(releases);
        entry.doubt.unwrap_or(if release { Deed::Release } else { Deed::Allocate })
    }
}

impl Entry {
    fn learn(&mut self, deed: Deed, status: StatusCode, answer: &Value) -> Result<(), String> {
        let (data, number) = (&answer["data"], answer["error"]["number"].as_u64());
        let fits = match (deed, status.as_u16()) {
            (Deed::Allocate, 200) => {
                // Only after a request without an answer it can be either.
                let fits = self.doubt.is_some() || data["existing"] == self.told.is_some();
                self.now_holds(Held::allocated(&self.account, data))?;
                fits
            }
            (Deed::Release, 200) => self.told.take() == Some(Held::read(data)),
            // The release that got no answer was done.
            (Deed::Release, 404) if number == Some(3006) && self.doubt == Some(Deed::Release) => {
                self.told = None;
                true
            }
            _ => false,
        };
        if !fits {
            return Err(format!("{self:?}: {deed:?} was answered with {status} {answer}"));
        }
        self.doubt = None;
        Ok(())
    }
}
