//! Undoing an import: the batch is closed at once, then what it brought in goes, some at a time.

use domain::credential::Standing;
use domain::event::Action;
use domain::{CredentialId, TenantId};
use serde_json::json;

use crate::Store;
use crate::credentials::{BulkAction, Credential};
use crate::db::{Tx, args, sql};
use crate::error::{Result, StoreError};
use crate::journal::{Entry, Origin};

/// Credentials removed in one transaction: no writer holds the lock long.
const AT_ONCE: usize = 200;

/// How far an undo has come, and how many this step has removed.
enum Step {
    /// There is more.
    Some(u64),
    /// This was the last of it.
    Last(u64),
    /// There was nothing left.
    Nothing,
    /// All that is left are so many, which accounts hold.
    Held(u64, i64),
}

impl Store {
    /// Removes what a batch has imported, while nothing of it is allocated. How many.
    ///
    /// What is allocated while it goes on is switched off and stays. Asked again when that was
    /// released, or after a process has died half-way, it removes the rest.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when some of it is allocated, and when nothing is left to undo.
    pub async fn undo_batch(&self, tenant: &TenantId, origin: &Origin, batch_id: &str) -> Result<u64> {
        self.expire_all_leases().await?;
        self.refuse_held(tenant, batch_id).await?;
        let mut removed = 0;
        loop {
            match self.undo_step(tenant, origin, batch_id, removed).await? {
                Step::Some(some) => removed += some,
                Step::Last(some) => return Ok(removed + some),
                // Somebody else has undone the rest at the same time.
                Step::Nothing if removed > 0 => return Ok(removed),
                Step::Nothing => return Err(StoreError::Conflict("the batch was undone already".to_owned())),
                Step::Held(some, held) => return Err(left(removed + some, held)),
            }
            // Requests go first.
            tokio::task::yield_now().await;
        }
    }

    /// Before anything is undone. An undo that was begun goes on with what is free.
    async fn refuse_held(&self, tenant: &TenantId, batch_id: &str) -> Result<()> {
        let statement = sql!(
            "SELECT b.undone_at,
                 (SELECT COUNT(*) FROM credentials c WHERE c.batch_id = b.id AND c.batch_id IS NOT NULL
                      AND c.deleted_at IS NULL AND c.current_accounts > 0)
             FROM batches b WHERE b.id = $1 AND b.tenant_id = $2"
        );
        let row: Option<(Option<i64>, i64)> = self.db().optional(statement, args![batch_id, tenant]).await?;
        match row.ok_or(StoreError::NotFound("batch"))? {
            (None, held) if held > 0 => {
                Err(StoreError::Conflict(format!("{held} credentials of the batch are allocated")))
            }
            _ => Ok(()),
        }
    }

    async fn undo_step(&self, tenant: &TenantId, origin: &Origin, batch_id: &str, removed: u64) -> Result<Step> {
        let mut tx = self.begin().await?;
        let was_closed = tx.close_undone(tenant, batch_id, self).await?;
        // One more than are taken tells whether there is more.
        let mut some = tx.some_of_batch(batch_id, AT_ONCE + 1).await?;
        let is_last = some.len() <= AT_ONCE;
        some.truncate(AT_ONCE);
        let members = tx.lock_credentials(tenant, &some).await?;
        let (free, mut held): (Vec<_>, Vec<_>) = members.into_iter().partition(|member| member.current_accounts == 0);
        held.retain(|member| member.standing == Standing::Enabled);
        tx.apply(&BulkAction::Delete, &free, self).await?;
        // Out of the choice: else those that are released come straight back.
        tx.apply(&BulkAction::Disable, &held, self).await?;
        let mut entries: Vec<Entry> = free.iter().map(|member| gone(member, batch_id)).collect();
        entries.extend(held.iter().map(|member| switched_off(member, batch_id)));
        let done = free.len() as u64;
        let step = match tx.left_of_batch(batch_id, is_last).await? {
            None => Step::Some(done),
            Some(0) if was_closed && some.is_empty() => return tx.rollback().await.map(|()| Step::Nothing),
            Some(0) => Step::Last(done),
            Some(held) => Step::Held(done, held),
        };
        if matches!(step, Step::Last(_)) {
            let data = json!({ "batch_id": batch_id, "removed": removed + done });
            entries.push(Entry::new(Action::BatchUndone).data(data));
        }
        tx.bump_revision().await?;
        tx.record(tenant, origin, self.now(), &entries).await?;
        tx.commit().await?;
        Ok(step)
    }
}

impl Tx {
    /// Lets nothing more come into a batch, what waits for its job included. Whether that was so
    /// before.
    async fn close_undone(&mut self, tenant: &TenantId, batch_id: &str, store: &Store) -> Result<bool> {
        let locked = sql!("SELECT b.undone_at FROM batches b WHERE b.id = $1 AND b.tenant_id = $2 FOR_UPDATE(b)");
        let row: Option<(Option<i64>,)> = self.optional(locked, args![batch_id, tenant]).await?;
        let (undone_at,) = row.ok_or(StoreError::NotFound("batch"))?;
        if undone_at.is_none() {
            let close = sql!("UPDATE batches SET undone_at = $1, upload = NULL WHERE id = $2");
            self.execute(close, args![store.now(), batch_id]).await?;
        }
        Ok(undone_at.is_some())
    }

    /// Some of a batch that are free, or in the choice still.
    async fn some_of_batch(&mut self, batch_id: &str, limit: usize) -> Result<Vec<CredentialId>> {
        let statement = sql!(
            "SELECT c.id FROM credentials c
             WHERE c.batch_id = $1 AND c.batch_id IS NOT NULL AND c.deleted_at IS NULL
               AND (c.current_accounts = 0 OR c.standing = 'enabled') LIMIT $2"
        );
        let rows: Vec<(String,)> = self.all(statement, args![batch_id, limit]).await?;
        Ok(rows.into_iter().map(|(id,)| CredentialId::from(id)).collect())
    }

    /// At the end: how many of a batch are left.
    async fn left_of_batch(&mut self, batch_id: &str, is_end: bool) -> Result<Option<i64>> {
        if !is_end {
            return Ok(None);
        }
        let statement = sql!(
            "SELECT COUNT(*) FROM credentials c
             WHERE c.batch_id = $1 AND c.batch_id IS NOT NULL AND c.deleted_at IS NULL"
        );
        let (left,): (i64,) = self.one(statement, args![batch_id]).await?;
        Ok(Some(left))
    }
}

fn gone(member: &Credential, batch_id: &str) -> Entry {
    let data = json!({ "api_id": member.api_id, "name": member.name, "batch_id": batch_id });
    Entry::new(Action::Removed).credential(&member.id).data(data)
}

fn switched_off(member: &Credential, batch_id: &str) -> Entry {
    let reason = "its import was undone";
    let data = json!({
        "before": member.standing, "after": Standing::Disabled, "reason": reason, "batch_id": batch_id,
    });
    Entry::new(Action::Disabled).credential(&member.id).data(data)
}

fn left(removed: u64, held: i64) -> StoreError {
    StoreError::Conflict(format!(
        "{removed} of the batch were removed; {held} were allocated meanwhile and are switched off: release them, then \
         undo it again"
    ))
}
