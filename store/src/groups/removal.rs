//! Removing a group: its credentials are moved out some at a time, then it goes.

use domain::event::Action;
use domain::{CredentialId, GroupId, TenantId};
use serde_json::json;

use crate::Store;
use crate::db::{Tx, args, json_texts, sql};
use crate::error::{Result, StoreError};
use crate::journal::{Entry, Origin};

/// Credentials moved out in one transaction: no writer holds the lock long.
const AT_ONCE: usize = 200;

/// How far a removal has come.
enum Step {
    /// So many were moved out; there may be more.
    Moved(usize),
    /// There were none left, and it is gone.
    Gone,
}

impl Store {
    /// Removes a group; its credentials move to none. When this process dies half-way, the group
    /// stands with what is left in it, and is removed by asking again.
    pub async fn delete_group(
        &self,
        tenant: &TenantId,
        origin: &Origin,
        id: &GroupId,
        expected: Option<i64>,
    ) -> Result<()> {
        // Decided on the group as it was seen; an edit in between changes nothing of that.
        let (mut expected, mut moved) = (expected, 0);
        while let Step::Moved(some) = self.delete_group_step(tenant, origin, id, expected, moved).await? {
            (expected, moved) = (None, moved + some);
            // Requests go first.
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    async fn delete_group_step(
        &self,
        tenant: &TenantId,
        origin: &Origin,
        id: &GroupId,
        expected: Option<i64>,
        moved: usize,
    ) -> Result<Step> {
        let mut tx = self.begin().await?;
        // Locked first, so that no credential is put into it in the meantime.
        let name = tx.lock_group(tenant, id, expected).await?;
        let rules = tx.rules_about(tenant, id).await?;
        if !rules.is_empty() {
            return Err(StoreError::Conflict(format!("these rules are about the group: {}", rules.join(", "))));
        }
        let some = tx.some_of_group(tenant, id).await?;
        let (step, entries) = if some.is_empty() {
            // Before the counters, like every lock: here it waits for whoever still looks at its key.
            tx.execute(sql!("DELETE FROM credential_groups WHERE id = $1 AND tenant_id = $2"), args![id, tenant])
                .await?;
            let data = json!({ "group_id": id, "name": name, "credentials_moved": moved });
            (Step::Gone, vec![Entry::new(Action::GroupRemoved).data(data)])
        } else {
            let entries = tx.empty_group(tenant, id, &some, self).await?;
            (Step::Moved(entries.len()), entries)
        };
        tx.bump_revision().await?;
        tx.record(tenant, origin, self.now(), &entries).await?;
        tx.commit().await?;
        Ok(step)
    }
}

impl Tx {
    /// Some credentials of a group, removed ones among them.
    async fn some_of_group(&mut self, tenant: &TenantId, group: &GroupId) -> Result<Vec<CredentialId>> {
        let statement = sql!("SELECT id FROM credentials WHERE group_id = $1 AND tenant_id = $2 LIMIT $3");
        let rows: Vec<(String,)> = self.all(statement, args![group, tenant, AT_ONCE]).await?;
        Ok(rows.into_iter().map(|(id,)| CredentialId::from(id)).collect())
    }

    /// Takes these out of a group, as far as they are still in it. Of removed ones nobody is told.
    async fn empty_group(
        &mut self,
        tenant: &TenantId,
        group: &GroupId,
        ids: &[CredentialId],
        store: &Store,
    ) -> Result<Vec<Entry>> {
        let mut members = self.lock_credentials(tenant, ids).await?;
        members.retain(|member| member.group_id.as_ref() == Some(group));
        let entries = self.take_out_of_group(&members, store).await?;
        // The shelf is `level/premium/group`: without a group it ends in its second slash.
        self.execute(
            sql!(
                "UPDATE credentials SET group_id = NULL, shelf = SUBSTR(shelf, 1, LENGTH(shelf) - LENGTH(group_id))
                 WHERE id IN TEXTS($1) AND group_id = $2"
            ),
            args![json_texts(ids.iter().map(CredentialId::as_str)), group],
        )
        .await?;
        Ok(entries)
    }
}
