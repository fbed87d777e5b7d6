//! How full the pool is, and when that is worth saying.

use serde::{Deserialize, Serialize};

/// Shares, in percent, at which the pool's level changes. Defaults are this project's decisions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// Used share of the slots that makes a warning.
    pub warning_percent: f64,
    /// Used share of the slots that is critical.
    pub critical_percent: f64,
    /// Share of banned credentials that is critical.
    pub banned_percent: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { warning_percent: 80.0, critical_percent: 95.0, banned_percent: 30.0 }
    }
}

/// The pool's totals, counted by the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Credentials that are not deleted.
    pub credentials: i64,
    /// Those that are banned.
    pub banned: i64,
    /// Slots of the enabled ones.
    pub slots: i64,
    /// Slots of the enabled ones that accounts hold. One that drains holds no more than it has.
    pub used: i64,
}

impl Totals {
    /// Used share of the slots in percent; a pool without slots is empty, not full.
    pub fn used_percent(&self) -> f64 {
        percent(self.used, self.slots)
    }

    /// Banned share of the credentials in percent.
    pub fn banned_percent(&self) -> f64 {
        percent(self.banned, self.credentials)
    }
}

fn percent(part: i64, whole: i64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

/// How the pool stands. An event goes out once for each change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Level {
    /// Room enough.
    #[default]
    Normal,
    /// Filling up.
    Warning,
    /// Nearly full, or too much of it is banned.
    Critical,
}

/// The level that `totals` stand for.
pub fn level(totals: &Totals, thresholds: &Thresholds) -> Level {
    let used = totals.used_percent();
    if used >= thresholds.critical_percent || totals.banned_percent() >= thresholds.banned_percent {
        Level::Critical
    } else if used >= thresholds.warning_percent {
        Level::Warning
    } else {
        Level::Normal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_follow_the_thresholds() {
        let at = |used, banned| level(&Totals { credentials: 100, banned, slots: 100, used }, &Thresholds::default());
        assert_eq!(at(79, 0), Level::Normal);
        assert_eq!(at(80, 0), Level::Warning);
        assert_eq!(at(95, 0), Level::Critical);
        assert_eq!(at(0, 29), Level::Normal);
        assert_eq!(at(0, 30), Level::Critical);
        assert_eq!(level(&Totals::default(), &Thresholds::default()), Level::Normal);
    }
}
