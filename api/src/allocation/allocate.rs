//! Allocate one account, or up to five hundred.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::allocation::{MAX_TTL_SECONDS, MIN_TTL_SECONDS};
use domain::{AccountKey, AllocationId, GroupId, MemberLevel, Strategy};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use store::allocator::{Allocate, Allocated, Command, Done};
use utoipa::ToSchema;

use crate::answer::Answer;
use crate::error::{ApiError, ErrorBody, Result, Wrong};
use crate::extract::{Caller, Lenient, May, Member, rights};
use crate::fields::{ApiIdField, ApiIdText, Moment, choice, whole, words};

/// The most requests in a batch.
const BATCH: usize = 500;

/// What a caller asks for. Unknown fields are ignored.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct AllocateRequest {
    /// The account's key: 1 to 128 bytes.
    account_id: Option<String>,
    /// The same; wins over `account_id`.
    phone: Option<String>,
    /// The same; wins over `account_id`.
    account_phone: Option<String>,
    /// How to rank: `balanced`, `success_rate`, `least_failures`, `round_robin` or `health`.
    strategy: Option<String>,
    /// Only credentials of this group.
    group_id: Option<String>,
    /// This credential, or a refusal.
    api_id: Option<ApiIdField>,
    /// The level of the member: believed from people, services have their token's.
    member_level: Option<String>,
    /// Release what the account holds and allocate anew, in one step.
    fresh: Option<bool>,
    /// A lease of so many seconds, up to a year; without it, until released.
    #[serde(deserialize_with = "whole")]
    #[schema(minimum = 1, maximum = 31_536_000)]
    ttl_seconds: Option<i64>,
    /// Also a proxy.
    with_proxy: Option<bool>,
    /// Refuse when there is no proxy.
    require_proxy: Option<bool>,
    /// Prefer a proxy of this country.
    proxy_country: Option<String>,
}

impl AllocateRequest {
    /// `phone` wins, then `account_phone`.
    pub(super) fn account(&self) -> Result<AccountKey> {
        account_key(self.phone.as_deref(), self.account_phone.as_deref(), self.account_id.as_deref())
    }

    pub(super) fn strategy(&self) -> Result<Option<Strategy>> {
        choice("strategy", self.strategy.as_deref())
    }

    pub(crate) fn command(&self, caller: &Caller) -> Result<Allocate> {
        let mut wrong = Wrong::default();
        let account = wrong.note(self.account());
        let strategy = wrong.or(None, self.strategy());
        let level: Option<MemberLevel> = wrong.or(None, choice("member_level", self.member_level.as_deref()));
        let group = wrong.or(None, self.group());
        let ttl_millis = wrong.or(None, self.ttl_seconds.map(ttl_millis).transpose());
        let account = wrong.all(account)?;
        if self.require_proxy == Some(true) {
            return Err(ApiError::none_available("no proxy is available", &BTreeMap::new()));
        }
        Ok(Allocate {
            account,
            strategy,
            group,
            pinned: self.api_id.map(|a| a.0),
            level: caller.level(level),
            fresh: self.fresh.unwrap_or(false),
            ttl_millis,
        })
    }

    fn group(&self) -> Result<Option<GroupId>> {
        let group = self.group_id.as_deref().filter(|g| !g.is_empty());
        if group.is_some_and(|g| g.len() > 64 || g.chars().any(char::is_control)) {
            return Err(ApiError::field("group_id", "is not one of the groups"));
        }
        Ok(group.map(GroupId::from))
    }
}

/// The first of its names that comes and is not empty.
pub(super) fn account_key(
    phone: Option<&str>,
    account_phone: Option<&str>,
    account_id: Option<&str>,
) -> Result<AccountKey> {
    let named = [("phone", phone), ("account_phone", account_phone), ("account_id", account_id)];
    let given = || named.into_iter().filter_map(|(name, text)| Some((name, text?)));
    let full = given().find(|(_, key)| !key.is_empty());
    let (field, text) = full.or_else(|| given().next()).unwrap_or(("account_id", ""));
    Ok(AccountKey::parse(field, text)?)
}

pub(super) fn ttl_millis(seconds: i64) -> Result<i64> {
    if (MIN_TTL_SECONDS..=MAX_TTL_SECONDS).contains(&seconds) {
        Ok(seconds * 1000)
    } else {
        Err(ApiError::field("ttl_seconds", "must be between 1 and 31536000"))
    }
}

/// An account's credential.
#[derive(Serialize, ToSchema)]
#[allow(clippy::struct_field_names, reason = "the contract's names")]
pub struct Allocation {
    /// The id of this binding.
    #[schema(value_type = String)]
    allocation_id: AllocationId,
    /// Telegram's id.
    api_id: ApiIdText,
    /// Telegram's secret.
    #[serde(serialize_with = "exposed")]
    #[schema(value_type = String)]
    api_hash: SecretString,
    /// The credential's name.
    #[schema(value_type = String)]
    name: Arc<str>,
    /// For whom.
    #[schema(value_type = String)]
    account_id: AccountKey,
    /// The credential's group.
    #[schema(value_type = Option<String>)]
    group_id: Option<GroupId>,
    /// `existing`, `affinity`, `manual`, or the strategy.
    #[schema(value_type = String)]
    strategy_used: Arc<str>,
    /// The account held it already.
    existing: bool,
    /// The level that counted.
    #[schema(schema_with = words::<MemberLevel>)]
    member_level: MemberLevel,
    /// Since when.
    allocated_at: Moment,
    /// Until when; `null` lasts until released.
    expires_at: Option<Moment>,
    /// The account is cooling until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    account_cooldown_until: Option<Moment>,
}

