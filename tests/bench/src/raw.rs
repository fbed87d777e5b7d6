//! The raw limit: the same batches in a loop, without HTTP.

use std::time::{Duration, Instant, SystemTime};

use anyhow::{Result, ensure};
use domain::blame::BlameConfig;
use domain::{AccountKey, TenantId, Timestamp};
use rand::SeedableRng;
use rand::rngs::StdRng;
use store::allocator::{Allocate, Allocator, Asker, Command};
use store::open::{Location, PoolConfig};
use store::seal::MasterKey;
use store::{Ambient, Origin, Store};

use crate::KEY;

/// A database of the program, by its file or its URL.
pub async fn open(place: &str) -> Result<Store> {
    let is_url = place.starts_with("postgres://");
    let location = if is_url { Location::Postgres(place.to_owned()) } else { Location::Sqlite(place.into()) };
    let ambient = Ambient::new(now, StdRng::seed_from_u64(1));
    Ok(Store::open(&location, PoolConfig::default(), vec![MasterKey::new(1, KEY)], ambient).await?)
}

/// Allocates for new accounts, in batches of so many, for so long. Prints allocations per second.
pub async fn run(place: &str, batch: usize, seconds: u64) -> Result<()> {
    let store = open(place).await?;
    let (allocator, task) = Allocator::start(store.clone(), BlameConfig::default());
    let mut origin = Origin::internal("svc:bench");
    origin.ip = Some("127.0.0.1".into());
    origin.request_id = Some("01M8P377WVYDDSBNK9FV7MCXCE".into());
    let asker = Asker { tenant: TenantId::default(), origin };
    let run = now().millis();
    let allocate = |account| Command::Allocate(Allocate::new(AccountKey::stored(account)));
    let (started, length, mut done) = (Instant::now(), Duration::from_secs(seconds), 0);
    while started.elapsed() < length {
        let commands = (done..done + batch).map(|number| allocate(format!("raw:{run}:{number}"))).collect();
        for answer in allocator.ask_all(&asker, commands).await {
            ensure!(answer.is_ok(), "an allocation failed: {answer:?}");
        }
        done += batch;
    }
    println!("{:.0}", done as f64 / started.elapsed().as_secs_f64());
    drop(allocator);
    task.await?;
    store.close().await;
    Ok(())
}

#[allow(clippy::disallowed_methods, reason = "a program of its own has its own clock")]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(since.as_millis() as i64)
}
