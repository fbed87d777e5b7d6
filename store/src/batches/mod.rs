//! Imports: many credentials at once, each line with its own outcome, undone as a whole.

mod lines;
mod undo;

use std::collections::{BTreeSet, HashMap, HashSet};

use domain::credential::DEFAULT_MAX_ACCOUNTS;
use domain::event::Action;
use domain::import::{self, ParsedLine};
use domain::{ApiId, CredentialId, GroupId, Invalid, TenantId};
use jobs::ImportCredentials;
use serde_json::{Value, json};

use crate::Store;
use crate::credentials::{draft_json, insert_drafts, told};
use crate::db::{args, sql};
use crate::error::{Result, StoreError};
use crate::journal::{Entry, Origin};
use crate::seal::Place;
use lines::{Ready, check_lines};

/// Lines written in one transaction: no writer holds the lock long.
const CHUNK: usize = 200;

/// How an import is meant.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// Slots of lines that don't say.
    pub default_max_accounts: i64,
    /// The group of lines that don't say.
    pub group_id: Option<GroupId>,
    /// Look, but write nothing.
    pub dry_run: bool,
    /// Published sample ids, which are refused.
    pub samples: Vec<i64>,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self {
            default_max_accounts: DEFAULT_MAX_ACCOUNTS,
            group_id: None,
            dry_run: false,
            samples: import::SAMPLE_API_IDS.to_vec(),
        }
    }
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, strum::EnumIter, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum LineOutcome {
    /// It is in the pool now; on a dry run, it would be.
    Imported,
    /// Its `api_id` is in the pool, or stands on an earlier line.
    Duplicate,
    /// It breaks a rule.
    Rejected,
}

/// One line of the source, answered.
#[derive(Clone, Debug)]
pub struct ImportLine {
    /// Its number in the source, from 1.
    pub line: usize,
    /// Telegram's id, as far as it could be read.
    pub api_id: Option<i64>,
    /// What became of it.
    pub outcome: LineOutcome,
    /// Why, or what to look at.
    pub reason: Option<String>,
}

/// An import, answered.
#[derive(Clone, Debug)]
pub struct ImportReport {
    /// The batch, for undoing; none on a dry run.
    pub batch_id: Option<String>,
    /// Lines by outcome, and those with a warning.
    pub imported: usize,
    /// See [`LineOutcome::Duplicate`].
    pub duplicates: usize,
    /// See [`LineOutcome::Rejected`].
    pub rejected: usize,
    /// Imported lines that a person should look at.
    pub warnings: usize,
    /// Every line, in order.
    pub lines: Vec<ImportLine>,
}

impl Store {
    /// Imports parsed lines. `progress` is told how many are done, of how many.
    pub async fn import(
        &self,
        tenant: &TenantId,
        origin: &Origin,
        lines: Vec<ParsedLine>,
        options: &ImportOptions,
        batch_id: Option<String>,
        mut progress: impl FnMut(usize, usize),
    ) -> Result<ImportReport> {
        let groups = self.group_names(tenant).await?;
        if options.dry_run && options.group_id.as_ref().is_some_and(|g| !groups.values().any(|id| id == g)) {
            return Err(Invalid::field("group_id", "is not one of the groups").into());
        }
        let group = options.group_id.as_ref();
        let batch = if options.dry_run { None } else { Some(self.open_batch(tenant, origin, batch_id, group).await?) };
        let (mut answers, ready) = check_lines(lines, options, &groups);
        let total = ready.len();
        let mut done = 0;
        for chunk in ready.chunks(CHUNK) {
            let fresh = match &batch {
                None => self.unknown_of(tenant, chunk).await?,
                Some(batch) if batch.is_finished => self.imported_by(tenant, chunk, &batch.id).await?,
                Some(batch) => self.write_chunk(tenant, origin, chunk, &batch.id).await?,
            };
            for ready in chunk.iter().filter(|r| !fresh.contains(&r.draft.api_id)) {
                let line = &mut answers[ready.index];
                (line.outcome, line.reason) = (LineOutcome::Duplicate, Some("is in the pool already".to_owned()));
            }
            done += chunk.len();
            progress(done, total);
        }
        let count = |outcome| answers.iter().filter(|l| l.outcome == outcome).count();
        let is_finished = batch.as_ref().is_some_and(|batch| batch.is_finished);
        let report = ImportReport {
            batch_id: batch.map(|batch| batch.id),
            imported: count(LineOutcome::Imported),
            duplicates: count(LineOutcome::Duplicate),
            rejected: count(LineOutcome::Rejected),
            warnings: answers.iter().filter(|l| l.outcome == LineOutcome::Imported && l.reason.is_some()).count(),
            lines: answers,
        };
        if !is_finished {
            self.close_batch(tenant, origin, &report).await?;
        }
        Ok(report)
    }

