//! Credentials as people see and edit them. Who holds one is the allocator's business.

mod bulk;
mod edit;
mod list;
mod patch;
mod reach;
mod standing;

use std::str::FromStr;

use domain::credential::Standing;
use domain::health::Grade;
use domain::{ApiId, CredentialId, GroupId, MemberLevel, Status, TenantId, Timestamp};
use secrecy::SecretString;
use sqlx::FromRow;

pub use bulk::{BulkAction, BulkOutcomes};
pub(crate) use edit::{draft_json, hex, insert_drafts};
pub use list::{Filter, Page, Sort, SortKey};
pub use patch::Patch;
pub(crate) use patch::told;
pub use reach::Reach;

use crate::Store;
use crate::db::{Tx, args, sql};
use crate::error::{Result, StoreError};
use crate::seal::Place;

/// A credential without its secrets.
#[derive(Clone, Debug)]
pub struct Credential {
    /// Our id.
    pub id: CredentialId,
    /// Telegram's id.
    pub api_id: ApiId,
    /// `0123…cdef`.
    pub api_hash_masked: String,
    /// A name for people.
    pub name: String,
    /// The stored decision.
    pub standing: Standing,
    /// Its slots.
    pub max_accounts: i64,
    /// Slots that are taken.
    pub current_accounts: i64,
    /// Successes reported.
    pub success_count: i64,
    /// Failures charged to it.
    pub fail_count: i64,
    /// Failures charged in a row.
    pub consecutive_failures: i64,
    /// Its group.
    pub group_id: Option<GroupId>,
    /// The group's name.
    pub group_name: Option<String>,
    /// Higher goes first.
    pub priority: i64,
    /// Offered first to callers of gold and above.
    pub is_premium: bool,
    /// The least level that may use it.
    pub min_member_level: MemberLevel,
    /// Free labels.
    pub tags: Vec<String>,
    /// `+86•••0001`.
    pub source_phone_masked: Option<String>,
    /// A note for people.
    pub note: Option<String>,
    /// Nothing new before this moment.
    pub cooldown_until: Option<Timestamp>,
    /// Health from 0 to 100.
    pub health_score: i64,
    /// Health as a word.
    pub health_grade: Grade,
    /// Why it is banned.
    pub ban_reason: Option<String>,
    /// When an account last got it.
    pub last_allocated_at: Option<Timestamp>,
    /// When a failure was last charged to it.
    pub last_failure_at: Option<Timestamp>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When a person last edited it.
    pub updated_at: Timestamp,
    /// Moves with people's edits only.
    pub version: i64,
}

impl Credential {
    /// The status as people see it.
    pub fn status(&self) -> Status {
        Status::of(self.standing, self.current_accounts)
    }

    /// Slots that are still free; none when it drains.
    pub fn free_slots(&self) -> i64 {
        (self.max_accounts - self.current_accounts).max(0)
    }
}

macro_rules! view_columns {
    () => {
        "c.id, c.api_id, c.api_hash_masked, c.name, c.standing, c.max_accounts, c.current_accounts, c.success_count,
         c.fail_count, c.consecutive_failures, c.group_id, g.name AS group_name, c.priority, c.is_premium,
         c.min_member_level, c.tags, c.source_phone_masked, c.note, c.cooldown_until, c.health_score, c.ban_reason,
         c.last_allocated_at, c.last_failure_at, c.created_at, c.updated_at, c.version"
    };
}
use view_columns;

#[derive(FromRow)]
struct Row {
    id: String,
    api_id: i64,
    api_hash_masked: String,
    name: String,
    standing: String,
    max_accounts: i64,
    current_accounts: i64,
    success_count: i64,
    fail_count: i64,
    consecutive_failures: i64,
    group_id: Option<String>,
    group_name: Option<String>,
    priority: i64,
    is_premium: bool,
    min_member_level: i64,
    tags: String,
    source_phone_masked: Option<String>,
    note: Option<String>,
    cooldown_until: i64,
    health_score: i64,
    ban_reason: Option<String>,
    last_allocated_at: i64,
    last_failure_at: Option<i64>,
    created_at: i64,
    updated_at: i64,
    version: i64,
}

