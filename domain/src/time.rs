//! Time as the pool keeps it: milliseconds since 1970 in UTC, RFC 3339 on the wire.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A moment, in milliseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

/// One second in milliseconds.
pub const SECOND: i64 = 1_000;
/// One minute in milliseconds.
pub const MINUTE: i64 = 60 * SECOND;
/// One hour in milliseconds.
pub const HOUR: i64 = 60 * MINUTE;
/// One day in milliseconds.
pub const DAY: i64 = 24 * HOUR;

impl Timestamp {
    /// From milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// This moment moved by `millis`; saturates instead of overflowing.
    #[must_use]
    pub const fn plus(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Milliseconds from `earlier` to this moment.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// RFC 3339 in UTC with milliseconds, as every answer shows it.
    pub fn to_rfc3339(self) -> String {
        DateTime::<Utc>::from_timestamp_millis(self.0).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    /// Reads RFC 3339, or a plain date as its first moment in UTC. In a query string a `+` of the
    /// offset may have become a space.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let dated = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.replace(' ', "+") };
        DateTime::parse_from_rfc3339(&dated).ok().map(|time| Self(time.timestamp_millis()))
    }

    /// The same where something ends: a plain date is its last moment.
    pub fn parse_end(text: &str) -> Option<Self> {
        let is_date = text.trim().len() == 10;
        Self::parse(text).map(|moment| if is_date { moment.plus(DAY - 1) } else { moment })
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_rfc3339())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("must be an RFC 3339 date and time"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let moment = Timestamp::from_millis(1_795_000_000_123);
        assert_eq!(Timestamp::parse(&moment.to_rfc3339()), Some(moment));
        assert_eq!(moment.to_rfc3339(), "2026-11-18T11:06:40.123Z");
    }

    #[test]
    fn reads_dates_and_offsets() {
        assert_eq!(Timestamp::parse("1970-01-02"), Some(Timestamp(DAY)));
        assert_eq!(Timestamp::parse_end("1970-01-02"), Some(Timestamp(2 * DAY - 1)));
        assert_eq!(Timestamp::parse_end("1970-01-02T00:00:00Z"), Some(Timestamp(DAY)));
        assert_eq!(Timestamp::parse_end("1970-01-32"), None);
        assert_eq!(Timestamp::parse("1970-01-01T08:00:00 08:00"), Some(Timestamp(0)));
        assert_eq!(Timestamp::parse("yesterday"), None);
    }
}
