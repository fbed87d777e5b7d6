//! Several processes on one database, many clients at once: never over capacity, never twice, never
//! lost, and no refusal that is not true.

use std::collections::HashMap;

use domain::AllocationId;
use domain::blame::BlameConfig;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use store::Store;
use store::allocator::{Allocate, Allocated, Allocator, Asker, Command, Done, Refused, Release, Report};
use store::credentials::Patch;
use tokio::task::{JoinHandle, JoinSet};

use crate::world::{Kind, World, api_id, key, on_both, origin, success, wish};

on_both! {
    as_many_as_there_are_slots_all_get_one,
    one_more_than_there_are_slots_is_one_too_many,
    while_a_slot_is_free_nobody_is_told_full,
    random_clients_leave_everything_in_order,
    people_edit_while_clients_allocate,
    one_account_asking_everywhere_gets_one_credential,
    ended_leases_are_let_go_of_once,
}

const CLIENTS: usize = 16;

/// The processes that share the database, each with a store and an allocator.
struct Processes {
    allocators: Vec<Allocator>,
    tasks: Vec<JoinHandle<()>>,
    stores: Vec<Store>,
}

impl Processes {
    async fn start(w: &World) -> Self {
        let count = if w.kind == Kind::Sqlite { 2 } else { 3 };
        let mut all = Self { allocators: Vec::new(), tasks: Vec::new(), stores: Vec::new() };
        for _ in 0..count {
            let store = w.another_store().await;
            let (allocator, task) = Allocator::start(store.clone(), BlameConfig::default());
            all.allocators.push(allocator);
            all.tasks.push(task);
            all.stores.push(store);
        }
        all
    }

    /// A client of one of them.
    fn client(&self, w: &World, number: usize) -> Client {
        let pool = self.allocators[number % self.allocators.len()].clone();
        Client { pool, asker: w.asker(), rng: StdRng::seed_from_u64(number as u64) }
    }

    async fn stop(self) {
        drop(self.allocators);
        for task in self.tasks {
            task.await.unwrap();
        }
    }
}

struct Client {
    pool: Allocator,
    asker: Asker,
    rng: StdRng,
}

impl Client {
    async fn allocate(&self, allocate: Allocate) -> Result<Allocated, Refused> {
        match self.pool.ask(self.asker.clone(), Command::Allocate(allocate)).await? {
            Done::Allocated(one) => Ok(*one),
            other => panic!("{other:?}"),
        }
    }

    async fn release(&self, account: &str) -> Result<AllocationId, Refused> {
        match self.pool.ask(self.asker.clone(), Command::Release(Release::Account(key(account)))).await? {
            Done::Released(one) => Ok(one.allocation_id),
            other => panic!("{other:?}"),
        }
    }

    async fn report(&self, report: Report) {
        match self.pool.ask(self.asker.clone(), Command::Report(report)).await {
            Ok(Done::Reported(_)) => {}
            other => panic!("{other:?}"),
        }
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_range(0..100) < percent
    }
}

/// A pool of small credentials; how many slots it has.
async fn small_pool(w: &World, credentials: i64) -> usize {
    let mut slots = 0;
    for number in 1..=credentials {
        let own = 1 + number % 4;
        w.add_with(number, |d| (d.max_accounts, d.priority) = (own, number % 2)).await;
        slots += own;
    }
    slots as usize
}

/// Each account asks once, from some client; how many were bound.
async fn ask_once(w: &World, processes: &Processes, accounts: usize) -> usize {
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let client = processes.client(w, number);
        clients.spawn(async move {
            let mut bound = 0;
            for account in (number..accounts).step_by(CLIENTS) {
                match client.allocate(wish(&account.to_string())).await {
                    Ok(one) => bound += usize::from(!one.existing),
                    Err(Refused::PoolFull) => {}
                    other => panic!("{other:?}"),
                }
            }
            bound
        });
    }
    clients.join_all().await.into_iter().sum()
}

