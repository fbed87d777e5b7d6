//! When the database can't write for a while: that is told as what it is, and passes by itself.

use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use store::allocator::{Command, Refused};
use store::credentials::Filter;
use store::open::Location;
use store::queue::QueuePool;
use store::{Slice, StoreError};

use crate::world::{Kind, World, assert_refused, group, on_both, origin, run, wish};

on_both! {
    after_a_failover_there_is_reading_until_there_is_writing_again,
}

/// How many pages the file may have; `None` for as many as there are and a few more.
async fn limit_file(w: &World, most: Option<i64>) {
    let QueuePool::Sqlite(write) = w.store.queue_pool() else { panic!("only SQLite has a file") };
    let mut connection = write.acquire().await.unwrap();
    let (pages,): (i64,) = sqlx::query_as("PRAGMA page_count").fetch_one(&mut *connection).await.unwrap();
    let limit = AssertSqlSafe(format!("PRAGMA max_page_count = {}", most.unwrap_or(pages + 9)));
    sqlx::query(limit).execute(&mut *connection).await.unwrap();
}

async fn is_written_again_when_there_is_room(w: &World) {
    let id = w.add(1).await;
    // A row that needs more pages by itself: there SQLite takes back all of the transaction.
    let upload = json!({ "data": "x".repeat(100_000) });
    let keep = async || w.store.import_later(&w.tenant, &origin(), &upload).await;
    limit_file(w, None).await;
    let error = keep().await.unwrap_err();
    assert!(matches!(&error, StoreError::Unavailable(cause) if cause.to_string().contains("full")), "{error:?}");
    assert_eq!(w.credential(&id).await.id, id, "there is reading all the while");
    limit_file(w, Some(1 << 30)).await;
    keep().await.unwrap();
    w.allocate("a").await.unwrap();
    // The queue's library writes on the same connection.
    let QueuePool::Sqlite(write) = w.store.queue_pool() else { panic!("only SQLite has a file") };
    write.begin().await.unwrap().rollback().await.unwrap();
}

#[test]
fn a_full_disk_is_written_again_when_there_is_room() {
    run(Kind::Sqlite, is_written_again_when_there_is_room);
}

/// Whoever waits too long for a batch is told so at once when its turn comes, and nothing is done.
async fn nobody_waits_longer_than_the_deadline(w: &World) {
    w.add(1).await;
    let commands: Vec<Command> = (0..600).map(|n| Command::Allocate(wish(&n.to_string()))).collect();
    let QueuePool::Sqlite(write) = w.store.queue_pool() else { panic!("only SQLite has one connection to write") };
    let held = write.acquire().await.unwrap();
    let answers = w.pool.ask_all(&w.asker(), commands).await;
    drop(held);
    let kept_waiting = answers.iter().filter(|a| matches!(a, Err(Refused::Store(StoreError::Unavailable(_))))).count();
    let late = answers.iter().filter(|a| matches!(a, Err(Refused::Overloaded))).count();
    assert!((1..=256).contains(&kept_waiting), "the first batch: {kept_waiting}");
    assert_eq!(kept_waiting + late, 600, "and all behind it");
    assert_eq!(w.count("api.allocated").await, 0);
    w.allocate("a").await.unwrap();
}

#[test]
fn a_held_up_database_keeps_nobody_waiting_for_ever() {
    run(Kind::Sqlite, nobody_waits_longer_than_the_deadline);
}

/// PostgreSQL as a standby is, to whom a name of the primary still leads; on SQLite a file that
/// may not be written to.
async fn forbid_writing(w: &World, forbidden: bool) {
    match w.store.queue_pool() {
        QueuePool::Sqlite(write) => {
            let query = AssertSqlSafe(format!("PRAGMA query_only = {}", i32::from(forbidden)));
            sqlx::query(query).execute(&write).await.unwrap();
        }
        QueuePool::Postgres(_) => {
            let Location::Postgres(url) = &w.location else { panic!("a PostgreSQL has an address") };
            let options: PgConnectOptions = url.parse().unwrap();
            let options = options.options([("default_transaction_read_only", "off")]);
            let mut admin = PgConnection::connect_with(&options).await.unwrap();
            let name = options.get_database().unwrap();
            let state = if forbidden { "on" } else { "off" };
            let others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
            for statement in [
                format!("ALTER DATABASE {name} SET default_transaction_read_only = {state}"),
                format!("SELECT pg_terminate_backend(pid) {others}"),
            ] {
                sqlx::query(AssertSqlSafe(statement)).execute(&mut admin).await.unwrap();
            }
            admin.close().await.unwrap();
        }
    }
}

async fn after_a_failover_there_is_reading_until_there_is_writing_again(w: &World) {
    let id = w.add(1).await;
    forbid_writing(w, true).await;
    let refused = w.store.add_group(&w.tenant, &origin(), &group("north")).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert_refused!(w.allocate("a").await, Refused::Store(StoreError::Unavailable(_)));
    assert_eq!(w.credential(&id).await.id, id);
    assert_eq!(w.store.count_credentials(&w.tenant, &Filter::default()).await.unwrap().number, 1);
    assert!(w.store.groups(&w.tenant, &Slice::default()).await.unwrap().is_empty());
    w.store.ping().await.unwrap();
    forbid_writing(w, false).await;
    w.store.add_group(&w.tenant, &origin(), &group("north")).await.unwrap();
    w.allocate("a").await.unwrap();
}
