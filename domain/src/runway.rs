//! When the pool is full, if it goes on filling as it did.

use crate::time::{DAY, HOUR, Timestamp};

/// How far back the samples go that count, in milliseconds.
pub const WINDOW: i64 = 7 * DAY;
/// Samples that are closer together than this say nothing, in milliseconds from the first to the last.
pub const LEAST_SPAN: i64 = HOUR;
/// Fewer samples say nothing.
pub const LEAST_SAMPLES: usize = 6;

/// How many slots were taken at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When.
    pub at: Timestamp,
    /// Slots that accounts held.
    pub used: i64,
}

/// How fast the pool fills, and how long that can go on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Runway {
    /// Slots that are taken more each day, less than zero when it empties; `None` when there are too
    /// few samples to tell.
    pub slots_per_day: Option<f64>,
    /// Days until no slot is free. `None` when the pool does not fill, or nobody can tell; zero when
    /// none is free now.
    pub full_in_days: Option<f64>,
    /// Slots that are free now.
    pub free: i64,
}

impl Runway {
    /// From the samples of the last [`WINDOW`], in any order, and the slots there are now with how
    /// many of them are taken.
    ///
    /// The pace is the slope of the line of least squares through the samples, `x` being when and `y`
    /// how many slots were taken: `(n·Σxy − Σx·Σy) / (n·Σx² − (Σx)²)` (e.g. Draper & Smith, Applied
    /// Regression Analysis, §1.2). It is made of whole numbers up to the division, so that a pool that
    /// stands still has a pace of exactly zero. Fewer than [`LEAST_SAMPLES`], or such as span less
    /// than [`LEAST_SPAN`], make none. The pool is full in `free / pace` days, which is a finite number
    /// of at least zero. A pool without slots is empty, not full.
    pub fn of(samples: &[Sample], slots: i64, used: i64, now: Timestamp) -> Self {
        let free = (slots - used).max(0);
        let slots_per_day = pace(samples, now);
        let full_in_days = match slots_per_day {
            _ if slots <= 0 => None,
            _ if free == 0 => Some(0.0),
            Some(pace) if pace > 0.0 => Some(free as f64 / pace),
            _ => None,
        };
        Self { slots_per_day, full_in_days, free }
    }
}

