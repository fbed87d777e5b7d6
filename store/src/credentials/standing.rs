//! Decisions of people about a credential: on, off, banned, forgiven.

use domain::credential::Standing;
use domain::event::Action;
use domain::health;
use domain::{CredentialId, TenantId};
use serde_json::json;

use crate::Store;
use crate::db::{args, sql};
use crate::error::{Result, StoreError};
use crate::journal::{Entry, Origin};

impl Store {
    /// Switches it on. A ban must be lifted first.
    pub async fn enable_credential(&self, tenant: &TenantId, origin: &Origin, id: &CredentialId) -> Result<()> {
        self.decide_standing(tenant, origin, id, Standing::Enabled, None).await
    }

    /// Switches it off. Accounts on it keep it.
    pub async fn disable_credential(&self, tenant: &TenantId, origin: &Origin, id: &CredentialId) -> Result<()> {
        self.decide_standing(tenant, origin, id, Standing::Disabled, None).await
    }

    /// Bans it. Accounts on it are refused until they ask for a fresh one.
    pub async fn ban_credential(
        &self,
        tenant: &TenantId,
        origin: &Origin,
        id: &CredentialId,
        reason: &str,
    ) -> Result<()> {
        self.decide_standing(tenant, origin, id, Standing::Banned, Some(reason)).await
    }

    async fn decide_standing(
        &self,
        tenant: &TenantId,
        origin: &Origin,
        id: &CredentialId,
        standing: Standing,
        reason: Option<&str>,
    ) -> Result<()> {
        let mut tx = self.begin().await?;
        tx.check_version(tenant, id, None).await?;
        let before = tx.credential(tenant, id).await?;
        if before.standing == standing {
            return tx.rollback().await;
        }
        if before.standing == Standing::Banned {
            return Err(StoreError::Conflict("the credential is banned; lift the ban first".to_owned()));
        }
        let action = match standing {
            Standing::Enabled => Action::Enabled,
            Standing::Disabled => Action::Disabled,
            Standing::Banned => Action::Banned,
        };
        let data = json!({ "before": before.standing, "after": standing, "reason": reason });
        tx.execute(
            sql!(
                "UPDATE credentials SET standing = $1, ban_reason = $2, updated_at = $3, version = version + 1,
                     health_score = CASE WHEN health_score > $6 THEN $6 ELSE health_score END
                 WHERE id = $4 AND tenant_id = $5"
            ),
            args![standing.to_string(), reason, self.now(), id, tenant, health::cap(standing)],
        )
        .await?;
        tx.bump_revision().await?;
        if standing == Standing::Enabled {
            // What lowers a score shows at once.
            tx.enqueue(&jobs::ScoreHealth::SOON, self).await?;
        }
        tx.record(tenant, origin, self.now(), &[Entry::new(action).credential(id).data(data)]).await?;
        tx.commit().await?;
        self.wake_workers();
        Ok(())
    }

    /// Lifts a ban, with its suspicion.
    pub async fn unban_credential(&self, tenant: &TenantId, origin: &Origin, id: &CredentialId) -> Result<()> {
        let mut tx = self.begin().await?;
        tx.check_version(tenant, id, None).await?;
        let before = tx.credential(tenant, id).await?;
        if before.standing != Standing::Banned {
            return Err(StoreError::Conflict("the credential is not banned".to_owned()));
        }
        tx.execute(
            sql!(
                "UPDATE credentials SET standing = 'enabled', ban_reason = NULL, flag = NULL, flagged_by = NULL,
                     consecutive_failures = 0, updated_at = $1, version = version + 1
                 WHERE id = $2 AND tenant_id = $3"
            ),
            args![self.now(), id, tenant],
        )
        .await?;
        tx.bump_revision().await?;
        tx.enqueue(&jobs::ScoreHealth::SOON, self).await?;
        let data = json!({ "reason": before.ban_reason });
        tx.record(tenant, origin, self.now(), &[Entry::new(Action::Unbanned).credential(id).data(data)]).await?;
        tx.commit().await?;
        self.wake_workers();
        Ok(())
    }

    /// Forgives: failures in a row, recent failures, cooldown and suspicion start anew. What was
    /// counted in all stays.
    pub async fn reset_failures(&self, tenant: &TenantId, origin: &Origin, id: &CredentialId) -> Result<()> {
        let mut tx = self.begin().await?;
        tx.check_version(tenant, id, None).await?;
        let before = tx.credential(tenant, id).await?;
        tx.execute(
            sql!(
                "UPDATE credentials SET consecutive_failures = 0, recent_failures = 0, cooldown_until = 0, flag = NULL,
                     flagged_by = NULL, forgiven_at = $1, updated_at = $1, version = version + 1
                 WHERE id = $2 AND tenant_id = $3 AND deleted_at IS NULL"
            ),
            args![self.now(), id, tenant],
        )
        .await?;
        tx.bump_revision().await?;
        tx.enqueue(&jobs::ScoreHealth::SOON, self).await?;
        let data = json!({
            "consecutive_failures": before.consecutive_failures,
            "cooldown_until": before.cooldown_until,
        });
        tx.record(tenant, origin, self.now(), &[Entry::new(Action::FailuresReset).credential(id).data(data)]).await?;
        tx.commit().await?;
        self.wake_workers();
        Ok(())
    }
}
