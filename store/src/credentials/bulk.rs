//! One action on many credentials, each with its own outcome.

use std::collections::HashMap;

use domain::credential::Standing;
use domain::event::Action;
use domain::{CredentialId, GroupId, TenantId, health};
use serde_json::{Value, json};

use super::reach::check_found;
use super::{Credential, Filter, Page, Row, Sort, view_columns};
use crate::db::{Tx, args, json_texts, sql};
use crate::error::{Result, StoreError};
use crate::journal::{Entry, Origin};
use crate::{Store, Total};

/// Credentials changed in one transaction: no writer holds the lock long.
const AT_ONCE: usize = 200;
/// Ids read at once for a filter.
const STEP: usize = 1_000;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BulkAction {
    /// Switch on; banned ones stay banned.
    Enable,
    /// Switch off.
    Disable,
    /// Move into a group, or out of any.
    AssignGroup(Option<GroupId>),
    /// Remove; those that accounts hold stay.
    Delete,
}

/// What became of each, in the order in which they were asked for.
pub type BulkOutcomes = Vec<(CredentialId, Result<()>)>;

const ROWS: &str = concat!(
    "SELECT ",
    view_columns!(),
    " FROM credentials c LEFT JOIN credential_groups g ON g.id = c.group_id
      WHERE c.id IN TEXTS($1) AND c.tenant_id = $2 AND c.deleted_at IS NULL ORDER BY c.id FOR_UPDATE(c)"
);

impl Store {
    /// The credentials of a filter, the oldest first.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when there are not `expected` of them, and when there are more than
    /// are ever counted.
    pub async fn ids_of_filter(&self, tenant: &TenantId, filter: &Filter, expected: i64) -> Result<Vec<CredentialId>> {
        let (mut ids, mut after) = (Vec::new(), None);
        loop {
            let page = Page { sort: Sort::CreatedAt, descending: false, after: after.take(), limit: STEP };
            let rows = self.credentials(tenant, filter, &page).await?;
            let more = rows.len() == STEP;
            after = rows.last().map(|last| (Sort::CreatedAt.key(last), last.id.to_string()));
            ids.extend(rows.into_iter().map(|row| row.id));
            // Enough to know that it is refused.
            if !more || ids.len() as i64 > Total::CAP {
                break;
            }
        }
        check_found(ids.len() as i64, expected)?;
        Ok(ids)
    }

    /// Does one thing to many credentials, some at a time; each has its own outcome.
    pub async fn bulk(
        &self,
        tenant: &TenantId,
        origin: &Origin,
        ids: Vec<CredentialId>,
        action: &BulkAction,
    ) -> Result<BulkOutcomes> {
        if *action == BulkAction::Delete {
            self.expire_all_leases().await?;
        }
        let mut outcomes = Vec::with_capacity(ids.len());
        for some in ids.chunks(AT_ONCE) {
            let mut done = match self.bulk_some(tenant, origin, some, action).await {
                Ok(done) => done,
                Err(error) if outcomes.is_empty() => return Err(error),
                Err(error) => {
                    // What is done is done, and told.
                    tracing::warn!(%error, "a bulk action has stopped half-way");
                    let stopped = || StoreError::Conflict("the action stopped before this one; try again".to_owned());
                    outcomes.extend(ids[outcomes.len()..].iter().map(|id| (id.clone(), Err(stopped()))));
                    break;
                }
            };
            outcomes.extend(
                some.iter().map(|id| (id.clone(), done.remove(id).unwrap_or(Err(StoreError::NotFound("credential"))))),
            );
        }
        self.wake_workers();
        Ok(outcomes)
    }

    async fn bulk_some(
        &self,
        tenant: &TenantId,
        origin: &Origin,
        ids: &[CredentialId],
        action: &BulkAction,
    ) -> Result<HashMap<CredentialId, Result<()>>> {
        let mut tx = self.begin().await?;
        // Groups are locked before credentials everywhere.
        if let BulkAction::AssignGroup(group) = action {
            tx.check_group(tenant, group.as_ref()).await?;
        }
        let (mut outcomes, mut changing) = (HashMap::new(), Vec::new());
        for credential in tx.lock_credentials(tenant, ids).await? {
            let changes = action.changes(&credential);
            outcomes.insert(credential.id.clone(), changes.as_ref().map(drop).map_err(|why| conflict(why)));
            if changes == Ok(true) {
                changing.push(credential);
            }
        }
        if changing.is_empty() {
            tx.rollback().await?;
            return Ok(outcomes);
        }
        tx.apply(action, &changing, self).await?;
        let entries: Vec<Entry> = changing.iter().map(|credential| action.entry(credential)).collect();
        tx.bump_revision().await?;
        if *action == BulkAction::Enable {
            tx.enqueue(&jobs::ScoreHealth::SOON, self).await?;
        }
        tx.record(tenant, origin, self.now(), &entries).await?;
        tx.commit().await?;
        Ok(outcomes)
    }
}

