//! What may be asked of the allocator, and what it answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::allocation::{PinnedProblem, Reason, Request};
use domain::blame::{Action, Fault};
use domain::rule::Caller;
use domain::{
    AccountKey, AccountState, AllocationId, ApiId, CredentialId, GroupId, MemberLevel, Status, Strategy, TenantId,
    Timestamp,
};
use secrecy::SecretString;

use crate::compiled::TenantRules;
use crate::{Origin, StoreError};

/// On whose behalf.
#[derive(Clone, Debug)]
pub struct Asker {
    /// The tenant.
    pub tenant: TenantId,
    /// Who and from where.
    pub origin: Origin,
}

/// One request. All input is checked before it gets here.
#[derive(Clone, Debug)]
pub enum Command {
    /// Bind an account.
    Allocate(Allocate),
    /// Let go.
    Release(Release),
    /// Prolong a lease.
    Renew(Renew),
    /// Say how it went.
    Report(Report),
}

/// Bind an account to a credential.
#[derive(Clone, Debug)]
pub struct Allocate {
    /// For whom.
    pub account: AccountKey,
    /// The request's own strategy.
    pub strategy: Option<Strategy>,
    /// Only credentials of this group.
    pub group: Option<GroupId>,
    /// This one or a refusal.
    pub pinned: Option<ApiId>,
    /// The caller's level.
    pub level: MemberLevel,
    /// Release and allocate anew in one step.
    pub fresh: bool,
    /// A lease of this length, in milliseconds.
    pub ttl_millis: Option<i64>,
}

impl Allocate {
    /// The plainest request: whichever is best, until it is released.
    pub fn new(account: AccountKey) -> Self {
        Self {
            account,
            strategy: None,
            group: None,
            pinned: None,
            level: MemberLevel::default(),
            fresh: false,
            ttl_millis: None,
        }
    }

    /// The request as `domain` decides it: with its strategy, and what the rules say to the caller.
    pub(crate) fn request(&self, rules: &TenantRules, origin: &Origin, now: Timestamp) -> Request {
        let caller = Caller {
            account: &self.account,
            operator: &origin.actor,
            ip: origin.ip.as_deref().and_then(|ip| ip.parse().ok()),
            level: self.level,
            group: self.group.as_ref(),
        };
        Request {
            guidance: rules.rules.guide(&caller, now),
            account: self.account.clone(),
            strategy: rules.strategy(self.strategy, self.group.as_ref()),
            group: self.group.clone(),
            pinned: self.pinned,
            level: self.level,
            fresh: self.fresh,
            ttl_millis: self.ttl_millis,
        }
    }
}

/// What is to be let go of.
#[derive(Clone, Debug)]
pub enum Release {
    /// What this account holds.
    Account(AccountKey),
    /// This allocation.
    Allocation(AllocationId),
}

/// Prolong a lease, counting from now.
#[derive(Clone, Debug)]
pub struct Renew {
    /// Whose.
    pub account: AccountKey,
    /// Its length, in milliseconds.
    pub ttl_millis: i64,
}

/// The outcome of a login or a call.
#[derive(Clone, Debug)]
pub struct Report {
    /// Which credential.
    pub api_id: ApiId,
    /// Whether it went well.
    pub success: bool,
    /// What the client saw.
    pub error: Option<String>,
    /// Which account.
    pub account: Option<AccountKey>,
    /// Which proxy.
    pub proxy_id: Option<String>,
    /// How long it took.
    pub latency_ms: Option<i64>,
    /// The client's id of this report: a retry counts once.
    pub result_id: Option<String>,
    /// When it happened.
    pub at: Option<Timestamp>,
}

/// What was done.
#[derive(Clone, Debug)]
pub enum Done {
    /// Bound, or bound already.
    Allocated(Box<Allocated>),
    /// Let go.
    Released(Released),
    /// Prolonged.
    Renewed(Renewed),
    /// Noted.
    Reported(Reported),
}

/// An account's binding.
#[derive(Clone, Debug)]
pub struct Allocated {
    /// Its id.
    pub allocation_id: AllocationId,
    /// Our id of the credential.
    pub credential_id: CredentialId,
    /// Telegram's id.
    pub api_id: ApiId,
    /// Telegram's secret.
    pub api_hash: SecretString,
    /// The credential's name.
    pub name: Arc<str>,
    /// For whom.
    pub account: AccountKey,
    /// The credential's group.
    pub group_id: Option<GroupId>,
    /// `existing`, `affinity`, `manual`, or the strategy.
    pub strategy_used: Arc<str>,
    /// Whether the account held it already.
    pub existing: bool,
    /// The caller's level.
    pub member_level: MemberLevel,
    /// Since when.
    pub allocated_at: Timestamp,
    /// Until when; `None` lasts until released.
    pub expires_at: Option<Timestamp>,
    /// The account is cooling until then.
    pub account_cooldown_until: Option<Timestamp>,
}

/// A binding that ended.
#[derive(Clone, Debug)]
pub struct Released {
    /// Its id.
    pub allocation_id: AllocationId,
    /// Telegram's id of the credential.
    pub api_id: ApiId,
    /// Whose it was.
    pub account: AccountKey,
    /// When it ended.
    pub released_at: Timestamp,
}

/// A lease that was prolonged.
#[derive(Clone, Debug)]
pub struct Renewed {
    /// Its id.
    pub allocation_id: AllocationId,
    /// Its new end.
    pub expires_at: Timestamp,
}

/// A report that was noted.
#[derive(Clone, Debug)]
pub struct Reported {
    /// `false` when this `result_id` was noted before.
    pub recorded: bool,
    /// Whose fault.
    pub fault: Fault,
    /// What the pool did.
    pub action: Action,
    /// The credential's status before.
    pub previous_status: Status,
    /// And after.
    pub new_status: Status,
    /// Charged failures in a row.
    pub consecutive_failures: i64,
    /// A success after charged failures.
    pub recovered: bool,
}

/// Why it was not done.
#[derive(Debug)]
pub enum Refused {
    /// Eligible credentials exist, none has a free slot.
    PoolFull,
    /// No eligible credential, for these reasons.
    NoneAvailable(BTreeMap<Reason, i64>),
    /// The rule of this name refuses the caller.
    DeniedByRule(String),
    /// The request's idempotency key was used for another request.
    KeyReused,
    /// The account's own credential is banned.
    CredentialBanned,
    /// The pinned one can't take it.
    PinnedUnavailable(PinnedProblem),
    /// The account is cooling, frozen or retired.
    AccountUnavailable {
        /// Its state.
        state: AccountState,
        /// When it ends.
        until: Option<Timestamp>,
    },
    /// The account holds nothing.
    NotAllocated,
    /// The account's allocation is no lease.
    NotALease,
    /// No such credential.
    UnknownCredential,
    /// No such group.
    UnknownGroup,
    /// The queue is full, or the program is stopping.
    Overloaded,
    /// The database failed. Nothing was done.
    Store(StoreError),
}
