//! `import` and `export`.

use std::io::{Read, Write};
use std::process::ExitCode;

use anyhow::Context;
use api::ExportFormat;
use domain::import::parse;
use domain::{GroupId, TenantId};
use indicatif::{ProgressBar, ProgressStyle};
use store::batches::{ImportOptions, LineOutcome};
use store::credentials::Filter;
use store::{Origin, Store};

use crate::cli::{Export, Import};
use crate::config::Config;

/// Rejected lines that are printed; the rest is counted.
const SHOWN: usize = 20;

pub async fn import(config: &Config, store: &Store, import: Import) -> anyhow::Result<ExitCode> {
    let data = if import.file.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
        text
    } else {
        std::fs::read_to_string(&import.file).with_context(|| format!("cannot read {}", import.file.display()))?
    };
    let lines = parse(import.format, &data, None);
    if lines.is_empty() {
        eprintln!("nothing to import: {} has no line with a credential", import.file.display());
        return Ok(ExitCode::FAILURE);
    }
    let options = ImportOptions {
        default_max_accounts: import.max_accounts,
        group_id: import.group.map(GroupId::from),
        dry_run: import.dry_run,
        samples: config.sample_api_ids.clone(),
    };
    let bar =
        ProgressBar::new(lines.len() as u64).with_style(ProgressStyle::with_template("{bar:40} {pos}/{len} {eta}")?);
    let progress = |done: usize, total: usize| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    };
    let report = store.import(&TenantId::default(), &Origin::internal("cli"), lines, &options, None, progress).await?;
    bar.finish_and_clear();

    let rejected: Vec<_> = report.lines.iter().filter(|l| l.outcome == LineOutcome::Rejected).collect();
    for line in rejected.iter().take(SHOWN) {
        eprintln!("line {}: {}", line.line, line.reason.as_deref().unwrap_or("rejected"));
    }
    if rejected.len() > SHOWN {
        eprintln!("… and {} more", rejected.len() - SHOWN);
    }
    let verb = if import.dry_run { "would be imported" } else { "imported" };
    println!(
        "{} {verb}, {} duplicates, {} rejected, {} with a warning",
        report.imported, report.duplicates, report.rejected, report.warnings
    );
    if let Some(batch) = report.batch_id {
        println!("batch {batch}");
    }
    if report.imported + report.duplicates == 0 {
        eprintln!("nothing came in: every line was rejected");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

pub async fn export(store: &Store, export: &Export) -> anyhow::Result<ExitCode> {
    let (tenant, filter) = (TenantId::default(), Filter::default());
    store.note_export(&tenant, &Origin::internal("cli"), &filter, export.include_hash).await?;
    let format = if export.format == "json" { ExportFormat::Json } else { ExportFormat::Csv };
    let mut walk = api::Export::new(store.clone(), tenant, filter, format, export.include_hash);
    let mut out = std::io::stdout().lock();
    while let Some(chunk) = walk.next().await? {
        out.write_all(&chunk)?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
