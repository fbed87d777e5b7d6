//! What a batch's requests name: accounts and credentials, to be loaded together.

use std::collections::{BTreeSet, HashSet};

use domain::{AccountKey, AllocationId, ApiId, TenantId};

use super::Work;
use super::batch::{Batch, Choice};
use super::command::{Allocate, Command, Release, Report};
use crate::error::Result;

/// Accounts whose lease has ended that one exhausted batch lets go of.
pub(super) const LAPSED_AT_ONCE: usize = 200;

impl Batch {
    /// The accounts whose ended leases a refusal of these requests would rest on, to be locked with
    /// all others and in the same order.
    pub(super) async fn accounts_at_stake(&mut self, work: &[Work]) -> Result<Vec<(TenantId, AccountKey)>> {
        let (mut choices, mut pinned) = (HashSet::new(), BTreeSet::new());
        for Work { asker, command, .. } in work {
            let Command::Allocate(command) = command else { continue };
            let tenant = asker.tenant.clone();
            if let Some(api_id) = command.pinned {
                pinned.insert((tenant, api_id));
            } else {
                let request = self.request(asker, command)?;
                pinned.extend(request.guidance.named().map(|api_id| (tenant.clone(), api_id)));
                let shelves = self.shelves_of(&tenant, &request)?;
                choices.insert((tenant, shelves));
            }
        }
        for (tenant, api_id) in pinned {
            let ids = self.tx.credential_ids(&[(tenant.clone(), api_id)]).await?;
            choices.extend(ids.into_iter().map(|id| (tenant.clone(), Choice::Pinned(id))));
        }
        let mut accounts = Vec::new();
        for (tenant, choice) in choices {
            let keys = self.tx.expired_on(&tenant, &choice, self.now, LAPSED_AT_ONCE).await?;
            accounts.extend(keys.into_iter().map(|key| (tenant.clone(), key)));
        }
        Ok(accounts)
    }

    /// The `api_id`s that requests name, or that rules name for them.
    pub(super) fn api_ids_named(&self, work: &[Work]) -> Result<Vec<(TenantId, ApiId)>> {
        let mut named = BTreeSet::new();
        for Work { asker, command, .. } in work {
            let tenant = || asker.tenant.clone();
            match command {
                Command::Allocate(Allocate { pinned: Some(api_id), .. }) | Command::Report(Report { api_id, .. }) => {
                    named.insert((tenant(), *api_id));
                }
                Command::Allocate(allocate) => {
                    let request = self.request(asker, allocate)?;
                    named.extend(request.guidance.named().map(|api_id| (tenant(), api_id)));
                }
                Command::Release(_) | Command::Renew(_) => {}
            }
        }
        Ok(named.into_iter().collect())
    }

    pub(super) async fn accounts_named(&mut self, work: &[Work]) -> Result<BTreeSet<(TenantId, AccountKey)>> {
        let mut accounts = BTreeSet::new();
        let mut allocations = Vec::new();
        for Work { asker, command, .. } in work {
            let account = match command {
                Command::Allocate(a) => Some(&a.account),
                Command::Release(Release::Account(account)) => Some(account),
                Command::Release(Release::Allocation(id)) => {
                    allocations.push((asker.tenant.clone(), id.clone()));
                    None
                }
                Command::Renew(r) => Some(&r.account),
                Command::Report(r) => r.account.as_ref(),
            };
            accounts.extend(account.map(|key| (asker.tenant.clone(), key.clone())));
        }
        for (tenant, account, allocation) in self.tx.accounts_of_allocations(&allocations).await? {
            let (tenant, account) = (TenantId::from(tenant), AccountKey::stored(account));
            self.holders.insert((tenant.clone(), AllocationId::from(allocation)), account.clone());
            accounts.insert((tenant, account));
        }
        Ok(accounts)
    }
}
