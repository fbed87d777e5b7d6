//! Credentials and accounts as a batch loads them, changes them in memory while it decides, and saves
//! them at its end.

use std::str::FromStr;
use std::sync::Arc;

use domain::allocation::{AccountView, Holding};
use domain::credential::{Candidate, Shelf, Standing};
use domain::{AccountKey, AccountState, AllocationId, ApiId, CredentialId, MemberLevel, Status, TenantId, Timestamp};
use sqlx::FromRow;

use crate::error::{Result, StoreError};

/// `0` in the database means never.
pub(crate) fn moment(millis: i64) -> Option<Timestamp> {
    (millis > 0).then(|| Timestamp::from_millis(millis))
}

/// A credential as a ranking selects it: what its shelf and its being open do not say.
#[derive(Debug, FromRow)]
pub(crate) struct RankedRow {
    pub id: String,
    pub api_id: i64,
    pub api_hash: Vec<u8>,
    pub name: String,
    pub priority: i64,
    pub max_accounts: i64,
    pub current_accounts: i64,
    pub recent_failures: i64,
    pub success_score: i64,
    pub health_score: i64,
    pub last_allocated_at: i64,
    pub last_seq: i64,
}

/// A credential as it is selected by its name.
#[derive(Debug, FromRow)]
pub(crate) struct CredentialRow {
    #[sqlx(flatten)]
    pub ranked: RankedRow,
    pub tenant_id: String,
    pub standing: String,
    pub shelf: String,
    pub cooldown_until: i64,
    pub deleted_at: Option<i64>,
}

/// What reports have said of a credential: loaded for those that a report names.
#[derive(Debug, FromRow)]
pub(crate) struct Tally {
    pub success_count: i64,
    pub fail_count: i64,
    pub consecutive_failures: i64,
    pub last_failure_at: Option<i64>,
    pub flag: Option<String>,
    pub flagged_by: Option<String>,
    pub login_only: bool,
    #[sqlx(skip)]
    pub dirty: bool,
}

/// What a batch has done to a credential's slots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Change {
    /// Nothing.
    #[default]
    None,
    /// Something was written about it, or a slot was given back.
    Noted,
    /// A slot was taken.
    Taken,
}

/// A credential in memory.
#[derive(Debug)]
pub(crate) struct Credential {
    pub tenant: TenantId,
    pub candidate: Candidate,
    pub name: Arc<str>,
    pub api_hash: Vec<u8>,
    pub tally: Option<Tally>,
    pub last_seq: i64,
    /// A tombstone: kept for those who point at it, never handed out.
    pub deleted: bool,
    pub change: Change,
}

impl Credential {
    pub fn status(&self) -> Status {
        Status::of(self.candidate.standing, self.candidate.current_accounts)
    }

    /// What reports have said of it.
    pub fn tally(&self) -> Result<&Tally> {
        self.tally.as_ref().ok_or_else(|| not_loaded(&self.candidate.id))
    }

    /// Says what was done to it.
    pub fn changed(&mut self, change: Change) {
        self.change = self.change.max(change);
    }

    /// Whether it could be handed out, as far as it alone decides.
    pub fn is_open(&self, now: Timestamp) -> bool {
        let candidate = &self.candidate;
        !self.deleted
            && candidate.standing == Standing::Enabled
            && !candidate.is_cooling(now)
            && candidate.current_accounts < candidate.max_accounts
    }

    /// One that stands in a ranking of `shelf`, and so is enabled and not cooling.
    pub fn ranked(row: RankedRow, tenant: TenantId, shelf: Shelf) -> Result<Self> {
        let api_id =
            ApiId::new(row.api_id).ok_or_else(|| StoreError::Damaged(format!("credential {}: api_id", row.id)))?;
        Ok(Self {
            tenant,
            candidate: Candidate {
                api_id,
                standing: Standing::Enabled,
                shelf,
                id: CredentialId::from(row.id),
                priority: row.priority,
                max_accounts: row.max_accounts,
                current_accounts: row.current_accounts,
                cooldown_until: None,
                success_score: row.success_score,
                recent_failures: row.recent_failures,
                health_score: row.health_score,
                last_allocated_at: moment(row.last_allocated_at),
            },
            name: row.name.into(),
            api_hash: row.api_hash,
            tally: None,
            last_seq: row.last_seq,
            deleted: false,
            change: Change::None,
        })
    }
}

