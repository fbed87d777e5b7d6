//! `make bench`: how fast, as ratios in one run.

mod chores;
mod echo;
mod goals;
mod load;
mod place;
mod raw;
mod report;
mod run;
mod servers;

use std::path::Path;

/// As the program has it, so that the comparison is about the rest.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Seals the pools of a run, which are thrown away.
const KEY: [u8; 32] = [7; 32];

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["run", file] => runtime.block_on(run::run(run::FULL, Path::new(file))),
        ["quick", file] => runtime.block_on(run::run(run::QUICK, Path::new(file))),
        // What a run starts beside itself.
        ["echo"] => runtime.block_on(echo::serve()),
        ["raw", place, batch, seconds] => runtime.block_on(raw::run(place, batch.parse()?, seconds.parse()?)),
        _ => anyhow::bail!("usage: bench run|quick FILE"),
    }
}
