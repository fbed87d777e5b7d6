//! The `api-pool` command. It composes and decides nothing: it reads the configuration, opens what
//! the parts need, and starts them.

mod ambient;
mod cli;
mod commands;
mod config;
mod keys;
mod pages;
mod telemetry;

use std::process::ExitCode;

use clap::Parser;

use cli::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    match runtime.block_on(commands::run(cli)) {
        Ok(code) => code,
        Err(error) => fail(&error),
    }
}

/// What stops a start is told in one line, with exit code 2.
fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("api-pool: {error:#}");
    ExitCode::from(2)
}
