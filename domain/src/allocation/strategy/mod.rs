//! The strategies: one file each, which says what it looks at and why.

mod balanced;
mod health;
mod least_failures;
mod round_robin;
mod success_rate;

use serde::{Deserialize, Serialize};

use crate::credential::Candidate;

/// How eligible credentials of equal priority are ordered.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::EnumIter,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Strategy {
    /// Lowest utilisation.
    #[default]
    Balanced,
    /// Highest success rate, shrunk towards the pool's.
    SuccessRate,
    /// Fewest recent failures.
    LeastFailures,
    /// Longest since last allocated.
    RoundRobin,
    /// Highest health score.
    Health,
}

impl Strategy {
    /// What the strategy orders by; lower goes first.
    pub fn key(self, candidate: &Candidate) -> i64 {
        match self {
            Self::Balanced => balanced::key(candidate),
            Self::SuccessRate => success_rate::key(candidate),
            Self::LeastFailures => least_failures::key(candidate),
            Self::RoundRobin => round_robin::key(candidate),
            Self::Health => health::key(candidate),
        }
    }

    /// What it looks at, in words.
    pub fn criterion(self) -> &'static str {
        match self {
            Self::Balanced => "utilisation",
            Self::SuccessRate => "success rate",
            Self::LeastFailures => "recent failures",
            Self::RoundRobin => "time since last allocated",
            Self::Health => "health score",
        }
    }

    /// What the better of two has, in words.
    pub fn advantage(self) -> &'static str {
        match self {
            Self::Balanced => "lower utilisation",
            Self::SuccessRate => "higher success rate",
            Self::LeastFailures => "fewer recent failures",
            Self::RoundRobin => "longer since last allocated",
            Self::Health => "higher health score",
        }
    }

    /// One sentence for people who choose one.
    pub fn description(self) -> &'static str {
        match self {
            Self::Balanced => "The credential with the lowest share of its slots taken.",
            Self::SuccessRate => {
                "The credential with the best success rate, where little evidence counts as the pool's average."
            }
            Self::LeastFailures => "The credential with the fewest failures of the last day.",
            Self::RoundRobin => "The credential that was not allocated for the longest time.",
            Self::Health => "The credential with the highest health score.",
        }
    }
}
