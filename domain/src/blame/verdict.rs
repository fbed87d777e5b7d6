//! From a code to whose fault it is and what follows from the code alone.

use super::codes::{self, Family};
use super::{ErrorCode, Fault};
use serde::{Deserialize, Serialize};

/// Durations of this project's own choosing; Telegram documents none of them. They are
/// configuration, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BlameConfig {
    /// How long an account cools for a wait whose number the client left out (60 s).
    pub unnumbered_wait_seconds: u32,
    /// No wait is believed beyond this (30 days): a longer one is a typing error or an attack.
    pub longest_wait_seconds: u32,
    /// How long an account cools after `PHONE_NUMBER_FLOOD` or `PHONE_PASSWORD_FLOOD` (24 h).
    pub phone_flood_seconds: u32,
    /// How long an account cools after `PEER_FLOOD` (24 h).
    pub peer_flood_seconds: u32,
    /// A proxy's first cooldown after transport −429 (60 s); each further one doubles it.
    pub proxy_cooldown_seconds: u32,
    /// Where that doubling ends (1 h).
    pub proxy_cooldown_max_seconds: u32,
}

impl Default for BlameConfig {
    fn default() -> Self {
        Self {
            unnumbered_wait_seconds: 60,
            longest_wait_seconds: 30 * 24 * 3600,
            phone_flood_seconds: 24 * 3600,
            peer_flood_seconds: 24 * 3600,
            proxy_cooldown_seconds: 60,
            proxy_cooldown_max_seconds: 3600,
        }
    }
}

impl BlameConfig {
    /// How long a proxy cools after `earlier` cooldowns in a row, in seconds.
    pub fn proxy_cooldown(&self, earlier: u32) -> u32 {
        let doubled = 1_u32.checked_shl(earlier).unwrap_or(u32::MAX);
        self.proxy_cooldown_seconds.saturating_mul(doubled).min(self.proxy_cooldown_max_seconds)
    }

    fn wait(&self, number: Option<u32>) -> u32 {
        number.unwrap_or(self.unnumbered_wait_seconds).min(self.longest_wait_seconds)
    }
}

/// Why a credential is out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::Display, strum::EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum BanReason {
    /// Telegram knows it as public: leaked, or a sample.
    Published,
}

/// What a code decides by itself. Whatever needs memory or a second witness is the caller's to add.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// Nothing happens to anyone.
    Nothing,
    /// The credential is flagged and people are told; a report from another account bans it.
    FlagCredentialThenBan,
    /// The credential is banned at once, with a critical alert.
    BanCredential {
        /// Why.
        reason: BanReason,
    },
    /// The credential is marked as fit for logging in only. No penalty.
    MarkLoginOnly,
    /// The account cools.
    CoolAccount {
        /// For so long.
        seconds: u32,
    },
    /// The account cools, and this is one witness towards cooling the credential for as long.
    FloodCoolAccount {
        /// For so long.
        seconds: u32,
    },
    /// The account cools, and this is one witness against the credential or the way out, which are
    /// suspected when several phones fail alike.
    PhoneFloodCoolAccount {
        /// For so long.
        seconds: u32,
    },
    /// The account is frozen.
    FreezeAccount,
    /// The account is retired.
    RetireAccount,
    /// The account must log in again; its credential stays as it is.
    AccountMustLogIn,
    /// Two programs hold one session: whoever holds the account is flagged.
    FlagAccountHolders,
    /// The client's build is too old: people are told. No penalty.
    AlertClient,
    /// The proxy cools; [`BlameConfig::proxy_cooldown`] gives the time for a repeated offence.
    CoolProxy {
        /// The first time, in seconds.
        base_seconds: u32,
        /// At the longest, in seconds.
        max_seconds: u32,
    },
    /// One more failure of the proxy, or of the network when every proxy fails at once.
    CountProxyFailure,
    /// Telegram fails: try again. When it fails for the whole pool, scoring freezes.
    CountOutage,
    /// Written down until evidence decides.
    AwaitEvidence,
}

/// Whose fault an error is, and what the code alone decides about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Who is charged.
    pub fault: Fault,
    /// What follows.
    pub consequence: Consequence,
}

impl Consequence {
    /// Whether it counts against the credential. Not every fault of a credential does: that it may
    /// only log in is a capability.
    pub fn charges_credential(&self) -> bool {
        matches!(self, Self::FlagCredentialThenBan | Self::BanCredential { .. })
    }
}

/// Judges a code by the project's table of errors. A code that is not in it is pending.
pub fn judge(code: &ErrorCode, config: &BlameConfig) -> Verdict {
    let seconds = config.wait(code.number);
    let (fault, consequence) = match family(&code.canonical) {
        Family::CredentialInvalid => (Fault::Credential, Consequence::FlagCredentialThenBan),
        Family::CredentialPublished => (Fault::Credential, Consequence::BanCredential { reason: BanReason::Published }),
        Family::LoginOnly => (Fault::Credential, Consequence::MarkLoginOnly),
        Family::ClientBuild => (Fault::Client, Consequence::AlertClient),
        Family::FloodWait => (Fault::Account, Consequence::FloodCoolAccount { seconds }),
        Family::PremiumWait => (Fault::Account, Consequence::CoolAccount { seconds }),
        Family::NotFailure => (Fault::None, Consequence::Nothing),
        Family::PhoneFlood => {
            (Fault::Account, Consequence::PhoneFloodCoolAccount { seconds: config.phone_flood_seconds })
        }
        Family::PeerFlood => (Fault::Account, Consequence::CoolAccount { seconds: config.peer_flood_seconds }),
        Family::AccountGone => (Fault::Account, Consequence::RetireAccount),
        Family::SessionGone => (Fault::Account, Consequence::AccountMustLogIn),
        Family::SessionShared => (Fault::Client, Consequence::FlagAccountHolders),
        Family::Frozen => (Fault::Account, Consequence::FreezeAccount),
        Family::Server => (Fault::Telegram, Consequence::CountOutage),
        Family::TransportFlood => (
            Fault::Proxy,
            Consequence::CoolProxy {
                base_seconds: config.proxy_cooldown_seconds,
                max_seconds: config.proxy_cooldown_max_seconds,
            },
        ),
        Family::TransportClient => (Fault::Client, Consequence::Nothing),
        Family::Network => (Fault::Proxy, Consequence::CountProxyFailure),
        Family::Pending => (Fault::Pending, Consequence::AwaitEvidence),
    };
    Verdict { fault, consequence }
}

/// Whether a report of this code counts as a failure at all. A password asked for, a mistyped
/// code, a redirection to another data centre and a chat's slow mode are not failures.
pub fn is_failure(code: &ErrorCode) -> bool {
    family(&code.canonical) != Family::NotFailure
}

fn family(canonical: &str) -> Family {
    codes::family(canonical).unwrap_or({
        if canonical.starts_with("PHONE_CODE_") || canonical.ends_with("_MIGRATE") {
            Family::NotFailure
        } else {
            Family::Pending
        }
    })
}
