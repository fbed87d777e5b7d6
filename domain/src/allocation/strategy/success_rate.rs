//! `success_rate`: the best posterior mean under the pool's own prior (see [`crate::health`]), so
//! that one success of one does not beat 990 of 1,000, and a new one stands near the pool's mean.

use crate::credential::Candidate;

pub(super) fn key(candidate: &Candidate) -> i64 {
    -candidate.success_score
}
