//! `least_failures`: the fewest failures that were charged to it within the last day.

use crate::credential::Candidate;

pub(super) fn key(candidate: &Candidate) -> i64 {
    candidate.recent_failures
}