fn conflict(why: &str) -> StoreError {
    StoreError::Conflict(why.to_owned())
}

impl BulkAction {
    /// Whether it changes this credential; or why it may not.
    fn changes(&self, credential: &Credential) -> Result<bool, &'static str> {
        let banned = credential.standing == Standing::Banned;
        match self {
            Self::Enable | Self::Disable if banned => Err("the credential is banned; lift the ban first"),
            Self::Enable => Ok(credential.standing != Standing::Enabled),
            Self::Disable => Ok(credential.standing != Standing::Disabled),
            Self::AssignGroup(group) => Ok(credential.group_id != *group),
            Self::Delete if credential.current_accounts > 0 => Err("accounts hold this credential; release them first"),
            Self::Delete => Ok(true),
        }
    }

    fn entry(&self, credential: &Credential) -> Entry {
        let (action, data): (Action, Value) = match self {
            Self::Enable => {
                (Action::Enabled, json!({ "before": credential.standing, "after": Standing::Enabled, "bulk": true }))
            }
            Self::Disable => {
                (Action::Disabled, json!({ "before": credential.standing, "after": Standing::Disabled, "bulk": true }))
            }
            Self::AssignGroup(group) => {
                let (before, after) = (json!({ "group_id": credential.group_id }), json!({ "group_id": group }));
                (Action::Updated, json!({ "before": before, "after": after, "bulk": true }))
            }
            Self::Delete => {
                (Action::Removed, json!({ "api_id": credential.api_id, "name": credential.name, "bulk": true }))
            }
        };
        Entry::new(action).credential(&credential.id).data(data)
    }
}

impl Tx {
    /// Locks credentials, in the order of all; those that are there.
    pub(crate) async fn lock_credentials(
        &mut self,
        tenant: &TenantId,
        ids: &[CredentialId],
    ) -> Result<Vec<Credential>> {
        let ids = json_texts(ids.iter().map(CredentialId::as_str));
        let rows: Vec<Row> = self.all(sql!(ROWS), args![ids, tenant]).await?;
        rows.into_iter().map(Credential::try_from).collect()
    }

    /// Takes locked credentials out of their group; what the journal is to say of it.
    pub(crate) async fn take_out_of_group(&mut self, credentials: &[Credential], store: &Store) -> Result<Vec<Entry>> {
        let action = BulkAction::AssignGroup(None);
        self.apply(&action, credentials, store).await?;
        Ok(credentials.iter().map(|credential| action.entry(credential)).collect())
    }

    /// Does it to locked credentials.
    pub(crate) async fn apply(&mut self, action: &BulkAction, credentials: &[Credential], store: &Store) -> Result<()> {
        if credentials.is_empty() {
            return Ok(());
        }
        let ids = json_texts(credentials.iter().map(|credential| credential.id.as_str()));
        let now = store.now();
        match action {
            BulkAction::Enable | BulkAction::Disable => {
                let standing = if *action == BulkAction::Enable { Standing::Enabled } else { Standing::Disabled };
                self.execute(
                    sql!(
                        "UPDATE credentials SET standing = $1, updated_at = $2, version = version + 1,
                             health_score = CASE WHEN health_score > $3 THEN $3 ELSE health_score END
                         WHERE id IN TEXTS($4)"
                    ),
                    args![standing.to_string(), now, health::cap(standing), ids],
                )
                .await?;
            }
            BulkAction::AssignGroup(group) => {
                // See domain::credential::Shelf::key.
                self.execute(
                    sql!(
                        "UPDATE credentials SET group_id = $1, updated_at = $2, version = version + 1,
                             shelf = CAST(min_member_level AS TEXT) || CASE WHEN is_premium THEN '/1/' ELSE '/0/' END || $3
                         WHERE id IN TEXTS($4)"
                    ),
                    args![
                        group.as_ref().map(GroupId::as_str),
                        now,
                        group.as_ref().map_or("", GroupId::as_str),
                        ids
                    ],
                )
                .await?;
            }
            BulkAction::Delete => {
                self.execute(
                    sql!(
                        "UPDATE credentials SET deleted_at = $1, updated_at = $1, version = version + 1
                         WHERE id IN TEXTS($2)"
                    ),
                    args![now, ids],
                )
                .await?;
            }
        }
        Ok(())
    }
}
