//! Allocate, release and renew, applied to a batch's working set.

use std::sync::Arc;

use domain::allocation::{Decision, Exhausted, PinnedProblem, Refusal, Request, decide};
use domain::event::Action;
use domain::{AccountKey, AllocationId, CredentialId, TenantId};
use serde_json::json;

use super::batch::Batch;
use super::command::{Allocate, Allocated, Refused, Release, Released, Renew, Renewed};
use super::working::{Binding, Change};
use super::{Asker, CensusCache};
use crate::credentials::hash_place;
use crate::error::Result;
use crate::journal::Entry;
use crate::seal::Sealer;

/// Whether a refusal says that something is full: then leases that have ended are looked at first.
pub(crate) fn rests_on_full(decision: &Result<Decision, Refusal>) -> bool {
    matches!(decision, Err(Refusal::Exhausted | Refusal::PinnedUnavailable(PinnedProblem::Full)))
}

/// Refusals are answers; errors fail the batch.
pub(super) type Outcome<T> = Result<Result<T, Refused>>;

impl Batch {
    /// The request with its strategy resolved.
    pub(super) fn request(&self, asker: &Asker, command: &Allocate) -> Result<Request> {
        Ok(command.request(self.rules(&asker.tenant)?, &asker.origin, self.now))
    }

    pub(super) async fn allocate(
        &mut self,
        asker: &Asker,
        command: &Allocate,
        sealer: &Sealer,
        census: &mut CensusCache,
    ) -> Outcome<Allocated> {
        if let Some(once) = &asker.origin.once {
            match self.made_before(asker, once, sealer)? {
                Some(Ok(allocated)) => return Ok(Ok(allocated)),
                Some(Err(())) => return Ok(Err(Refused::KeyReused)),
                None => {}
            }
        }
        let request = self.request(asker, command)?;
        let holds = self.set.account(&asker.tenant, &request.account).live_binding(self.now).is_some();
        let sticks = holds && !request.fresh;
        let groups = &self.rules(&asker.tenant)?.groups;
        // What an account holds it has back, whatever has become of the group that it asks for.
        if !sticks && command.group.as_ref().is_some_and(|group| !groups.contains_key(group)) {
            return Ok(Err(Refused::UnknownGroup));
        }
        let chooses = !sticks && request.pinned.is_none();
        let selectors = if chooses { self.selectors(&asker.tenant, &request)? } else { Vec::new() };
        let decision = loop {
            let view = self.account_view(&asker.tenant, &request.account);
            let pool = self.set.pool_for(&asker.tenant, &request, &view, &selectors, self.now);
            let decision = decide(&request, &view, &pool, self.now);
            if !(rests_on_full(&decision) && self.look_again(&asker.tenant, &request).await?) {
                break decision;
            }
        };
        if rests_on_full(&decision) && self.set.account(&asker.tenant, &request.account).loaded_seq == 0 {
            self.strangers.push((asker.tenant.clone(), request.account.clone()));
        }
        let existing = match decision {
            Ok(Decision::Existing(_)) => true,
            Ok(Decision::Bind { credential, via }) => {
                self.attach(asker, &request, &credential, via.to_string())?;
                false
            }
            Err(refusal) => return self.refused(&asker.tenant, &request, refusal, census).await.map(Err),
        };
        let allocated = self.allocated(asker, &request, existing, sealer)?;
        self.keep_key(asker, &allocated);
        Ok(Ok(allocated))
    }

    /// Ends what the account held, and binds it to `credential`.
    fn attach(&mut self, asker: &Asker, request: &Request, credential: &CredentialId, strategy: String) -> Result<()> {
        let now = self.now;
        let reason = if request.fresh { "fresh" } else { "expired" };
        self.detach(asker, &request.account, reason)?;

        let held = self.set.credential(credential)?;
        held.candidate.current_accounts += 1;
        held.candidate.last_allocated_at = Some(now);
        held.changed(Change::Taken);

        let binding = Binding {
            allocation_id: AllocationId::from(self.ambient.new_id()),
            credential: credential.clone(),
            proxy_id: None,
            allocated_at: now,
            expires_at: request.ttl_millis.map(|ttl| now.plus(ttl)),
            strategy: strategy.into(),
            operator: Arc::clone(&asker.origin.actor),
            member_level: request.level,
        };
        let data = json!({
            "allocation_id": binding.allocation_id.as_str(),
            "strategy": &*binding.strategy,
            "expires_at": binding.expires_at,
            "member_level": binding.member_level,
        });
        self.note(asker, Entry::new(Action::Allocated).account(&request.account).credential(credential).data(data));
        let account = self.set.account(&asker.tenant, &request.account);
        account.binding = Some(binding);
        account.dirty = true;
        Ok(())
    }

