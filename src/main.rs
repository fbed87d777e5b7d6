//! The `api-pool` command. It composes and decides nothing: it reads the configuration, opens what
//! the parts need, and starts them.

mod ambient;
mod cli;
mod commands;
mod config;
mod keys;
mod lock;
mod metrics;
mod pages;
mod server;
mod telemetry;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use cli::Cli;

/// Requests are many small pieces of memory, made on one thread and let go of on another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    without_huge_pages();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misunderstood(&error),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    match runtime.block_on(commands::run(cli)) {
        Ok(code) => code,
        Err(error) => fail(&error),
    }
}

/// The allocator takes its memory in pages of 2 MiB where it may, of which an idle program uses little
/// each: it had 95 MB resident with them, 57 MB without.
fn without_huge_pages() {
    // A kernel that does not know them has none.
    let _ = nix::sys::prctl::set_thp_disable(true);
}

/// Help and version are answers; anything else that clap says is one line.
fn misunderstood(error: &clap::Error) -> ExitCode {
    use ErrorKind::{DisplayHelp, DisplayHelpOnMissingArgumentOrSubcommand, DisplayVersion};
    if matches!(error.kind(), DisplayHelp | DisplayVersion | DisplayHelpOnMissingArgumentOrSubcommand) {
        error.exit();
    }
    let text = error.to_string();
    let paragraph = text.trim_start_matches("error: ").split("\n\n").next().unwrap_or_default();
    let line = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    fail(&anyhow::anyhow!("{line}; see api-pool --help"))
}

/// What stops a start is told in one line, with exit code 2.
fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("api-pool: {error:#}");
    ExitCode::from(2)
}