    async fn group_names(&self, tenant: &TenantId) -> Result<HashMap<String, GroupId>> {
        let rows: Vec<(String, String)> =
            self.db().all(sql!("SELECT id, name FROM credential_groups WHERE tenant_id = $1"), args![tenant]).await?;
        let mut names = HashMap::new();
        for (id, name) in rows {
            names.insert(name, GroupId::from(id.as_str()));
            names.insert(id.clone(), GroupId::from(id));
        }
        Ok(names)
    }

    /// Makes the batch's row, or finds the one that a job was given, or that the request's key made.
    async fn open_batch(
        &self,
        tenant: &TenantId,
        origin: &Origin,
        given: Option<String>,
        group: Option<&GroupId>,
    ) -> Result<OpenBatch> {
        let mut id = given.unwrap_or_else(|| self.ambient().new_id());
        let mut tx = self.begin().await?;
        match tx.claim(tenant, origin.once.as_ref(), &id, self.now()).await? {
            Some(made) => id = made,
            // A request that comes again has the same answer, whatever has become of the group.
            None => tx.check_group(tenant, group).await?,
        }
        tx.execute(
            sql!(
                "INSERT INTO batches (id, tenant_id, actor, created_at) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (id) DO NOTHING"
            ),
            args![&id, tenant, &origin.actor, self.now()],
        )
        .await?;
        let (finished_at, undone_at): (Option<i64>, Option<i64>) =
            tx.one(sql!("SELECT finished_at, undone_at FROM batches WHERE id = $1"), args![&id]).await?;
        if undone_at.is_some() {
            return Err(undone());
        }
        tx.commit().await?;
        Ok(OpenBatch { id, is_finished: finished_at.is_some() })
    }

    async fn close_batch(&self, tenant: &TenantId, origin: &Origin, report: &ImportReport) -> Result<()> {
        let Some(batch) = &report.batch_id else { return Ok(()) };
        let mut tx = self.begin().await?;
        let closed: Option<(String,)> = tx
            .optional(
                sql!(
                    "UPDATE batches SET imported = $1, duplicates = $2, rejected = $3, finished_at = $4, upload = NULL
                     WHERE id = $5 AND finished_at IS NULL RETURNING actor"
                ),
                args![report.imported, report.duplicates, report.rejected, self.now(), batch],
            )
            .await?;
        // Of many requests with one key, one closes it.
        let Some((asked_by,)) = closed else { return tx.rollback().await };
        let data = json!({
            "batch_id": batch,
            "asked_by": asked_by,
            "imported": report.imported,
            "duplicates": report.duplicates,
            "rejected": report.rejected,
        });
        tx.record(tenant, origin, self.now(), &[Entry::new(Action::BatchImported).data(data)]).await?;
        tx.commit().await
    }

    /// Writes a chunk; the `api_id`s that are new to the pool with this batch.
    async fn write_chunk(
        &self,
        tenant: &TenantId,
        origin: &Origin,
        chunk: &[Ready],
        batch: &str,
    ) -> Result<HashSet<ApiId>> {
        let prior = self.compiled_now().await?.tenants.get(tenant).map(|t| t.prior).unwrap_or_default();
        let mut rows = Vec::with_capacity(chunk.len());
        let mut by_id = HashMap::with_capacity(chunk.len());
        for Ready { draft, .. } in chunk {
            let (id, row) = draft_json(tenant, draft, &prior, Some(batch), self.sealer(), self.ambient())?;
            by_id.insert(id.as_str().to_owned(), draft);
            rows.push(row);
        }
        let mut tx = self.begin().await?;
        // An undo that came in between holds for the rest as well.
        let batch_row: Option<(Option<i64>,)> =
            tx.optional(sql!("SELECT b.undone_at FROM batches b WHERE b.id = $1 FOR_UPDATE(b)"), args![batch]).await?;
        if batch_row.is_some_and(|(undone_at,)| undone_at.is_some()) {
            return Err(undone());
        }
        // In order, and before what is put into them, as everywhere.
        for group in chunk.iter().filter_map(|ready| ready.draft.group_id.as_ref()).collect::<BTreeSet<_>>() {
            tx.check_group(tenant, Some(group)).await?;
        }
        let inserted = insert_drafts(&mut tx, rows, self.now()).await?;
        let entries: Vec<Entry> = inserted
            .iter()
            .filter_map(|id| {
                let draft = by_id.get(id)?;
                let mut data = told(draft);
                data.insert("batch_id".to_owned(), json!(batch));
                Some(Entry::new(Action::Added).credential(&CredentialId::from(id.as_str())).data(data.into()))
            })
            .collect();
        if !entries.is_empty() {
            tx.bump_revision().await?;
        }
        tx.record(tenant, origin, self.now(), &entries).await?;
        // Also those that came in with an earlier run of the same batch, which died.
        let ours: Vec<(i64,)> = tx
            .all(
                sql!(
                    "SELECT c.api_id FROM EACH($1) AS e CROSS JOIN credentials c
                     WHERE c.tenant_id = $2 AND c.api_id = CAST(e.value ->> 'a' AS BIGINT) AND c.deleted_at IS NULL
                       AND c.batch_id = $3"
                ),
                args![api_ids(chunk), tenant, batch],
            )
            .await?;
        tx.commit().await?;
        Ok(ours.into_iter().filter_map(|(api_id,)| ApiId::new(api_id)).collect())
    }

