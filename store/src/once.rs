//! Requests that are done once, however often they come: what an `Idempotency-Key` made.
//!
//! A key is claimed in the transaction of the change, so of many requests at once one makes it and
//! the others find it. Kept are the id of what was made and a keyed hash of the body, never a
//! secret, for [`KEPT`]; what was refused keeps nothing.

use domain::time::DAY;
use domain::{TenantId, Timestamp};

use crate::Store;
use crate::db::{Tx, args, sql};
use crate::error::{Result, StoreError};

/// How long a key is good for, in milliseconds.
pub const KEPT: i64 = DAY;

/// A request with a key of its own.
#[derive(Clone, PartialEq, Eq)]
pub struct Once {
    /// The key that the caller gave, with who they are.
    pub key: String,
    /// A keyed hash of the request: method, path and body.
    pub body_hash: Vec<u8>,
}

impl Once {
    /// The same as this caller's own: keys of two callers never meet, for no name and no key has a
    /// line break.
    #[must_use]
    pub fn of(&self, actor: &str) -> Self {
        Self { key: format!("{actor}\n{}", self.key), body_hash: self.body_hash.clone() }
    }

    /// The same for one member of a batch; nor do those meet any other.
    #[must_use]
    pub fn member(&self, index: usize) -> Self {
        Self { key: format!("{}\n{index}", self.key), body_hash: self.body_hash.clone() }
    }

    /// Whether the kept hash is of this request.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it is of another.
    pub(crate) fn must_be(&self, body_hash: &[u8]) -> Result<()> {
        if self.body_hash == body_hash { Ok(()) } else { Err(reused()) }
    }
}

impl std::fmt::Debug for Once {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Once({:?})", self.key)
    }
}

pub(crate) fn reused() -> StoreError {
    StoreError::Conflict("this Idempotency-Key was used for another request".to_owned())
}

impl Store {
    /// Claims the key of a batch, whose members keep keys of their own behind it. The same batch may
    /// come again.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the key was used for another request.
    pub async fn claim_batch(&self, tenant: &TenantId, once: Option<&Once>) -> Result<()> {
        if once.is_none() {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        tx.claim(tenant, once, "batch", self.now()).await?;
        tx.commit().await
    }
}

impl Tx {
    /// Claims the key of a request for what it is about to make. `Some` when it was made before:
    /// the id of that.
    pub(crate) async fn claim(
        &mut self,
        tenant: &TenantId,
        once: Option<&Once>,
        made: &str,
        now: Timestamp,
    ) -> Result<Option<String>> {
        let Some(once) = once else { return Ok(None) };
        let claimed = self
            .execute(
                sql!(
                    "INSERT INTO idempotency_keys (tenant_id, key, body_hash, resource, created_at)
                     VALUES ($1, $2, $3, $4, $5)
                     ON CONFLICT (tenant_id, key) DO UPDATE SET body_hash = excluded.body_hash,
                         resource = excluded.resource, created_at = excluded.created_at
                     WHERE idempotency_keys.created_at <= $6"
                ),
                args![tenant, &once.key, once.body_hash.clone(), made, now, now.plus(-KEPT)],
            )
            .await?;
        if claimed > 0 {
            return Ok(None);
        }
        let (body_hash, made): (Vec<u8>, String) = self
            .one(
                sql!("SELECT body_hash, resource FROM idempotency_keys WHERE tenant_id = $1 AND key = $2"),
                args![tenant, &once.key],
            )
            .await?;
        once.must_be(&body_hash)?;
        Ok(Some(made))
    }
}
