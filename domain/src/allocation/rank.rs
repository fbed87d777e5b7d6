//! The order among eligible credentials.
//!
//! What a rule prefers, then premium for callers of gold and up, then `priority` (higher first), then
//! the strategy, then lowest utilisation, then id, so that the order is total. The store's indexes
//! have the same order within a shelf, of which a rule can prefer all or single credentials, which
//! are loaded by name; a change here needs one there.

use std::cmp::Ordering;

use super::Request;
use crate::credential::Candidate;

/// `Less` when `a` goes before `b`.
pub fn compare(a: &Candidate, b: &Candidate, request: &Request) -> Ordering {
    let premium = |c: &Candidate| request.level.prefers_premium() && c.shelf.is_premium;
    let preference = |c: &Candidate| request.guidance.preference(c);
    preference(a)
        .cmp(&preference(b))
        .then_with(|| premium(b).cmp(&premium(a)))
        .then_with(|| b.priority.cmp(&a.priority))
        .then_with(|| request.strategy.key(a).cmp(&request.strategy.key(b)))
        .then_with(|| a.utilisation().cmp(&b.utilisation()))
        .then_with(|| a.id.cmp(&b.id))
}