async fn as_many_as_there_are_slots_all_get_one(w: &World) {
    // Few credentials, so that one process often holds all that another looks for.
    let slots = 120;
    for number in 1..=3 {
        w.add_with(number, |d| d.max_accounts = 40).await;
    }
    let processes = Processes::start(w).await;
    // There is a free slot until the last has been served, so nobody may be told that there is none.
    assert_eq!(ask_once(w, &processes, slots).await, slots);
    processes.stop().await;
    let open = w.raw.number("SELECT COUNT(*) FROM credentials WHERE current_accounts <> max_accounts").await;
    assert_eq!(open, 0);
}

async fn one_more_than_there_are_slots_is_one_too_many(w: &World) {
    let slots = small_pool(w, 30).await;
    let processes = Processes::start(w).await;
    assert_eq!(ask_once(w, &processes, slots + 40).await, slots);
    processes.stop().await;
    assert_eq!(w.raw.number("SELECT COUNT(*) FROM accounts WHERE allocation_id IS NOT NULL").await, slots as i64);
}

async fn while_a_slot_is_free_nobody_is_told_full(w: &World) {
    // As many accounts as slots: whoever holds none finds one, wherever it has moved to meanwhile.
    const EACH: usize = 2;
    for number in 1..=(CLIENTS * EACH / 2) {
        w.add_with(number as i64, |d| d.max_accounts = 2).await;
    }
    let processes = Processes::start(w).await;
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let mut client = processes.client(w, number);
        clients.spawn(async move {
            for _ in 0..25 {
                let account = format!("{number}/{}", client.rng.random_range(0..EACH));
                if client.chance(50) {
                    let fresh = client.chance(30);
                    client.allocate(Allocate { fresh, ..wish(&account) }).await.unwrap();
                } else {
                    match client.release(&account).await {
                        Ok(_) | Err(Refused::NotAllocated) => {}
                        other => panic!("{other:?}"),
                    }
                }
            }
        });
    }
    clients.join_all().await;
    processes.stop().await;
}

async fn random_clients_leave_everything_in_order(w: &World) {
    const CREDENTIALS: i64 = 6;
    small_pool(w, CREDENTIALS).await;
    let processes = Processes::start(w).await;
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let client = processes.client(w, number);
        clients.spawn(live(client, number, CREDENTIALS));
    }
    let reports: i64 = clients.join_all().await.into_iter().sum();
    processes.stop().await;
    let kept = w.raw.all::<(i64, i64, i64)>("SELECT COUNT(*), MAX(seq), COUNT(DISTINCT seq) FROM results").await;
    assert_eq!(kept, [(reports, reports, reports)]);
    let over = w.raw.number("SELECT COUNT(*) FROM credentials WHERE current_accounts > max_accounts").await;
    assert_eq!(over, 0);
    // Every allocation in the journal ended at most once, and what did not end stands.
    let (allocated, released) = (w.count("api.allocated").await, w.count("api.released").await);
    let standing = w.raw.number("SELECT COUNT(*) FROM accounts WHERE allocation_id IS NOT NULL").await;
    assert_eq!(allocated - released, standing);
    assert!(allocated > 20, "there was little to see: {allocated}");
}

/// One client's life: own accounts, of which it knows what they hold, and some that all share. How
/// many results it reported.
async fn live(mut client: Client, number: usize, credentials: i64) -> i64 {
    let mut held: HashMap<String, AllocationId> = HashMap::new();
    let mut reports = 0;
    for step in 0..30 {
        let shared = client.chance(30);
        let account = match client.rng.random_range(0..3) {
            any if shared => format!("shared {any}"),
            any => format!("{number}/{any}"),
        };
        let known = held.get(&account).cloned().filter(|_| !shared);
        match client.rng.random_range(0..10) {
            0..5 => {
                let fresh = client.chance(25);
                let pinned = client.chance(25).then(|| api_id(client.rng.random_range(1..=credentials)));
                match client.allocate(Allocate { fresh, pinned, ..wish(&account) }).await {
                    Ok(one) => {
                        assert!(pinned.is_none_or(|pinned| pinned == one.api_id));
                        assert!(!(fresh && one.existing));
                        if !shared {
                            assert_eq!(one.existing, known.is_some() && !fresh, "{account}");
                            assert!(!one.existing || known.as_ref() == Some(&one.allocation_id), "{account}");
                            held.insert(account, one.allocation_id);
                        }
                    }
                    Err(Refused::PoolFull) => assert!(known.is_none() && pinned.is_none(), "{account}"),
                    Err(Refused::PinnedUnavailable(_)) => assert!(pinned.is_some()),
                    other => panic!("{other:?}"),
                }
            }
            5..8 => match client.release(&account).await {
                Ok(released) if !shared => assert_eq!(held.remove(&account), Some(released), "{account}"),
                Ok(_) => {}
                Err(Refused::NotAllocated) => assert!(known.is_none(), "{account}"),
                other => panic!("{other:?}"),
            },
            _ => {
                let error = client.chance(50).then(|| "Timeout".to_owned());
                let result_id = Some(format!("{number}/{step}"));
                let of = client.rng.random_range(1..=credentials);
                let account = Some(key(&account));
                client.report(Report { success: error.is_none(), error, result_id, account, ..success(of) }).await;
                reports += 1;
            }
        }
    }
    reports
}

