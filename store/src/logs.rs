//! Finding a moment in a log: the journal, or the raw results.

use domain::Timestamp;

use crate::Store;
use crate::db::{Sql, args};
use crate::error::Result;

/// Processes number their rows when they commit and date them when they begin, so dates may be out
/// of order by a few rows: a search by date goes so much further.
pub(crate) const OUT_OF_ORDER: i64 = 1_000;

impl Store {
    /// The last number before `moment`, by bisection over the primary key: times rise, but for
    /// [`OUT_OF_ORDER`]. `row` selects number and time of the first row from `$1` to `$2`.
    pub(crate) async fn last_before(&self, row: Sql, moment: Timestamp, newest: i64) -> Result<i64> {
        let (mut low, mut high) = (0, newest);
        while low < high {
            let middle = low + (high - low + 1) / 2;
            match self.db().optional::<(i64, i64)>(row, args![middle, high]).await? {
                Some((seq, at)) if at < moment.millis() => low = seq,
                // Pruned away, or later than `moment`.
                _ => high = middle - 1,
            }
        }
        Ok(low)
    }
}
