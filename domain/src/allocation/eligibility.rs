//! Which credentials a caller may have at all, and how the others are counted.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Request;
use crate::credential::{Candidate, Shelf, Standing};
use crate::{ApiId, Timestamp};

/// Why a credential is out of the choice. A credential counts under the first that holds, in the
/// order: group, banned, disabled, cooling, level, rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, strum::Display, strum::EnumIter)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Reason {
    /// Of another group than the one asked for.
    Group,
    /// Banned.
    Banned,
    /// Switched off by a person.
    Disabled,
    /// Cooling down.
    Cooling,
    /// For higher levels than the caller's.
    Level,
    /// Taken out by a rule.
    Rule,
}

/// Why `candidate` is not for this caller at `now`; `None` when it is. A full one is eligible.
pub fn rejection(candidate: &Candidate, request: &Request, now: Timestamp) -> Option<Reason> {
    let permitted = || request.guidance.permits(candidate);
    judge(&candidate.shelf, candidate.standing, candidate.is_cooling(now), request, permitted)
}

/// Whether a shelf holds anything that the caller may have, but for credentials that a rule names.
pub fn shelf_is_open(shelf: &Shelf, request: &Request) -> bool {
    judge(shelf, Standing::Enabled, false, request, || request.guidance.permits_shelf(shelf)).is_none()
}

fn judge(
    shelf: &Shelf,
    standing: Standing,
    cooling: bool,
    request: &Request,
    permitted: impl FnOnce() -> bool,
) -> Option<Reason> {
    if request.group.is_some() && request.group != shelf.group {
        return Some(Reason::Group);
    }
    match standing {
        Standing::Banned => Some(Reason::Banned),
        Standing::Disabled => Some(Reason::Disabled),
        Standing::Enabled if cooling => Some(Reason::Cooling),
        Standing::Enabled if request.level < shelf.min_level => Some(Reason::Level),
        Standing::Enabled if !permitted() => Some(Reason::Rule),
        Standing::Enabled => None,
    }
}

/// The tenant's credentials counted by what decides eligibility. Small however large the pool is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// One line for each combination that occurs.
    pub lines: Vec<CensusLine>,
    /// The credentials that some rule names: they stand in the lines too, and may be judged
    /// otherwise than their shelf.
    pub named: Vec<NamedLine>,
}

/// So many credentials are alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CensusLine {
    /// Their shelf.
    pub shelf: Shelf,
    /// Their standing.
    pub standing: Standing,
    /// Whether they are cooling.
    pub cooling: bool,
    /// How many.
    pub count: i64,
}

/// One credential that a rule names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedLine {
    /// Telegram's id.
    pub api_id: ApiId,
    /// Its shelf.
    pub shelf: Shelf,
    /// Its standing.
    pub standing: Standing,
    /// Whether it is cooling.
    pub cooling: bool,
}

/// What an exhausted pool comes down to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exhausted {
    /// Eligible credentials exist, but none has a free slot.
    Full,
    /// No credential is eligible, for these reasons.
    NoneEligible(BTreeMap<Reason, i64>),
}

impl Census {
    /// The credentials that are out of the choice, counted by reason.
    pub fn rejected(&self, request: &Request) -> BTreeMap<Reason, i64> {
        let mut counts = BTreeMap::<Reason, i64>::new();
        let mut count = |reason: Option<Reason>, number: i64| {
            if let Some(reason) = reason {
                *counts.entry(reason).or_default() += number;
            }
        };
        for line in &self.lines {
            let permitted = || request.guidance.permits_shelf(&line.shelf);
            count(judge(&line.shelf, line.standing, line.cooling, request, permitted), line.count);
        }
        for NamedLine { api_id, shelf, standing, cooling } in &self.named {
            // Taken from where its shelf has put it, and counted by itself.
            count(judge(shelf, *standing, *cooling, request, || request.guidance.permits_shelf(shelf)), -1);
            let permitted = || request.guidance.permits_named(shelf, *api_id);
            count(judge(shelf, *standing, *cooling, request, permitted), 1);
        }
        counts.retain(|_, number| *number > 0);
        counts
    }

    /// How many credentials are eligible, full ones included.
    pub fn eligible(&self, request: &Request) -> i64 {
        let total: i64 = self.lines.iter().map(|line| line.count).sum();
        total - self.rejected(request).values().sum::<i64>()
    }

    /// Tells a full pool from one that has nothing for this caller.
    pub fn refusal(&self, request: &Request) -> Exhausted {
        if self.eligible(request) > 0 { Exhausted::Full } else { Exhausted::NoneEligible(self.rejected(request)) }
    }
}
