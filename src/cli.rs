//! The command line. `--help` is documentation.
#![allow(clippy::doc_markdown, reason = "the comments are what `--help` prints")]

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand};
use domain::MemberLevel;
use domain::access::{Role, Scope};
use domain::credential::{DEFAULT_MAX_ACCOUNTS, MAX_ACCOUNTS_LIMIT};
use domain::import::ImportFormat;
use serde::Serialize;
use strum::IntoEnumIterator;

/// Keeps an organisation's Telegram application credentials, hands one to each account that logs
/// in, and learns from what happens.
#[derive(Debug, Parser)]
#[command(name = "api-pool", version, max_term_width = 100, propagate_version = true)]
pub struct Cli {
    /// A configuration file in TOML; the keys are those of the README's table.
    #[arg(long, global = true, env = "API_POOL_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,

    #[command(flatten)]
    pub overrides: Overrides,

    #[command(subcommand)]
    pub command: Command,
}

/// What flags may say; each wins over the environment and the file.
#[derive(Debug, Default, Args, Serialize)]
pub struct Overrides {
    /// The SQLite file [default: ./data/api_pool.db].
    #[arg(long, global = true, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database_path: Option<PathBuf>,

    /// A PostgreSQL URL; without one, SQLite.
    #[arg(long, global = true, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database_url: Option<String>,

    /// The address to listen on [default: 127.0.0.1].
    #[arg(long, global = true, value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_host: Option<String>,

    /// The port to listen on; 0 takes a free one [default: 8080].
    #[arg(long, global = true, value_name = "PORT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_port: Option<u16>,

    /// error, warn, info, debug or trace [default: info].
    #[arg(long, global = true, value_name = "LEVEL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_level: Option<String>,

    /// text or json [default: text].
    #[arg(long, global = true, value_name = "FORMAT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_format: Option<String>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run everything in one process: API, dashboard and workers.
    Serve,
    /// Run the API and the dashboard, without workers.
    Api,
    /// Run the workers only. Binds no port.
    Worker,
    /// Bring the database up to date and stop.
    Migrate,
    /// Import credentials from a file (CSV, JSON or api_id:api_hash lines), or from `-`. Exits with 1
    /// when nothing came in and nothing of it was there already.
    Import(Import),
    /// Write all credentials to standard output.
    Export(Export),
    /// Manage people.
    #[command(subcommand)]
    User(User),
    /// Manage service tokens.
    #[command(subcommand)]
    Token(Token),
    /// Copy everything from SQLite into an empty PostgreSQL database. Goes on where it was stopped.
    Copy(Copy),
    /// Check the database's invariants; lists what is off and exits with 1 when something is.
    Doctor,
    /// Print the OpenAPI document.
    Openapi,
}

#[derive(Debug, Args)]
pub struct Import {
    /// The file; `-` reads standard input.
    pub file: PathBuf,
    /// csv, json, text or auto.
    #[arg(long, default_value = "auto", value_parser = word::<ImportFormat>)]
    pub format: ImportFormat,
    /// Slots of lines that don't say.
    #[arg(long, default_value_t = DEFAULT_MAX_ACCOUNTS, value_parser = clap::value_parser!(i64).range(1..=MAX_ACCOUNTS_LIMIT))]
    pub max_accounts: i64,
    /// The id of the group of lines that don't say.
    #[arg(long)]
    pub group: Option<String>,
    /// Look, but write nothing.
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct Copy {
    /// sqlite:FILE. Nobody may be writing to it.
    #[arg(long, value_name = "URL")]
    pub from: String,
    /// postgres://user:password@host:port/database
    #[arg(long, value_name = "URL")]
    pub to: String,
}

#[derive(Debug, Args)]
pub struct Export {
    /// csv or json.
    #[arg(long, default_value = "csv", value_parser = ["csv", "json"])]
    pub format: String,
    /// Write plain hashes; noted in the journal.
    #[arg(long)]
    pub include_hash: bool,
}

#[derive(Debug, Subcommand)]
pub enum User {
    /// Add a user. The password is asked for, or read from standard input.
    Add {
        /// The name to sign in with.
        username: String,
        /// owner, admin, operator or auditor.
        #[arg(long, default_value = "operator", value_parser = word::<Role>)]
        role: Role,
    },
    /// Set a user's password, and unlock. The password is asked for, or read from standard input.
    Passwd {
        /// The name to sign in with.
        username: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum Token {
    /// Issue a token and print it, once.
    Issue {
        /// The product that will use it: lower-case letters, digits and `-`.
        product: String,
        /// Scopes by comma: credpool:allocate, credpool:release, credpool:account,
        /// credpool:report, credpool:*.
        #[arg(long, value_delimiter = ',', default_value = "credpool:*", value_parser = word::<Scope>)]
        scopes: Vec<Scope>,
        /// The level of its accounts.
        #[arg(long, default_value = "free", value_parser = word::<MemberLevel>)]
        level: MemberLevel,
        /// A note for people.
        #[arg(long)]
        note: Option<String>,
    },
}

/// A word out of a known set; any other is told what there is.
fn word<T: FromStr + IntoEnumIterator + ToString>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| {
        let words: Vec<String> = T::iter().map(|word| word.to_string()).collect();
        format!("must be one of {}", words.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}
