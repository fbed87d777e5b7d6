//! Moving up, and what stands in its way. What is moved, the black box tests look at.

use std::path::Path;

use futures::future::{Either, select};
use store::open::{Location, PoolConfig};
use store::seal::MasterKey;
use store::{Store, StoreError};
use tokio::sync::Notify;

use crate::world::{KEY, Kind, World};

async fn target(w: &World, folder: &Path) -> Store {
    let location = Location::Sqlite(folder.join("target.db"));
    Store::open(&location, PoolConfig::default(), vec![MasterKey::new(1, KEY)], w.ambient()).await.unwrap()
}

/// Copies until it comes to a table, and is interrupted there.
async fn copy_up_to(w: &World, target: &Store, table: &str) {
    let there = Notify::new();
    let told = |name: &'static str, _, _| {
        if name == table {
            there.notify_one();
        }
    };
    let (copy, interrupted) = (Box::pin(w.store.copy_into(target, told)), Box::pin(there.notified()));
    assert!(matches!(select(interrupted, copy).await, Either::Left(_)), "it is interrupted");
}

#[test]
fn an_interrupted_copy_goes_on_only_from_what_stands() {
    crate::world::run(Kind::Sqlite, async |w: &World| {
        let folder = tempfile::tempdir().unwrap();
        let target = target(w, folder.path()).await;
        w.add(1).await;
        copy_up_to(w, &target, "accounts").await;
        assert!(target.is_half_copied().await.unwrap());
        copy_up_to(w, &target, "journal").await;

        // Whoever works on the source again ends that.
        w.allocate("a").await.unwrap();
        match w.store.copy_into(&target, |table, _, _| panic!("{table} is copied")).await {
            Err(StoreError::Conflict(why)) => {
                assert!(why.contains("the source has changed since") && why.contains("empty the target"), "{why}");
            }
            other => panic!("{other:?}"),
        }
        target.close().await;
    });
}

#[test]
fn a_small_change_of_the_source_is_seen_too() {
    crate::world::run(Kind::Sqlite, async |w: &World| {
        let folder = tempfile::tempdir().unwrap();
        let target = target(w, folder.path()).await;
        copy_up_to(w, &target, "journal").await;
        // No row of the journal tells of this one.
        w.raw.run("INSERT INTO job_state (name, value) VALUES ('some job', '1')").await;
        let again = w.store.copy_into(&target, |_, _, _| {}).await;
        assert!(matches!(&again, Err(StoreError::Conflict(why)) if why.contains("has changed since")), "{again:?}");
        target.close().await;
    });
}

#[test]
fn an_interrupted_copy_comes_to_its_end() {
    crate::world::run(Kind::Sqlite, async |w: &World| {
        let folder = tempfile::tempdir().unwrap();
        let target = target(w, folder.path()).await;
        w.add(1).await;
        copy_up_to(w, &target, "credentials").await;
        w.store.copy_into(&target, |_, _, _| {}).await.unwrap();
        assert!(!target.is_half_copied().await.unwrap());
        let again = w.store.copy_into(&target, |_, _, _| {}).await;
        assert!(matches!(&again, Err(StoreError::Conflict(why)) if why.contains("holds a copy already")), "{again:?}");
        target.close().await;
    });
}
