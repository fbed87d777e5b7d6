//! Everything that writes credentials, at once and from several processes: nobody waits in a circle.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use domain::blame::BlameConfig;
use domain::import::{ImportFormat, parse};
use domain::{CredentialId, GroupId, TenantId};
use futures::future::join_all;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use store::allocator::{Allocate, Allocator, Asker, Command, Refused, Release, Report};
use store::batches::ImportOptions;
use store::credentials::{BulkAction, Patch};
use store::groups::GroupDraft;
use store::{Once, Origin, Store, StoreError};
use tokio::task::JoinSet;

use crate::world::{Kind, World, api_id, group, hash_of, key, on_both, origin, success, wish};

on_both! {
    all_kinds_of_changes_at_once,
    one_key_for_two_kinds_of_requests_at_once,
}

/// How long the crowd is let loose.
const LOOSE: Duration = Duration::from_secs(3);

/// One of many, who does one kind of thing again and again.
struct Person {
    store: Store,
    pool: Allocator,
    asker: Asker,
    groups: Vec<GroupId>,
    ids: Vec<CredentialId>,
    rng: StdRng,
    name: String,
    round: usize,
}

const KINDS: usize = 7;

impl Person {
    fn tenant(&self) -> &TenantId {
        &self.asker.tenant
    }

    fn any_group(&mut self) -> Option<GroupId> {
        self.groups.choose(&mut self.rng).filter(|_| !self.round.is_multiple_of(3)).cloned()
    }

    fn any(&mut self) -> CredentialId {
        self.ids.choose(&mut self.rng).unwrap().clone()
    }

    fn some(&mut self) -> Vec<CredentialId> {
        self.ids.sample(&mut self.rng, 6).cloned().collect()
    }

    async fn live(mut self, kind: usize, until: Instant) -> usize {
        while Instant::now() < until {
            self.round += 1;
            if let ControlFlow::Break(error) = settle(self.act(kind).await) {
                panic!("{} of kind {kind}: {error:?}", self.name);
            }
        }
        self.round
    }

    async fn act(&mut self, kind: usize) -> Result<(), StoreError> {
        match kind {
            0 => self.edit_group().await,
            1 => self.make_and_remove_group().await,
            2 => self.assign().await,
            3 => self.edit().await,
            4 => self.bulk().await,
            5 => self.import_and_undo().await,
            _ => self.allocate().await,
        }
    }

    async fn edit_group(&mut self) -> Result<(), StoreError> {
        let description = Some(format!("{} {}", self.name, self.round));
        let id = self.groups.choose(&mut self.rng).unwrap().clone();
        let merge = |before: GroupDraft| GroupDraft { description, ..before };
        self.store.update_group(self.tenant(), &origin(), &id, None, merge).await
    }

    /// What goes into it may still be on its way when it is removed.
    async fn make_and_remove_group(&mut self) -> Result<(), StoreError> {
        let name = format!("{} {}", self.name, self.round);
        let id = self.store.add_group(self.tenant(), &origin(), &group(&name)).await?;
        let (some, other) = (self.some(), self.any());
        let (action, put) = (BulkAction::AssignGroup(Some(id.clone())), group_patch(Some(id.clone())));
        let (tenant, by) = (self.tenant(), origin());
        self.store.bulk(tenant, &by, some, &action).await?;
        let (removed, put) = tokio::join!(
            self.store.delete_group(tenant, &by, &id, None),
            self.store.update_credential(tenant, &by, &other, &put, None)
        );
        removed.and(put)
    }

    async fn assign(&mut self) -> Result<(), StoreError> {
        let (id, put) = (self.any(), group_patch(self.any_group()));
        self.store.update_credential(self.tenant(), &origin(), &id, &put, None).await
    }

    async fn edit(&mut self) -> Result<(), StoreError> {
        let id = self.any();
        let put = Patch { note: Some(Some(format!("{} {}", self.name, self.round))), ..Patch::default() };
        self.store.update_credential(self.tenant(), &origin(), &id, &put, None).await?;
        self.store.reset_failures(self.tenant(), &origin(), &id).await
    }

    async fn bulk(&mut self) -> Result<(), StoreError> {
        let some = self.some();
        let action = match self.round % 3 {
            0 => BulkAction::Disable,
            1 => BulkAction::Enable,
            _ => BulkAction::AssignGroup(self.any_group()),
        };
        let outcomes = self.store.bulk(self.tenant(), &origin(), some, &action).await?;
        outcomes.into_iter().try_for_each(|(_, outcome)| outcome)
    }

    async fn import_and_undo(&mut self) -> Result<(), StoreError> {
        let first = self.rng.random_range(5_000..9_000_000);
        let line = |number: i64| format!("{number}:{}\n", hash_of(number));
        let lines = parse(ImportFormat::Text, &(first..first + 5).map(line).collect::<String>(), None);
        let options = ImportOptions { group_id: self.any_group(), ..ImportOptions::default() };
        let report = self.store.import(self.tenant(), &origin(), lines, &options, None, |_, _| {}).await?;
        self.store.undo_batch(self.tenant(), &origin(), &report.batch_id.unwrap()).await.map(drop)
    }

