//! Refusals of an allocation, as the contract numbers them.

use domain::allocation::PinnedProblem;
use domain::{AccountState, Timestamp};
use store::StoreError;
use store::allocator::Refused;

use crate::context;
use crate::error::{ApiError, Code};

/// Seconds after which a full pool is worth another try.
const RETRY_FULL: i64 = 5;

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::PoolFull => Self::new(Code::PoolFull, "every eligible credential is full").retry_after(RETRY_FULL),
            Refused::NoneAvailable(reasons) => Self::none_available("no credential is eligible", &reasons),
            Refused::DeniedByRule(name) => {
                let error = Self::new(Code::DeniedByRule, format!("the rule {name} refuses it"));
                error.because("rule", name)
            }
            Refused::KeyReused => Self::new(Code::Conflict, "this Idempotency-Key was used for another request"),
            Refused::CredentialBanned => Self::new(
                Code::CredentialBanned,
                "the account's own credential is banned; ask with fresh=true for another, which needs a new login",
            ),
            Refused::PinnedUnavailable(problem) => {
                let why = match problem {
                    PinnedProblem::HoldsAnother => "the account holds another one".to_owned(),
                    PinnedProblem::Unknown => "there is no such credential".to_owned(),
                    PinnedProblem::Full => "it has no free slot".to_owned(),
                    PinnedProblem::Rejected(reason) => format!("it is not eligible: {reason}"),
                };
                Self::new(Code::PinnedUnavailable, format!("the pinned api_id is not available: {why}"))
                    .because("pinned", problem.to_string())
            }
            Refused::AccountUnavailable { state, until } => account_unavailable(state, until),
            Refused::NotAllocated => Self::new(Code::NotAllocated, "the account holds no allocation"),
            Refused::NotALease => Self::new(Code::Conflict, "the allocation is no lease: it lasts until released"),
            Refused::UnknownCredential => Self::not_found("credential with this api_id"),
            Refused::UnknownGroup => Self::field("group_id", "is not one of the groups"),
            // Stale: it was tried several times, and the client has named no version.
            Refused::Overloaded | Refused::Store(StoreError::Stale) => Self::overloaded(),
            Refused::Store(error) => error.into(),
        }
    }
}

fn account_unavailable(state: AccountState, until: Option<Timestamp>) -> ApiError {
    match until {
        Some(until) => ApiError::new(Code::AccountUnavailable, format!("the account is cooling until {until}"))
            .until(until, context::now())
            .because("account", "cooling")
            .because("until", until.to_rfc3339()),
        None => ApiError::new(Code::AccountUnavailable, format!("the account is {state}"))
            .because("account", state.to_string()),
    }
}
