//! A credential: a Telegram application (`api_id` + `api_hash`), its limits and its standing.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::invalid::{LONG_TEXT, SHORT_TEXT, check_text};
use crate::{CredentialId, GroupId, Invalid, Timestamp};

/// Telegram's id of an application: a positive 32-bit integer; text on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ApiId(i32);

impl ApiId {
    /// `None` unless `1 ≤ value ≤ 2³¹ − 1`.
    pub fn new(value: i64) -> Option<Self> {
        i32::try_from(value).ok().filter(|v| *v > 0).map(Self)
    }

    /// The number.
    pub const fn get(self) -> i64 {
        self.0 as i64
    }
}

impl std::fmt::Display for ApiId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for ApiId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The stored decision about a credential. Everything else that `status` shows is derived.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, strum::Display, strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Standing {
    /// May be handed out.
    #[default]
    Enabled,
    /// Switched off by a person.
    Disabled,
    /// Banned by evidence or by a person; not even its own accounts get it.
    Banned,
}

/// A credential's status as people see it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, strum::Display, strum::EnumString, strum::EnumIter,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Status {
    /// Enabled, and no account on it yet.
    Available,
    /// Enabled, with accounts; `free_slots` says how many more it takes.
    InUse,
    /// Switched off by a person.
    Disabled,
    /// Banned.
    Banned,
}

impl Status {
    /// Derives the status from the stored decision and the number of accounts.
    pub const fn of(standing: Standing, current_accounts: i64) -> Self {
        match standing {
            Standing::Disabled => Self::Disabled,
            Standing::Banned => Self::Banned,
            Standing::Enabled if current_accounts > 0 => Self::InUse,
            Standing::Enabled => Self::Available,
        }
    }
}

/// The level of a member on whose behalf an account logs in, from lowest to highest.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::EnumIter,
    strum::FromRepr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[repr(u8)]
#[allow(missing_docs, reason = "the names are the field's own, in rising order")]
pub enum MemberLevel {
    #[default]
    Free,
    Bronze,
    Silver,
    Gold,
    Diamond,
    Star,
    King,
}

impl MemberLevel {
    /// As the database orders it: 0 for `free` to 6 for `king`.
    pub const fn rank(self) -> i64 {
        self as i64
    }

    /// From the stored rank; an unknown one counts as the highest, so that it opens nothing.
    pub fn from_rank(rank: i64) -> Self {
        u8::try_from(rank).ok().and_then(Self::from_repr).unwrap_or(Self::King)
    }

    /// Callers of gold and above are offered premium credentials first.
    pub fn prefers_premium(self) -> bool {
        self >= Self::Gold
    }
}

/// Credentials that the same callers may use stand on one shelf: same group, same premium flag,
/// same minimum level. Candidates are read shelf by shelf from an index, so that filters never
/// walk over credentials that the caller may not have.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shelf {
    /// The group, if any.
    pub group: Option<GroupId>,
    /// Premium credentials.
    pub is_premium: bool,
    /// The least level that may use them.
    pub min_level: MemberLevel,
}

impl Shelf {
    /// The shelf as one indexable text, `level/premium/group`.
    pub fn key(&self) -> String {
        let group = self.group.as_ref().map_or("", GroupId::as_str);
        format!("{}/{}/{group}", self.min_level.rank(), i32::from(self.is_premium))
    }

    /// Reads [`Shelf::key`] back.
    pub fn from_key(key: &str) -> Option<Self> {
        let mut parts = key.splitn(3, '/');
        let (level, premium, group) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self {
            group: (!group.is_empty()).then(|| GroupId::from(group)),
            is_premium: premium == "1",
            min_level: MemberLevel::from_rank(level.parse().ok()?),
        })
    }
}

/// The most accounts that one credential may be given.
pub const MAX_ACCOUNTS_LIMIT: i64 = 100_000;
/// Accounts a credential takes when nobody says otherwise.
pub const DEFAULT_MAX_ACCOUNTS: i64 = 5;
/// The most tags a credential may have.
pub const MAX_TAGS: usize = 50;

/// What a person says of a credential. Ids and times are the store's to give.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Telegram's id.
    pub api_id: ApiId,
    /// Telegram's secret.
    pub api_hash: SecretString,
    /// A name for people.
    pub name: String,
    /// How many accounts it may carry.
    pub max_accounts: i64,
    /// Its group.
    pub group_id: Option<GroupId>,
    /// Higher goes first.
    pub priority: i64,
    /// Offered first to callers of gold and above.
    pub is_premium: bool,
    /// The least level that may use it.
    pub min_member_level: MemberLevel,
    /// Free labels.
    pub tags: Vec<String>,
    /// The phone number that registered the application: personal, so it is sealed.
    pub source_phone: Option<SecretString>,
    /// A note for people.
    pub note: Option<String>,
}

