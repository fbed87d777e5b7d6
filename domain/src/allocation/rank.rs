//! The order among eligible credentials.
//!
//! What a rule prefers, then premium for callers of gold and up, then `priority` (higher first), then
//! the strategy, then lowest utilisation, then id, so that the order is total. The store's indexes
//! have the same order within a shelf, of which a rule can prefer all or single credentials, which
//! are loaded by name; a change here needs one there.

use std::cmp::Ordering;

use super::Request;
use crate::Strategy;
use crate::credential::Candidate;

/// Where a candidate stands among others of its shelf, but for equals, which go by id; lower goes
/// first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Higher priority goes first.
    priority: std::cmp::Reverse<i64>,
    /// What the strategy orders by.
    key: i64,
    /// In millionths.
    utilisation: i64,
}

impl Place {
    /// The place of a candidate under a strategy.
    pub fn of(candidate: &Candidate, strategy: Strategy) -> Self {
        Self {
            priority: std::cmp::Reverse(candidate.priority),
            key: strategy.key(candidate),
            utilisation: candidate.utilisation(),
        }
    }
}

/// `Less` when `a` goes before `b`.
pub fn compare(a: &Candidate, b: &Candidate, request: &Request) -> Ordering {
    let premium = |c: &Candidate| request.level.prefers_premium() && c.shelf.is_premium;
    let preference = |c: &Candidate| request.guidance.preference(c);
    preference(a)
        .cmp(&preference(b))
        .then_with(|| premium(b).cmp(&premium(a)))
        .then_with(|| Place::of(a, request.strategy).cmp(&Place::of(b, request.strategy)))
        .then_with(|| a.id.cmp(&b.id))
}