impl TryFrom<CredentialRow> for Credential {
    type Error = StoreError;

    fn try_from(row: CredentialRow) -> Result<Self> {
        let damaged = |what: &str| StoreError::Damaged(format!("credential {}: {what}", row.ranked.id));
        let standing = Standing::from_str(&row.standing).map_err(|_| damaged("standing"))?;
        let shelf = Shelf::from_key(&row.shelf).ok_or_else(|| damaged("shelf"))?;
        let mut credential = Self::ranked(row.ranked, TenantId::from(row.tenant_id), shelf)?;
        credential.candidate.standing = standing;
        credential.candidate.cooldown_until = moment(row.cooldown_until);
        credential.deleted = row.deleted_at.is_some();
        Ok(credential)
    }
}

pub(super) fn not_loaded(id: &CredentialId) -> StoreError {
    StoreError::Damaged(format!("credential {id} was not loaded"))
}

/// An account as the statements of `load` select it.
#[derive(Debug, FromRow)]
pub(crate) struct AccountRow {
    pub tenant_id: String,
    pub account_id: String,
    pub state: String,
    pub cooldown_until: i64,
    pub allocation_id: Option<String>,
    pub credential_id: Option<String>,
    pub proxy_id: Option<String>,
    pub allocated_at: Option<i64>,
    pub expires_at: Option<i64>,
    pub strategy: Option<String>,
    pub operator: Option<String>,
    pub member_level: Option<i64>,
    pub former_credential_id: Option<String>,
    pub last_seq: i64,
}

/// A binding in memory.
#[derive(Clone, Debug)]
pub(crate) struct Binding {
    pub allocation_id: AllocationId,
    pub credential: CredentialId,
    pub proxy_id: Option<String>,
    pub allocated_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub strategy: Arc<str>,
    pub operator: Arc<str>,
    pub member_level: MemberLevel,
}

/// An account in memory.
#[derive(Debug, Default)]
pub(crate) struct Account {
    pub state: AccountState,
    pub cooldown_until: Option<Timestamp>,
    pub binding: Option<Binding>,
    pub former: Option<CredentialId>,
    /// The journal number it had when it was loaded: the save insists on it.
    pub loaded_seq: i64,
    pub last_seq: i64,
    pub dirty: bool,
}

impl Account {
    pub fn view(&self) -> AccountView {
        AccountView {
            state: self.state,
            cooldown_until: self.cooldown_until,
            holding: self
                .binding
                .as_ref()
                .map(|b| Holding { credential: b.credential.clone(), expires_at: b.expires_at }),
            former: self.former.clone(),
        }
    }

    pub fn live_binding(&self, now: Timestamp) -> Option<&Binding> {
        self.binding.as_ref().filter(|b| b.expires_at.is_none_or(|end| end > now))
    }
}

impl TryFrom<AccountRow> for (TenantId, AccountKey, Account) {
    type Error = StoreError;

    fn try_from(row: AccountRow) -> Result<Self> {
        let state = AccountState::from_str(&row.state)
            .map_err(|_| StoreError::Damaged(format!("account {}: state", row.account_id)))?;
        let binding = row.allocation_id.zip(row.credential_id).map(|(allocation, credential)| Binding {
            allocation_id: AllocationId::from(allocation),
            credential: CredentialId::from(credential),
            proxy_id: row.proxy_id,
            allocated_at: Timestamp::from_millis(row.allocated_at.unwrap_or_default()),
            expires_at: row.expires_at.map(Timestamp::from_millis),
            strategy: row.strategy.unwrap_or_default().into(),
            operator: row.operator.unwrap_or_default().into(),
            member_level: MemberLevel::from_rank(row.member_level.unwrap_or_default()),
        });
        let account = Account {
            state,
            cooldown_until: moment(row.cooldown_until),
            binding,
            former: row.former_credential_id.map(CredentialId::from),
            loaded_seq: row.last_seq,
            last_seq: row.last_seq,
            dirty: false,
        };
        Ok((TenantId::from(row.tenant_id), AccountKey::stored(row.account_id), account))
    }
}
