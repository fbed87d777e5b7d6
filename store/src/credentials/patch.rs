//! A change of a credential, and how the journal tells it.

use domain::credential::{Draft, MAX_ACCOUNTS_LIMIT, MAX_TAGS, check_hash};
use domain::invalid::{LONG_TEXT, SHORT_TEXT, check_text};
use domain::{GroupId, Invalid, MemberLevel};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use super::Credential;

/// A change of a credential: what is absent stays, what is `null` is cleared.
#[derive(Clone, Debug, Default)]
pub struct Patch {
    /// Replaces the old secret.
    pub api_hash: Option<SecretString>,
    /// A new name.
    pub name: Option<String>,
    /// More or fewer slots; fewer than are taken lets it drain.
    pub max_accounts: Option<i64>,
    /// Another group, or none.
    pub group_id: Option<Option<GroupId>>,
    /// Another priority.
    pub priority: Option<i64>,
    /// Premium or not.
    pub is_premium: Option<bool>,
    /// Another minimum level.
    pub min_member_level: Option<MemberLevel>,
    /// Other labels.
    pub tags: Option<Vec<String>>,
    /// Another phone number, or none.
    pub source_phone: Option<Option<SecretString>>,
    /// Another note, or none.
    pub note: Option<Option<String>>,
}

impl Patch {
    /// Everything that is wrong with it.
    pub fn check(&self) -> Result<(), Invalid> {
        let mut invalid = Invalid::default();
        if let Some(Err(rule)) = self.api_hash.as_ref().map(|hash| check_hash(hash.expose_secret())) {
            invalid.add("api_hash", rule);
        }
        if let Some(name) = &self.name {
            invalid.require(!name.trim().is_empty(), "name", "must not be empty");
            check_text(&mut invalid, "name", name, SHORT_TEXT);
        }
        if let Some(max) = self.max_accounts {
            invalid.require((1..=MAX_ACCOUNTS_LIMIT).contains(&max), "max_accounts", "must be between 1 and 100000");
        }
        if let Some(priority) = self.priority {
            let within = (-1_000_000..=1_000_000).contains(&priority);
            invalid.require(within, "priority", "must be between -1000000 and 1000000");
        }
        for tag in self.tags.iter().flatten() {
            check_text(&mut invalid, "tags", tag, 64);
            invalid.require(!tag.trim().is_empty(), "tags", "must not be empty");
        }
        invalid.require(self.tags.as_ref().is_none_or(|t| t.len() <= MAX_TAGS), "tags", "must be at most 50");
        if let Some(Some(phone)) = &self.source_phone {
            check_text(&mut invalid, "source_phone", phone.expose_secret(), 64);
        }
        if let Some(Some(note)) = &self.note {
            check_text(&mut invalid, "note", note, LONG_TEXT);
        }
        invalid.into_result()
    }
}

/// What a new one is: its name, its slots, and what else is not as it is by itself.
pub(crate) fn told(draft: &Draft) -> Map<String, Value> {
    let mut told = Map::from_iter([
        ("name".to_owned(), json!(draft.name)),
        ("max_accounts".to_owned(), json!(draft.max_accounts)),
    ]);
    let mut also = |field: &str, is_told: bool, value: Value| {
        if is_told {
            told.insert(field.to_owned(), value);
        }
    };
    also("group_id", draft.group_id.is_some(), json!(draft.group_id));
    also("priority", draft.priority != 0, json!(draft.priority));
    also("is_premium", draft.is_premium, json!(true));
    also("min_member_level", draft.min_member_level != MemberLevel::Free, json!(draft.min_member_level));
    also("tags", !draft.tags.is_empty(), json!(draft.tags));
    also("note", draft.note.is_some(), json!(draft.note));
    told
}

/// Before and after of what has changed, if anything has; secrets only as "replaced".
pub(super) fn changes(before: &Credential, patch: &Patch) -> Option<Value> {
    let (mut was, mut is) = (Map::new(), Map::new());
    let mut note = |field: &str, from: Value, to: Option<Value>| {
        if let Some(to) = to.filter(|to| *to != from) {
            was.insert(field.to_owned(), from);
            is.insert(field.to_owned(), to);
        }
    };
    note("name", json!(before.name), patch.name.as_ref().map(|v| json!(v)));
    note("max_accounts", json!(before.max_accounts), patch.max_accounts.map(|v| json!(v)));
    note("group_id", json!(before.group_id), patch.group_id.as_ref().map(|v| json!(v)));
    note("priority", json!(before.priority), patch.priority.map(|v| json!(v)));
    note("is_premium", json!(before.is_premium), patch.is_premium.map(|v| json!(v)));
    note("min_member_level", json!(before.min_member_level), patch.min_member_level.map(|v| json!(v)));
    note("tags", json!(before.tags), patch.tags.as_ref().map(|v| json!(v)));
    note("note", json!(before.note), patch.note.as_ref().map(|v| json!(v)));
    note("api_hash", json!("kept"), patch.api_hash.as_ref().map(|_| json!("replaced")));
    note("source_phone", json!("kept"), patch.source_phone.as_ref().map(|_| json!("replaced")));
    (!is.is_empty()).then(|| json!({ "before": was, "after": is }))
}
