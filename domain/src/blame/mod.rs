//! Whose fault an error is.
//!
//! A client reports what it saw as free text. [`recognise`] turns that text into a code,
//! [`judge`] says what the code alone decides, and nothing else: whether a second account
//! confirms it, whether several phones fail alike, whether the whole pool fails at once, is
//! evidence that only the caller has. Nothing that remembers, waits or counts may enter here.
//!
//! The law is Telegram's own documentation of its errors (core.telegram.org/api/errors,
//! /api/auth, /mtproto/mtproto-transports), condensed in the project's table of errors.

mod code;
mod codes;
mod phrases;
mod verdict;
mod words;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use code::{ErrorCode, recognise};
pub use verdict::{BanReason, BlameConfig, Consequence, Verdict, is_failure, judge};

/// The party an error is charged to. Only this one may suffer for it: a proxy that times out
/// never lowers a credential's score.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    strum::Display,
    strum::AsRefStr,
    strum::EnumString,
    strum::EnumIter,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Fault {
    /// Nobody: a success, or a step of the ordinary conversation (a code mistyped, another data centre).
    None,
    /// The application's `api_id` and `api_hash`.
    Credential,
    /// The account: its phone number, its session, its behaviour or its tier.
    Account,
    /// The way out to the network.
    Proxy,
    /// Telegram's own servers.
    Telegram,
    /// The client program: its build, its configuration, its handling of sessions.
    Client,
    /// Not known yet; evidence decides.
    Pending,
}

/// What the pool did about a report, in the words of the wire contract.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::Display, strum::EnumString, strum::EnumIter,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Action {
    /// Nothing beyond writing it down.
    None,
    /// The account gets no new allocation for a while.
    AccountCooled,
    /// The account is frozen by Telegram and waits for a person.
    AccountFrozen,
    /// The account is gone for good.
    AccountRetired,
    /// The credential is under suspicion, or has lost a capability.
    CredentialFlagged,
    /// The credential is handed to nobody for a while.
    CredentialCooled,
    /// The credential is out.
    CredentialBanned,
    /// The proxy is given to nobody for a while.
    ProxyCooled,
    /// The proxy's failures have added up.
    ProxyFailed,
    /// The whole pool fails at once, so nobody is charged until that ends.
    ScoringFrozen,
}
