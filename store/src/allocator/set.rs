//! The working set: all that a batch has in memory, with the credentials of each shelf in the order of
//! [`domain::allocation::rank`].

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use domain::allocation::rank::Place;
use domain::allocation::{AccountView, Pool, Request};
use domain::credential::{Candidate, Shelf};
use domain::{AccountKey, ApiId, CredentialId, Strategy, TenantId, Timestamp};

use super::working::{Account, Credential, RankedRow, Tally, not_loaded};
use crate::error::Result;

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
