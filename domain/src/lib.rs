//! What is true: the pool's rules as pure functions and plain types.
//!
//! Nothing here reads a clock, a file, a network or global randomness; time and chance come in as
//! parameters. What may not enter: SQL, HTTP, async, configuration files.
//!
//! | module | answers |
//! | --- | --- |
//! | [`allocation`] | which credential does this account get, and why |
//! | [`rule`] | who may have which credential, by the rules that people set |
//! | [`blame`] | whose fault was this failure, and what follows |
//! | [`health`] | how well is a credential, from 0 to 100, and why |
//! | [`capacity`] | how full is the pool |
//! | [`runway`], [`trend`] | when it will be full, and how its past is laid out |
//! | [`credential`], [`account`] | what they are, and what is a valid one |
//! | [`import`] | what stands in a file that someone pastes |
//! | [`setting`] | what a tenant may set, and what it comes to |
//! | [`access`] | who may do what |
//! | [`event`] | what the journal calls what happened |

pub mod access;
pub mod account;
pub mod allocation;
pub mod blame;
pub mod capacity;
pub mod credential;
pub mod event;
pub mod health;
pub mod id;
pub mod import;
pub mod invalid;
pub mod rule;
pub mod runway;
pub mod setting;
pub mod time;
pub mod trend;

pub use account::{AccountKey, AccountState};
pub use allocation::strategy::Strategy;
pub use credential::{ApiId, MemberLevel, Status};
pub use id::{AllocationId, CredentialId, GroupId, TenantId};
pub use invalid::{FieldError, Invalid};
pub use time::Timestamp;
