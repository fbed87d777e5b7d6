//! One batch: load what it needs, decide each request in order, save everything, commit once.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use domain::allocation::{AccountView, Census, Request, eligibility};
use domain::event::Action;
use domain::{AccountKey, AllocationId, CredentialId, TenantId, Timestamp};
use serde_json::{Value, json};

use super::command::Command;
use super::named::LAPSED_AT_ONCE;
use super::replay::Made;
use super::report::Raw;
use super::set::{Selector, WorkingSet};
use super::working::{AccountRow, Change};
use super::{Asker, CensusCache, Work};
use crate::compiled::{Compiled, TenantRules};
use crate::db::Tx;
use crate::error::{Result, StoreError};
use crate::journal::{Entry, Numbered, Origin, insert, take_numbers};
use crate::{Ambient, Store};

/// A transaction with its working set.
pub(crate) struct Batch {
    pub(super) tx: Tx,
    pub(super) compiled: Arc<Compiled>,
    pub(super) now: Timestamp,
    pub(super) ambient: Ambient,
    pub(super) set: WorkingSet,
    pub(super) results: Vec<Raw>,
    /// Reports of this batch by `result_id`, so that a twin within the batch counts once.
    pub(super) seen_results: HashMap<(TenantId, String), String>,
    /// What idempotency keys have made, before this batch and in it.
    pub(super) made: HashMap<(TenantId, String), Made>,
    /// Keys that are to be kept, as JSON rows, in one order for all processes.
    pub(super) keys: BTreeMap<(TenantId, String), Value>,
    /// Credentials that this batch has banned, and why.
    pub(super) banned: Vec<(CredentialId, String)>,
    /// Who holds the allocations that requests name.
    pub(super) holders: HashMap<(TenantId, AllocationId), AccountKey>,
    /// Accounts without a row that were refused because all is taken.
    pub(super) strangers: Vec<(TenantId, AccountKey)>,
    log: Vec<(Asker, Entry)>,
    /// Allocations and reports in the batch: how deep a ranking has to be read.
    depth: usize,
    /// Whether every lock is taken in one order, waiting for those that other processes hold.
    careful: bool,
    /// For which credentials ended leases were looked up already.
    lapsed: HashSet<(TenantId, Choice)>,
}

/// The credentials among which a request chooses.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Choice {
    /// Those of these shelves.
    Shelves(Vec<String>),
    /// The one that it pinned.
    Pinned(CredentialId),
}

impl Batch {
    /// A first attempt leaves out what other processes hold. When that is not enough to decide, it
    /// ends as stale, and a `careful` one follows.
    pub(crate) async fn begin(store: &Store, careful: bool) -> Result<Self> {
        let mut tx = store.begin().await?;
        let compiled = store.compiled_in(&mut tx).await?;
        Ok(Self {
            tx,
            compiled,
            now: store.now(),
            ambient: store.ambient().clone(),
            set: WorkingSet::default(),
            results: Vec::new(),
            seen_results: HashMap::new(),
            made: HashMap::new(),
            keys: BTreeMap::new(),
            banned: Vec::new(),
            holders: HashMap::new(),
            strangers: Vec::new(),
            log: Vec::new(),
            depth: 0,
            careful,
            lapsed: HashSet::new(),
        })
    }

    pub(super) fn rules(&self, tenant: &TenantId) -> Result<&TenantRules> {
        self.compiled.tenants.get(tenant).ok_or(StoreError::NotFound("tenant"))
    }

    /// Loads everything that the batch names, then the rankings that it is likely to need.
    pub(super) async fn load(&mut self, work: &[Work]) -> Result<()> {
        let mut accounts = self.accounts_named(work).await?;
        if self.careful {
            accounts.extend(self.accounts_at_stake(work).await?);
        }
        let rows = self.tx.load_accounts(&accounts.into_iter().collect::<Vec<_>>()).await?;
        let mut ids = self.take_in_accounts(rows)?;
        ids.extend(self.tx.credential_ids(&self.api_ids_named(work)?).await?);
        ids.extend(self.load_made(work).await?);
        let selectors = self.selectors_wanted(work)?;
        if self.careful {
            for selector in &selectors {
                ids.extend(self.tx.ranking_ids(selector, self.now, self.depth).await?);
            }
        }
        self.load_credentials(ids).await?;
        self.load_tallies(work).await?;
        self.load_seen_results(work).await?;
        for selector in selectors {
            let credentials = self.tx.load_ranking(&selector, self.now, self.depth).await?;
            self.set.add_ranking(selector, credentials);
        }
        Ok(())
    }

