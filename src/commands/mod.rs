//! One function for each command.

mod copy;
mod doctor;
mod pool;
mod roles;
mod users;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use secrecy::ExposeSecret;
use store::Store;
use store::open::{Location, PoolConfig};

use crate::cli::{Cli, Command, Token, User};
use crate::config::Config;
use crate::lock::{self, InUse};
use crate::{ambient, keys, telemetry};

/// Does what was asked.
pub async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    if matches!(cli.command, Command::Openapi) {
        // Needs no configuration and no database.
        println!("{:#}", api::openapi());
        return Ok(ExitCode::SUCCESS);
    }
    let config = Config::load(cli.config.as_deref(), &cli.overrides)?;
    telemetry::start(&config)?;
    if let Command::Copy(copy) = cli.command {
        return copy::run(&config, copy).await;
    }
    let location = location(&config);
    location.check()?;
    if !may_begin(&cli.command) {
        must_exist(&location)?;
    }
    let _in_use = match &location {
        Location::Sqlite(path) if !config.read_only => Some(in_use(path)?),
        _ => None,
    };
    let store = open(&config, &location).await?;
    if store.is_half_copied().await? {
        bail!("a copy into {} did not come to its end: run `api-pool copy` again", location.describe());
    }
    store.fix_settings(config.fixed.clone());
    let code = match cli.command {
        Command::Serve => roles::run(config, store.clone(), location, roles::Role::Serve).await?,
        Command::Api => roles::run(config, store.clone(), location, roles::Role::Api).await?,
        Command::Worker => roles::run(config, store.clone(), location, roles::Role::Worker).await?,
        // Opening has migrated already.
        Command::Migrate => {
            println!("{} is up to date", location.describe());
            ExitCode::SUCCESS
        }
        Command::Import(import) => pool::import(&config, &store, import).await?,
        Command::Export(export) => pool::export(&store, &export).await?,
        Command::User(User::Add { username, role }) => users::add(&store, &username, role).await?,
        Command::User(User::Passwd { username }) => users::passwd(&store, &username).await?,
        Command::Token(Token::Issue { product, scopes, level, note }) => {
            users::issue_token(&store, product, scopes, level, note).await?
        }
        Command::Doctor => doctor::run(&store).await?,
        Command::Copy(_) | Command::Openapi => ExitCode::SUCCESS,
    };
    store.close().await;
    Ok(code)
}

fn location(config: &Config) -> Location {
    match &config.database_url {
        Some(url) => Location::Postgres(url.expose_secret().to_owned()),
        None => Location::Sqlite(config.database_path.clone()),
    }
}

/// Whether a command makes sense on a database that it makes itself.
fn may_begin(command: &Command) -> bool {
    let needs_one = matches!(
        command,
        Command::Doctor | Command::Export(_) | Command::User(User::Passwd { .. }) | Command::Token(Token::Issue { .. })
    );
    !needs_one
}

/// Otherwise no new one is made: a wrong path would look like an empty, healthy pool, and its tokens
/// like ones that work.
fn must_exist(location: &Location) -> anyhow::Result<()> {
    match location {
        Location::Sqlite(path) if !path.exists() => bail!("there is no database {}", path.display()),
        _ => Ok(()),
    }
}

fn in_use(path: &Path) -> anyhow::Result<InUse> {
    if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    lock::share(path)
}

async fn open(config: &Config, location: &Location) -> anyhow::Result<Store> {
    let ambient = ambient::system()?;
    let keys = keys::load(config.master_key.as_ref(), location, &ambient)?;
    let pool =
        PoolConfig { connections: config.database_connections, read_only: config.read_only, ..PoolConfig::default() };
    Ok(Store::open(location, pool, keys, ambient).await?)
}
