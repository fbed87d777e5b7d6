//! The choice: which credential an account gets, and why.
//!
//! [`decide`] is the whole rule, in the order in which it holds: sticky, denied, availability of the
//! account, pinned, affinity, ranking. The allocator, the preview and the tests call this one.

pub mod eligibility;
pub mod explain;
pub mod rank;
pub mod strategy;

#[cfg(test)]
mod tests;

pub use eligibility::{Census, CensusLine, Exhausted, NamedLine, Reason};

use crate::credential::Standing;
use crate::rule::Guidance;
use crate::{AccountKey, AccountState, ApiId, CredentialId, GroupId, Strategy, Timestamp, credential};
use credential::{Candidate, MemberLevel};

/// The shortest lease, in seconds.
pub const MIN_TTL_SECONDS: i64 = 1;
/// The longest lease, in seconds: a year.
pub const MAX_TTL_SECONDS: i64 = 31_536_000;

/// What a caller asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// For whom.
    pub account: AccountKey,
    /// How to rank; already resolved from request, group and tenant.
    pub strategy: Strategy,
    /// Only credentials of this group.
    pub group: Option<GroupId>,
    /// This credential or a refusal.
    pub pinned: Option<ApiId>,
    /// The caller's level.
    pub level: MemberLevel,
    /// Release what the account holds and allocate anew, in one step.
    pub fresh: bool,
    /// A lease of this length, in milliseconds from now; none lasts until released.
    pub ttl_millis: Option<i64>,
    /// What the rules say to this caller.
    pub guidance: Guidance,
}

/// What the pool knows of the account that asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountView {
    /// Its state.
    pub state: AccountState,
    /// Nothing new before this moment.
    pub cooldown_until: Option<Timestamp>,
    /// The credential it holds, and when that lease ends.
    pub holding: Option<Holding>,
    /// The credential it held before.
    pub former: Option<CredentialId>,
}

/// A credential that an account holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Which one.
    pub credential: CredentialId,
    /// When the lease ends; `None` lasts until released.
    pub expires_at: Option<Timestamp>,
}

impl Holding {
    /// An expired lease counts as released at the moment of decision.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

impl AccountView {
    /// What it really holds at `now`.
    pub fn live_holding(&self, now: Timestamp) -> Option<&Holding> {
        self.holding.as_ref().filter(|holding| !holding.is_expired(now))
    }

    /// Whether it may get something new at `now`; if not, when that ends.
    fn availability(&self, now: Timestamp) -> Result<(), Refusal> {
        let unavailable = |until| Err(Refusal::AccountUnavailable { state: self.state, until });
        match (self.state, self.cooldown_until) {
            (AccountState::Frozen | AccountState::Retired, _) => unavailable(None),
            (AccountState::Active, Some(until)) if until > now => unavailable(Some(until)),
            (AccountState::Active, _) => Ok(()),
        }
    }
}

/// The credentials, as far as a decision needs them.
pub trait Pool {
    /// A credential of the tenant by our id, whatever its standing.
    fn get(&self, id: &CredentialId) -> Option<&Candidate>;
    /// A credential of the tenant by Telegram's id.
    fn by_api_id(&self, api_id: ApiId) -> Option<&Candidate>;
    /// Credentials among which the best for this request is sure to be. There may be others among
    /// them, and one may come twice: [`decide`] checks each.
    fn candidates<'a>(&'a self, request: &Request) -> Box<dyn Iterator<Item = &'a Candidate> + 'a>;
}

/// How a new binding came about; `strategy_used` on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Via {
    /// The account's former credential.
    Affinity,
    /// Pinned by the caller.
    Manual,
    /// A rule bound the caller to it, or ranked it first.
    Rule(String),
    /// Ranked first.
    Strategy(Strategy),
}

impl std::fmt::Display for Via {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Affinity => f.write_str("affinity"),
            Self::Manual => f.write_str("manual"),
            Self::Rule(name) => write!(f, "rule:{name}"),
            Self::Strategy(strategy) => strategy.fmt(f),
        }
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The account keeps what it holds.
    Existing(CredentialId),
    /// The account gets this one; what it held before is released in the same step.
    Bind {
        /// The credential.
        credential: CredentialId,
        /// Why this one.
        via: Via,
    },
}

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The rule of this name refuses the caller.
    DeniedByRule(String),
    /// The account's own credential is banned.
    CredentialBanned,
    /// The pinned credential can't take it, or the account holds another.
    PinnedUnavailable(PinnedProblem),
    /// The account is cooling, frozen or retired.
    AccountUnavailable {
        /// Its state.
        state: AccountState,
        /// When it ends, if it does.
        until: Option<Timestamp>,
    },
    /// No candidate has room. [`Census::refusal`] tells full from none eligible.
    Exhausted,
}

