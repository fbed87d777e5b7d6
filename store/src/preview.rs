//! What an allocation would see, read without locks and without changing anything.

use domain::allocation::explain::{Explanation, explain};
use domain::allocation::{AccountView, Census, Holding, Request};
use domain::{ApiId, CredentialId, Strategy, TenantId, Timestamp};
use serde_json::json;

use crate::Store;
use crate::accounts::AccountRow;
use crate::allocator::load::{CENSUS, CREDENTIAL_IDS, CensusRow, census_of, ranking_peek};
use crate::allocator::working::{Credential, CredentialRow, Selector, WorkingSet};
use crate::db::{args, json_texts, sql};
use crate::error::Result;

impl Store {
    /// What an allocation would see: the account, the rankings of its shelves to the given depth,
    /// the credentials it names, and the census. Reads only.
    pub async fn preview(&self, tenant: &TenantId, request: &Request, depth: usize) -> Result<Preview> {
        let compiled = self.compiled_now().await?;
        let mut set = WorkingSet::default();
        let row = self.account(tenant, &request.account).await?;
        let pinned = self.pinned_of(tenant, request.pinned).await?;
        let of_row = row.as_ref().map(|row| [row.credential_id.clone(), row.former_credential_id.clone()]);
        let named: Vec<String> = of_row.into_iter().flatten().chain([pinned]).flatten().collect();
        let account = row.as_ref().map(view_of).unwrap_or_default();
        set.add(credentials(self.credentials_by_id(&named).await?)?);
        let shelves = compiled.tenants.get(tenant).map(|t| t.shelves.clone()).unwrap_or_default();
        for shelf in shelves {
            let selector = Selector { tenant: tenant.clone(), strategy: request.strategy, shelf };
            let args = args![tenant, selector.shelf.key(), self.now(), depth];
            let rows: Vec<CredentialRow> = self.db().all(ranking_peek(request.strategy), args).await?;
            set.add(credentials(rows)?);
        }
        let rows: Vec<CensusRow> = self.db().all(sql!(CENSUS), args![tenant, self.now()]).await?;
        Ok(Preview { set, tenant: tenant.clone(), account, census: census_of(rows) })
    }

    async fn credentials_by_id(&self, ids: &[String]) -> Result<Vec<CredentialRow>> {
        let ids = json_texts(ids.iter().map(String::as_str));
        self.db().all(sql!("SELECT c.* FROM credentials c WHERE c.id IN TEXTS($1)"), args![ids]).await
    }

    async fn pinned_of(&self, tenant: &TenantId, pinned: Option<ApiId>) -> Result<Option<String>> {
        let Some(api_id) = pinned else { return Ok(None) };
        let pairs = json!([{ "t": tenant.as_str(), "a": api_id.get() }]).to_string();
        Ok(self.db().optional::<(String,)>(sql!(CREDENTIAL_IDS), args![pairs]).await?.map(|r| r.0))
    }

    /// The strategy that a request comes to, by the compiled rules.
    pub async fn resolve_strategy(
        &self,
        tenant: &TenantId,
        asked: Option<Strategy>,
        group: Option<&domain::GroupId>,
    ) -> Result<Strategy> {
        let compiled = self.compiled_now().await?;
        Ok(compiled.tenants.get(tenant).map_or_else(Strategy::default, |rules| rules.strategy(asked, group)))
    }
}

/// What [`domain::allocation::explain::explain`] needs, read without locks.
#[derive(Debug)]
pub struct Preview {
    set: WorkingSet,
    tenant: TenantId,
    /// The account that would ask.
    pub account: AccountView,
    /// The tenant's census.
    pub census: Census,
}

impl Preview {
    /// Explains the request.
    pub fn explain(&self, request: &Request, now: Timestamp) -> Explanation {
        explain(request, &self.account, &self.set.pool(&self.tenant), &self.census, now)
    }

    /// A credential's name.
    pub fn name(&self, id: &CredentialId) -> Option<&str> {
        self.set.credentials.get(id).map(|c| c.name.as_str())
    }

    /// Telegram's id of a credential.
    pub fn api_id(&self, id: &CredentialId) -> Option<ApiId> {
        self.set.credentials.get(id).map(|c| c.candidate.api_id)
    }
}

fn credentials(rows: Vec<CredentialRow>) -> Result<Vec<Credential>> {
    rows.into_iter().map(Credential::try_from).collect()
}

fn view_of(row: &AccountRow) -> AccountView {
    AccountView {
        state: row.state.parse().unwrap_or_default(),
        cooldown_until: (row.cooldown_until > 0).then(|| Timestamp::from_millis(row.cooldown_until)),
        holding: row.credential_id.as_ref().map(|credential| Holding {
            credential: CredentialId::from(credential.as_str()),
            expires_at: row.expires_at.map(Timestamp::from_millis),
        }),
        former: row.former_credential_id.as_deref().map(CredentialId::from),
    }
}
