//! `balanced`: the lowest share of slots taken, so that all fill evenly. The default.

use crate::credential::Candidate;

pub(super) fn key(candidate: &Candidate) -> i64 {
    candidate.utilisation()
}