/// Slots a day.
fn pace(samples: &[Sample], now: Timestamp) -> Option<f64> {
    let recent = || samples.iter().filter(|sample| (0..=WINDOW).contains(&now.since(sample.at)));
    let (first, last) = (recent().map(|s| s.at).min()?, recent().map(|s| s.at).max()?);
    if recent().count() < LEAST_SAMPLES || last.since(first) < LEAST_SPAN {
        return None;
    }
    // n, Σx, Σy, Σxy, Σx².
    let [n, x, y, xy, xx] = recent().fold([0_i128; 5], |[n, x, y, xy, xx], sample| {
        let (when, used) = (i128::from(sample.at.since(first)), i128::from(sample.used));
        [n + 1, x + when, y + used, xy + when * used, xx + when * when]
    });
    let (rise, run) = (n * xy - x * y, n * xx - x * x);
    // At least two moments differ, so `run` is positive.
    Some(rise as f64 / run as f64 * DAY as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::time::MINUTE;

    const NOW: i64 = 1_700_000_000_000;

    fn now() -> Timestamp {
        Timestamp::from_millis(NOW)
    }

    /// One every five minutes, the last of them now.
    fn samples(used: impl IntoIterator<Item = i64>) -> Vec<Sample> {
        let used: Vec<i64> = used.into_iter().collect();
        let ago = |n: usize| now().plus(-5 * MINUTE * (used.len() - 1 - n) as i64);
        used.iter().enumerate().map(|(n, used)| Sample { at: ago(n), used: *used }).collect()
    }

    #[test]
    fn a_steady_pace_is_found() {
        // One slot in five minutes: 288 a day.
        let runway = Runway::of(&samples(0..100), 675, 99, now());
        assert_eq!(runway, Runway { slots_per_day: Some(288.0), full_in_days: Some(2.0), free: 576 });
        let falling = Runway::of(&samples((0..100).rev()), 675, 0, now());
        assert_eq!(falling, Runway { slots_per_day: Some(-288.0), full_in_days: None, free: 675 });
        let still = Runway::of(&samples([7; 100]), 10, 7, now());
        assert_eq!(still, Runway { slots_per_day: Some(0.0), full_in_days: None, free: 3 });
    }

    #[test]
    fn a_full_pool_is_full_now_and_one_without_slots_never() {
        for used in [samples(0..100), samples([9; 100]), samples((0..100).rev()), Vec::new()] {
            assert_eq!(Runway::of(&used, 9, 9, now()).full_in_days, Some(0.0));
            let empty = Runway::of(&used, 0, 0, now());
            assert_eq!((empty.full_in_days, empty.free), (None, 0));
        }
        assert_eq!(Runway::of(&[], 5, 7, now()).free, 0, "one that drains");
    }

    #[test]
    fn a_few_samples_say_nothing() {
        let pace = |used: &[Sample]| Runway::of(used, 1_000, 0, now()).slots_per_day;
        assert_eq!(pace(&samples(0..12)), None, "55 minutes");
        assert!(pace(&samples(0..13)).is_some(), "an hour");
        let hourly =
            |n: i64| -> Vec<Sample> { (0..n).map(|i| Sample { at: now().plus(-i * HOUR), used: i }).collect() };
        assert_eq!(pace(&hourly(5)), None);
        assert_eq!(pace(&hourly(6)), Some(-24.0));
        // What is older than a week, or in the future, does not count.
        let mut old = hourly(5);
        old.push(Sample { at: now().plus(-WINDOW - 1), used: 9_000 });
        old.push(Sample { at: now().plus(1), used: 9_000 });
        assert_eq!(pace(&old), None);
        let once = vec![Sample { at: now(), used: 5 }; 50];
        assert_eq!(pace(&once), None, "all at one moment");
    }

    fn any_samples() -> impl Strategy<Value = Vec<Sample>> {
        let one = (0..=WINDOW, 0..1_000_000_i64).prop_map(|(ago, used)| Sample { at: now().plus(-ago), used });
        prop::collection::vec(one, 0..300)
    }

    proptest! {
        #[test]
        fn its_figures_are_finite_and_agree(samples in any_samples(), slots in 0..2_000_000_i64, share in 0.0..=1.0_f64) {
            let used = (slots as f64 * share) as i64;
            let runway = Runway::of(&samples, slots, used, now());
            prop_assert_eq!(runway.free, slots - used);
            prop_assert!(runway.slots_per_day.is_none_or(f64::is_finite));
            if let Some(days) = runway.full_in_days {
                prop_assert!(days.is_finite() && days >= 0.0);
                prop_assert_eq!(days == 0.0, runway.free == 0);
                let pace = runway.slots_per_day.unwrap_or_default();
                prop_assert!(runway.free == 0 || (days * pace - runway.free as f64).abs() < 1e-6 * runway.free as f64);
            } else {
                prop_assert!(slots == 0 || runway.free > 0 && runway.slots_per_day.unwrap_or_default() <= 0.0);
            }
        }

        #[test]
        fn a_line_is_found_whatever_its_place(start in 0..1_000_000_i64, each in -500..=500_i64, count in 13..400_usize) {
            let line = samples((0..count as i64).map(|n| start + n * each));
            let pace = Runway::of(&line, 1, 0, now()).slots_per_day.unwrap();
            let expected = (each * 288) as f64;
            prop_assert!((pace - expected).abs() <= 1e-9 * expected.abs());
        }

        #[test]
        fn neither_order_nor_a_larger_number_throughout_matters(
            samples in any_samples().prop_shuffle(), more in 0..1_000_000_i64,
        ) {
            let pace = |samples: &[Sample]| Runway::of(samples, 1, 0, now()).slots_per_day;
            let raised: Vec<Sample> = samples.iter().map(|s| Sample { used: s.used + more, ..*s }).collect();
            let mut sorted = samples.clone();
            sorted.sort_by_key(|sample| sample.at);
            prop_assert_eq!(pace(&samples), pace(&raised));
            prop_assert_eq!(pace(&samples), pace(&sorted));
        }
    }
}
