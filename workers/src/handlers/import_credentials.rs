//! Imports an upload that waited sealed in its batch.
//!
//! A run that dies in the middle loses nothing: what it imported counts as a duplicate in the next
//! one, and only the end of a run takes the upload away.

use std::collections::BTreeMap;

use domain::import::{self, ImportFormat};
use domain::{GroupId, TenantId};
use jobs::ImportCredentials;
use serde::Deserialize;
use store::batches::ImportOptions;

use crate::{Context, Result, WorkersError};

/// An upload as the API keeps it. It holds secrets: never logged, and no error repeats it.
#[derive(Deserialize)]
struct Upload {
    #[serde(default)]
    format: ImportFormat,
    data: String,
    columns: Option<BTreeMap<String, String>>,
    default_max_accounts: Option<i64>,
    group_id: Option<GroupId>,
}

pub(crate) async fn import_credentials(context: Context, job: ImportCredentials) -> Result<()> {
    let tenant = TenantId::from(job.tenant_id);
    let Some((actor, upload)) = context.store.waiting_upload(&tenant, &job.batch_id).await? else {
        tracing::debug!(batch = job.batch_id, "was imported already");
        return Ok(());
    };
    let Ok(upload) = serde_json::from_value::<Upload>(upload) else {
        return Err(WorkersError::Hopeless("the upload can't be read".to_owned()));
    };
    let samples = context.config.samples.clone();
    let mut options = ImportOptions { group_id: upload.group_id, samples, ..ImportOptions::default() };
    if let Some(slots) = upload.default_max_accounts {
        options.default_max_accounts = slots;
    }
    let parse = move || import::parse(upload.format, &upload.data, upload.columns.as_ref());
    let lines = tokio::task::spawn_blocking(parse)
        .await
        .map_err(|stopped| WorkersError::Failed(format!("reading the upload: {stopped}")))?;
    let origin = context.origin::<ImportCredentials>();
    let progress = |done, of| tracing::debug!(done, of, "importing");
    let report = context.store.import(&tenant, &origin, lines, &options, Some(job.batch_id), progress).await?;
    tracing::info!(
        batch = report.batch_id,
        %actor,
        imported = report.imported,
        duplicates = report.duplicates,
        rejected = report.rejected,
        "imported an upload"
    );
    Ok(())
}