    async fn allocate(&mut self) -> Result<(), StoreError> {
        let account = format!("{} {}", self.name, self.round % 4);
        let number = self.rng.random_range(1..=self.ids.len() as i64);
        let command = match self.round % 5 {
            0 => Command::Release(Release::Account(key(&account))),
            1 => Command::Report(Report { account: Some(key(&account)), ..success(number) }),
            2 => Command::Allocate(Allocate { pinned: Some(api_id(number)), fresh: true, ..wish(&account) }),
            _ => Command::Allocate(Allocate { group: self.any_group(), fresh: true, ..wish(&account) }),
        };
        match self.pool.ask(self.asker.clone(), command).await {
            Err(Refused::Store(error)) => Err(error),
            _ => Ok(()),
        }
    }
}

fn group_patch(group: Option<GroupId>) -> Patch {
    Patch { group_id: Some(group), ..Patch::default() }
}

/// In a crowd, what one wants to change may be gone or decided by another; nothing else may fail.
fn settle(done: Result<(), StoreError>) -> ControlFlow<StoreError> {
    match done {
        Ok(()) | Err(StoreError::Invalid(_) | StoreError::Conflict(_) | StoreError::NotFound(_)) => {
            ControlFlow::Continue(())
        }
        Err(error) => ControlFlow::Break(error),
    }
}

async fn all_kinds_of_changes_at_once(w: &World) {
    let mut groups = Vec::new();
    for name in ["north", "south", "east"] {
        groups.push(w.add_group(name).await);
    }
    let mut ids = Vec::new();
    for number in 1..=24 {
        let group = Some(groups[number as usize % 3].clone());
        ids.push(w.add_with(number, |d| (d.group_id, d.max_accounts) = (group, 3)).await);
    }
    let before = deadlocks(w).await;
    let (mut crowd, mut stores, mut tasks) = (JoinSet::new(), Vec::new(), Vec::new());
    let until = Instant::now() + LOOSE;
    for process in 0..3 {
        let store = w.another_store().await;
        let (pool, task) = Allocator::start(store.clone(), BlameConfig::default());
        for kind in 0..KINDS {
            let person = Person {
                store: store.clone(),
                pool: pool.clone(),
                asker: w.asker(),
                groups: groups.clone(),
                ids: ids.clone(),
                rng: StdRng::seed_from_u64((process * KINDS + kind) as u64),
                name: format!("{process}/{kind}"),
                round: 0,
            };
            crowd.spawn(person.live(kind, until));
        }
        stores.push(store);
        tasks.push(task);
    }
    let rounds: usize = crowd.join_all().await.into_iter().sum();
    for task in tasks {
        task.await.unwrap();
    }
    // PostgreSQL counts what a connection has met when that ends.
    for store in stores {
        store.close().await;
    }
    assert_eq!(deadlocks(w).await, before, "in {rounds} rounds");
    assert!(rounds > 50, "there was little to see: {rounds}");
    let over = w.raw.number("SELECT COUNT(*) FROM credentials WHERE current_accounts > max_accounts").await;
    assert_eq!(over, 0);
}

async fn one_key_for_two_kinds_of_requests_at_once(w: &World) {
    w.add_with(1, |d| d.max_accounts = 1_000).await;
    let before = deadlocks(w).await;
    let (first, second) = (w.another_store().await, w.another_store().await);
    let (pool, task) = Allocator::start(first.clone(), BlameConfig::default());
    for round in 0..60 {
        let mut asker = w.asker();
        let keyed = |name: &str, body: u8| Some(Once { key: format!("{name} {round}"), body_hash: vec![body] });
        // Of several keys, so that a batch has more than one to take.
        let wishes = (0..4).map(|number| {
            asker.origin.once = keyed(&number.to_string(), 1);
            let command = Command::Allocate(Allocate { fresh: true, ..wish(&format!("{round} {number}")) });
            pool.ask(asker.clone(), command)
        });
        let groups = (0..4).rev().map(|number| {
            let by = Origin { once: keyed(&number.to_string(), 2), ..origin() };
            let (store, tenant, draft) = (&second, &w.tenant, group(&format!("group {round} {number}")));
            async move { store.add_group(tenant, &by, &draft).await }
        });
        let (allocated, added) = tokio::join!(join_all(wishes), join_all(groups));
        for (allocated, added) in allocated.into_iter().zip(added.into_iter().rev()) {
            match (allocated, added) {
                (Ok(_), Err(StoreError::Conflict(_))) | (Err(Refused::KeyReused), Ok(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    drop(pool);
    task.await.unwrap();
    first.close().await;
    second.close().await;
    assert_eq!(deadlocks(w).await, before);
}

/// How many deadlocks this database has seen.
async fn deadlocks(w: &World) -> i64 {
    match w.kind {
        Kind::Sqlite => 0,
        Kind::Postgres => {
            w.raw.number("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").await
        }
    }
}
