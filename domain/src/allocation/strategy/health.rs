//! `health`: the highest health score (see [`crate::health`]).

use crate::credential::Candidate;

pub(super) fn key(candidate: &Candidate) -> i64 {
    -candidate.health_score
}