/// The one place where a plain `api_hash` goes out with an allocation.
fn exposed<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    secret.expose_secret().serialize(serializer)
}

impl From<Allocated> for Allocation {
    fn from(allocated: Allocated) -> Self {
        Self {
            allocation_id: allocated.allocation_id,
            api_id: ApiIdText(allocated.api_id),
            api_hash: allocated.api_hash,
            name: allocated.name,
            account_id: allocated.account,
            group_id: allocated.group_id,
            strategy_used: allocated.strategy_used,
            existing: allocated.existing,
            member_level: allocated.member_level,
            allocated_at: Moment(allocated.allocated_at),
            expires_at: allocated.expires_at.map(Moment),
            account_cooldown_until: allocated.account_cooldown_until.map(Moment),
        }
    }
}

/// Gives an account a credential: the one it holds, else its former one, else the best.
#[utoipa::path(
    post, path = "/api/admin/api-pool/allocate", tag = "allocation", request_body = AllocateRequest,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and body have the same answer for 24 hours")),
    responses((status = 200, description = "The account's credential", body = Answer<Allocation>))
)]
pub async fn allocate(
    may: May<rights::Allocate>,
    Lenient(request): Lenient<AllocateRequest>,
) -> Result<Answer<Allocation>> {
    let command = Command::Allocate(request.command(&may.caller)?);
    match may.app.allocator.ask(may.caller.asker(), command).await? {
        Done::Allocated(allocated) => Ok(Answer::new((*allocated).into())),
        other => Err(ApiError::internal(&format!("{other:?} for an allocation"))),
    }
}

/// Many requests at once.
#[derive(Debug, Deserialize, ToSchema)]
pub struct AllocateBatch {
    /// Up to 500.
    #[schema(value_type = Vec<AllocateRequest>, min_items = 1, max_items = 500)]
    requests: Vec<Member<AllocateRequest>>,
}

/// Outcomes in the order of the requests.
#[derive(Serialize, ToSchema)]
pub struct Outcomes<T> {
    /// One for each request.
    results: Vec<Outcome<T>>,
}

/// The outcome of one member of a batch.
#[derive(Serialize, ToSchema)]
pub struct Outcome<T> {
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    data: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<ErrorBody>,
}

impl<T> From<Result<T>> for Outcome<T> {
    fn from(result: Result<T>) -> Self {
        match result {
            Ok(data) => Self { success: true, data: Some(data), error: None },
            Err(error) => Self { success: false, data: None, error: Some(error.body()) },
        }
    }
}

impl<T> Outcomes<T> {
    /// Asks the allocator for every command that is one, and puts outcomes in order.
    pub(super) async fn gather(
        caller: &Caller,
        allocator: &store::allocator::Allocator,
        commands: Vec<Result<Command>>,
        view: impl Fn(Done) -> Result<T>,
    ) -> Self {
        let mut slots: Vec<Option<ApiError>> = Vec::with_capacity(commands.len());
        let mut good = Vec::with_capacity(commands.len());
        for command in commands {
            match command {
                Ok(command) => {
                    good.push(command);
                    slots.push(None);
                }
                Err(error) => slots.push(Some(error)),
            }
        }
        let mut answers = allocator.ask_all(&caller.asker(), good).await.into_iter();
        let results = slots
            .into_iter()
            .map(|slot| match slot {
                Some(error) => Err(error),
                None => match answers.next() {
                    Some(answer) => answer.map_err(ApiError::from).and_then(&view),
                    None => Err(ApiError::overloaded()),
                },
            })
            .map(Outcome::from)
            .collect();
        Self { results }
    }
}

/// Allocates for up to 500 accounts; each has its own outcome, in order.
#[utoipa::path(
    post, path = "/api/admin/api-pool/allocate/batch", tag = "allocation", request_body = AllocateBatch,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, description = "Outcomes in order", body = Answer<Outcomes<Allocation>>))
)]
pub async fn allocate_batch(
    may: May<rights::Allocate>,
    Lenient(batch): Lenient<AllocateBatch>,
) -> Result<Answer<Outcomes<Allocation>>> {
    check_length("requests", batch.requests.len(), BATCH)?;
    may.app.store.claim_batch(&may.caller.tenant, may.caller.origin.once.as_ref()).await?;
    let commands = batch
        .requests
        .into_iter()
        .map(|Member(request)| Ok(Command::Allocate(request?.command(&may.caller)?)))
        .collect();
    let view = |done| match done {
        Done::Allocated(allocated) => Ok(Allocation::from(*allocated)),
        other => Err(ApiError::internal(&format!("{other:?} for an allocation"))),
    };
    Ok(Answer::new(Outcomes::gather(&may.caller, &may.app.allocator, commands, view).await))
}

pub(super) fn check_length(field: &str, length: usize, most: usize) -> Result<()> {
    if (1..=most).contains(&length) {
        Ok(())
    } else {
        Err(ApiError::field(field, format!("must have 1 to {most} members")))
    }
}