    /// Of a batch that has come to its end: what it brought in, whatever became of it since.
    async fn imported_by(&self, tenant: &TenantId, chunk: &[Ready], batch: &str) -> Result<HashSet<ApiId>> {
        // Two statements in one, so that each finds its partial index.
        let statement = sql!(
            "SELECT c.api_id FROM EACH($1) AS e CROSS JOIN credentials c
             WHERE c.tenant_id = $2 AND c.api_id = CAST(e.value ->> 'a' AS BIGINT) AND c.deleted_at IS NULL
               AND c.batch_id = $3
             UNION ALL
             SELECT c.api_id FROM EACH($1) AS e CROSS JOIN credentials c
             WHERE c.tenant_id = $2 AND c.api_id = CAST(e.value ->> 'a' AS BIGINT) AND c.deleted_at IS NOT NULL
               AND c.batch_id = $3"
        );
        let rows: Vec<(i64,)> = self.db().all(statement, args![api_ids(chunk), tenant, batch]).await?;
        Ok(rows.into_iter().filter_map(|(api_id,)| ApiId::new(api_id)).collect())
    }

    /// What of a chunk is not in the pool.
    async fn unknown_of(&self, tenant: &TenantId, chunk: &[Ready]) -> Result<HashSet<ApiId>> {
        let rows: Vec<(i64,)> = self
            .db()
            .all(
                sql!(
                    "SELECT c.api_id FROM EACH($1) AS e CROSS JOIN credentials c
                     WHERE c.tenant_id = $2 AND c.api_id = CAST(e.value ->> 'a' AS BIGINT) AND c.deleted_at IS NULL"
                ),
                args![api_ids(chunk), tenant],
            )
            .await?;
        let known: HashSet<i64> = rows.into_iter().map(|(api_id,)| api_id).collect();
        Ok(chunk.iter().map(|r| r.draft.api_id).filter(|a| !known.contains(&a.get())).collect())
    }

    /// Keeps a large upload, sealed, and enqueues its import in the same transaction. The ids of
    /// the job and of the batch.
    pub async fn import_later(&self, tenant: &TenantId, origin: &Origin, upload: &Value) -> Result<(String, String)> {
        let batch_id = self.ambient().new_id();
        let sealed = self.sealer().seal(upload_place(tenant, &batch_id), upload.to_string().as_bytes())?;
        let mut tx = self.begin().await?;
        tx.execute(
            sql!("INSERT INTO batches (id, tenant_id, actor, created_at, upload) VALUES ($1, $2, $3, $4, $5)"),
            args![&batch_id, tenant, &origin.actor, self.now(), sealed],
        )
        .await?;
        let job = ImportCredentials { tenant_id: tenant.as_str().to_owned(), batch_id: batch_id.clone() };
        let job_id = tx.enqueue(&job, self).await?;
        let made = format!("{job_id}/{batch_id}");
        if let Some(made) = tx.claim(tenant, origin.once.as_ref(), &made, self.now()).await? {
            tx.rollback().await?;
            let ids = made.split_once('/').ok_or_else(crate::once::reused)?;
            return Ok((ids.0.to_owned(), ids.1.to_owned()));
        }
        let group = upload["group_id"].as_str().map(GroupId::from);
        tx.check_group(tenant, group.as_ref()).await?;
        tx.commit().await?;
        self.wake_workers();
        Ok((job_id, batch_id))
    }

    /// The upload that waits in a batch; `None` when it was imported already.
    pub async fn waiting_upload(&self, tenant: &TenantId, batch_id: &str) -> Result<Option<(String, Value)>> {
        let row: Option<(String, Option<Vec<u8>>)> = self
            .db()
            .optional(
                sql!("SELECT actor, upload FROM batches WHERE id = $1 AND tenant_id = $2"),
                args![batch_id, tenant],
            )
            .await?;
        let (actor, sealed) = row.ok_or(StoreError::NotFound("batch"))?;
        let Some(sealed) = sealed else { return Ok(None) };
        let plain = self.sealer().open(upload_place(tenant, batch_id), &sealed)?;
        let upload = serde_json::from_slice(&plain).map_err(|_| StoreError::Damaged("an upload".to_owned()))?;
        Ok(Some((actor, upload)))
    }
}

/// A batch that an import goes into.
struct OpenBatch {
    id: String,
    /// It was imported before: the same request has come again.
    is_finished: bool,
}

fn undone() -> StoreError {
    StoreError::Conflict("the batch was undone".to_owned())
}

/// `[{"a": api_id}]`
fn api_ids(chunk: &[Ready]) -> String {
    chunk.iter().map(|ready| json!({ "a": ready.draft.api_id.get() })).collect::<Value>().to_string()
}

fn upload_place<'a>(tenant: &'a TenantId, id: &'a str) -> Place<'a> {
    Place { tenant: tenant.as_str(), table: "batches", column: "upload", id }
}
