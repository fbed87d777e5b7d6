//! What an allocation would see, read without locks and without changing anything.

use std::sync::Arc;

use domain::allocation::explain::{Explanation, explain};
use domain::allocation::{AccountView, Census, Holding, Request, decide};
use domain::rule::{RuleDraft, RuleSet};
use domain::{ApiId, CredentialId, TenantId, Timestamp};

use crate::accounts::AccountRow;
use crate::allocator::Allocate;
use crate::allocator::bind::rests_on_full;
use crate::allocator::load::{CENSUS, CREDENTIAL_IDS, CensusRow, NAMED, NamedRow, census_of, named_by};
use crate::allocator::ranking::best;
use crate::allocator::set::{Selector, WorkingSet};
use crate::allocator::working::{Credential, CredentialRow};
use crate::db::{Reader, args, json_texts, sql};
use crate::error::{Result, StoreError};
use crate::rows::{row, rows_sql};
use crate::{Origin, Store};

/// Ended leases that a preview looks at.
const ENDED_AT_MOST: i64 = 10_000;

/// On which credentials leases have ended that nobody has let go of yet, and how many on each.
const ENDED: &str = "
    SELECT credential_id, COUNT(*) FROM (
        SELECT tenant_id, credential_id FROM accounts WHERE expires_at <= $1 ORDER BY expires_at LIMIT $3
    ) AS every WHERE tenant_id = $2 AND credential_id IS NOT NULL GROUP BY credential_id";

/// A request with the rules that it is asked under.
#[derive(Clone, Debug)]
pub struct Question {
    /// The request.
    pub request: Request,
    rules: Arc<RuleSet>,
}

impl Store {
    /// What an allocation would ask now.
    pub async fn question(&self, tenant: &TenantId, origin: &Origin, allocate: &Allocate) -> Result<Question> {
        let compiled = self.compiled_now().await?;
        let rules = compiled.tenants.get(tenant).ok_or(StoreError::NotFound("tenant"))?;
        Ok(Question { request: allocate.request(rules, origin, self.now()), rules: Arc::clone(&rules.rules) })
    }

    /// What it would ask without a rule, and with it. `replaces` is the rule that it would take the
    /// place of.
    pub async fn questions_of_trial(
        &self,
        tenant: &TenantId,
        origin: &Origin,
        allocate: &Allocate,
        trial: RuleDraft,
        replaces: Option<&str>,
    ) -> Result<(Question, Question)> {
        self.check_rule(tenant, &trial).await?;
        let compiled = self.compiled_now().await?;
        let mut rules = compiled.tenants.get(tenant).ok_or(StoreError::NotFound("tenant"))?.clone();
        let mut drafts = Vec::new();
        for rule in self.rules(tenant).await? {
            if Some(rule.id.as_str()) != replaces {
                drafts.push((rule.id, rule.draft));
            }
        }
        let mut ask = |drafts: Vec<(String, RuleDraft)>| {
            rules.rules = Arc::new(RuleSet::new(drafts));
            Question { request: allocate.request(&rules, origin, self.now()), rules: Arc::clone(&rules.rules) }
        };
        let without = ask(drafts.clone());
        // A new one goes behind its equals, as it would when it is added.
        drafts.push((replaces.unwrap_or("~").to_owned(), RuleDraft { enabled: true, ..trial }));
        Ok((without, ask(drafts)))
    }

    /// What an allocation would see: the account, the rankings of its shelves to the given depth,
    /// the credentials it names, and the census. Reads only.
    pub async fn preview(&self, tenant: &TenantId, question: &Question, depth: usize) -> Result<Preview> {
        let Question { request, rules } = question;
        let compiled = self.compiled_now().await?;
        let mut set = WorkingSet::default();
        let row = self.account(tenant, &request.account).await?;
        let of_row = row.as_ref().map(|row| [row.credential_id.clone(), row.former_credential_id.clone()]);
        let mut named: Vec<String> = of_row.into_iter().flatten().flatten().collect();
        named.extend(self.ids_of(tenant, request.pinned.into_iter().chain(request.guidance.named())).await?);
        // Those that a rule bars may stand before the others.
        let depth = depth + rules.named().count();
        let account = row.as_ref().map(view_of).unwrap_or_default();
        set.add(credentials(self.credentials_by_id(&named).await?)?);
        let shelves = compiled.tenants.get(tenant).map(|t| t.shelves.clone()).unwrap_or_default();
        for shelf in shelves {
            let selector = Selector { tenant: tenant.clone(), strategy: request.strategy, shelf };
            set.add(best(&mut Reader::Db(self.db()), &selector, self.now(), depth, false).await?);
        }
        let decision = decide(request, &account, &set.pool(tenant), self.now());
        if rests_on_full(&decision) {
            self.let_go_of_ended(tenant, &mut set).await?;
        }
        let rows: Vec<CensusRow> = self.db().all(sql!(CENSUS), args![tenant, self.now()]).await?;
        let lines: Vec<NamedRow> = match named_by(rules) {
            Some(named) => self.db().all(sql!(NAMED), args![tenant, self.now(), named]).await?,
            None => Vec::new(),
        };
        Ok(Preview { set, tenant: tenant.clone(), account, census: census_of(rows, lines) })
    }

    /// Takes leases that have ended for released, as an allocation does before it refuses.
    async fn let_go_of_ended(&self, tenant: &TenantId, set: &mut WorkingSet) -> Result<()> {
        let ended: Vec<(String, i64)> = self.db().all(sql!(ENDED), args![self.now(), tenant, ENDED_AT_MOST]).await?;
        let ids: Vec<String> = ended.iter().map(|(id, _)| id.clone()).collect();
        set.add(credentials(self.credentials_by_id(&ids).await?)?);
        for (id, leases) in ended {
            set.credential(&CredentialId::from(id))?.candidate.current_accounts -= leases;
        }
        Ok(())
    }

    async fn credentials_by_id(&self, ids: &[String]) -> Result<Vec<CredentialRow>> {
        let ids = json_texts(ids.iter().map(String::as_str));
        self.db().all(sql!("SELECT c.* FROM credentials c WHERE c.id IN TEXTS($1)"), args![ids]).await
    }

    async fn ids_of(&self, tenant: &TenantId, api_ids: impl Iterator<Item = ApiId>) -> Result<Vec<String>> {
        let rows: Vec<(String,)> =
            self.db().all_of(rows_sql!(CREDENTIAL_IDS), api_ids.map(|id| row![tenant, id.get()]).collect()).await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
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
        self.set.credentials.get(id).map(|c| &*c.name)
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
