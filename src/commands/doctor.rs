//! `doctor`: are the invariants true?

use std::process::ExitCode;
use std::time::Duration;

use indicatif::ProgressBar;
use store::Store;

pub async fn run(store: &Store) -> anyhow::Result<ExitCode> {
    let spinner = ProgressBar::new_spinner();
    spinner.enable_steady_tick(Duration::from_millis(100));
    let checks = store.doctor(|name| spinner.set_message(name)).await?;
    spinner.finish_and_clear();
    let mut sound = true;
    for check in checks {
        let mark = if check.findings.is_empty() { "ok " } else { "OFF" };
        println!("{mark} {}", check.name);
        for finding in &check.findings {
            println!("      {finding}");
            sound = false;
        }
    }
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
