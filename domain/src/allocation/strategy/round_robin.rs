//! `round_robin`: the longest since it was last allocated; one that never was goes first.

use crate::credential::Candidate;

pub(super) fn key(candidate: &Candidate) -> i64 {
    candidate.last_allocated_at.map_or(0, crate::Timestamp::millis)
}
