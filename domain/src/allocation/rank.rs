//! The order among eligible credentials.
//!
//! Premium first for callers of gold and up, then `priority` (higher first), then the strategy,
//! then lowest utilisation, then id, so that the order is total. The store's indexes have the same
//! order within a shelf; a change here needs one there.

use std::cmp::Ordering;

use super::Request;
use crate::credential::Candidate;

/// `Less` when `a` goes before `b`.
pub fn compare(a: &Candidate, b: &Candidate, request: &Request) -> Ordering {
    let premium = |c: &Candidate| request.level.prefers_premium() && c.shelf.is_premium;
    premium(b)
        .cmp(&premium(a))
        .then_with(|| b.priority.cmp(&a.priority))
        .then_with(|| request.strategy.key(a).cmp(&request.strategy.key(b)))
        .then_with(|| a.utilisation().cmp(&b.utilisation()))
        .then_with(|| a.id.cmp(&b.id))
}
