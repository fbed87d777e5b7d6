//! Random histories of a few clients in small pools, with kill -9 in between, are linearizable: each
//! request that was answered has happened at one moment between its question and its answer, and
//! one without an answer at one moment after its question, or never. `model` says what may happen.

mod check;
mod client;
mod model;
mod record;
mod wrong;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::future::{join_all, try_join_all};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use tokio::sync::watch;

use self::client::{Client, Scenario};
use self::record::{Record, Story};
use crate::harness::{Api, Kind, PATIENCE, Place, Server, api_hash, random_name};

/// Histories that go on at the same time, and how often a process dies meanwhile.
const AT_ONCE: usize = 50;
const DEATHS: usize = 2;

#[tokio::test(flavor = "multi_thread")]
async fn of_one_process_on_sqlite() {
    storm(Kind::Sqlite, &["serve"], 100).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_processes_on_sqlite() {
    storm(Kind::Sqlite, &["serve", "api"], 100).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_processes_on_postgres() {
    storm(Kind::Postgres, &["api", "serve"], 200).await;
}

async fn storm(kind: Kind, roles: &[&'static str], histories: usize) {
    let place = Place::new(kind).await;
    let seed = u64::from_str_radix(&random_name(), 16).unwrap();
    println!("{histories} histories, seed {seed:016x}");
    let mut world = World::new(&place, roles, seed).await;
    let mut scenarios: Vec<Scenario> =
        (0..histories).map(|number| Scenario::new(kind, number, &mut world.chance)).collect();
    set_up(&world.owner, &mut scenarios).await;
    let scenarios: Vec<Arc<Scenario>> = scenarios.into_iter().map(Arc::new).collect();

    let mut kinds = BTreeMap::new();
    for some in scenarios.chunks(AT_ONCE) {
        let histories = tokio::time::timeout(2 * PATIENCE, world.play(some)).await.expect("histories come to an end");
        let started = Instant::now();
        for (scenario, records) in some.iter().zip(histories) {
            for record in &records {
                *kinds.entry(record.kind()).or_insert(0) += 1;
            }
            if let Some(wrong) = check::wrong(&scenario.pool(), records) {
                panic!("seed {seed:016x}: not linearizable: {scenario:#?}\n{}", Story(&wrong));
            }
        }
        println!("  checked in {:.1?}", started.elapsed());
    }
    println!("{kinds:?}");
    assert_eq!(kinds.len(), 12, "not every kind of answer was seen: {kinds:?}");
    place.assert_sound();
    for server in world.servers {
        server.stop().await;
    }
    place.assert_sound();
}

/// A group for each pool, and the credentials. Those that are not to be given are switched off or
/// stand outside the group, by turns. The premium ones are searched apart from the others.
async fn set_up(owner: &Api, scenarios: &mut [Scenario]) {
    for scenario in scenarios.iter_mut() {
        let name = format!("pool {}", scenario.number);
        let group = owner.ok("POST", "/api/admin/api-pool/groups", json!({ "name": name })).await;
        group["id"].as_str().unwrap().clone_into(&mut scenario.group);
    }
    let (mut lines, mut off) = (Vec::new(), Vec::new());
    for scenario in scenarios.iter() {
        for (id, credential) in &scenario.credentials {
            let outside = !credential.eligible && id % 2 == 0;
            if !credential.eligible && !outside {
                off.push(id.to_string());
            }
            lines.push(json!({
                "api_id": id, "api_hash": api_hash(*id), "name": format!("cred-{id}"),
                "max_accounts": credential.slots, "group": (!outside).then_some(&scenario.group),
                "is_premium": id % 3 == 0,
            }));
        }
    }
    let imported = owner.ok("POST", "/api/admin/api-pool/batch", json!({ "apis": lines })).await;
    assert_eq!(imported["imported"], lines.len(), "{imported}");
    let mut rows = owner.all("/api/admin/api-pool/?sort=name").await;
    rows.retain(|row| off.iter().any(|id| row["api_id"] == **id));
    let ids: Vec<&str> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
    let disabled = owner.ok("POST", "/api/admin/api-pool/bulk", json!({ "ids": ids, "action": "disable" })).await;
    assert_eq!(disabled["succeeded"], off.len(), "{disabled}");
}

struct World<'a> {
    place: &'a Place,
    roles: &'a [&'static str],
    servers: Vec<Server>,
    owner: Api,
    service: Api,
    chance: StdRng,
    deaths: usize,
}

impl<'a> World<'a> {
    async fn new(place: &'a Place, roles: &'a [&'static str], seed: u64) -> Self {
        let mut servers = Vec::new();
        for role in roles {
            servers.push(place.start(role).await);
        }
        let owner = servers[0].owner().await;
        let service = servers[0].service(&["credpool:*"]).await;
        // Every process knows a new token within a second.
        tokio::time::sleep(Duration::from_secs(u64::from(roles.len() > 1))).await;
        Self { place, roles, servers, owner, service, chance: StdRng::seed_from_u64(seed), deaths: 0 }
    }

    /// All these histories at once, with deaths in between.
    async fn play(&mut self, scenarios: &[Arc<Scenario>]) -> Vec<Vec<Record>> {
        let started = Instant::now();
        let done = Arc::new(AtomicUsize::new(0));
        let (living, bases) = watch::channel(self.bases());
        let mut client = |number, scenario: &Arc<Scenario>| {
            Client::new(number, scenario.clone(), self.service.clone(), bases.clone(), self.chance.random())
        };
        let (mut playing, mut last) = (Vec::new(), Vec::new());
        for scenario in scenarios {
            let clients = (0..scenario.clients).map(|n| tokio::spawn(client(n, scenario).trade(done.clone())));
            playing.push(try_join_all(clients.collect::<Vec<_>>()));
            last.push(client(scenario.clients, scenario));
        }

        let requests: usize = scenarios.iter().map(|scenario| scenario.requests()).sum();
        let in_the_midst = requests / 10..requests * 8 / 10;
        let mut deaths = [(); DEATHS].map(|()| self.chance.random_range(in_the_midst.clone()));
        deaths.sort_unstable();
        for death in deaths {
            while done.load(Ordering::Relaxed) < death {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            self.kill_one(&living).await;
        }
        let told = try_join_all(playing).await.unwrap();
        let looked = join_all(last.into_iter().map(Client::look_back)).await;
        let histories = told.into_iter().zip(looked).map(|(told, looked)| {
            let mut records: Vec<Record> = told.into_iter().flatten().collect();
            records.extend(looked);
            records
        });
        println!("  {requests} requests in {:.1?}", started.elapsed());
        histories.collect()
    }

    fn bases(&self) -> Vec<String> {
        self.servers.iter().map(|server| server.base.clone()).collect()
    }

    /// Everybody in turn. Whoever is left does the work meanwhile.
    async fn kill_one(&mut self, living: &watch::Sender<Vec<String>>) {
        let victim = self.deaths % self.servers.len();
        self.deaths += 1;
        self.servers[victim].kill();
        living.send_modify(|bases| bases.retain(|base| *base != self.servers[victim].base));
        self.servers[victim] = self.place.start(self.roles[victim]).await;
        living.send_replace(self.bases());
    }
}
