//! Identifiers: ULIDs as text, one type for each kind so that they can't be mixed up. A clone shares
//! the text: an allocation carries its ids through half a dozen places.

use std::sync::Arc;

use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// A new ULID: 48 bits of `now`, 80 bits of `rng`. Sorts by time of creation.
pub fn new_ulid(now: Timestamp, rng: &mut impl Rng) -> ulid::Ulid {
    let random = (u128::from(rng.next_u64()) << 16) | u128::from(rng.next_u32() & 0xFFFF);
    ulid::Ulid::from_parts(now.millis().unsigned_abs(), random)
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The text as it is stored and sent.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The text itself, without a copy.
            pub fn shared(&self) -> Arc<str> {
                Arc::clone(&self.0)
            }

            /// Whether it may be one of ours: 1 to 64 ASCII letters and digits.
            pub fn is_plausible(&self) -> bool {
                (1..=64).contains(&self.0.len()) && self.0.bytes().all(|byte| byte.is_ascii_alphanumeric())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// An organisation. Every business row belongs to one.
    TenantId
);
text_id!(
    /// Our id of a credential (not Telegram's `api_id`).
    CredentialId
);
text_id!(
    /// A group of credentials.
    GroupId
);
text_id!(
    /// One binding of an account to a credential, from allocation to release.
    AllocationId
);

impl TenantId {
    /// The tenant that a fresh install has.
    pub const DEFAULT: &'static str = "default";
}

impl Default for TenantId {
    fn default() -> Self {
        Self::from(Self::DEFAULT)
    }
}
