//! The working set: the rows that a batch has loaded, changed in memory while it decides, and
//! saved at its end.

use std::collections::HashMap;
use std::str::FromStr;

use domain::allocation::{AccountView, Holding, Pool, Request};
use domain::credential::{Candidate, Shelf, Standing};
use domain::{
    AccountKey, AccountState, AllocationId, ApiId, CredentialId, MemberLevel, Status, Strategy, TenantId, Timestamp,
};
use sqlx::FromRow;

use crate::error::{Result, StoreError};

/// `0` in the database means never.
pub(crate) fn moment(millis: i64) -> Option<Timestamp> {
    (millis > 0).then(|| Timestamp::from_millis(millis))
}

/// A credential as the statements of `load` select it.
#[derive(Debug, FromRow)]
pub(crate) struct CredentialRow {
    pub id: String,
    pub tenant_id: String,
    pub api_id: i64,
    pub api_hash: Vec<u8>,
    pub name: String,
    pub standing: String,
    pub shelf: String,
    pub priority: i64,
    pub max_accounts: i64,
    pub current_accounts: i64,
    pub cooldown_until: i64,
    pub success_count: i64,
    pub fail_count: i64,
    pub consecutive_failures: i64,
    pub recent_failures: i64,
    pub success_score: i64,
    pub health_score: i64,
    pub last_allocated_at: i64,
    pub last_failure_at: Option<i64>,
    pub ban_reason: Option<String>,
    pub flag: Option<String>,
    pub flagged_by: Option<String>,
    pub login_only: bool,
    pub last_seq: i64,
    pub deleted_at: Option<i64>,
}

/// A credential in memory.
#[derive(Debug)]
pub(crate) struct Credential {
    pub tenant: TenantId,
    pub candidate: Candidate,
    pub name: String,
    pub api_hash: Vec<u8>,
    pub success_count: i64,
    pub fail_count: i64,
    pub consecutive_failures: i64,
    pub last_failure_at: Option<Timestamp>,
    pub ban_reason: Option<String>,
    pub flag: Option<String>,
    pub flagged_by: Option<String>,
    pub login_only: bool,
    pub last_seq: i64,
    /// A tombstone: kept for those who point at it, never handed out.
    pub deleted: bool,
    pub dirty: bool,
}

impl Credential {
    pub fn status(&self) -> Status {
        Status::of(self.candidate.standing, self.candidate.current_accounts)
    }
}

impl TryFrom<CredentialRow> for Credential {
    type Error = StoreError;

    fn try_from(row: CredentialRow) -> Result<Self> {
        let damaged = |what: &str| StoreError::Damaged(format!("credential {}: {what}", row.id));
        let candidate = Candidate {
            api_id: ApiId::new(row.api_id).ok_or_else(|| damaged("api_id"))?,
            standing: Standing::from_str(&row.standing).map_err(|_| damaged("standing"))?,
            shelf: Shelf::from_key(&row.shelf).ok_or_else(|| damaged("shelf"))?,
            id: CredentialId::from(row.id),
            priority: row.priority,
            max_accounts: row.max_accounts,
            current_accounts: row.current_accounts,
            cooldown_until: moment(row.cooldown_until),
            success_score: row.success_score,
            recent_failures: row.recent_failures,
            health_score: row.health_score,
            last_allocated_at: moment(row.last_allocated_at),
        };
        Ok(Self {
            tenant: TenantId::from(row.tenant_id),
            candidate,
            name: row.name,
            api_hash: row.api_hash,
            success_count: row.success_count,
            fail_count: row.fail_count,
            consecutive_failures: row.consecutive_failures,
            last_failure_at: row.last_failure_at.map(Timestamp::from_millis),
            ban_reason: row.ban_reason,
            flag: row.flag,
            flagged_by: row.flagged_by,
            login_only: row.login_only,
            last_seq: row.last_seq,
            deleted: row.deleted_at.is_some(),
            dirty: false,
        })
    }
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
    pub strategy: String,
    pub operator: String,
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
            strategy: row.strategy.unwrap_or_default(),
            operator: row.operator.unwrap_or_default(),
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

/// Which ranking of which shelf.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Selector {
    pub tenant: TenantId,
    pub strategy: Strategy,
    pub shelf: Shelf,
}

/// All that a batch has in memory.
#[derive(Debug, Default)]
pub(crate) struct WorkingSet {
    pub accounts: HashMap<(TenantId, AccountKey), Account>,
    pub credentials: HashMap<CredentialId, Credential>,
    by_api_id: HashMap<(TenantId, ApiId), CredentialId>,
}

impl WorkingSet {
    pub fn account(&mut self, tenant: &TenantId, key: &AccountKey) -> &mut Account {
        self.accounts.entry((tenant.clone(), key.clone())).or_default()
    }

    pub fn credential(&mut self, id: &CredentialId) -> Result<&mut Credential> {
        self.credentials.get_mut(id).ok_or_else(|| StoreError::Damaged(format!("credential {id} was not loaded")))
    }

    pub fn by_api_id(&self, tenant: &TenantId, api_id: ApiId) -> Option<&CredentialId> {
        self.by_api_id.get(&(tenant.clone(), api_id))
    }

    /// Takes in credentials. Rows that are in memory already keep what the batch did to them;
    /// deleted ones are known by our id only.
    pub fn add(&mut self, credentials: Vec<Credential>) {
        for credential in credentials {
            let id = &credential.candidate.id;
            if !credential.deleted {
                self.by_api_id.insert((credential.tenant.clone(), credential.candidate.api_id), id.clone());
            }
            self.credentials.entry(id.clone()).or_insert(credential);
        }
    }

    pub fn pool<'a>(&'a self, tenant: &'a TenantId) -> TenantPool<'a> {
        TenantPool { set: self, tenant }
    }
}

/// The working set as one tenant's request may see it.
pub(crate) struct TenantPool<'a> {
    set: &'a WorkingSet,
    tenant: &'a TenantId,
}

impl Pool for TenantPool<'_> {
    fn get(&self, id: &CredentialId) -> Option<&Candidate> {
        self.set.credentials.get(id).filter(|c| c.tenant == *self.tenant && !c.deleted).map(|c| &c.candidate)
    }

    fn by_api_id(&self, api_id: ApiId) -> Option<&Candidate> {
        self.get(self.set.by_api_id(self.tenant, api_id)?)
    }

    /// All that are in memory: what was loaded for one request may be the best for another.
    fn candidates<'a>(&'a self, _: &Request) -> Box<dyn Iterator<Item = &'a Candidate> + 'a> {
        let tenants = self.set.credentials.values().filter(|c| c.tenant == *self.tenant && !c.deleted);
        Box::new(tenants.map(|c| &c.candidate))
    }
}