impl Draft {
    /// Everything that is wrong with it. `samples` are the published `api_id`s that the pool refuses.
    pub fn check(&self, samples: &[i64]) -> Result<(), Invalid> {
        let mut invalid = Invalid::default();
        if samples.contains(&self.api_id.get()) {
            invalid.add("api_id", "is a published sample id, which Telegram limits; register your own");
        }
        if let Err(rule) = check_hash(self.api_hash.expose_secret()) {
            invalid.add("api_hash", rule);
        }
        invalid.require(!self.name.trim().is_empty(), "name", "is required");
        check_text(&mut invalid, "name", &self.name, SHORT_TEXT);
        invalid.require(
            (1..=MAX_ACCOUNTS_LIMIT).contains(&self.max_accounts),
            "max_accounts",
            "must be between 1 and 100000",
        );
        invalid.require(
            (-1_000_000..=1_000_000).contains(&self.priority),
            "priority",
            "must be between -1000000 and 1000000",
        );
        invalid.require(self.tags.len() <= MAX_TAGS, "tags", "must be at most 50");
        for tag in &self.tags {
            check_text(&mut invalid, "tags", tag, 64);
            invalid.require(!tag.trim().is_empty(), "tags", "must not be empty");
        }
        if let Some(phone) = &self.source_phone {
            check_text(&mut invalid, "source_phone", phone.expose_secret(), 64);
        }
        if let Some(note) = &self.note {
            check_text(&mut invalid, "note", note, LONG_TEXT);
        }
        invalid.into_result()
    }
}

/// Telegram promises no format, so only what can't be a secret at all is refused: nothing, a novel,
/// spaces and signs that nobody sees, and our own mask, `01ab…cdef`.
pub fn check_hash(hash: &str) -> Result<(), &'static str> {
    if hash.is_empty() {
        Err("is required")
    } else if hash.contains(['…', '•', '*']) {
        Err("is masked; export with the plain hashes")
    } else if hash.len() > 256 || !hash.bytes().all(|byte| byte.is_ascii_graphic()) {
        Err("must be at most 256 ASCII characters without spaces")
    } else {
        Ok(())
    }
}

/// Enough of a secret to recognise it, too little to use it: `01ab…cdef`; short ones show nothing.
pub fn mask_secret(secret: &str) -> String {
    let chars: Vec<char> = secret.chars().collect();
    if chars.len() < 16 {
        return "••••".to_owned();
    }
    let head: String = chars[..4].iter().collect();
    let tail: String = chars[chars.len() - 4..].iter().collect();
    format!("{head}…{tail}")
}

/// A phone number with its middle hidden: `+86•••0001`.
pub fn mask_phone(phone: &str) -> String {
    let chars: Vec<char> = phone.chars().collect();
    if chars.len() < 8 {
        return "•••".to_owned();
    }
    let head: String = chars[..3].iter().collect();
    let tail: String = chars[chars.len() - 4..].iter().collect();
    format!("{head}•••{tail}")
}

/// What the allocator needs to know of a credential; nothing secret.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Our id.
    pub id: CredentialId,
    /// Telegram's id.
    pub api_id: ApiId,
    /// The stored decision.
    pub standing: Standing,
    /// Where it stands for callers.
    pub shelf: Shelf,
    /// Higher goes first.
    pub priority: i64,
    /// Its slots.
    pub max_accounts: i64,
    /// Slots that are taken.
    pub current_accounts: i64,
    /// Nothing new before this moment.
    pub cooldown_until: Option<Timestamp>,
    /// Posterior mean of its success rate, in millionths.
    pub success_score: i64,
    /// Failures charged to it lately.
    pub recent_failures: i64,
    /// Health from 0 to 100.
    pub health_score: i64,
    /// When an account last got it.
    pub last_allocated_at: Option<Timestamp>,
}

impl Candidate {
    /// Taken share of its slots in millionths, as the database computes it.
    pub fn utilisation(&self) -> i64 {
        self.current_accounts * 1_000_000 / self.max_accounts.max(1)
    }

    /// Whether it gives nothing new at `now`.
    pub fn is_cooling(&self, now: Timestamp) -> bool {
        self.cooldown_until.is_some_and(|until| until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_hide_the_middle() {
        assert_eq!(mask_secret("0123456789abcdef0123456789abcdef"), "0123…cdef");
        assert_eq!(mask_secret("short"), "••••");
        assert_eq!(mask_phone("+8613800000001"), "+86•••0001");
        assert_eq!(mask_phone("12345"), "•••");
    }

    #[test]
    fn shelves_read_what_they_write() {
        for group in [None, Some(GroupId::from("01ABC/with/slash"))] {
            let shelf = Shelf { group, is_premium: true, min_level: MemberLevel::Gold };
            assert_eq!(Shelf::from_key(&shelf.key()), Some(shelf));
        }
    }

    #[test]
    fn api_ids_are_positive_32_bit() {
        assert!(ApiId::new(0).is_none() && ApiId::new(-1).is_none() && ApiId::new(1 << 31).is_none());
        assert_eq!(ApiId::new(2_147_483_647).map(ApiId::get), Some(2_147_483_647));
    }
}
