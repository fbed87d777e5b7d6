//! The work itself, one file for each job. Every handler can run twice without harm.

mod check_capacity;
mod expire_leases;
mod import_credentials;
mod measure_pool;
mod prune;
mod score_health;

pub(crate) use check_capacity::check_capacity;
pub(crate) use expire_leases::expire_leases;
pub(crate) use import_credentials::import_credentials;
pub(crate) use measure_pool::measure_pool;
pub(crate) use prune::prune;
pub(crate) use score_health::score_health;

/// Rows that one transaction touches: no writer holds the lock long.
const STEP: usize = 200;
