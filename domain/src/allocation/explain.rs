//! The ranking told to a person: who would win, with which parts, and who was out and why.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{AccountView, Census, Decision, Pool, Reason, Refusal, Request, decide, eligibility, has_room, rank};
use crate::credential::Candidate;
use crate::{ApiId, CredentialId, Timestamp};

/// The most candidates that an explanation shows.
pub const SHOWN: usize = 50;

/// What an allocation would do now.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The outcome.
    pub outcome: Result<Decision, Refusal>,
    /// The first [`SHOWN`] of the ranking among those with a free slot.
    pub candidates: Vec<Ranked>,
    /// The others, counted by reason.
    pub rejected: BTreeMap<Reason, i64>,
}

/// One place in the ranking.
#[derive(Clone, Debug)]
pub struct Ranked {
    /// Our id.
    pub id: CredentialId,
    /// Telegram's id.
    pub api_id: ApiId,
    /// From 1.
    pub rank: usize,
    /// Taken share of its slots, 0 to 1.
    pub utilisation: f64,
    /// What the order was decided by.
    pub parts: Parts,
    /// In words, against the one below.
    pub why: String,
}

/// The parts of the order, first to last.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Parts {
    /// The rule that ranks it first, if any does.
    pub preferred_by: Option<String>,
    /// Premium counts for this caller, and this one is.
    pub premium: bool,
    /// Its priority.
    pub priority: i64,
    /// What the strategy looked at, by name.
    pub strategy: &'static str,
    /// And what it saw; lower is better.
    pub strategy_key: i64,
    /// Taken share of its slots, 0 to 1.
    pub utilisation: f64,
}

/// Explains a request without changing anything.
pub fn explain(
    request: &Request,
    account: &AccountView,
    pool: &impl Pool,
    census: &Census,
    now: Timestamp,
) -> Explanation {
    let mut ranking: Vec<&Candidate> = pool
        .candidates(request)
        .filter(|c| eligibility::rejection(c, request, now).is_none() && has_room(c, request, account, now))
        .collect();
    ranking.sort_by(|a, b| rank::compare(a, b, request));
    ranking.dedup_by_key(|c| &c.id);
    Explanation {
        outcome: decide(request, account, pool, now),
        candidates: ranking
            .iter()
            .enumerate()
            .take(SHOWN)
            .map(|(place, candidate)| ranked(place, candidate, ranking.get(place + 1).copied(), request))
            .collect(),
        rejected: census.rejected(request),
    }
}

fn ranked(place: usize, candidate: &Candidate, next: Option<&Candidate>, request: &Request) -> Ranked {
    let utilisation = candidate.utilisation() as f64 / 1e6;
    Ranked {
        id: candidate.id.clone(),
        api_id: candidate.api_id,
        rank: place + 1,
        utilisation,
        parts: Parts {
            preferred_by: request.guidance.preferred_by(candidate).map(str::to_owned),
            premium: request.level.prefers_premium() && candidate.shelf.is_premium,
            priority: candidate.priority,
            strategy: request.strategy.criterion(),
            strategy_key: request.strategy.key(candidate),
            utilisation,
        },
        why: next.map_or_else(|| "the last of those with a free slot".to_owned(), |next| why(candidate, next, request)),
    }
}

/// The first part in which `candidate` beats `next`.
fn why(candidate: &Candidate, next: &Candidate, request: &Request) -> String {
    let strategy = request.strategy;
    let guidance = &request.guidance;
    if let Some(rule) = guidance.preferred_by(candidate)
        && guidance.preference(candidate) != guidance.preference(next)
    {
        format!("the rule {rule} ranks it first")
    } else if request.level.prefers_premium() && candidate.shelf.is_premium != next.shelf.is_premium {
        "premium goes first for this level".to_owned()
    } else if candidate.priority != next.priority {
        format!("priority {} over {}", candidate.priority, next.priority)
    } else if strategy.key(candidate) != strategy.key(next) {
        format!("{} than the next", strategy.advantage())
    } else if candidate.utilisation() != next.utilisation() {
        "lower utilisation than the next".to_owned()
    } else {
        "equal to the next; the older id goes first".to_owned()
    }
}
