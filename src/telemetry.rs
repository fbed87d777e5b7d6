//! Logs, to standard error, as text or as JSON lines.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat};

/// Our own rooms. Of the libraries below only what is wrong is told.
const OURS: [&str; 6] = ["api_pool", "api", "store", "workers", "jobs", "domain"];
/// It logs each message that it reads, the one with a client's token among them; never below this.
const TALKATIVE: &str = "tungstenite=info";

/// Starts logging. `RUST_LOG` has nearly the last word, for those who debug.
pub fn start(config: &Config) -> anyhow::Result<()> {
    let level = config.log_level.to_lowercase();
    let theirs = if level == "error" { "error" } else { "warn" };
    let default = format!("{theirs}{}", OURS.map(|room| format!(",{room}={level}")).concat());
    let filter = EnvFilter::try_from_default_env().or_else(|_| EnvFilter::try_new(default))?;
    let filter = filter.add_directive(TALKATIVE.parse()?);
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Text => builder.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
    Ok(())
}