    fn allocated(&mut self, asker: &Asker, request: &Request, existing: bool, sealer: &Sealer) -> Result<Allocated> {
        let now = self.now;
        let account = self.set.account(&asker.tenant, &request.account);
        let cooling = account.cooldown_until.filter(|until| *until > now);
        let Some(binding) = account.binding.clone() else {
            return Err(crate::StoreError::Damaged("a bound account without a binding".to_owned()));
        };
        let credential = self.set.look_up(&binding.credential)?;
        let api_hash =
            sealer.open_text(hash_place(&credential.tenant, &credential.candidate.id), &credential.api_hash)?;
        Ok(Allocated {
            allocation_id: binding.allocation_id,
            credential_id: binding.credential,
            api_id: credential.candidate.api_id,
            api_hash,
            name: Arc::clone(&credential.name),
            account: request.account.clone(),
            group_id: credential.candidate.shelf.group.clone(),
            strategy_used: if existing { Arc::from("existing") } else { binding.strategy },
            existing,
            member_level: request.level,
            allocated_at: binding.allocated_at,
            expires_at: binding.expires_at,
            account_cooldown_until: cooling,
        })
    }

    async fn refused(
        &mut self,
        tenant: &TenantId,
        request: &Request,
        refusal: Refusal,
        cache: &mut CensusCache,
    ) -> Result<Refused> {
        Ok(match refusal {
            Refusal::DeniedByRule(name) => Refused::DeniedByRule(name),
            Refusal::CredentialBanned => Refused::CredentialBanned,
            Refusal::PinnedUnavailable(problem) => Refused::PinnedUnavailable(problem),
            Refusal::AccountUnavailable { state, until } => Refused::AccountUnavailable { state, until },
            Refusal::Exhausted => {
                let census = self.census(tenant, cache).await?;
                match census.refusal(request) {
                    Exhausted::Full => Refused::PoolFull,
                    Exhausted::NoneEligible(reasons) => Refused::NoneAvailable(reasons),
                }
            }
        })
    }

    pub(super) fn release(&mut self, asker: &Asker, command: &Release) -> Outcome<Released> {
        let now = self.now;
        let Some(key) = self.holder(&asker.tenant, command) else { return Ok(Err(Refused::NotAllocated)) };
        let account = self.set.account(&asker.tenant, &key);
        let Some(binding) = account.binding.clone() else { return Ok(Err(Refused::NotAllocated)) };
        let live = account.live_binding(now).is_some();
        let api_id = self.set.look_up(&binding.credential)?.candidate.api_id;
        self.detach(asker, &key, if live { "released" } else { "expired" })?;
        if !live {
            return Ok(Err(Refused::NotAllocated));
        }
        Ok(Ok(Released { allocation_id: binding.allocation_id, api_id, account: key, released_at: now }))
    }

    /// The account that a release is about.
    fn holder(&self, tenant: &TenantId, command: &Release) -> Option<AccountKey> {
        match command {
            Release::Account(key) => Some(key.clone()),
            Release::Allocation(id) => {
                let key = self.holders.get(&(tenant.clone(), id.clone()))?;
                let account = self.set.accounts.get(&(tenant.clone(), key.clone()))?;
                account.binding.as_ref().filter(|binding| binding.allocation_id == *id)?;
                Some(key.clone())
            }
        }
    }

    pub(super) fn renew(&mut self, asker: &Asker, command: &Renew) -> std::result::Result<Renewed, Refused> {
        let (now, expires_at) = (self.now, self.now.plus(command.ttl_millis));
        let account = self.set.account(&asker.tenant, &command.account);
        if account.live_binding(now).is_none() {
            return Err(Refused::NotAllocated);
        }
        let Some(binding) = account.binding.as_mut().filter(|b| b.expires_at.is_some()) else {
            return Err(Refused::NotALease);
        };
        binding.expires_at = Some(expires_at);
        let (allocation_id, credential) = (binding.allocation_id.clone(), binding.credential.clone());
        account.dirty = true;
        let data = json!({ "allocation_id": allocation_id.as_str(), "expires_at": expires_at });
        self.note(asker, Entry::new(Action::Renewed).account(&command.account).credential(&credential).data(data));
        Ok(Renewed { allocation_id, expires_at })
    }
}