async fn people_edit_while_clients_allocate(w: &World) {
    let mut ids = Vec::new();
    for number in 1..=4 {
        ids.push(w.add_with(number, |d| d.max_accounts = 50).await);
    }
    let processes = Processes::start(w).await;
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let mut client = processes.client(w, number);
        clients.spawn(async move {
            for _ in 0..25 {
                let account = format!("{number}/{}", client.rng.random_range(0..3));
                let pinned = Some(api_id(client.rng.random_range(1..=4)));
                if client.chance(70) {
                    match client.allocate(Allocate { pinned, fresh: true, ..wish(&account) }).await {
                        Ok(_) | Err(Refused::PinnedUnavailable(_)) => {}
                        other => panic!("{other:?}"),
                    }
                } else if let Err(refused) = client.release(&account).await {
                    assert!(matches!(refused, Refused::NotAllocated), "{refused:?}");
                }
            }
        });
    }
    let mut people = JoinSet::new();
    for (number, store) in processes.stores.iter().enumerate() {
        let (store, tenant, ids) = (store.clone(), w.tenant.clone(), ids.clone());
        people.spawn(async move {
            let by = origin();
            for round in 0..12 {
                let id = &ids[(round + number) % ids.len()];
                let patch = Patch { note: Some(Some(format!("{number}/{round}"))), ..Patch::default() };
                store.update_credential(&tenant, &by, id, &patch, None).await.unwrap();
                store.reveal(&tenant, &by, id, "check").await.unwrap();
                store.reset_failures(&tenant, &by, id).await.unwrap();
                // Two people may decide about one credential at once; then one of them is told.
                for decided in
                    [store.disable_credential(&tenant, &by, id).await, store.enable_credential(&tenant, &by, id).await]
                {
                    assert!(matches!(decided, Ok(()) | Err(store::StoreError::Conflict(_))), "{decided:?}");
                }
            }
        });
    }
    people.join_all().await;
    clients.join_all().await;
    processes.stop().await;
}

async fn one_account_asking_everywhere_gets_one_credential(w: &World) {
    small_pool(w, 20).await;
    let processes = Processes::start(w).await;
    for round in 0..10 {
        let account = format!("popular {round}");
        let mut clients = JoinSet::new();
        for number in 0..CLIENTS {
            let client = processes.client(w, number);
            let wish = wish(&account);
            clients.spawn(async move { client.allocate(wish).await.unwrap() });
        }
        let answers = clients.join_all().await;
        assert!(answers.iter().all(|one| one.allocation_id == answers[0].allocation_id));
        assert_eq!(answers.iter().filter(|one| !one.existing).count(), 1);
    }
    processes.stop().await;
    assert_eq!(w.count("api.allocated").await, 10);
}

async fn ended_leases_are_let_go_of_once(w: &World) {
    let slots = small_pool(w, 30).await;
    let processes = Processes::start(w).await;
    for account in 0..slots {
        w.ask(&format!("lease {account}"), |a| a.ttl_millis = Some(1_000)).await.unwrap();
    }
    w.wait(1_000);
    // The job and all processes find them at the same moment.
    let (bound, expired) = tokio::join!(ask_once(w, &processes, slots), w.store.expire_leases(10));
    assert_eq!(bound, slots);
    assert!(expired.unwrap() <= 10);
    processes.stop().await;
    assert_eq!(w.count("api.released").await, slots as i64);
}