impl TryFrom<Row> for Credential {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self> {
        let damaged = |what: &str| StoreError::Damaged(format!("credential {}: {what}", row.id));
        let moment = |millis: i64| (millis > 0).then(|| Timestamp::from_millis(millis));
        Ok(Self {
            api_id: ApiId::new(row.api_id).ok_or_else(|| damaged("api_id"))?,
            standing: Standing::from_str(&row.standing).map_err(|_| damaged("standing"))?,
            tags: serde_json::from_str(&row.tags).map_err(|_| damaged("tags"))?,
            id: CredentialId::from(row.id),
            api_hash_masked: row.api_hash_masked,
            name: row.name,
            max_accounts: row.max_accounts,
            current_accounts: row.current_accounts,
            success_count: row.success_count,
            fail_count: row.fail_count,
            consecutive_failures: row.consecutive_failures,
            group_id: row.group_id.map(GroupId::from),
            group_name: row.group_name,
            priority: row.priority,
            is_premium: row.is_premium,
            min_member_level: MemberLevel::from_rank(row.min_member_level),
            source_phone_masked: row.source_phone_masked,
            note: row.note,
            cooldown_until: moment(row.cooldown_until),
            health_score: row.health_score,
            health_grade: Grade::of(row.health_score),
            ban_reason: row.ban_reason,
            last_allocated_at: moment(row.last_allocated_at),
            last_failure_at: row.last_failure_at.map(Timestamp::from_millis),
            created_at: Timestamp::from_millis(row.created_at),
            updated_at: Timestamp::from_millis(row.updated_at),
            version: row.version,
        })
    }
}

/// Where a credential's hash is sealed.
pub(crate) fn hash_place<'a>(tenant: &'a TenantId, id: &'a CredentialId) -> Place<'a> {
    Place { tenant: tenant.as_str(), table: "credentials", column: "api_hash", id: id.as_str() }
}

/// Where a credential's phone number is sealed.
pub(crate) fn phone_place<'a>(tenant: &'a TenantId, id: &'a CredentialId) -> Place<'a> {
    Place { tenant: tenant.as_str(), table: "credentials", column: "source_phone", id: id.as_str() }
}

/// One credential by our id.
const ONE: &str = concat!(
    "SELECT ",
    view_columns!(),
    " FROM credentials c LEFT JOIN credential_groups g ON g.id = c.group_id
      WHERE c.id = $1 AND c.tenant_id = $2 AND c.deleted_at IS NULL"
);

impl Tx {
    /// One credential as this transaction sees it.
    pub(crate) async fn credential(&mut self, tenant: &TenantId, id: &CredentialId) -> Result<Credential> {
        let row: Option<Row> = self.optional(sql!(ONE), args![id, tenant]).await?;
        row.ok_or(StoreError::NotFound("credential"))?.try_into()
    }
}

impl Store {
    /// One credential.
    pub async fn credential(&self, tenant: &TenantId, id: &CredentialId) -> Result<Credential> {
        let row: Option<Row> = self.db().optional(sql!(ONE), args![id, tenant]).await?;
        row.ok_or(StoreError::NotFound("credential"))?.try_into()
    }

    /// The plain hash. The caller answers for permission and audit: see [`Store::reveal`].
    pub(crate) async fn open_hash(&self, tenant: &TenantId, id: &CredentialId) -> Result<SecretString> {
        let row: Option<(Vec<u8>,)> = self
            .db()
            .optional(sql!("SELECT api_hash FROM credentials WHERE id = $1 AND tenant_id = $2"), args![id, tenant])
            .await?;
        let (sealed,) = row.ok_or(StoreError::NotFound("credential"))?;
        self.sealer().open_text(hash_place(tenant, id), &sealed)
    }
}

impl Store {
    /// Notes an export, before it starts: whether it has plain hashes, and whether it is of all or of
    /// what `filter` finds.
    pub async fn note_export(
        &self,
        tenant: &TenantId,
        origin: &crate::Origin,
        filter: &Filter,
        include_hash: bool,
    ) -> Result<()> {
        let filtered = *filter != Filter::default();
        let data = serde_json::json!({ "include_hash": include_hash, "filtered": filtered });
        let entry = crate::journal::Entry::new(domain::event::Action::Exported).data(data);
        let mut tx = self.begin().await?;
        tx.record(tenant, origin, self.now(), &[entry]).await?;
        tx.commit().await
    }

    /// The plain hash, for an export that was noted and permitted.
    pub async fn export_hash(&self, tenant: &TenantId, id: &CredentialId) -> Result<SecretString> {
        self.open_hash(tenant, id).await
    }
}
