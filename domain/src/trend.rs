//! How a trend is laid out in time: in steps that are aligned to the clock, so that a point stays the
//! same point from one look to the next.

use crate::time::{DAY, HOUR, MINUTE, Timestamp};

/// The finest step, in which figures are kept, in milliseconds.
pub const BUCKET: i64 = 5 * MINUTE;
/// The longest period of a trend, in hours.
pub const MAX_HOURS: i64 = 90 * 24;
/// The most points of a trend.
pub const MAX_POINTS: i64 = 200;

/// Each is made of whole buckets, and of whole ones of those before it.
const STEPS: [i64; 5] = [BUCKET, 15 * MINUTE, HOUR, 6 * HOUR, DAY];

/// The layout of a trend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Milliseconds from one point to the next: the smallest step that makes at most [`MAX_POINTS`].
    pub step: i64,
    /// How many points there are; the last is the step under way.
    pub points: i64,
    /// When the first point begins.
    pub from: Timestamp,
    /// When the period to compare with begins, which ends where the first point begins. It is as
    /// long as what has passed since then, in whole buckets: a step that has only begun is not held
    /// against a whole one.
    pub before: Timestamp,
}

impl Layout {
    /// The last `hours` hours, seen from `now`.
    pub fn of(hours: i64, now: Timestamp) -> Self {
        let length = hours * HOUR;
        let steps_of = |step: i64| (length + step - 1) / step;
        let step = STEPS.into_iter().find(|step| steps_of(*step) <= MAX_POINTS).unwrap_or(DAY);
        let points = steps_of(step);
        let from = begin(now, step).plus(-(points - 1) * step);
        let passed = bucket(now).plus(BUCKET).since(from);
        Self { step, points, from, before: from.plus(-passed) }
    }

    /// When the points begin, the oldest first.
    pub fn moments(&self) -> impl Iterator<Item = Timestamp> + use<> {
        let Self { step, points, from, .. } = *self;
        (0..points).map(move |n| from.plus(n * step))
    }
}

/// When the bucket of a moment begins.
pub fn bucket(moment: Timestamp) -> Timestamp {
    begin(moment, BUCKET)
}

fn begin(moment: Timestamp, step: i64) -> Timestamp {
    moment.plus(-moment.millis().rem_euclid(step))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_step_is_the_smallest_that_makes_few_points() {
        let now = Timestamp::parse("2026-11-18T11:06:40Z").unwrap();
        for (hours, step, points) in [
            (1, BUCKET, 12),
            (16, BUCKET, 192),
            (17, 15 * MINUTE, 68),
            (24, 15 * MINUTE, 96),
            (50, 15 * MINUTE, 200),
            (51, HOUR, 51),
            (200, HOUR, 200),
            (201, 6 * HOUR, 34),
            (1_200, 6 * HOUR, 200),
            (1_201, DAY, 51),
            (MAX_HOURS, DAY, 90),
        ] {
            let layout = Layout::of(hours, now);
            assert_eq!((layout.step, layout.points), (step, points), "{hours}");
        }
    }

    #[test]
    fn a_period_is_held_against_as_long_a_one() {
        let at = |text| Timestamp::parse(text).unwrap();
        let layout = Layout::of(1_440, at("2026-11-18T11:06:40Z"));
        assert_eq!(layout.from, at("2026-09-20"));
        // 59 days, 11 hours and 10 minutes earlier.
        assert_eq!(layout.before, at("2026-07-22T12:50:00Z"));
    }

    proptest! {
        #[test]
        fn every_step_is_there_once(hours in 1..=MAX_HOURS, millis in 0..4_000_000_000_000_i64) {
            let now = Timestamp::from_millis(millis);
            let layout = Layout::of(hours, now);
            let moments: Vec<Timestamp> = layout.moments().collect();
            prop_assert_eq!(moments.len() as i64, layout.points);
            prop_assert!((1..=MAX_POINTS).contains(&layout.points));
            prop_assert!(moments.iter().all(|at| at.millis() % layout.step == 0));
            prop_assert!(moments.windows(2).all(|two| two[1].since(two[0]) == layout.step));
            let last = *moments.last().unwrap();
            prop_assert!(last <= now && now < last.plus(layout.step));
            // No less than was asked for, but for the part of the last step that is still to come.
            prop_assert!(last.plus(layout.step).since(layout.from) >= hours * HOUR);
            prop_assert_eq!(layout.before.millis() % BUCKET, 0);
            prop_assert_eq!(layout.from.since(layout.before), bucket(now).plus(BUCKET).since(layout.from));
        }
    }
}
