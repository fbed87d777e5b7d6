//! The working set: the rows that a batch has loaded, changed in memory while it decides, and
//! saved at its end.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::str::FromStr;
use std::sync::Arc;

use domain::allocation::rank::Place;
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
    fn is_open(&self, now: Timestamp) -> bool {
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

fn not_loaded(id: &CredentialId) -> StoreError {
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

/// Which ranking of which shelf.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Selector {
    pub tenant: TenantId,
    pub strategy: Strategy,
    pub shelf: Shelf,
}

impl Selector {
    /// The rows of its ranking as credentials.
    pub fn credentials(&self, rows: Vec<RankedRow>) -> Result<Vec<Credential>> {
        rows.into_iter().map(|row| Credential::ranked(row, self.tenant.clone(), self.shelf.clone())).collect()
    }
}

/// The credentials of a ranking that are in memory, the best on top. What has changed since it was
/// put in stands in it a second time, in its new place; the old one is passed over.
type Ranking = BinaryHeap<Reverse<(Place, CredentialId)>>;

/// All that a batch has in memory.
#[derive(Debug, Default)]
pub(crate) struct WorkingSet {
    pub accounts: HashMap<(TenantId, AccountKey), Account>,
    pub credentials: HashMap<CredentialId, Credential>,
    by_api_id: HashMap<(TenantId, ApiId), CredentialId>,
    rankings: HashMap<Selector, Ranking>,
    /// Credentials that may have another place than the rankings know.
    touched: Vec<CredentialId>,
}

impl WorkingSet {
    pub fn account(&mut self, tenant: &TenantId, key: &AccountKey) -> &mut Account {
        self.accounts.entry((tenant.clone(), key.clone())).or_default()
    }

    /// A credential that is to be changed.
    pub fn credential(&mut self, id: &CredentialId) -> Result<&mut Credential> {
        self.touched.push(id.clone());
        self.credentials.get_mut(id).ok_or_else(|| not_loaded(id))
    }

    /// A credential that is only looked at.
    pub fn look_up(&self, id: &CredentialId) -> Result<&Credential> {
        self.credentials.get(id).ok_or_else(|| not_loaded(id))
    }

    /// What a report changes of a credential; it will be saved.
    pub fn tallied(&mut self, id: &CredentialId) -> Result<(&mut Candidate, &mut Tally)> {
        let credential = self.credential(id)?;
        let tally = credential.tally.as_mut().ok_or_else(|| not_loaded(id))?;
        tally.dirty = true;
        Ok((&mut credential.candidate, tally))
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
            self.touched.push(id.clone());
            self.credentials.entry(id.clone()).or_insert(credential);
        }
    }

    /// Takes in the best of a shelf.
    pub fn add_ranking(&mut self, selector: Selector, credentials: Vec<Credential>) {
        self.rankings.entry(selector).or_default();
        self.add(credentials);
    }

    /// The best of each of these shelves; of none when a ranking was not loaded.
    fn heads(&mut self, selectors: &[Selector], now: Timestamp) -> Option<Vec<CredentialId>> {
        self.settle();
        let mut heads = Vec::with_capacity(selectors.len());
        for selector in selectors {
            let ranking = self.rankings.get_mut(selector)?;
            while let Some(Reverse((place, id))) = ranking.peek() {
                let credential = self.credentials.get(id).filter(|credential| credential.is_open(now));
                if credential.is_some_and(|c| Place::of(&c.candidate, selector.strategy) == *place) {
                    heads.push(id.clone());
                    break;
                }
                ranking.pop();
            }
        }
        Some(heads)
    }

    /// Gives every credential that was touched its place in the rankings of its shelf.
    fn settle(&mut self) {
        for id in std::mem::take(&mut self.touched) {
            let Some(credential) = self.credentials.get(&id) else { continue };
            for (selector, ranking) in &mut self.rankings {
                if selector.tenant == credential.tenant && selector.shelf == credential.candidate.shelf {
                    ranking.push(Reverse((Place::of(&credential.candidate, selector.strategy), id.clone())));
                }
            }
        }
    }

    /// Everything in memory, as one tenant's request may see it.
    pub fn pool<'a>(&'a self, tenant: &'a TenantId) -> TenantPool<'a> {
        TenantPool { set: self, tenant, candidates: None }
    }

    /// The same for a request with these rankings, of which only the heads come into question unless
    /// a rule has a say; and, for one who gives it back in the same step, what the account holds.
    pub fn pool_for<'a>(
        &'a mut self,
        tenant: &'a TenantId,
        request: &Request,
        account: &AccountView,
        selectors: &[Selector],
        now: Timestamp,
    ) -> TenantPool<'a> {
        let mut candidates = None;
        if request.guidance.is_silent() {
            candidates = self.heads(selectors, now);
        }
        if let Some(heads) = &mut candidates {
            heads.extend(account.holding.as_ref().map(|holding| holding.credential.clone()));
        }
        TenantPool { set: self, tenant, candidates }
    }
}

/// The working set as one tenant's request may see it.
pub(crate) struct TenantPool<'a> {
    set: &'a WorkingSet,
    tenant: &'a TenantId,
    candidates: Option<Vec<CredentialId>>,
}

impl Pool for TenantPool<'_> {
    fn get(&self, id: &CredentialId) -> Option<&Candidate> {
        self.set.credentials.get(id).filter(|c| c.tenant == *self.tenant && !c.deleted).map(|c| &c.candidate)
    }

    fn by_api_id(&self, api_id: ApiId) -> Option<&Candidate> {
        self.get(self.set.by_api_id(self.tenant, api_id)?)
    }

    /// All that are in memory, unless it is known which come into question: what was loaded for one
    /// request may be the best for another.
    fn candidates<'a>(&'a self, _: &Request) -> Box<dyn Iterator<Item = &'a Candidate> + 'a> {
        if let Some(candidates) = &self.candidates {
            return Box::new(candidates.iter().filter_map(|id| self.get(id)));
        }
        let tenants = self.set.credentials.values().filter(|c| c.tenant == *self.tenant && !c.deleted);
        Box::new(tenants.map(|c| &c.candidate))
    }
}
