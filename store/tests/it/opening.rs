//! Opening: the master key, migrations from either side, and what may be shown of a location.

use std::time::Duration;

use sqlx::Row;
use store::checkpoint::checkpoint;
use store::open::{Location, PoolConfig};
use store::queue::QueuePool;
use store::seal::MasterKey;
use store::{Store, StoreError};
use tokio_util::sync::CancellationToken;

use crate::world::{KEY, Kind, World, on_both, origin};

on_both! {
    another_master_key_is_refused,
    a_new_key_seals_while_the_old_one_opens,
    of_two_first_starts_with_different_keys_one_goes_on,
    a_newer_database_is_refused,
    opening_again_changes_nothing,
    what_was_answered_is_there_after_a_restart,
}

async fn open(w: &World, keys: &[(u16, [u8; 32])]) -> Result<Store, StoreError> {
    let keys = keys.iter().map(|(id, key)| MasterKey::new(*id, *key)).collect();
    Store::open(&w.location, PoolConfig::default(), keys, w.ambient()).await
}

async fn another_master_key_is_refused(w: &World) {
    w.add(1).await;
    for keys in [&[(1, [8; 32])][..], &[(2, KEY)], &[(1, [8; 32]), (2, [9; 32])]] {
        let refused = open(w, keys).await;
        assert!(matches!(&refused, Err(StoreError::WrongKey(why)) if why.contains("key 1")), "{refused:?}");
    }
    assert!(matches!(open(w, &[]).await, Err(StoreError::WrongKey(_))));
    assert_eq!(w.raw.number("SELECT COUNT(*) FROM keyring").await, 1, "a refused key is not remembered");
    open(w, &[(1, KEY)]).await.unwrap().close().await;
}

async fn a_new_key_seals_while_the_old_one_opens(w: &World) {
    let old = w.add(1).await;
    let rotated = open(w, &[(1, KEY), (2, [9; 32])]).await.unwrap();
    let new = rotated.add_credential(&w.tenant, &origin(), &crate::world::draft(2)).await.unwrap();
    for id in [&old, &new] {
        rotated.reveal(&w.tenant, &origin(), id, "check").await.unwrap();
    }
    // Whoever has not got the new key can't open what it sealed, and can't start either.
    assert!(w.store.reveal(&w.tenant, &origin(), &new, "check").await.is_err());
    assert!(matches!(open(w, &[(1, KEY)]).await, Err(StoreError::WrongKey(why)) if why.contains("key 2")));
    rotated.delete_credential(&w.tenant, &origin(), &new, false, None).await.unwrap();
    w.leave_damaged();
    assert!(rotated.doctor(|_| {}).await.unwrap().iter().all(|check| check.findings.is_empty()));
    rotated.close().await;
}

async fn of_two_first_starts_with_different_keys_one_goes_on(w: &World) {
    w.leave_damaged();
    for _ in 0..5 {
        w.raw.run("DELETE FROM keyring").await;
        let (one, two) = tokio::join!(open(w, &[(1, [1; 32])]), open(w, &[(1, [2; 32])]));
        assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
        for store in [one, two] {
            match store {
                Ok(store) => store.close().await,
                Err(refused) => assert!(matches!(refused, StoreError::WrongKey(_)), "{refused:?}"),
            }
        }
    }
}

async fn a_newer_database_is_refused(w: &World) {
    w.leave_damaged();
    for table in ["_sqlx_migrations", "_apalis_migrations"] {
        let column = |name: &str| format!("SELECT '{name}', CAST(MAX(version) AS BIGINT) FROM {table}");
        let (_, newest) = w.raw.all::<(String, i64)>(&column(table)).await.remove(0);
        w.raw
            .run(&format!(
                "INSERT INTO {table} (version, description, success, checksum, execution_time)
                 SELECT version + 1, 'from the future', success, checksum, 0 FROM {table} WHERE version = {newest}"
            ))
            .await;
        let refused = open(w, &[(1, KEY)]).await;
        let told = refused.as_ref().map_err(ToString::to_string).map(|_| ());
        match refused {
            Err(StoreError::TooNew { found, known }) => assert_eq!((found, known), (newest + 1, newest)),
            other => panic!("{other:?}"),
        }
        assert!(told.unwrap_err().contains("newer version of api-pool"));
        w.raw.run(&format!("DELETE FROM {table} WHERE version = {newest} + 1")).await;
        open(w, &[(1, KEY)]).await.unwrap().close().await;
    }
}

