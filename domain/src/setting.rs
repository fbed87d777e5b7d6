//! Settings of a tenant: what there is, what each may be, and what they come to.
//!
//! A value comes from the environment (or the file, or a flag) of the process, which locks it; else
//! from what people have set; else it is the default.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use strum::IntoEnumIterator;

use crate::capacity::Thresholds;
use crate::{Invalid, Strategy};

/// Every setting there is, by its name on the wire; in a configuration file it has the same path.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::EnumIter,
    strum::AsRefStr,
)]
#[allow(missing_docs, reason = "each has its description below")]
pub enum Key {
    #[serde(rename = "strategy")]
    #[strum(serialize = "strategy")]
    Strategy,
    #[serde(rename = "capacity.warning_percent")]
    #[strum(serialize = "capacity.warning_percent")]
    CapacityWarning,
    #[serde(rename = "capacity.critical_percent")]
    #[strum(serialize = "capacity.critical_percent")]
    CapacityCritical,
    #[serde(rename = "capacity.banned_percent")]
    #[strum(serialize = "capacity.banned_percent")]
    CapacityBanned,
    #[serde(rename = "retention.journal_days")]
    #[strum(serialize = "retention.journal_days")]
    JournalDays,
    #[serde(rename = "retention.results_days")]
    #[strum(serialize = "retention.results_days")]
    ResultsDays,
    #[serde(rename = "retention.jobs_days")]
    #[strum(serialize = "retention.jobs_days")]
    JobsDays,
}

/// What a value may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The name of a strategy.
    Strategy,
    /// A number from 0 to 100.
    Percent,
    /// A whole number from 1 to 36,500.
    Days,
}

impl Key {
    /// What a value may be.
    pub fn kind(self) -> Kind {
        match self {
            Self::Strategy => Kind::Strategy,
            Self::CapacityWarning | Self::CapacityCritical | Self::CapacityBanned => Kind::Percent,
            Self::JournalDays | Self::ResultsDays | Self::JobsDays => Kind::Days,
        }
    }

    /// For people.
    pub fn description(self) -> &'static str {
        match self {
            Self::Strategy => "How credentials are ranked where neither the request nor the group says",
            Self::CapacityWarning => "Used share of the slots, in percent, that makes a warning",
            Self::CapacityCritical => "Used share of the slots, in percent, that is critical",
            Self::CapacityBanned => "Share of banned credentials, in percent, that is critical",
            Self::JournalDays => "Days that history and audit trail are kept; the longest of all tenants counts",
            Self::ResultsDays => "Days that raw result reports are kept; the longest of all tenants counts",
            Self::JobsDays => "Days that finished jobs are kept; the longest of all tenants counts",
        }
    }

    /// What it is when nobody says.
    pub fn default_value(self) -> Value {
        let (capacity, retention) = (Thresholds::default(), Retention::default());
        match self {
            Self::Strategy => json!(Strategy::default()),
            Self::CapacityWarning => json!(capacity.warning_percent),
            Self::CapacityCritical => json!(capacity.critical_percent),
            Self::CapacityBanned => json!(capacity.banned_percent),
            Self::JournalDays => json!(retention.journal_days),
            Self::ResultsDays => json!(retention.results_days),
            Self::JobsDays => json!(retention.jobs_days),
        }
    }

    /// Whether it may have this value.
    pub fn check(self, value: &Value) -> Result<(), Invalid> {
        let (holds, rule) = match self.kind() {
            Kind::Strategy => {
                let names: Vec<String> = Strategy::iter().map(|s| s.to_string()).collect();
                let known = value.as_str().is_some_and(|name| names.iter().any(|n| n == name));
                (known, format!("must be one of {}", names.join(", ")))
            }
            Kind::Percent => {
                let within = value.as_f64().is_some_and(|percent| (0.0..=100.0).contains(&percent));
                (within, "must be a number from 0 to 100".to_owned())
            }
            Kind::Days => {
                let within = value.as_i64().is_some_and(|days| (1..=36_500).contains(&days));
                (within, "must be a whole number from 1 to 36500".to_owned())
            }
        };
        if holds { Ok(()) } else { Err(Invalid::field(self.as_ref(), rule)) }
    }
}

/// Where a value comes from.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString, strum::EnumIter,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Source {
    /// Nobody has said anything.
    Default,
    /// A person has set it.
    Setting,
    /// The configuration file of the process.
    File,
    /// The environment of the process.
    Environment,
    /// A flag of the process.
    CommandLine,
}

/// Values that the process was started with, and from where: nobody can set these.
pub type Fixed = BTreeMap<Key, (Value, Source)>;
/// Values that people have set.
pub type Stored = BTreeMap<Key, Value>;

