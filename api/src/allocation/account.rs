//! What an account holds, without the hash.

use domain::{AccountKey, ApiId, Timestamp};
use serde::{Deserialize, Serialize};
use store::accounts::AccountRow;
use utoipa::ToSchema;

use super::allocate::check_length;
use crate::answer::Answer;
use crate::context;
use crate::error::{ApiError, Result};
use crate::extract::{May, Query, Strict, rights};
use crate::fields::{ApiIdText, Moment};

/// The most accounts in a lookup.
const LOOKUP: usize = 500;

/// An account that holds a credential.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountView {
    account_id: String,
    allocation_id: String,
    api_id: Option<ApiIdText>,
    /// The credential's name.
    name: Option<String>,
    allocated_at: Option<Moment>,
    /// `null` lasts until released.
    expires_at: Option<Moment>,
    /// `active`, `cooling`, `frozen` or `retired`.
    state: String,
    cooldown_until: Option<Moment>,
    /// How it was chosen.
    strategy: Option<String>,
    /// Who asked for it.
    operator: Option<String>,
    proxy_id: Option<String>,
}

impl AccountView {
    /// `None` when it holds nothing; an expired lease counts as released.
    fn of(row: AccountRow, now: Timestamp) -> Option<Self> {
        if row.expires_at.is_some_and(|end| end <= now.millis()) {
            return None;
        }
        let cooling = row.cooldown_until > now.millis();
        let state = if cooling && row.state == "active" { "cooling".to_owned() } else { row.state };
        let moment = |millis: Option<i64>| millis.map(|m| Moment(Timestamp::from_millis(m)));
        Some(Self {
            account_id: row.account_id,
            allocation_id: row.allocation_id?,
            api_id: row.api_id.and_then(ApiId::new).map(ApiIdText),
            name: row.name,
            allocated_at: moment(row.allocated_at),
            expires_at: moment(row.expires_at),
            state,
            cooldown_until: moment(cooling.then_some(row.cooldown_until)),
            strategy: row.strategy,
            operator: row.operator,
            proxy_id: row.proxy_id,
        })
    }
}

/// What an account holds; `data` is `null` when that is nothing.
#[utoipa::path(
    get, path = "/api/admin/api-pool/account", tag = "allocation",
    params(
        ("account_id" = Option<String>, Query, description = "The account's key"),
        ("phone" = Option<String>, Query, description = "The same; wins"),
        ("account_phone" = Option<String>, Query, description = "The same"),
    ),
    responses((status = 200, description = "What it holds, or null", body = Answer<Option<AccountView>>))
)]
pub async fn account(may: May<rights::ReadAccount>, mut query: Query) -> Result<Answer<Option<AccountView>>> {
    let account = query.account();
    query.end_leniently()?;
    let key = account.ok_or_else(|| ApiError::field("account_id", "is required"))?;
    let row = may.app.store.account(&may.caller.tenant, &key).await?;
    Ok(Answer::new(row.and_then(|row| AccountView::of(row, context::now()))))
}

/// Which accounts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LookupRequest {
    /// Up to 500 keys.
    #[schema(min_items = 1, max_items = 500)]
    account_ids: Vec<String>,
}

/// What they hold.
#[derive(Debug, Serialize, ToSchema)]
pub struct LookupView {
    /// Accounts that hold something.
    items: Vec<AccountView>,
    /// Those that hold nothing.
    missing: Vec<String>,
}

/// What up to 500 accounts hold.
#[utoipa::path(
    post, path = "/api/admin/api-pool/accounts/lookup", tag = "allocation", request_body = LookupRequest,
    responses((status = 200, description = "What they hold", body = Answer<LookupView>))
)]
pub async fn lookup(
    may: May<rights::ReadAccount>,
    Strict(request): Strict<LookupRequest>,
) -> Result<Answer<LookupView>> {
    check_length("account_ids", request.account_ids.len(), LOOKUP)?;
    let keys: Vec<AccountKey> =
        request.account_ids.iter().map(|id| AccountKey::parse("account_ids", id)).collect::<Result<_, _>>()?;
    let rows = may.app.store.accounts(&may.caller.tenant, &keys).await?;
    let items: Vec<AccountView> = rows.into_iter().filter_map(|row| AccountView::of(row, context::now())).collect();
    let held: std::collections::HashSet<&str> = items.iter().map(|i| i.account_id.as_str()).collect();
    let missing = keys.iter().map(AccountKey::as_str).filter(|key| !held.contains(key)).map(str::to_owned).collect();
    Ok(Answer::new(LookupView { items, missing }))
}
