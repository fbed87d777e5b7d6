//! `make bench`: how fast, as ratios in one run.

mod echo;
mod raw;

use store::open::Location;

/// As the program has it, so that the comparison is about the rest.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Seals the pools of a run, which are thrown away.
const KEY: [u8; 32] = [7; 32];

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["echo"] => runtime.block_on(echo::serve()),
        ["raw", place, batch, seconds] => {
            let location = if place.starts_with("postgres") {
                Location::Postgres(place.to_owned())
            } else {
                Location::Sqlite(place.into())
            };
            runtime.block_on(raw::run(location, KEY, batch.parse()?, seconds.parse()?))
        }
        _ => anyhow::bail!("unknown arguments"),
    }
}
