//! Allocations that were asked for with an idempotency key: the same key has the same answer.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use domain::{AccountKey, AllocationId, CredentialId, MemberLevel, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::batch::Batch;
use super::command::{Allocated, Command};
use super::{Asker, Work};
use crate::credentials::{hash_place, hex};
use crate::db::{Tx, args, sql};
use crate::error::{Result, StoreError};
use crate::once::{KEPT, Once};
use crate::seal::Sealer;

pub(crate) const SEEN_KEYS: &str = "
    SELECT k.tenant_id, k.key, k.body_hash, k.resource FROM EACH($1) AS e CROSS JOIN idempotency_keys k
    WHERE k.tenant_id = e.value ->> 't' AND k.key = e.value ->> 'k' AND k.created_at > $2";

macro_rules! keep_keys {
    ($unhex:literal) => {
        concat!(
            "INSERT INTO idempotency_keys (tenant_id, key, body_hash, resource, created_at)
             SELECT e.value ->> 't', e.value ->> 'k', ",
            $unhex,
            ", e.value ->> 'r', $2 FROM EACH($1) AS e WHERE TRUE
             ON CONFLICT (tenant_id, key) DO UPDATE SET body_hash = excluded.body_hash,
                 resource = excluded.resource, created_at = excluded.created_at
             WHERE idempotency_keys.created_at <= $3"
        )
    };
}

/// In both dialects, which differ in how they read bytes from hexadecimal.
pub(crate) const KEEP_KEYS: [&str; 2] =
    [keep_keys!("unhex(e.value ->> 'h')"), keep_keys!("decode(e.value ->> 'h', 'hex')")];

/// What a key has made.
#[derive(Debug)]
pub(crate) struct Made {
    body_hash: Vec<u8>,
    /// `None` when it was no allocation.
    answer: Option<Kept>,
}

/// What is kept of an answer; never the secret, which is opened again.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kept {
    allocation: AllocationId,
    credential: CredentialId,
    strategy: String,
    existing: bool,
    level: MemberLevel,
    allocated_at: Timestamp,
    expires_at: Option<Timestamp>,
    cooling: Option<Timestamp>,
    account: String,
}

impl Batch {
    /// Loads what the batch's keys have made before; the credentials of that.
    pub(super) async fn load_made(&mut self, work: &[Work]) -> Result<Vec<CredentialId>> {
        type Row = (String, String, Vec<u8>, String);
        let keys: Vec<Value> = work
            .iter()
            .filter(|work| matches!(work.command, Command::Allocate(_)))
            .filter_map(|Work { asker, .. }| {
                Some(json!({ "t": asker.tenant.as_str(), "k": asker.origin.once.as_ref()?.key }))
            })
            .collect();
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let args = args![Value::Array(keys).to_string(), self.now.plus(-KEPT)];
        let rows: Vec<Row> = self.tx.all(sql!(SEEN_KEYS), args).await?;
        let mut made = HashMap::with_capacity(rows.len());
        for (tenant, key, body_hash, resource) in rows {
            let answer = serde_json::from_str(&resource).ok();
            made.insert((TenantId::from(tenant), key), Made { body_hash, answer });
        }
        let answers = made.values().filter_map(|made: &Made| made.answer.as_ref());
        let credentials = answers.map(|answer| answer.credential.clone()).collect();
        self.made = made;
        Ok(credentials)
    }

    /// What a key has made, as it was answered then; `Err` when it was used for another request.
    pub(super) fn made_before(
        &mut self,
        asker: &Asker,
        once: &Once,
        sealer: &Sealer,
    ) -> Result<Option<Result<Allocated, ()>>> {
        let Some(made) = self.made.get(&(asker.tenant.clone(), once.key.clone())) else { return Ok(None) };
        let Some(kept) = made.answer.clone().filter(|_| once.must_be(&made.body_hash).is_ok()) else {
            return Ok(Some(Err(())));
        };
        let credential = self.set.look_up(&kept.credential)?;
        let api_hash = sealer.open_text(hash_place(&credential.tenant, &kept.credential), &credential.api_hash)?;
        Ok(Some(Ok(Allocated {
            allocation_id: kept.allocation,
            api_id: credential.candidate.api_id,
            api_hash,
            name: Arc::clone(&credential.name),
            account: AccountKey::stored(kept.account),
            group_id: credential.candidate.shelf.group.clone(),
            credential_id: kept.credential,
            strategy_used: kept.strategy.into(),
            existing: kept.existing,
            member_level: kept.level,
            allocated_at: kept.allocated_at,
            expires_at: kept.expires_at,
            account_cooldown_until: kept.cooling,
        })))
    }

    /// Keeps what a request with a key was answered.
    pub(super) fn keep_key(&mut self, asker: &Asker, allocated: &Allocated) {
        let Some(once) = &asker.origin.once else { return };
        let answer = Kept {
            allocation: allocated.allocation_id.clone(),
            credential: allocated.credential_id.clone(),
            strategy: allocated.strategy_used.to_string(),
            existing: allocated.existing,
            level: allocated.member_level,
            allocated_at: allocated.allocated_at,
            expires_at: allocated.expires_at,
            cooling: allocated.account_cooldown_until,
            account: allocated.account.as_str().to_owned(),
        };
        let row = json!({
            "t": asker.tenant.as_str(), "k": once.key, "h": hex(&once.body_hash), "r": json!(answer).to_string(),
        });
        let made = Made { body_hash: once.body_hash.clone(), answer: Some(answer) };
        let key = (asker.tenant.clone(), once.key.clone());
        self.keys.insert(key.clone(), row);
        self.made.insert(key, made);
    }
}

impl Tx {
    /// Keeps keys. One that another process has used since it was looked up makes the whole batch
    /// stale: it is rolled back and decided again.
    pub(super) async fn keep_keys(&mut self, keys: BTreeMap<(TenantId, String), Value>, now: Timestamp) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        let expected = keys.len() as u64;
        let statement = if self.is_postgres() { sql!(KEEP_KEYS[1]) } else { sql!(KEEP_KEYS[0]) };
        let rows: Value = keys.into_values().collect();
        let args = args![rows.to_string(), now, now.plus(-KEPT)];
        let kept = self.execute(statement, args).await?;
        if kept == expected { Ok(()) } else { Err(StoreError::Stale) }
    }
}