/// The value that counts, and where it comes from.
pub fn effective(key: Key, fixed: &Fixed, stored: &Stored) -> (Value, Source) {
    if let Some((value, source)) = fixed.get(&key) {
        return (value.clone(), *source);
    }
    // One that a later version has stored and that this one would refuse counts as not said.
    match stored.get(&key).filter(|value| key.check(value).is_ok()) {
        Some(value) => (value.clone(), Source::Setting),
        None => (key.default_value(), Source::Default),
    }
}

/// How many days things are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_field_names, reason = "a number says its unit")]
pub struct Retention {
    /// History and audit trail.
    pub journal_days: u32,
    /// Raw result reports; what they say of a credential is kept in its evidence.
    pub results_days: u32,
    /// Jobs that are done or parked.
    pub jobs_days: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { journal_days: 365, results_days: 90, jobs_days: 14 }
    }
}

impl Retention {
    /// What satisfies both: the logs of all tenants are one, and are shortened at their old end.
    #[must_use]
    pub fn longest(self, other: Self) -> Self {
        Self {
            journal_days: self.journal_days.max(other.journal_days),
            results_days: self.results_days.max(other.results_days),
            jobs_days: self.jobs_days.max(other.jobs_days),
        }
    }
}

/// What a tenant's settings come to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Settings {
    /// How credentials are ranked where neither the request nor the group says.
    pub strategy: Strategy,
    /// When the pool is too full.
    pub capacity: Thresholds,
    /// How long things are kept.
    pub retention: Retention,
}

impl Settings {
    /// Of all layers.
    pub fn of(fixed: &Fixed, stored: &Stored) -> Self {
        let value = |key| effective(key, fixed, stored).0;
        let percent = |key| value(key).as_f64().unwrap_or_default();
        let days = |key| value(key).as_u64().and_then(|days| days.try_into().ok()).unwrap_or(u32::MAX);
        Self {
            strategy: serde_json::from_value(value(Key::Strategy)).unwrap_or_default(),
            capacity: Thresholds {
                warning_percent: percent(Key::CapacityWarning),
                critical_percent: percent(Key::CapacityCritical),
                banned_percent: percent(Key::CapacityBanned),
            },
            retention: Retention {
                journal_days: days(Key::JournalDays),
                results_days: days(Key::ResultsDays),
                jobs_days: days(Key::JobsDays),
            },
        }
    }

    /// What no value by itself shows.
    pub fn check(&self) -> Result<(), Invalid> {
        let mut invalid = Invalid::default();
        let rising = self.capacity.warning_percent <= self.capacity.critical_percent;
        let field = Key::CapacityWarning;
        invalid.require(rising, field.as_ref(), "must not be above capacity.critical_percent");
        invalid.into_result()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_passes_its_own_check() {
        for key in Key::iter() {
            key.check(&key.default_value()).unwrap();
        }
        let nothing = Settings::of(&Fixed::new(), &Stored::new());
        assert_eq!(nothing, Settings::default());
        nothing.check().unwrap();
    }

    #[test]
    fn what_the_process_was_given_goes_before_what_people_have_set() {
        let stored: Stored = [(Key::CapacityWarning, json!(50.0)), (Key::Strategy, json!("health"))].into();
        let fixed: Fixed = [(Key::CapacityWarning, (json!(60), Source::Environment))].into();
        assert_eq!(effective(Key::CapacityWarning, &fixed, &stored), (json!(60), Source::Environment));
        assert_eq!(effective(Key::Strategy, &fixed, &stored), (json!("health"), Source::Setting));
        assert_eq!(effective(Key::JobsDays, &fixed, &stored), (json!(14), Source::Default));
        let odd: Stored = [(Key::Strategy, json!("by the moon"))].into();
        assert_eq!(effective(Key::Strategy, &fixed, &odd).1, Source::Default);
    }

    #[test]
    fn wrong_values_name_the_key_and_the_rule() {
        for (key, value) in [
            (Key::Strategy, json!("x")),
            (Key::Strategy, json!(1)),
            (Key::CapacityBanned, json!(101)),
            (Key::CapacityBanned, json!("50")),
            (Key::JournalDays, json!(0)),
            (Key::JournalDays, json!(1.5)),
        ] {
            assert_eq!(key.check(&value).unwrap_err().fields[0].field, key.to_string());
        }
        let falling: Stored = [(Key::CapacityWarning, json!(96))].into();
        assert!(Settings::of(&Fixed::new(), &falling).check().is_err());
    }
}
