//! An account: an opaque key that its owner chose, and what the pool knows of it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Invalid, Timestamp};

/// The key of an account: `+8613800000001`, `chatx:9f…`, anything of 1 to 128 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct AccountKey(Arc<str>);

/// The longest account key, in bytes.
pub const ACCOUNT_KEY_BYTES: usize = 128;

impl AccountKey {
    /// Checks a key under the name `field` that the caller used.
    pub fn parse(field: &str, text: &str) -> Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        invalid.require(!text.is_empty(), field, "is required");
        invalid.require(text.len() <= ACCOUNT_KEY_BYTES, field, "must be at most 128 bytes");
        invalid.require(!text.chars().any(char::is_control), field, "must not contain control characters");
        invalid.into_result()?;
        Ok(Self(text.into()))
    }

    /// A key that comes from the database, where only checked ones are.
    pub fn stored(text: String) -> Self {
        Self(text.into())
    }

    /// The text itself, without a copy.
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    /// The text as the caller wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for AccountKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What Telegram let us know about an account. Cooling is not a state of its own: it is a
/// `cooldown_until` in the future.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    strum::Display,
    strum::AsRefStr,
    strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum AccountState {
    /// Nothing speaks against it.
    #[default]
    Active,
    /// Telegram froze it (`FROZEN_METHOD_INVALID`).
    Frozen,
    /// Telegram banned or deleted it; it will not come back.
    Retired,
}

/// The later of two ends of a cooldown: a new one never shortens a longer one that runs.
pub fn later(running: Option<Timestamp>, new: Timestamp) -> Timestamp {
    running.map_or(new, |running| running.max(new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_opaque_but_bounded() {
        for good in ["+8613800000001", "chatx:9f", "wd:probe:1", "帳號", &"x".repeat(128)] {
            assert!(AccountKey::parse("account_id", good).is_ok(), "{good}");
        }
        for bad in ["", "a\0b", "a\nb", &"x".repeat(129)] {
            assert!(AccountKey::parse("account_id", bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_cooldown_is_never_shortened() {
        let (early, late) = (Timestamp::from_millis(1), Timestamp::from_millis(2));
        assert_eq!(later(Some(late), early), late);
        assert_eq!(later(Some(early), late), late);
        assert_eq!(later(None, early), early);
    }
}
