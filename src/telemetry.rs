//! Logs, to standard error, as text or as JSON lines.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat};

/// Starts logging. `RUST_LOG` has the last word for those who debug.
pub fn start(config: &Config) -> anyhow::Result<()> {
    let level = config.log_level.to_lowercase();
    // The libraries below are quieter than we are.
    let default = format!("{level},sqlx=warn,apalis=warn,apalis_core=warn,hyper=warn");
    let filter = EnvFilter::try_from_default_env().or_else(|_| EnvFilter::try_new(default))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Text => builder.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
    Ok(())
}
