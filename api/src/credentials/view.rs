//! A credential on the wire. Its secrets are masked.

use domain::health::Grade;
use domain::{MemberLevel, Status};
use serde::Serialize;
use store::credentials::Credential;
use utoipa::ToSchema;

use crate::fields::{ApiIdText, Moment, words};

/// A credential, as the contract lists it.
#[derive(Debug, Serialize, ToSchema)]
pub struct CredentialView {
    pub(super) id: String,
    pub(super) api_id: ApiIdText,
    /// `0123…cdef`
    pub(super) api_hash_masked: String,
    pub(super) name: String,
    /// `available`, `in_use`, `disabled` or `banned`.
    #[schema(schema_with = words::<Status>)]
    pub(super) status: Status,
    pub(super) max_accounts: i64,
    pub(super) current_accounts: i64,
    pub(super) free_slots: i64,
    pub(super) success_count: i64,
    pub(super) fail_count: i64,
    pub(super) consecutive_failures: i64,
    pub(super) group_id: Option<String>,
    pub(super) group_name: Option<String>,
    pub(super) priority: i64,
    pub(super) is_premium: bool,
    #[schema(schema_with = words::<MemberLevel>)]
    pub(super) min_member_level: MemberLevel,
    pub(super) tags: Vec<String>,
    pub(super) source_phone_masked: Option<String>,
    pub(super) note: Option<String>,
    pub(super) cooldown_until: Option<Moment>,
    /// 0 to 100.
    pub(super) health_score: i64,
    #[schema(schema_with = words::<Grade>)]
    pub(super) health_grade: Grade,
    pub(super) ban_reason: Option<String>,
    pub(super) last_allocated_at: Option<Moment>,
    pub(super) last_failure_at: Option<Moment>,
    pub(super) created_at: Moment,
    pub(super) updated_at: Moment,
    /// Moves with people's edits; the `ETag`.
    pub(super) version: i64,
}

impl From<Credential> for CredentialView {
    fn from(credential: Credential) -> Self {
        Self {
            id: credential.id.to_string(),
            api_id: ApiIdText(credential.api_id),
            status: credential.status(),
            free_slots: credential.free_slots(),
            api_hash_masked: credential.api_hash_masked,
            name: credential.name,
            max_accounts: credential.max_accounts,
            current_accounts: credential.current_accounts,
            success_count: credential.success_count,
            fail_count: credential.fail_count,
            consecutive_failures: credential.consecutive_failures,
            group_id: credential.group_id.map(|g| g.to_string()),
            group_name: credential.group_name,
            priority: credential.priority,
            is_premium: credential.is_premium,
            min_member_level: credential.min_member_level,
            tags: credential.tags,
            source_phone_masked: credential.source_phone_masked,
            note: credential.note,
            cooldown_until: credential.cooldown_until.map(Moment),
            health_score: credential.health_score,
            health_grade: credential.health_grade,
            ban_reason: credential.ban_reason,
            last_allocated_at: credential.last_allocated_at.map(Moment),
            last_failure_at: credential.last_failure_at.map(Moment),
            created_at: Moment(credential.created_at),
            updated_at: Moment(credential.updated_at),
            version: credential.version,
        }
    }
}
