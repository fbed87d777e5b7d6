//! `copy`: everything of a SQLite database into PostgreSQL, when one machine is no longer enough.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use store::Store;
use store::open::{COPYING, Location, PoolConfig};

use crate::cli::Copy;
use crate::config::Config;
use crate::{ambient, keys, lock};

pub async fn run(config: &Config, copy: Copy) -> anyhow::Result<ExitCode> {
    let Some(path) = copy.from.strip_prefix("sqlite:") else {
        bail!("--from must be sqlite:FILE");
    };
    let path = PathBuf::from(path.strip_prefix("//").unwrap_or(path));
    if !path.is_file() {
        bail!("there is no database {}", path.display());
    }
    let (source, target) = (Location::Sqlite(path.clone()), Location::Postgres(copy.to));
    target.check().context("--to")?;
    let _alone = lock::alone(&path)?;
    let ambient = ambient::system()?;
    let key = || keys::load(config.master_key.as_ref(), &source, &ambient);
    let reading = PoolConfig { read_only: true, ..PoolConfig::default() };
    let from = Store::open(&source, reading, key()?, ambient.clone()).await?;
    let writing = PoolConfig { name: COPYING, ..PoolConfig::default() };
    let into = Store::open(&target, writing, key()?, ambient.clone()).await?;

    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template("{msg:20} {bar:40} {pos}/{len} {eta}")?);
    let told = |table: &'static str, there: u64, total: u64| {
        bar.set_message(table);
        bar.set_length(total);
        bar.set_position(there);
    };
    let copied = from.copy_into(&into, told).await?;
    bar.finish_and_clear();
    println!("{:20} {:>12}  checksum, the same on both sides", "table", "rows");
    for table in copied {
        println!("{:20} {:>12}  {}", table.table, table.rows, table.checksum);
    }
    println!("copied {} to {}", source.describe(), target.describe());
    if config.master_key.is_none() {
        let file = keys::key_file(&path);
        println!("start with DATABASE_URL, and with API_POOL_MASTER_KEY set to what {} holds", file.display());
    }
    from.close().await;
    into.close().await;
    Ok(ExitCode::SUCCESS)
}
