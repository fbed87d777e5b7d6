//! What goes on beside the traffic: jobs that go through everything, and a backup that reads it all.

use std::convert::Infallible;
use std::time::Duration;

use anyhow::{Result, ensure};
use jobs::{Prune, ScoreHealth};
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use store::Store;
use tokio::process::Command;

use crate::place::{Kind, Place};
use crate::raw;

/// Until dropped. The servers' own workers do the jobs; a backup follows the other.
pub async fn go_on(place: &Place) -> Result<Infallible> {
    let store = raw::open(&place.name()).await?;
    tokio::try_join!(ask_for_jobs(&store), back_up(place)).map(|(never, _)| never)
}

async fn ask_for_jobs(store: &Store) -> Result<Infallible> {
    loop {
        let mut tx = store.begin().await?;
        tx.enqueue(&Prune {}, store).await?;
        tx.enqueue(&ScoreHealth::SOON, store).await?;
        tx.commit().await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn back_up(place: &Place) -> Result<Infallible> {
    loop {
        let copy = tempfile::tempdir()?;
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
}
