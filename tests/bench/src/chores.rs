//! What goes on beside the traffic: jobs that go through everything, and a backup that reads it all.

use std::cell::Cell;
use std::time::Duration;

use anyhow::{Result, ensure};
use jobs::{Job, Prune, ScoreHealth};
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use store::Store;
use tokio::process::Command;

use crate::place::{Kind, Place};
use crate::raw;

/// Goes on until it is over, and what has begun by then ends. The servers' own workers do the jobs.
pub async fn go_on(place: &Place, over: &Cell<bool>) -> Result<()> {
    let store = raw::open(&place.name()).await?;
    let (oldest, scored_at) = (place.oldest_entry().await?, store.scored_at().await?);
    // At full scale there is more to prune than is done before it is over.
    ask_for(&store, Prune {}).await?;
    tokio::try_join!(score(&store, over), back_up(place, over))?;
    ensure!(store.scored_at().await? > scored_at, "nothing was scored");
    ensure!(place.oldest_entry().await? > oldest, "nothing was pruned");
    Ok(())
}

async fn ask_for(store: &Store, job: impl Job) -> Result<()> {
    let mut tx = store.begin().await?;
    tx.enqueue(&job, store).await?;
    Ok(tx.commit().await?)
}

/// One scoring after the other.
async fn score(store: &Store, over: &Cell<bool>) -> Result<()> {
    while !over.get() {
        let before = store.scored_at().await?;
        ask_for(store, ScoreHealth::default()).await?;
        while store.scored_at().await? == before {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    Ok(())
}

/// One backup after the other.
async fn back_up(place: &Place, over: &Cell<bool>) -> Result<()> {
    while !over.get() {
        // In memory, as if on another disk: what the traffic feels is to be the reading.
        let copy = tempfile::tempdir_in("/dev/shm")?;
        let file = copy.path().join("backup").display().to_string();
        if place.kind == Kind::Sqlite {
            let mut connection = SqliteConnection::connect(&place.name()).await?;
            sqlx::raw_sql(AssertSqlSafe(format!("VACUUM INTO '{file}'"))).execute(&mut connection).await?;
        } else {
            let mut dump = Command::new("pg_dump");
            dump.args(["--format=plain", "--file", &file, &place.name()]).kill_on_drop(true);
            ensure!(dump.status().await?.success(), "pg_dump failed");
        }
    }
    Ok(())
}