    /// Takes accounts into memory; the credentials that they hold or held.
    fn take_in_accounts(&mut self, rows: Vec<AccountRow>) -> Result<Vec<CredentialId>> {
        let mut ids = Vec::new();
        for row in rows {
            let (tenant, key, account) = row.try_into()?;
            ids.extend(account.binding.as_ref().map(|b| b.credential.clone()));
            ids.extend(account.former.clone());
            self.set.accounts.entry((tenant, key)).or_insert(account);
        }
        Ok(ids)
    }

    async fn load_credentials(&mut self, ids: Vec<CredentialId>) -> Result<()> {
        let missing: HashSet<CredentialId> =
            ids.into_iter().filter(|id| !self.set.credentials.contains_key(id)).collect();
        let missing: Vec<CredentialId> = missing.into_iter().collect();
        let credentials = self.tx.load_credentials(&missing).await?;
        self.set.add(credentials);
        Ok(())
    }

    /// What reports have said of the credentials that reports name.
    async fn load_tallies(&mut self, work: &[Work]) -> Result<()> {
        let named: BTreeSet<&CredentialId> = work
            .iter()
            .filter_map(|Work { asker, command, .. }| match command {
                Command::Report(report) => self.set.by_api_id(&asker.tenant, report.api_id),
                _ => None,
            })
            .collect();
        let named: Vec<CredentialId> = named.into_iter().cloned().collect();
        for (id, tally) in self.tx.load_tallies(&named).await? {
            self.set.credential(&id)?.tally = Some(tally);
        }
        Ok(())
    }

    /// The rankings of the requests that may come to one. A ranking as deep as the batch is long is
    /// deep enough: each request takes one slot, and each report closes one credential, at most.
    fn selectors_wanted(&mut self, work: &[Work]) -> Result<HashSet<Selector>> {
        let mut selectors = HashSet::new();
        for Work { asker, command, .. } in work {
            self.depth += usize::from(matches!(command, Command::Allocate(_) | Command::Report(_)));
            let Command::Allocate(command) = command else { continue };
            let account = self.set.account(&asker.tenant, &command.account);
            let sticks = account.live_binding(self.now).is_some() && !command.fresh;
            if !sticks && command.pinned.is_none() {
                let request = self.request(asker, command)?;
                selectors.extend(self.selectors(&asker.tenant, &request)?);
            }
        }
        Ok(selectors)
    }

    pub(super) fn selectors(&self, tenant: &TenantId, request: &Request) -> Result<Vec<Selector>> {
        let shelves = self.rules(tenant)?.shelves.iter();
        Ok(shelves
            .filter(|shelf| eligibility::shelf_is_open(shelf, request))
            .map(|shelf| Selector { tenant: tenant.clone(), strategy: request.strategy, shelf: shelf.clone() })
            .collect())
    }

    /// Before a refusal: lets go of leases that have ended, and takes in what the rankings did not
    /// show: rows beyond what they were read to, since the batch itself closed some of the best,
    /// and on PostgreSQL rows that another process held. Whether there is anything new to choose.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when there is, and only a careful attempt may wait for it: waiting in
    /// any order would end in deadlocks, and each of those costs a second.
    pub(super) async fn look_again(&mut self, tenant: &TenantId, request: &Request) -> Result<bool> {
        if self.lapse_for(tenant, request).await? > 0 {
            return Ok(true);
        }
        if request.pinned.is_some() {
            return Ok(false);
        }
        let mut found = 0;
        for selector in self.selectors(tenant, request)? {
            // Rows of this batch may still look open to the database, and rules may bar some.
            let limit = self.depth + self.set.credentials.len();
            let mut open = self.tx.ranking_ids(&selector, self.now, limit).await?;
            open.retain(|id| !self.set.credentials.contains_key(id));
            if !open.is_empty() {
                self.insist_on_care()?;
                found += open.len();
                let credentials = self.tx.load_credentials(&open).await?;
                self.set.add(credentials);
            }
        }
        Ok(found > 0)
    }

