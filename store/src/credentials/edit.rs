//! Adding, changing and removing credentials.

use domain::credential::{Draft, Shelf, Standing, mask_phone, mask_secret};
use domain::event::Action;
use domain::health::Prior;
use domain::{CredentialId, GroupId, Invalid, TenantId, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::patch::{Patch, changes, told};
use super::{Credential, hash_place, phone_place};
use crate::db::{Tx, args, sql};
use crate::error::{Result, StoreError, unique};
use crate::journal::{Entry, Origin};
use crate::seal::Sealer;
use crate::{Ambient, Store};

/// Accounts released per transaction when a credential is removed by force.
const RELEASED_AT_ONCE: usize = 200;
/// Attempts at a removal by force that may find nothing to release before the count is taken to be
/// wrong; somebody else may release the last account in between.
const FRUITLESS: usize = 3;

/// A draft as `insert_drafts` takes it. Sealing happens here, so plain secrets go no further.
pub(crate) fn draft_json(
    tenant: &TenantId,
    draft: &Draft,
    prior: &Prior,
    batch: Option<&str>,
    sealer: &Sealer,
    ambient: &Ambient,
) -> Result<(CredentialId, Value)> {
    let id = CredentialId::from(ambient.new_id());
    let hash = draft.api_hash.expose_secret();
    let phone = draft.source_phone.as_ref().map(ExposeSecret::expose_secret);
    let sealed_phone = phone.map(|p| sealer.seal(phone_place(tenant, &id), p.as_bytes())).transpose()?;
    let shelf =
        Shelf { group: draft.group_id.clone(), is_premium: draft.is_premium, min_level: draft.min_member_level };
    let row = json!({
        "id": id.as_str(),
        "t": tenant.as_str(),
        "a": draft.api_id.get(),
        "h": hex(&sealer.seal(hash_place(tenant, &id), hash.as_bytes())?),
        "hm": mask_secret(hash),
        "n": draft.name,
        "m": draft.max_accounts,
        "g": draft.group_id.as_ref().map(GroupId::as_str),
        "p": draft.priority,
        "ip": draft.is_premium,
        "ml": draft.min_member_level.rank(),
        "sh": shelf.key(),
        "tg": json!(draft.tags).to_string(),
        "ph": sealed_phone.map(|p| hex(&p)),
        "pm": phone.map(mask_phone),
        "no": draft.note,
        "b": batch,
        "ss": prior.posterior_millionths(0, 0),
    });
    Ok((id, row))
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

macro_rules! insert_drafts_sql {
    ($unhex_hash:literal, $unhex_phone:literal) => {
        concat!(
            "INSERT INTO credentials (id, tenant_id, api_id, api_hash, api_hash_masked, name, max_accounts, group_id,
                 priority, is_premium, min_member_level, shelf, tags, source_phone, source_phone_masked, note, batch_id,
                 success_score, created_at, updated_at)
             SELECT e.value ->> 'id', e.value ->> 't', CAST(e.value ->> 'a' AS BIGINT), ",
            $unhex_hash,
            ", e.value ->> 'hm', e.value ->> 'n', CAST(e.value ->> 'm' AS BIGINT), e.value ->> 'g',
                 CAST(e.value ->> 'p' AS BIGINT), CAST(e.value ->> 'ip' AS BOOLEAN), CAST(e.value ->> 'ml' AS BIGINT),
                 e.value ->> 'sh', e.value ->> 'tg', ",
            $unhex_phone,
            ", e.value ->> 'pm', e.value ->> 'no', e.value ->> 'b', CAST(e.value ->> 'ss' AS BIGINT), $2, $2
             FROM EACH($1) AS e WHERE TRUE
             ON CONFLICT (tenant_id, api_id) WHERE deleted_at IS NULL DO NOTHING RETURNING id"
        )
    };
}

/// Inserts drafts; the ids of those whose `api_id` was not there yet. The dialects differ in how
/// they read bytes from hexadecimal.
pub(crate) async fn insert_drafts(tx: &mut Tx, rows: Vec<Value>, now: Timestamp) -> Result<Vec<String>> {
    let statement = if tx.is_postgres() {
        sql!(insert_drafts_sql!("decode(e.value ->> 'h', 'hex')", "decode(e.value ->> 'ph', 'hex')"))
    } else {
        sql!(insert_drafts_sql!("unhex(e.value ->> 'h')", "unhex(e.value ->> 'ph')"))
    };
    let inserted: Vec<(String,)> = tx.all(statement, args![Value::Array(rows).to_string(), now]).await?;
    Ok(inserted.into_iter().map(|(id,)| id).collect())
}

impl Store {
    /// Adds one credential.
    pub async fn add_credential(&self, tenant: &TenantId, origin: &Origin, draft: &Draft) -> Result<CredentialId> {
        let compiled = self.compiled_now().await?;
        let prior = compiled.tenants.get(tenant).map(|t| t.prior).unwrap_or_default();
        let (id, row) = draft_json(tenant, draft, &prior, None, self.sealer(), self.ambient())?;
        let mut tx = self.begin().await?;
        if let Some(made) = tx.claim(tenant, origin.once.as_ref(), id.as_str(), self.now()).await? {
            return Ok(CredentialId::from(made));
        }
        tx.check_group(tenant, draft.group_id.as_ref()).await?;
        if insert_drafts(&mut tx, vec![row], self.now()).await?.is_empty() {
            return Err(StoreError::AlreadyExists("api_id"));
        }
        tx.bump_revision().await?;
        let entry = Entry::new(Action::Added).credential(&id).data(told(draft).into());
        tx.record(tenant, origin, self.now(), &[entry]).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Changes one credential, if its version is still `expected`.
    pub async fn update_credential(
        &self,
        tenant: &TenantId,
        origin: &Origin,
        id: &CredentialId,
        patch: &Patch,
        expected: Option<i64>,
    ) -> Result<()> {
        let mut tx = self.begin().await?;
        // Groups are locked before credentials everywhere.
        if let Some(group) = &patch.group_id {
            tx.check_group(tenant, group.as_ref()).await?;
        }
        tx.check_version(tenant, id, expected).await?;
        // Read behind the lock: what the patch leaves out must stay as it is now.
        let before = tx.credential(tenant, id).await?;
        let Some(changes) = changes(&before, patch) else { return tx.rollback().await };
        tx.write_patch(tenant, id, &before, patch, self.sealer(), self.now()).await?;
        tx.bump_revision().await?;
        let entry = Entry::new(Action::Updated).credential(id).data(changes);
        tx.record(tenant, origin, self.now(), &[entry]).await?;
        tx.commit().await
    }

    /// Removes one credential. With `force` its accounts are released first, in small steps.
    pub async fn delete_credential(
        &self,
        tenant: &TenantId,
        origin: &Origin,
        id: &CredentialId,
        force: bool,
        expected: Option<i64>,
    ) -> Result<()> {
        self.expire_all_leases().await?;
        let mut fruitless = 0;
        loop {
            let mut tx = self.begin().await?;
            tx.check_version(tenant, id, expected).await?;
            let before = tx.credential(tenant, id).await?;
            let gone = tx
                .execute(
                    sql!(
                        "UPDATE credentials SET deleted_at = $1, updated_at = $1, version = version + 1
                         WHERE id = $2 AND tenant_id = $3 AND deleted_at IS NULL AND current_accounts = 0"
                    ),
                    args![self.now(), id, tenant],
                )
                .await?;
            if gone > 0 {
                tx.bump_revision().await?;
                let data = json!({ "api_id": before.api_id, "name": before.name });
                let entry = Entry::new(Action::Removed).credential(id).data(data);
                tx.record(tenant, origin, self.now(), &[entry]).await?;
                return tx.commit().await;
            }
            if !force {
                tx.rollback().await?;
                return Err(StoreError::Conflict(format!(
                    "{} accounts hold this credential; release them, or use force=true",
                    before.current_accounts
                )));
            }
            // Out of the choice first: else those that are released come straight back.
            tx.switch_off(tenant, origin, &before, self.now()).await?;
            tx.commit().await?;
            let whenever = Timestamp::from_millis(i64::MAX);
            let released = self.release_some(tenant, origin, id, whenever, RELEASED_AT_ONCE).await?;
            fruitless = if released == 0 { fruitless + 1 } else { 0 };
            if fruitless > FRUITLESS {
                let what = format!("credential {id} counts {} accounts that nobody finds", before.current_accounts);
                return Err(StoreError::Damaged(what));
            }
        }
    }

    /// The plain secret, for a stated reason: noted in the journal before it is answered.
    pub async fn reveal(
        &self,
        tenant: &TenantId,
        origin: &Origin,
        id: &CredentialId,
        reason: &str,
    ) -> Result<(Credential, SecretString)> {
        let credential = self.credential(tenant, id).await?;
        let hash = self.open_hash(tenant, id).await?;
        let mut tx = self.begin().await?;
        let entry = Entry::new(Action::Revealed).credential(id).data(json!({ "reason": reason }));
        tx.record(tenant, origin, self.now(), &[entry]).await?;
        tx.commit().await?;
        Ok((credential, hash))
    }
}

impl Tx {
    /// The group must be the tenant's, and stays until the transaction ends.
    pub(crate) async fn check_group(&mut self, tenant: &TenantId, group: Option<&GroupId>) -> Result<()> {
        let Some(group) = group else { return Ok(()) };
        let found: Option<(String,)> = self
            .optional(
                sql!("SELECT g.id FROM credential_groups g WHERE g.id = $1 AND g.tenant_id = $2 FOR_SHARE(g)"),
                args![group, tenant],
            )
            .await?;
        found.map(|_| ()).ok_or_else(|| Invalid::field("group_id", "is not one of the groups").into())
    }

    /// Locks the credential; refuses when it has moved on from `expected`.
    pub(crate) async fn check_version(
        &mut self,
        tenant: &TenantId,
        id: &CredentialId,
        expected: Option<i64>,
    ) -> Result<()> {
        let row: Option<(i64,)> = self
            .optional(
                sql!(
                    "SELECT c.version FROM credentials c
                     WHERE c.id = $1 AND c.tenant_id = $2 AND c.deleted_at IS NULL FOR_UPDATE(c)"
                ),
                args![id, tenant],
            )
            .await?;
        let (version,) = row.ok_or(StoreError::NotFound("credential"))?;
        if expected.is_some_and(|e| e != version) { Err(StoreError::Stale) } else { Ok(()) }
    }

    /// Disables a credential that is enabled, because it is being removed.
    async fn switch_off(
        &mut self,
        tenant: &TenantId,
        origin: &Origin,
        before: &Credential,
        now: Timestamp,
    ) -> Result<()> {
        if before.standing != Standing::Enabled {
            return Ok(());
        }
        let statement = sql!("UPDATE credentials SET standing = 'disabled' WHERE id = $1 AND tenant_id = $2");
        self.execute(statement, args![&before.id, tenant]).await?;
        self.bump_revision().await?;
        let data = json!({ "before": before.standing, "after": Standing::Disabled, "reason": "is being removed" });
        self.record(tenant, origin, now, &[Entry::new(Action::Disabled).credential(&before.id).data(data)]).await
    }

    async fn write_patch(
        &mut self,
        tenant: &TenantId,
        id: &CredentialId,
        before: &Credential,
        patch: &Patch,
        sealer: &Sealer,
        now: Timestamp,
    ) -> Result<()> {
        let group = patch.group_id.clone().unwrap_or_else(|| before.group_id.clone());
        let is_premium = patch.is_premium.unwrap_or(before.is_premium);
        let level = patch.min_member_level.unwrap_or(before.min_member_level);
        let tags = json!(patch.tags.as_ref().unwrap_or(&before.tags)).to_string();
        let note = patch.note.clone().unwrap_or_else(|| before.note.clone());
        let place = Shelf { group: group.clone(), is_premium, min_level: level }.key();
        let update = self
            .execute(
                sql!(
                    "UPDATE credentials SET name = $1, max_accounts = $2, group_id = $3, priority = $4, is_premium = $5,
                         min_member_level = $6, shelf = $7, tags = $8, note = $9, updated_at = $10, version = version + 1
                     WHERE id = $11 AND tenant_id = $12"
                ),
                args![
                    patch.name.as_ref().unwrap_or(&before.name),
                    patch.max_accounts.unwrap_or(before.max_accounts),
                    group.map(|g| g.as_str().to_owned()),
                    patch.priority.unwrap_or(before.priority),
                    is_premium,
                    level.rank(),
                    place,
                    tags,
                    note,
                    now,
                    id,
                    tenant
                ],
            )
            .await;
        unique(update, "credentials_api_id", "credentials.api_id", "api_id")?;
        if let Some(hash) = &patch.api_hash {
            let plain = hash.expose_secret();
            self.execute(
                sql!("UPDATE credentials SET api_hash = $1, api_hash_masked = $2 WHERE id = $3"),
                args![sealer.seal(hash_place(tenant, id), plain.as_bytes())?, mask_secret(plain), id],
            )
            .await?;
        }
        if let Some(phone) = &patch.source_phone {
            let plain = phone.as_ref().map(ExposeSecret::expose_secret);
            let kept = plain.map(|p| sealer.seal(phone_place(tenant, id), p.as_bytes())).transpose()?;
            self.execute(
                sql!("UPDATE credentials SET source_phone = $1, source_phone_masked = $2 WHERE id = $3"),
                args![kept, plain.map(mask_phone), id],
            )
            .await?;
        }
        Ok(())
    }
}
