//! What the allocator counts as it works. Names and labels are the same on every process; no label
//! names an account, a credential or a token.

use std::time::Duration;

use domain::blame::Fault;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use strum::IntoEnumIterator;

use crate::allocator::{Answer, Command, Done, Refused};

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Reported {
    outcome: &'static str,
    fault: String,
}

/// The allocator's counters. Cheap to clone; all clones count together.
#[derive(Clone, Debug)]
pub struct AllocatorMetrics {
    allocations: Family<Outcome, Counter>,
    releases: Family<Outcome, Counter>,
    results: Family<Reported, Counter>,
    batch: Histogram,
    wait: Histogram,
}

/// What can come of an allocation.
const ALLOCATIONS: [&str; 11] = [
    "new",
    "existing",
    "pool_full",
    "none_available",
    "denied_by_rule",
    "credential_banned",
    "pinned_unavailable",
    "account_unavailable",
    "refused",
    "overloaded",
    "failed",
];
/// What can come of a release or a renewal.
const RELEASES: [&str; 6] = ["released", "renewed", "not_allocated", "refused", "overloaded", "failed"];

/// Counters that are there before anything is counted: of one that comes with its first event, that
/// event is no increase.
fn at_zero(outcomes: &[&'static str]) -> Family<Outcome, Counter> {
    let family = Family::default();
    for outcome in outcomes {
        drop(family.get_or_create(&Outcome { outcome }));
    }
    family
}

fn results_at_zero() -> Family<Reported, Counter> {
    let family = Family::default();
    drop(family.get_or_create(&Reported { outcome: "success", fault: Fault::None.to_string() }));
    for fault in Fault::iter().map(|fault| fault.to_string()) {
        drop(family.get_or_create(&Reported { outcome: "failure", fault }));
    }
    family
}

impl Default for AllocatorMetrics {
    fn default() -> Self {
        Self {
            allocations: at_zero(&ALLOCATIONS),
            releases: at_zero(&RELEASES),
            results: results_at_zero(),
            batch: Histogram::new(exponential_buckets(1.0, 2.0, 9)),
            wait: Histogram::new(exponential_buckets(0.000_5, 2.0, 15)),
        }
    }
}

impl AllocatorMetrics {
    /// Makes them known under their names.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("allocations", "Allocations asked for, by what came of them", self.allocations.clone());
        registry.register("releases", "Releases and renewals asked for, by what came of them", self.releases.clone());
        registry.register("results", "Results reported, by how it went and whose fault it was", self.results.clone());
        registry.register("allocator_batch_size", "Requests decided in one transaction", self.batch.clone());
        registry.register_with_unit(
            "allocator_wait",
            "From the queue to the answer, the commit included",
            Unit::Seconds,
            self.wait.clone(),
        );
    }

    /// Counts a batch that was answered.
    pub(crate) fn batch(&self, members: usize) {
        self.batch.observe(members as f64);
    }

    /// Counts one answer.
    pub(crate) fn answered(&self, command: &Command, answer: &Answer, waited: Duration) {
        self.wait.observe(waited.as_secs_f64());
        let family = match (command, answer) {
            (Command::Report(report), Ok(Done::Reported(reported))) => {
                let outcome = if report.success { "success" } else { "failure" };
                // One that came twice counts once.
                if reported.recorded {
                    self.results.get_or_create(&Reported { outcome, fault: reported.fault.to_string() }).inc();
                }
                return;
            }
            (Command::Report(_), _) => return,
            (Command::Allocate(_), _) => &self.allocations,
            (Command::Release(_) | Command::Renew(_), _) => &self.releases,
        };
        family.get_or_create(&Outcome { outcome: outcome_of(answer) }).inc();
    }

    /// Counts a request that found the queue full, among its own kind.
    pub(crate) fn turned_away(&self, command: &Command) {
        let outcome = "overloaded";
        match command {
            Command::Allocate(_) => self.allocations.get_or_create(&Outcome { outcome }).inc(),
            Command::Release(_) | Command::Renew(_) => self.releases.get_or_create(&Outcome { outcome }).inc(),
            Command::Report(_) => {
                let fault = Fault::None.to_string();
                self.results.get_or_create(&Reported { outcome, fault }).inc()
            }
        };
    }
}

fn outcome_of(answer: &Answer) -> &'static str {
    match answer {
        Ok(Done::Allocated(allocated)) if allocated.existing => "existing",
        Ok(Done::Allocated(_)) => "new",
        Ok(Done::Released(_)) => "released",
        Ok(Done::Renewed(_)) => "renewed",
        Ok(Done::Reported(_)) => "reported",
        Err(refused) => match refused {
            Refused::PoolFull => "pool_full",
            Refused::NoneAvailable(_) => "none_available",
            Refused::DeniedByRule(_) => "denied_by_rule",
            Refused::CredentialBanned => "credential_banned",
            Refused::PinnedUnavailable(_) => "pinned_unavailable",
            Refused::AccountUnavailable { .. } => "account_unavailable",
            Refused::NotAllocated => "not_allocated",
            Refused::KeyReused | Refused::NotALease | Refused::UnknownCredential | Refused::UnknownGroup => "refused",
            Refused::Overloaded => "overloaded",
            Refused::Store(_) => "failed",
        },
    }
}