    /// Lets go of leases that have ended on the credentials that a request may have, so that a
    /// refusal never rests on them. How many there were.
    async fn lapse_for(&mut self, tenant: &TenantId, request: &Request) -> Result<usize> {
        let named = request.pinned.map_or_else(|| request.guidance.named().collect(), |pinned| vec![pinned]);
        let named = named.into_iter().filter_map(|api_id| self.set.by_api_id(tenant, api_id).cloned());
        let mut choices: Vec<Choice> = named.map(Choice::Pinned).collect();
        if request.pinned.is_none() {
            choices.push(self.shelves_of(tenant, request)?);
        }
        let mut lapsed = 0;
        for choice in choices {
            if self.lapsed.insert((tenant.clone(), choice.clone())) {
                lapsed += self.lapse_on(tenant, &choice).await?;
            }
        }
        Ok(lapsed)
    }

    async fn lapse_on(&mut self, tenant: &TenantId, choice: &Choice) -> Result<usize> {
        // Leases that this batch has ended still stand in the database.
        let limit = LAPSED_AT_ONCE + self.set.accounts.len();
        let keys = self.tx.expired_on(tenant, choice, self.now, limit).await?;
        let keys: Vec<_> = keys.into_iter().map(|key| (tenant.clone(), key)).collect();
        let new: Vec<_> = keys.iter().filter(|key| !self.set.accounts.contains_key(key)).cloned().collect();
        if !new.is_empty() {
            self.insist_on_care()?;
            let rows = self.tx.load_accounts(&new).await?;
            let ids = self.take_in_accounts(rows)?;
            self.load_credentials(ids).await?;
        }
        self.lapse_accounts(&keys)
    }

    pub(super) fn shelves_of(&self, tenant: &TenantId, request: &Request) -> Result<Choice> {
        let mut shelves: Vec<String> = self.selectors(tenant, request)?.iter().map(|s| s.shelf.key()).collect();
        shelves.sort();
        Ok(Choice::Shelves(shelves))
    }

    fn insist_on_care(&self) -> Result<()> {
        if self.careful || !self.tx.is_postgres() { Ok(()) } else { Err(StoreError::Stale) }
    }

    /// Lets go of up to `limit` leases that have ended, of any tenant. How many there were.
    pub(crate) async fn lapse(&mut self, limit: usize) -> Result<usize> {
        let rows = self.tx.expired_accounts(self.now, limit).await?;
        let keys: Vec<_> = rows
            .iter()
            .map(|r| (TenantId::from(r.tenant_id.as_str()), AccountKey::stored(r.account_id.clone())))
            .collect();
        let ids = self.take_in_accounts(rows)?;
        self.load_credentials(ids).await?;
        self.lapse_accounts(&keys)
    }

    fn lapse_accounts(&mut self, keys: &[(TenantId, AccountKey)]) -> Result<usize> {
        let mut lapsed = 0;
        for (tenant, key) in keys {
            let ended = self.set.account(tenant, key).binding.is_some()
                && self.set.account(tenant, key).live_binding(self.now).is_none();
            if ended {
                let asker = Asker { tenant: tenant.clone(), origin: Origin::internal("job:expire_leases") };
                self.detach(&asker, key, "expired")?;
                lapsed += 1;
            }
        }
        Ok(lapsed)
    }

    /// Releases up to `limit` accounts that a credential got until then. How many there were.
    pub(crate) async fn detach_all(
        &mut self,
        asker: &Asker,
        credential: &CredentialId,
        until: Timestamp,
        limit: usize,
    ) -> Result<usize> {
        let rows = self.tx.accounts_of_credential(&asker.tenant, credential, until, limit).await?;
        let keys: Vec<AccountKey> = rows.iter().map(|r| AccountKey::stored(r.account_id.clone())).collect();
        let ids = self.take_in_accounts(rows)?;
        self.load_credentials(ids).await?;
        for key in &keys {
            self.detach(asker, key, "forced")?;
        }
        Ok(keys.len())
    }

