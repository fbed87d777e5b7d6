//! What can be said of a line without the database.

use std::collections::HashMap;
use std::collections::hash_map::Entry::{Occupied, Vacant};
use std::str::FromStr;

use domain::credential::Draft;
use domain::import::{self, ParsedLine, RawCredential};
use domain::{ApiId, GroupId, Invalid, MemberLevel};

use super::{ImportLine, ImportOptions, LineOutcome};

/// A line that passed its checks and waits for its place.
pub(super) struct Ready {
    pub index: usize,
    pub draft: Draft,
}

/// Answers every line that needs no database, and keeps the rest.
pub(super) fn check_lines(
    lines: Vec<ParsedLine>,
    options: &ImportOptions,
    groups: &HashMap<String, GroupId>,
) -> (Vec<ImportLine>, Vec<Ready>) {
    let mut answers = Vec::with_capacity(lines.len());
    let mut ready = Vec::with_capacity(lines.len());
    let mut seen = HashMap::new();
    for (index, ParsedLine { line, api_id, outcome }) in lines.into_iter().enumerate() {
        let checked = outcome.map_err(|e| format!("{} {}", e.field, e.message)).and_then(|raw| {
            let warning = import::check(&raw).first().map(|w| format!("{} {}", w.field, w.message));
            draft_of(raw, options, groups).map(|draft| (draft, warning)).map_err(|e| first_problem(&e))
        });
        let (outcome, reason) = match checked {
            Err(reason) => (LineOutcome::Rejected, Some(reason)),
            Ok((draft, warning)) => match seen.entry(draft.api_id) {
                Occupied(earlier) => {
                    (LineOutcome::Duplicate, Some(format!("stands on line {} already", earlier.get())))
                }
                Vacant(place) => {
                    place.insert(line);
                    ready.push(Ready { index, draft });
                    (LineOutcome::Imported, warning)
                }
            },
        };
        answers.push(ImportLine { line, api_id, outcome, reason });
    }
    (answers, ready)
}

fn first_problem(invalid: &Invalid) -> String {
    invalid.fields.first().map_or_else(|| "is not valid".to_owned(), |f| format!("{} {}", f.field, f.message))
}

fn draft_of(raw: RawCredential, options: &ImportOptions, groups: &HashMap<String, GroupId>) -> Result<Draft, Invalid> {
    let api_id = ApiId::new(raw.api_id).ok_or_else(|| Invalid::field("api_id", "must be between 1 and 2147483647"))?;
    let group_id = match &raw.group {
        Some(name) => {
            Some(groups.get(name).cloned().ok_or_else(|| Invalid::field("group", "is not one of the groups"))?)
        }
        None => options.group_id.clone(),
    };
    let min_member_level = match &raw.min_member_level {
        Some(level) => {
            MemberLevel::from_str(level).map_err(|_| Invalid::field("min_member_level", "is not one of the levels"))?
        }
        None => MemberLevel::Free,
    };
    let draft = Draft {
        api_id,
        api_hash: raw.api_hash,
        name: raw.name.unwrap_or_else(|| format!("api-{api_id}")),
        max_accounts: raw.max_accounts.unwrap_or(options.default_max_accounts),
        group_id,
        priority: raw.priority.unwrap_or(0),
        is_premium: raw.is_premium.unwrap_or(false),
        min_member_level,
        tags: raw.tags,
        source_phone: raw.source_phone,
        note: raw.note,
    };
    draft.check(&options.samples)?;
    Ok(draft)
}