/// What stood against the pinned credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display)]
#[strum(serialize_all = "snake_case")]
pub enum PinnedProblem {
    /// The account holds another one.
    HoldsAnother,
    /// The tenant has no such credential.
    Unknown,
    /// It has no free slot.
    Full,
    /// It isn't eligible.
    #[strum(to_string = "{0}")]
    Rejected(Reason),
}

/// Decides one request. Changes nothing.
///
/// # Errors
/// The refusal, worded as the contract numbers them (3001–3005, 3008).
pub fn decide(request: &Request, account: &AccountView, pool: &impl Pool, now: Timestamp) -> Result<Decision, Refusal> {
    let holding = account.live_holding(now);
    if let Some(holding) = holding.filter(|_| !request.fresh) {
        return keep(request, holding, pool);
    }
    if let Some(rule) = &request.guidance.denied_by {
        return Err(Refusal::DeniedByRule(rule.clone()));
    }
    account.availability(now)?;
    let has_room = |c: &Candidate| has_room(c, request, account, now);

    if let Some(api_id) = request.pinned {
        return pinned(request, api_id, pool, now, has_room);
    }
    if let Some(former) = affinity(request, account, pool, now).filter(|c| has_room(c)) {
        return Ok(Decision::Bind { credential: former.id.clone(), via: Via::Affinity });
    }
    pool.candidates(request)
        .filter(|c| eligibility::rejection(c, request, now).is_none() && has_room(c))
        .min_by(|a, b| rank::compare(a, b, request))
        .map(|best| Decision::Bind { credential: best.id.clone(), via: via(best, request) })
        .ok_or(Refusal::Exhausted)
}

/// How the first of a ranking got there.
fn via(best: &Candidate, request: &Request) -> Via {
    let rule = request.guidance.chosen_by(best);
    rule.map_or(Via::Strategy(request.strategy), |name| Via::Rule(name.to_owned()))
}

/// Whether `candidate` has a slot for this account. What the account gives back in the same step,
/// by `fresh` or because its lease has ended, counts as free, unless the credential is draining.
fn has_room(candidate: &Candidate, request: &Request, account: &AccountView, now: Timestamp) -> bool {
    let gives_back = request.fresh || account.live_holding(now).is_none();
    let returned = account.holding.as_ref().filter(|held| gives_back && held.credential == candidate.id);
    candidate.current_accounts - i64::from(returned.is_some()) < candidate.max_accounts
}

/// Sticky: Telegram ties a session to the `api_id` it logged in with, so an account keeps its
/// credential even when that is disabled, cooling or full. Only a banned one is refused.
fn keep(request: &Request, holding: &Holding, pool: &impl Pool) -> Result<Decision, Refusal> {
    let held = pool.get(&holding.credential);
    if request.pinned.is_some() && request.pinned != held.map(|c| c.api_id) {
        return Err(Refusal::PinnedUnavailable(PinnedProblem::HoldsAnother));
    }
    if held.is_some_and(|c| c.standing == Standing::Banned) {
        return Err(Refusal::CredentialBanned);
    }
    Ok(Decision::Existing(holding.credential.clone()))
}

fn pinned(
    request: &Request,
    api_id: ApiId,
    pool: &impl Pool,
    now: Timestamp,
    has_room: impl Fn(&Candidate) -> bool,
) -> Result<Decision, Refusal> {
    let refuse = |problem| Err(Refusal::PinnedUnavailable(problem));
    let Some(candidate) = pool.by_api_id(api_id) else {
        return refuse(PinnedProblem::Unknown);
    };
    if let Some(reason) = eligibility::rejection(candidate, request, now) {
        return refuse(PinnedProblem::Rejected(reason));
    }
    if !has_room(candidate) {
        return refuse(PinnedProblem::Full);
    }
    Ok(Decision::Bind { credential: candidate.id.clone(), via: Via::Manual })
}

/// The credential that the account held before, when it is still eligible. A `fresh` request asks
/// for a new start, so it has none.
fn affinity<'a>(
    request: &Request,
    account: &AccountView,
    pool: &'a impl Pool,
    now: Timestamp,
) -> Option<&'a Candidate> {
    if request.fresh {
        return None;
    }
    let lapsed = account.holding.as_ref().map(|h| &h.credential);
    let former = pool.get(lapsed.or(account.former.as_ref())?)?;
    eligibility::rejection(former, request, now).is_none().then_some(former)
}