    /// Ends what an account holds, and notes it.
    pub(super) fn detach(&mut self, asker: &Asker, key: &AccountKey, reason: &str) -> Result<()> {
        let account = self.set.account(&asker.tenant, key);
        let Some(binding) = account.binding.take() else { return Ok(()) };
        account.former = Some(binding.credential.clone());
        account.dirty = true;
        let credential = self.set.credential(&binding.credential)?;
        credential.candidate.current_accounts -= 1;
        credential.changed(Change::Noted);
        let data = json!({
            "allocation_id": binding.allocation_id.as_str(),
            "allocated_at": binding.allocated_at,
            "expires_at": binding.expires_at,
            "strategy": &*binding.strategy,
            "operator": &*binding.operator,
            "proxy_id": binding.proxy_id,
            "reason": reason,
        });
        self.note(asker, Entry::new(Action::Released).account(key).credential(&binding.credential).data(data));
        Ok(())
    }

    pub(super) fn note(&mut self, asker: &Asker, entry: Entry) {
        self.log.push((asker.clone(), entry));
    }

    pub(super) fn account_view(&mut self, tenant: &TenantId, key: &AccountKey) -> AccountView {
        self.set.account(tenant, key).view()
    }

    /// The tenant's census, as fresh as `cache` keeps it.
    pub(super) async fn census(&mut self, tenant: &TenantId, cache: &mut CensusCache) -> Result<Census> {
        if let Some(census) = cache.get(tenant, self.compiled.revision) {
            return Ok(census);
        }
        let rules = Arc::clone(&self.rules(tenant)?.rules);
        let census = self.tx.census(tenant, &rules, self.now).await?;
        cache.put(tenant, self.compiled.revision, census.clone());
        Ok(census)
    }

    /// Numbers what happened, writes everything and commits.
    pub(crate) async fn finish(mut self) -> Result<()> {
        // Credentials are read after accounts, and what has no row was not locked: another process may
        // have given a stranger meanwhile what looked taken.
        if self.tx.knows_any(std::mem::take(&mut self.strangers)).await? {
            return Err(StoreError::Stale);
        }
        if self.log.is_empty() && self.results.is_empty() && self.keys.is_empty() {
            return self.tx.rollback().await;
        }
        // Keys before numbers, as everyone who claims one does.
        self.tx.keep_keys(std::mem::take(&mut self.keys), self.now).await?;
        let log = std::mem::take(&mut self.log);
        let (first, first_result) = take_numbers(&mut self.tx, log.len(), self.results.len()).await?;
        let rows = self.number(first, &log)?;
        self.tx.save_credentials(&self.set).await?;
        self.tx.save_bans(std::mem::take(&mut self.banned)).await?;
        self.tx.save_accounts(&self.set).await?;
        let results = (first_result..).zip(std::mem::take(&mut self.results));
        self.tx.save_results(results.map(|(seq, raw)| raw.row(seq, self.now)).collect()).await?;
        if !rows.is_empty() {
            insert(&mut self.tx, self.now, &rows).await?;
        }
        self.tx.commit().await
    }

    /// Gives each entry its number and its back-pointers, and moves the heads.
    fn number<'l>(&mut self, first: i64, log: &'l [(Asker, Entry)]) -> Result<Vec<Numbered<'l>>> {
        let mut rows = Vec::with_capacity(log.len());
        for (seq, (asker, entry)) in (first..).zip(log) {
            let account_prev = entry.account.as_ref().and_then(|key| {
                let account = self.set.account(&asker.tenant, key);
                account.dirty = true;
                previous(&mut account.last_seq, seq)
            });
            let credential_prev = match &entry.credential {
                Some(id) => {
                    let credential = self.set.credential(id)?;
                    credential.changed(Change::Noted);
                    previous(&mut credential.last_seq, seq)
                }
                None => None,
            };
            rows.push(Numbered {
                seq,
                tenant: &asker.tenant,
                origin: &asker.origin,
                entry,
                account_prev,
                credential_prev,
            });
        }
        Ok(rows)
    }
}

fn previous(head: &mut i64, seq: i64) -> Option<i64> {
    Some(std::mem::replace(head, seq)).filter(|prev| *prev > 0)
}