async fn opening_again_changes_nothing(w: &World) {
    w.add(1).await;
    let state = async || w.raw.all::<(i64, i64)>("SELECT journal, value FROM heads CROSS JOIN revision").await;
    let before = state().await;
    let again = open(w, &[(1, KEY)]).await.unwrap();
    again.ping().await.unwrap();
    assert_eq!(again.tenants().await.unwrap(), std::slice::from_ref(&w.tenant));
    again.close().await;
    assert!(again.ping().await.is_err(), "closed is closed");
    assert_eq!(state().await, before);
}

async fn what_was_answered_is_there_after_a_restart(w: &World) {
    w.add(1).await;
    let held = w.allocate("a").await.unwrap();
    let again = open(w, &[(1, KEY)]).await.unwrap();
    let row = again.account(&w.tenant, &held.account).await.unwrap().unwrap();
    assert_eq!(row.allocation_id.as_deref(), Some(held.allocation_id.as_str()));
    again.close().await;
}

#[test]
fn a_location_never_shows_its_password() {
    let location = Location::Postgres("postgres://pool:hunter2@db.example:5433/pool".to_owned());
    assert_eq!(location.describe(), "postgres://db.example:5433/pool");
    assert_eq!(format!("{location:?}"), location.describe());
    let broken = Location::Postgres("not a url with hunter2".to_owned());
    assert_eq!(format!("{broken:?}"), "postgres");
}

#[test]
fn what_can_not_be_opened_is_named() {
    crate::world::block_on(async {
        let refused = async |location: Location| {
            let config = PoolConfig { patience: Duration::from_secs(1), ..PoolConfig::default() };
            let ambient = store::Ambient::new(domain::Timestamp::default, rand::SeedableRng::seed_from_u64(0));
            match Store::open(&location, config, vec![MasterKey::new(1, KEY)], ambient).await {
                Err(StoreError::Open { what, why }) => format!("{what} {why}"),
                other => panic!("{other:?}"),
            }
        };
        let told = refused(Location::Sqlite("/nowhere/at/all.db".into())).await;
        assert!(told.starts_with("/nowhere/at/all.db"), "{told}");
        let told = refused(Location::Postgres("postgres://pool:hunter2@127.0.0.1:1/pool".to_owned())).await;
        assert!(told.starts_with("postgres://127.0.0.1:1/pool") && !told.contains("hunter2"), "{told}");
        assert!(told.contains("refused"), "nobody listens there: {told}");
        let told = refused(Location::Postgres("nonsense hunter2".to_owned())).await;
        assert!(told.starts_with("DATABASE_URL") && !told.contains("hunter2"), "{told}");
    });
}

#[test]
fn a_file_is_opened_so_that_nothing_is_lost() {
    crate::world::run(Kind::Sqlite, async |w: &World| {
        let QueuePool::Sqlite(writer) = w.store.queue_pool() else { panic!() };
        for (pragma, expected) in [
            ("synchronous", "2"),
            ("foreign_keys", "1"),
            ("journal_mode", "wal"),
            ("auto_vacuum", "2"),
            ("wal_autocheckpoint", "0"),
            ("busy_timeout", "10000"),
        ] {
            let statement = sqlx::AssertSqlSafe(format!("PRAGMA {pragma}"));
            let row = sqlx::query(statement).fetch_one(&writer).await.unwrap();
            let number = row.try_get::<i64, _>(0).map(|number| number.to_string());
            assert_eq!(number.unwrap_or_else(|_| row.get(0)), expected, "{pragma}");
        }
    });
}

#[test]
fn the_log_is_moved_into_the_file_beside_the_allocator() {
    crate::world::run(Kind::Sqlite, async |w: &World| {
        let Location::Sqlite(path) = &w.location else { panic!() };
        let in_file = || {
            let bytes = std::fs::read(path).unwrap();
            bytes.windows(13).any(|window| window == b"a unique name")
        };
        w.add_with(1, |d| d.name = "a unique name".to_owned()).await;
        assert!(!in_file());
        let cancel = CancellationToken::new();
        let task = tokio::spawn(checkpoint(w.store.clone(), cancel.clone()));
        let moved = async {
            while !in_file() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), moved).await.unwrap();
        cancel.cancel();
        task.await.unwrap();
        w.allocate("a").await.unwrap();
    });
}
