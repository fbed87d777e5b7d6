//! Refused permissions and failed logins of nobody, noted in the journal: the first at once, those
//! that follow within a minute as a number in the next row. A client that keeps asking for what it
//! may not have must not fill the journal.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use domain::TenantId;
use domain::event::Action;
use domain::time::MINUTE;
use serde_json::json;

use crate::Store;
use crate::error::Result;
use crate::journal::{Entry, Origin};

/// How far apart rows of the same kind are, in milliseconds.
const APART: i64 = MINUTE;
/// Kinds that are remembered; when there are more, the old ones are forgotten.
const KINDS: usize = 10_000;

/// When each kind was last noted, in milliseconds, and how often it came since.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    seen: Mutex<HashMap<String, (i64, u64)>>,
}

impl Refusals {
    /// `Some` when it is to be noted: how often it came since the last time.
    fn count(&self, kind: String, now: i64) -> Option<u64> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= KINDS {
            seen.retain(|_, (at, _)| now - *at < APART);
        }
        if seen.len() >= KINDS && !seen.contains_key(&kind) {
            return None;
        }
        let (at, more) = seen.entry(kind).or_insert((i64::MIN / 2, 0));
        if now - *at < APART {
            *more += 1;
            return None;
        }
        *at = now;
        Some(std::mem::take(more))
    }
}

impl Store {
    /// Notes that something was refused, and why.
    pub async fn note_refusal(&self, tenant: &TenantId, origin: &Origin, action: Action, why: &str) -> Result<()> {
        let who = if origin.actor == Origin::NOBODY { origin.ip.as_deref().unwrap_or("") } else { &origin.actor };
        let kind = format!("{tenant} {who} {action} {why}");
        let Some(repeated) = self.inner.refusals.count(kind, self.now().millis()) else { return Ok(()) };
        let mut tx = self.begin().await?;
        let data = json!({ "reason": why, "repeated": repeated });
        tx.record(tenant, origin, self.now(), &[Entry::new(action).data(data)]).await?;
        tx.commit().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_noted_and_the_rest_is_counted() {
        let refusals = Refusals::default();
        let count = |kind: &str, now| refusals.count(kind.to_owned(), now);
        assert_eq!(count("a", 0), Some(0));
        assert_eq!((count("a", 1), count("a", APART - 1), count("b", 1)), (None, None, Some(0)));
        assert_eq!(count("a", APART), Some(2));
        assert_eq!(count("a", 3 * APART), Some(0));
        for kind in 0..2 * KINDS {
            count(&kind.to_string(), 3 * APART);
        }
        assert!(refusals.seen.lock().unwrap().len() <= KINDS);
    }
}
