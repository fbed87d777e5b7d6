//! The best credentials of a shelf: a walk along the strategy's index, in exactly the order of
//! [`domain::allocation::rank`].

use domain::Strategy;

use crate::db::{Sql, sql};

macro_rules! ranked_columns {
    () => {
        "c.id, c.api_id, c.api_hash, c.name, c.priority, c.max_accounts, c.current_accounts, c.recent_failures,
         c.success_score, c.health_score, c.last_allocated_at, c.last_seq"
    };
}
pub(super) use ranked_columns;

/// The first of a shelf in a strategy's order: a walk along that strategy's index.
macro_rules! walk {
    ($columns:expr, $order:literal, $tail:literal) => {
        sql!(concat!(
            "SELECT ",
            $columns,
            " FROM credentials c
              WHERE c.tenant_id = $1 AND c.shelf = $2 AND c.is_open AND c.cooldown_until <= $3
              ORDER BY c.priority DESC, ",
            $order,
            "c.utilisation, c.id LIMIT $4 ",
            $tail
        ))
    };
}

/// The ranking of a shelf: with rows locked or left out when another process holds them, or
/// (`peek`) only looked at.
macro_rules! walk_by {
    ($strategy:expr, $columns:expr, $tail:literal) => {
        match $strategy {
            Strategy::Balanced => walk!($columns, "", $tail),
            Strategy::SuccessRate => walk!($columns, "c.success_score DESC, ", $tail),
            Strategy::LeastFailures => walk!($columns, "c.recent_failures, ", $tail),
            Strategy::RoundRobin => walk!($columns, "c.last_allocated_at, ", $tail),
            Strategy::Health => walk!($columns, "c.health_score DESC, ", $tail),
        }
    };
}

pub(crate) fn ranking(strategy: Strategy) -> Sql {
    walk_by!(strategy, ranked_columns!(), "SKIP_LOCKED(c)")
}

pub(crate) fn ranking_peek(strategy: Strategy) -> Sql {
    walk_by!(strategy, ranked_columns!(), "")
}

/// The ids only, whoever holds the rows.
pub(crate) fn ranking_of_ids(strategy: Strategy) -> Sql {
    walk_by!(strategy, "c.id", "")
}
